/* ADD and MUL: b repeats along axes of size 1, along missing axes, or as [B,C] over [B,…,C]. */
#include "half_precision.h"
#include "kernel_list.h"

typedef struct broadcast_job {
  const float *a, *b;
  float *y;
  int64_t rows, length;           /* y is [rows, length]; b is constant or dense along a row */
  int64_t block;                  /* rows per slice */
  int32_t axes;                   /* axes that the rows run over */
  int64_t dims[ESP_MAX_RANK];     /* their sizes */
  int64_t strides[ESP_MAX_RANK];  /* b's steps along them */
  bool dense;                     /* b has the row's axis */
  bool multiply;
} broadcast_job;

/* Merges axes along which b behaves alike: a [axes] of the shape, b's steps; the last one is the row. */
static void merge_axes(broadcast_job *job, const int64_t *dims, const bool *kept, int32_t rank) {
  int64_t sizes[ESP_MAX_RANK + 1];
  bool keeps[ESP_MAX_RANK + 1];
  int32_t n = 0;
  for (int32_t k = 0; k < rank; k++) {
    if (dims[k] == 1) continue;
    if (n > 0 && keeps[n - 1] == kept[k]) {
      sizes[n - 1] *= dims[k];
    } else {
      sizes[n] = dims[k];
      keeps[n++] = kept[k];
    }
  }
  if (n == 0) {
    sizes[n] = 1;
    keeps[n++] = true;
  }
  job->length = sizes[n - 1];
  job->dense = keeps[n - 1];
  job->axes = n - 1;
  job->rows = 1;
  int64_t step = job->dense ? job->length : 1;
  for (int32_t k = n - 2; k >= 0; k--) {
    job->dims[k] = sizes[k];
    job->strides[k] = keeps[k] ? step : 0;
    if (keeps[k]) step *= sizes[k];
    job->rows *= sizes[k];
  }
}

/* Fills the axes of the job from the shapes; null if b does not repeat over a. */
static const char *plan_broadcast(const bk_call *call, broadcast_job *job) {
  const bk_tensor *a = bk_input(call, 0), *b = bk_input(call, 1);
  bool kept[ESP_MAX_RANK];
  if (call->i[0] == 1) {
    BK_REQUIRE(b->rank == 2 && a->rank >= 2, "b is not [B,C] over a [B,…,C]");
    BK_REQUIRE(b->dims[0] == a->dims[0] && bk_last(b) == bk_last(a), "b is not [B,C] over a [B,…,C]");
    for (int32_t k = 0; k < a->rank; k++) kept[k] = k == 0 || k == a->rank - 1;
  } else {
    BK_REQUIRE(call->i[0] == 0, "unknown mode");
    BK_REQUIRE(b->rank <= a->rank, "b has more axes than a");
    const int32_t missing = a->rank - b->rank;
    for (int32_t k = 0; k < a->rank; k++) {
      const int64_t size = k < missing ? 1 : b->dims[k - missing];
      BK_REQUIRE(size == 1 || size == a->dims[k], "b does not repeat over a");
      kept[k] = size == a->dims[k];
    }
  }
  merge_axes(job, a->dims, kept, a->rank);
  return 0;
}

BK_CLONES static void add_row(const float *a, const float *b, float *y, int64_t n, bool dense) {
  if (dense) {
    BK_INDEPENDENT for (int64_t k = 0; k < n; k++) y[k] = a[k] + b[k];
  } else {
    const float value = b[0];
    BK_INDEPENDENT for (int64_t k = 0; k < n; k++) y[k] = a[k] + value;
  }
}

BK_CLONES static void multiply_row(const float *a, const float *b, float *y, int64_t n, bool dense) {
  if (dense) {
    BK_INDEPENDENT for (int64_t k = 0; k < n; k++) y[k] = a[k] * b[k];
  } else {
    const float value = b[0];
    BK_INDEPENDENT for (int64_t k = 0; k < n; k++) y[k] = a[k] * value;
  }
}

static void broadcast_row(const broadcast_job *job, int64_t row, int64_t first, int64_t count) {
  int64_t rest = row, offset = 0;
  for (int32_t k = job->axes - 1; k >= 0; k--) {
    offset += rest % job->dims[k] * job->strides[k];
    rest /= job->dims[k];
  }
  const int64_t start = row * job->length + first;
  const float *b = job->b + offset + (job->dense ? first : 0);
  if (job->multiply)
    multiply_row(job->a + start, b, job->y + start, count, job->dense);
  else
    add_row(job->a + start, b, job->y + start, count, job->dense);
}

static void broadcast_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const broadcast_job *job = argument;
  if (job->rows == 1) {
    const int64_t first = begin * BK_BLOCK;
    broadcast_row(job, 0, first, bk_min(end * BK_BLOCK, job->length) - first);
    return;
  }
  for (int64_t row = begin * job->block; row < bk_min(end * job->block, job->rows); row++)
    broadcast_row(job, row, 0, job->length);
}

static const char *broadcast_check(const bk_call *call) {
  const bk_tensor *a = bk_input(call, 0), *b = bk_input(call, 1), *y = bk_output(call, 0);
  BK_REQUIRE(bk_is_f32(a) && bk_is_f32(y), "needs f32 activations");
  BK_REQUIRE(bk_is_floating(b), "needs a floating b");
  BK_REQUIRE(bk_count(a) == bk_count(y), "a and the output differ in size");
  broadcast_job job;
  return plan_broadcast(call, &job);
}

static uint64_t broadcast_workspace(const bk_call *call) { return bk_parameter_bytes(bk_input(call, 1)); }

static void broadcast_run(const bk_call *call) {
  broadcast_job job;
  if (plan_broadcast(call, &job)) return;
  job.a = bk_floats(bk_input(call, 0));
  job.b = bk_parameter(bk_input(call, 1), call->workspace);
  job.y = bk_floats(bk_output(call, 0));
  job.multiply = call->op == ESP_OP_MUL;
  job.block = bk_max(1, BK_BLOCK / job.length);
  const int64_t slices = job.rows == 1 ? bk_blocks(job.length, BK_BLOCK) : bk_blocks(job.rows, job.block);
  bk_parallel(call, slices, broadcast_blocks, &job);
}

const bk_kernel bk_add = {
    .op = ESP_OP_ADD,
    .inplace = 3,
    .check = broadcast_check,
    .workspace = broadcast_workspace,
    .run = broadcast_run,
};
const bk_kernel bk_mul = {
    .op = ESP_OP_MUL,
    .inplace = 3,
    .check = broadcast_check,
    .workspace = broadcast_workspace,
    .run = broadcast_run,
};
