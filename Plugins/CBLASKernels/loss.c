/* WEIGHTED_MSE, its backward, and SUM_SQUARES: f32 within a piece, f64 across pieces, in a fixed order. */
#include "kernel_list.h"
#include "tensor_access.h"

/* Terms added in f32 before they go into an f64 sum. */
enum { piece = 2048 };

BK_CLONES static float squared_difference(const float *a, const float *b, int64_t count) {
  float sum = 0;
  {
#pragma clang fp reassociate(on)
    for (int64_t k = 0; k < count; k++) sum += (a[k] - b[k]) * (a[k] - b[k]);
  }
  return sum;
}

BK_CLONES static float squared_sum(const float *x, int64_t count) {
  float sum = 0;
  {
#pragma clang fp reassociate(on)
    for (int64_t k = 0; k < count; k++) sum += x[k] * x[k];
  }
  return sum;
}

/* ---- WEIGHTED_MSE ------------------------------------------------------------------------------- */

typedef struct loss_job {
  const float *prediction, *target, *weight;
  float *gradient;
  double *partial; /* [B, blocks] */
  int64_t batch, count, blocks; /* elements and blocks per sample */
  float dloss;
} loss_job;

static void loss_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const loss_job *job = argument;
  for (int64_t k = begin; k < end; k++) {
    const int64_t start = k / job->blocks * job->count, first = k % job->blocks * BK_BLOCK;
    const int64_t last = bk_min(first + BK_BLOCK, job->count);
    double sum = 0;
    for (int64_t at = first; at < last; at += piece)
      sum += (double)squared_difference(job->prediction + start + at, job->target + start + at,
                                        bk_min(piece, last - at));
    job->partial[k] = sum;
  }
}

static const char *pair_check(const bk_tensor *prediction, const bk_tensor *target, const bk_tensor *weight) {
  BK_REQUIRE(bk_is_f32(prediction) && bk_is_f32(target) && bk_is_f32(weight), "needs f32 operands");
  BK_REQUIRE(prediction->rank >= 1 && bk_count(prediction) == bk_count(target), "prediction and target differ");
  BK_REQUIRE(bk_count(weight) == prediction->dims[0], "the weight is not [B]");
  return 0;
}

static const char *loss_check(const bk_call *call) {
  const bk_tensor *prediction = bk_input(call, 0), *loss = bk_output(call, 0), *samples = bk_output(call, 1);
  const char *reason = pair_check(prediction, bk_input(call, 1), bk_input(call, 2));
  if (reason) return reason;
  BK_REQUIRE(bk_is_f32(loss) && bk_count(loss) == 1, "the loss is not one f32");
  BK_REQUIRE(!samples || (bk_is_f32(samples) && bk_count(samples) == prediction->dims[0]), "not one mean per sample");
  return 0;
}

static uint64_t loss_workspace(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0);
  return bk_round64((uint64_t)(x->dims[0] * bk_blocks(bk_count(x) / x->dims[0], BK_BLOCK)) * sizeof(double));
}

static void loss_run(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0);
  loss_job job = {
      .prediction = x->data,
      .target = bk_floats(bk_input(call, 1)),
      .partial = call->workspace,
      .batch = x->dims[0],
      .count = bk_count(x) / x->dims[0],
  };
  job.blocks = bk_blocks(job.count, BK_BLOCK);
  bk_parallel(call, job.batch * job.blocks, loss_blocks, &job);
  const float *weight = bk_floats(bk_input(call, 2));
  float *samples = bk_floats(bk_output(call, 1));
  double loss = 0;
  for (int64_t b = 0; b < job.batch; b++) {
    double sum = 0;
    for (int64_t k = 0; k < job.blocks; k++) sum += job.partial[b * job.blocks + k];
    const double mean = sum / (double)job.count;
    if (samples) samples[b] = (float)mean;
    loss += (double)weight[b] * mean;
  }
  bk_floats(bk_output(call, 0))[0] = (float)(loss / (double)job.batch);
}

/* ---- WEIGHTED_MSE_BACKWARD ---------------------------------------------------------------------- */

BK_CLONES static void gradient_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const loss_job *job = argument;
  for (int64_t k = begin; k < end; k++) {
    const int64_t sample = k / job->blocks, first = k % job->blocks * BK_BLOCK;
    const int64_t start = sample * job->count + first, n = bk_min(BK_BLOCK, job->count - first);
    const double factor = (double)job->dloss * 2.0 * (double)job->weight[sample] / (double)(job->batch * job->count);
    const float scale = (float)factor;
    const float *prediction = job->prediction + start, *target = job->target + start;
    float *gradient = job->gradient + start;
    BK_INDEPENDENT for (int64_t j = 0; j < n; j++) gradient[j] = scale * (prediction[j] - target[j]);
  }
}

static const char *loss_backward_check(const bk_call *call) {
  const bk_tensor *dloss = bk_input(call, 0), *prediction = bk_input(call, 1), *gradient = bk_output(call, 0);
  const char *reason = pair_check(prediction, bk_input(call, 2), bk_input(call, 3));
  if (reason) return reason;
  BK_REQUIRE(bk_is_f32(dloss) && bk_count(dloss) == 1, "dloss is not one f32");
  BK_REQUIRE(bk_is_f32(gradient) && bk_count(gradient) == bk_count(prediction), "dprediction differs");
  return 0;
}

static void loss_backward_run(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 1);
  loss_job job = {
      .prediction = x->data,
      .target = bk_floats(bk_input(call, 2)),
      .weight = bk_floats(bk_input(call, 3)),
      .gradient = bk_floats(bk_output(call, 0)),
      .batch = x->dims[0],
      .count = bk_count(x) / x->dims[0],
      .dloss = bk_floats(bk_input(call, 0))[0],
  };
  job.blocks = bk_blocks(job.count, BK_BLOCK);
  bk_parallel(call, job.batch * job.blocks, gradient_blocks, &job);
}

/* ---- SUM_SQUARES -------------------------------------------------------------------------------- */

typedef struct squares_job {
  const bk_call *call;
  int64_t *starts; /* the first block of every tensor, and their number */
  double *partial;
} squares_job;

static void squares_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const squares_job *job = argument;
  uint32_t tensor = 0;
  for (int64_t k = begin; k < end; k++) {
    while (k >= job->starts[tensor + 1]) tensor++;
    const bk_tensor *x = bk_input(job->call, tensor);
    const int64_t first = (k - job->starts[tensor]) * BK_BLOCK, last = bk_min(first + BK_BLOCK, bk_count(x));
    double sum = 0;
    for (int64_t at = first; at < last; at += piece)
      sum += (double)squared_sum((const float *)x->data + at, bk_min(piece, last - at));
    job->partial[k] = sum;
  }
}

static int64_t squares_block_count(const bk_call *call) {
  int64_t blocks = 0;
  for (uint32_t k = 0; k < call->input_count; k++) blocks += bk_blocks(bk_count(bk_input(call, k)), BK_BLOCK);
  return blocks;
}

static const char *squares_check(const bk_call *call) {
  BK_REQUIRE(call->input_count >= 1, "needs inputs");
  for (uint32_t k = 0; k < call->input_count; k++) BK_REQUIRE(bk_is_f32(bk_input(call, k)), "needs f32 inputs");
  const bk_tensor *y = bk_output(call, 0);
  BK_REQUIRE(bk_is_f32(y) && bk_count(y) == 1, "the sum is not one f32");
  return 0;
}

static uint64_t squares_workspace(const bk_call *call) {
  return bk_round64(((uint64_t)call->input_count + 1 + (uint64_t)squares_block_count(call)) * 8);
}

static void squares_run(const bk_call *call) {
  squares_job job = {.call = call, .starts = call->workspace};
  job.partial = (double *)(job.starts + call->input_count + 1);
  int64_t blocks = 0;
  for (uint32_t k = 0; k < call->input_count; k++) {
    job.starts[k] = blocks;
    blocks += bk_blocks(bk_count(bk_input(call, k)), BK_BLOCK);
  }
  job.starts[call->input_count] = blocks;
  bk_parallel(call, blocks, squares_blocks, &job);
  double sum = 0;
  for (int64_t k = 0; k < blocks; k++) sum += job.partial[k];
  bk_floats(bk_output(call, 0))[0] = (float)sum;
}

const bk_kernel bk_weighted_mse = {
    .op = ESP_OP_WEIGHTED_MSE, .check = loss_check, .workspace = loss_workspace, .run = loss_run};
const bk_kernel bk_weighted_mse_backward = {
    .op = ESP_OP_WEIGHTED_MSE_BACKWARD, .inplace = 2 | 4, .check = loss_backward_check, .run = loss_backward_run};
const bk_kernel bk_sum_squares = {
    .op = ESP_OP_SUM_SQUARES, .check = squares_check, .workspace = squares_workspace, .run = squares_run};
