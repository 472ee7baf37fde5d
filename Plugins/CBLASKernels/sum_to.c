/* SUM_TO: sums over axes, in blocks whose partial sums are added in a fixed order. */
#include "kernel_list.h"
#include "tensor_access.h"

/* x as alternating kept and summed axes, [K0, R0, K1, R1, …]; sizes may be 1. */
typedef struct sum_plan {
  int64_t kept[ESP_MAX_RANK], summed[ESP_MAX_RANK];
  int32_t pairs;
} sum_plan;

typedef struct sum_job {
  const float *x;
  float *y;
  double *partial;
  int64_t outer, rows, columns, length; /* x is [outer, rows, columns, length], summed over rows and length */
  int64_t row_block, blocks;            /* rows per partial sum, partial sums per outer index */
  sum_plan plan;                        /* for the general case */
  int64_t outputs, terms;
} sum_job;

static const char *plan_sum(const bk_call *call, sum_plan *plan) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  *plan = (sum_plan){.pairs = 0};
  bool previous = false;
  BK_REQUIRE(call->i[0] == 0 || call->i[0] == 1, "unknown mode");
  BK_REQUIRE(y->rank <= x->rank, "the output has more axes than x");
  if (call->i[0] == 1) {
    BK_REQUIRE(x->rank >= 2 && y->rank == 2, "not x[B,…,C] to [B,C]");
    BK_REQUIRE(y->dims[0] == x->dims[0] && bk_last(y) == bk_last(x), "not x[B,…,C] to [B,C]");
  }
  const int32_t missing = x->rank - y->rank;
  for (int32_t k = 0; k < x->rank; k++) {
    bool keep;
    if (call->i[0] == 1) {
      keep = k == 0 || k == x->rank - 1;
    } else {
      const int64_t size = k < missing ? 1 : y->dims[k - missing];
      BK_REQUIRE(size == 1 || size == x->dims[k], "the output does not fit x");
      keep = size == x->dims[k];
    }
    if (x->dims[k] == 1) continue;
    if (plan->pairs == 0 || (keep && !previous)) {
      plan->kept[plan->pairs] = 1;
      plan->summed[plan->pairs++] = 1;
    }
    if (keep)
      plan->kept[plan->pairs - 1] *= x->dims[k];
    else
      plan->summed[plan->pairs - 1] *= x->dims[k];
    previous = keep;
  }
  if (plan->pairs == 0) {
    plan->kept[0] = plan->summed[0] = 1;
    plan->pairs = 1;
  }
  return 0;
}

/* The sum of a row in f32 lanes, at most BK_BLOCK terms at a time. */
BK_CLONES static double row_sum(const float *x, int64_t count) {
  double total = 0;
  for (int64_t first = 0; first < count; first += 4096) {
    const int64_t last = bk_min(first + 4096, count);
    float sum = 0;
    {
#pragma clang fp reassociate(on)
      for (int64_t k = first; k < last; k++) sum += x[k];
    }
    total += (double)sum;
  }
  return total;
}

/* One partial sum [columns] of `rows` rows: f32 over 8 rows, f64 beyond. */
BK_CLONES static void add_rows(const float *x, int64_t rows, int64_t columns, double *restrict partial) {
  for (int64_t c = 0; c < columns; c++) partial[c] = 0;
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    const float *p = x + r * columns;
    for (int64_t c = 0; c < columns; c++) {
      const float low = (p[c] + p[columns + c]) + (p[2 * columns + c] + p[3 * columns + c]);
      const float high =
          (p[4 * columns + c] + p[5 * columns + c]) + (p[6 * columns + c] + p[7 * columns + c]);
      partial[c] += (double)(low + high);
    }
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) partial[c] += (double)x[r * columns + c];
}

static void sum_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const sum_job *job = argument;
  for (int64_t k = begin; k < end; k++) {
    const int64_t outer = k / job->blocks, first = k % job->blocks * job->row_block;
    const int64_t rows = bk_min(job->row_block, job->rows - first);
    const float *x = job->x + (outer * job->rows + first) * job->columns * job->length;
    double *partial = job->partial + k * job->columns;
    if (job->length == 1) {
      if (job->columns == 1)
        partial[0] = row_sum(x, rows);
      else
        add_rows(x, rows, job->columns, partial);
      continue;
    }
    for (int64_t c = 0; c < job->columns; c++) {
      double sum = 0;
      for (int64_t r = 0; r < rows; r++) sum += row_sum(x + (r * job->columns + c) * job->length, job->length);
      partial[c] = sum;
    }
  }
}

/* Columns whose partial sums are added up at a time. */
enum { finished_columns = 256 };

/* The partial sums of a run of columns, in order. */
BK_CLONES static void finish_run(const double *partial, int64_t blocks, int64_t stride, int64_t count, float *y) {
  double sums[finished_columns];
  for (int64_t c = 0; c < count; c++) sums[c] = 0;
  for (int64_t k = 0; k < blocks; k++)
    for (int64_t c = 0; c < count; c++) sums[c] += partial[k * stride + c];
  for (int64_t c = 0; c < count; c++) y[c] = (float)sums[c];
}

static void finish_columns(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const sum_job *job = argument;
  const int64_t runs = bk_blocks(job->columns, finished_columns);
  for (int64_t k = begin; k < end; k++) {
    const int64_t outer = k / runs, first = k % runs * finished_columns;
    finish_run(job->partial + outer * job->blocks * job->columns + first, job->blocks, job->columns,
               bk_min(finished_columns, job->columns - first), job->y + outer * job->columns + first);
  }
}

/* More alternations of axes than [outer, rows, columns, length]: every output sums its own terms. */
static void sum_outputs(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const sum_job *job = argument;
  const sum_plan *plan = &job->plan;
  for (int64_t output = begin; output < end; output++) {
    double sum = 0;
    for (int64_t term = 0; term < job->terms; term++) {
      int64_t kept = output, summed = term, offset = 0, step = 1;
      for (int32_t k = plan->pairs - 1; k >= 0; k--) {
        offset += summed % plan->summed[k] * step;
        step *= plan->summed[k];
        offset += kept % plan->kept[k] * step;
        step *= plan->kept[k];
        kept /= plan->kept[k];
        summed /= plan->summed[k];
      }
      sum += (double)job->x[offset];
    }
    job->y[output] = (float)sum;
  }
}

/* The job without its data. */
static sum_job sum_layout(const bk_call *call) {
  sum_job job = {.outer = 1, .rows = 1, .columns = 1, .length = 1};
  if (plan_sum(call, &job.plan)) return job;
  const sum_plan *plan = &job.plan;
  job.outputs = job.terms = 1;
  for (int32_t k = 0; k < plan->pairs; k++) {
    job.outputs *= plan->kept[k];
    job.terms *= plan->summed[k];
  }
  if (plan->pairs == 1 && plan->kept[0] == 1) {
    job.rows = plan->summed[0];
  } else if (plan->pairs == 1) {
    job.columns = plan->kept[0];
    job.length = plan->summed[0];
  } else {
    job.outer = plan->kept[0];
    job.rows = plan->summed[0];
    job.columns = plan->kept[1];
    job.length = plan->summed[1];
  }
  if (job.rows == 1 && job.outer == 1 && job.columns > 1) { /* nothing to split but the columns */
    job.outer = job.columns;
    job.columns = 1;
  }
  job.row_block = bk_max(1, BK_BLOCK / (job.columns * job.length));
  job.row_block = bk_max(job.row_block, bk_blocks(job.rows, 256));
  job.blocks = bk_blocks(job.rows, job.row_block);
  return job;
}

static const char *sum_check(const bk_call *call) {
  BK_REQUIRE(bk_is_f32(bk_input(call, 0)) && bk_is_f32(bk_output(call, 0)), "needs f32 operands");
  sum_plan plan;
  return plan_sum(call, &plan);
}

static uint64_t sum_workspace(const bk_call *call) {
  const sum_job job = sum_layout(call);
  if (job.plan.pairs > 2) return 0;
  return bk_round64((uint64_t)(job.outer * job.blocks * job.columns) * sizeof(double));
}

static void sum_run(const bk_call *call) {
  sum_job job = sum_layout(call);
  job.x = bk_floats(bk_input(call, 0));
  job.y = bk_floats(bk_output(call, 0));
  job.partial = call->workspace;
  if (job.plan.pairs > 2) {
    bk_parallel(call, job.outputs, sum_outputs, &job);
    return;
  }
  bk_parallel(call, job.outer * job.blocks, sum_blocks, &job);
  bk_parallel(call, job.outer * bk_blocks(job.columns, finished_columns), finish_columns, &job);
}

const bk_kernel bk_sum_to = {
    .op = ESP_OP_SUM_TO, .check = sum_check, .workspace = sum_workspace, .run = sum_run};
