/* LAYER_NORM and LAYER_NORM_BACKWARD, row by row. */
#include "half_precision.h"
#include "kernel_list.h"

typedef struct layer_job {
  const float *dy, *x, *gamma, *beta, *residual;
  float *y, *mean, *rstd; /* backward: y is dx and may be null, mean and rstd are read */
  float *sums;            /* backward: [blocks, 2, C]: Σdy·x̂, Σdy; null if not wanted */
  int64_t rows, length, block;
  double epsilon;
} layer_job;

/* Mean and rstd by two passes over the row, which the first one brings into the cache. */
BK_CLONES static void row_statistics(const float *x, int64_t length, double epsilon, float *mean, float *rstd) {
  float sum = 0;
  const float first = x[0];
  {
#pragma clang fp reassociate(on)
    for (int64_t k = 0; k < length; k++) sum += x[k] - first;
  }
  const float center = (float)((double)first + (double)sum / (double)length);
  float squares = 0, rest = 0;
  {
#pragma clang fp reassociate(on)
    for (int64_t k = 0; k < length; k++) {
      const float d = x[k] - center;
      squares += d * d;
      rest += d;
    }
  }
  const double n = (double)length, variance = ((double)squares - (double)rest * (double)rest / n) / n;
  *mean = (float)((double)center + (double)rest / n);
  *rstd = (float)(1.0 / __builtin_sqrt((variance < 0 ? 0 : variance) + epsilon));
}

BK_CLONES static void normalise_row(const float *x, float *y, const float *gamma, const float *beta, float mean,
                                    float rstd, int64_t length) {
  BK_INDEPENDENT for (int64_t k = 0; k < length; k++) y[k] = (x[k] - mean) * rstd * gamma[k] + beta[k];
}

static void forward_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const layer_job *job = argument;
  for (int64_t row = begin * job->block; row < bk_min(end * job->block, job->rows); row++) {
    float mean, rstd;
    const float *x = job->x + row * job->length;
    row_statistics(x, job->length, job->epsilon, &mean, &rstd);
    normalise_row(x, job->y + row * job->length, job->gamma, job->beta, mean, rstd, job->length);
    if (job->mean) job->mean[row] = mean;
    if (job->rstd) job->rstd[row] = rstd;
  }
}

static const char *forward_check(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  BK_REQUIRE(bk_is_f32(x) && bk_is_f32(y) && bk_count(x) == bk_count(y), "needs f32 x and y of one size");
  BK_REQUIRE(x->rank >= 1, "x has no axes");
  BK_REQUIRE(bk_is_vector(bk_input(call, 1), bk_last(x)), "gamma is not [C]");
  BK_REQUIRE(bk_is_vector(bk_input(call, 2), bk_last(x)), "beta is not [C]");
  for (uint32_t k = 1; k <= 2; k++) {
    const bk_tensor *t = bk_output(call, k);
    BK_REQUIRE(!t || (bk_is_f32(t) && bk_count(t) == bk_rows(x)), "statistics do not have one value per row");
  }
  return 0;
}

static uint64_t forward_workspace(const bk_call *call) {
  return bk_parameter_bytes(bk_input(call, 1)) + bk_parameter_bytes(bk_input(call, 2));
}

static void forward_run(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *gamma = bk_input(call, 1);
  layer_job job = {
      .x = x->data,
      .gamma = bk_parameter(gamma, call->workspace),
      .beta = bk_parameter(bk_input(call, 2), (float *)((char *)call->workspace + bk_parameter_bytes(gamma))),
      .y = bk_floats(bk_output(call, 0)),
      .mean = bk_floats(bk_output(call, 1)),
      .rstd = bk_floats(bk_output(call, 2)),
      .rows = bk_rows(x),
      .length = bk_last(x),
      .epsilon = call->f[0],
  };
  job.block = bk_max(1, BK_BLOCK / job.length);
  bk_parallel(call, bk_blocks(job.rows, job.block), forward_blocks, &job);
}

/* ---- Backward ----------------------------------------------------------------------------------- */

/* mean(dy·γ) and mean(dy·γ·x̂) */
BK_CLONES static void row_means(const layer_job *job, int64_t row, float *first, float *second) {
  const float *dy = job->dy + row * job->length, *x = job->x + row * job->length, *gamma = job->gamma;
  const float mean = job->mean[row], rstd = job->rstd[row];
  float a = 0, b = 0;
  {
#pragma clang fp reassociate(on)
    for (int64_t k = 0; k < job->length; k++) {
      const float d = dy[k] * gamma[k];
      a += d;
      b += d * ((x[k] - mean) * rstd);
    }
  }
  *first = a / (float)job->length;
  *second = b / (float)job->length;
}

BK_CLONES static void input_row(const layer_job *job, int64_t row, float first, float second) {
  const int64_t n = job->length;
  const float *dy = job->dy + row * n, *x = job->x + row * n, *gamma = job->gamma;
  const float mean = job->mean[row], rstd = job->rstd[row];
  float *dx = job->y + row * n;
  if (job->residual) {
    const float *residual = job->residual + row * n;
    BK_INDEPENDENT for (int64_t k = 0; k < n; k++) dx[k] =
        (dy[k] * gamma[k] - first - (x[k] - mean) * rstd * second) * rstd + residual[k];
  } else {
    BK_INDEPENDENT for (int64_t k = 0; k < n; k++) dx[k] =
        (dy[k] * gamma[k] - first - (x[k] - mean) * rstd * second) * rstd;
  }
}

BK_CLONES static void add_parameters(const layer_job *job, int64_t row, float *restrict dgamma,
                                     float *restrict dbeta) {
  const int64_t n = job->length;
  const float *dy = job->dy + row * n, *x = job->x + row * n;
  const float mean = job->mean[row], rstd = job->rstd[row];
  for (int64_t k = 0; k < n; k++) {
    dgamma[k] += dy[k] * ((x[k] - mean) * rstd);
    dbeta[k] += dy[k];
  }
}

static void backward_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const layer_job *job = argument;
  for (int64_t block = begin; block < end; block++) {
    float *dgamma = job->sums ? job->sums + block * 2 * job->length : 0;
    float *dbeta = job->sums ? dgamma + job->length : 0;
    for (int64_t k = 0; job->sums && k < 2 * job->length; k++) dgamma[k] = 0;
    for (int64_t row = block * job->block; row < bk_min((block + 1) * job->block, job->rows); row++) {
      if (job->sums) add_parameters(job, row, dgamma, dbeta);
      if (!job->y) continue;
      float first, second;
      row_means(job, row, &first, &second);
      input_row(job, row, first, second);
    }
  }
}

static const char *backward_check(const bk_call *call) {
  const bk_tensor *dy = bk_input(call, 0), *x = bk_input(call, 1);
  BK_REQUIRE(bk_is_f32(dy) && bk_is_f32(x) && bk_count(dy) == bk_count(x), "needs f32 dy and x of one size");
  BK_REQUIRE(x->rank >= 1, "x has no axes");
  for (uint32_t k = 2; k <= 3; k++) {
    const bk_tensor *t = bk_input(call, k);
    BK_REQUIRE(bk_is_f32(t) && bk_count(t) == bk_rows(x), "statistics do not have one value per row");
  }
  BK_REQUIRE(bk_is_vector(bk_input(call, 4), bk_last(x)), "gamma is not [C]");
  const bk_tensor *residual = bk_input(call, 5), *dx = bk_output(call, 0);
  BK_REQUIRE(bk_optional_f32(residual) && (!residual || bk_count(residual) == bk_count(x)), "residual differs");
  BK_REQUIRE(bk_optional_f32(dx) && (!dx || bk_count(dx) == bk_count(x)), "dx differs from x");
  BK_REQUIRE(bk_optional_vector(bk_output(call, 1), bk_last(x)), "dgamma is not [C]");
  BK_REQUIRE(bk_optional_vector(bk_output(call, 2), bk_last(x)), "dbeta is not [C]");
  return 0;
}

/* Rows per slice: at most 64 slices where each keeps its own sums. */
static int64_t backward_block(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 1);
  const int64_t block = bk_max(1, BK_BLOCK / bk_last(x));
  const bool sums = bk_output(call, 1) || bk_output(call, 2);
  return sums ? bk_max(block, bk_blocks(bk_rows(x), 64)) : block;
}

static uint64_t backward_workspace(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 1);
  uint64_t bytes = bk_parameter_bytes(bk_input(call, 4));
  if (bk_output(call, 1) || bk_output(call, 2)) {
    const int64_t blocks = bk_blocks(bk_rows(x), backward_block(call));
    bytes += bk_round64((uint64_t)(blocks * 2 * bk_last(x)) * 4);
  }
  return bytes;
}

static void backward_run(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 1), *gamma = bk_input(call, 4);
  float *dgamma = bk_floats(bk_output(call, 1)), *dbeta = bk_floats(bk_output(call, 2));
  layer_job job = {
      .dy = bk_floats(bk_input(call, 0)),
      .x = x->data,
      .gamma = bk_parameter(gamma, call->workspace),
      .residual = bk_floats(bk_input(call, 5)),
      .y = bk_floats(bk_output(call, 0)),
      .mean = bk_floats(bk_input(call, 2)),
      .rstd = bk_floats(bk_input(call, 3)),
      .sums = dgamma || dbeta ? (float *)((char *)call->workspace + bk_parameter_bytes(gamma)) : 0,
      .rows = bk_rows(x),
      .length = bk_last(x),
      .block = backward_block(call),
  };
  const int64_t blocks = bk_blocks(job.rows, job.block);
  bk_parallel(call, blocks, backward_blocks, &job);
  for (int64_t k = 0; job.sums && k < job.length; k++) {
    double s = 0, w = 0;
    for (int64_t block = 0; block < blocks; block++) {
      w += (double)job.sums[block * 2 * job.length + k];
      s += (double)job.sums[(block * 2 + 1) * job.length + k];
    }
    if (dgamma) dgamma[k] = (float)w;
    if (dbeta) dbeta[k] = (float)s;
  }
}

const bk_kernel bk_layer_norm = {
    .op = ESP_OP_LAYER_NORM,
    .inplace = 1,
    .check = forward_check,
    .workspace = forward_workspace,
    .run = forward_run,
};
const bk_kernel bk_layer_norm_backward = {
    .op = ESP_OP_LAYER_NORM_BACKWARD,
    .inplace = 1 | 2 | 32,
    .check = backward_check,
    .workspace = backward_workspace,
    .run = backward_run,
};
