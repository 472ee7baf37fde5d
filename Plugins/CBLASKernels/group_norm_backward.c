/* GROUP_NORM_BACKWARD: with d the cotangent before the activation and x̂ = (x − mean)·rstd,
 * dx = rstd·(d·γ − mean(d·γ) − x̂·mean(d·γ·x̂)) + residual, dβ = Σ d, dγ = Σ d·x̂. */
#include "group_norm.h"

#include "half_precision.h"
#include "kernel_list.h"
#include "vector_math.h"

typedef struct backward_job {
  const float *dy, *x, *mean, *rstd, *gamma, *beta, *residual;
  float *dx, *dgamma, *dbeta;
  double *sums;    /* [B, parts, 2, C]: Σd, Σd·x̂; in the end the first part has the sample's */
  float *block_sums; /* the same of one block, for each worker */
  float *channels; /* [B, 5, C]: mean, rstd, rstd·γ, rstd·mean(d·γ), rstd·mean(d·γ·x̂) */
  norm_layout layout;
  int64_t act;
} backward_job;

BK_CLONES static void sum_block(const float *dy, const float *x, const float *mean, const float *rstd,
                                const float *gamma, const float *beta, int64_t pixels, int64_t channels,
                                int64_t act, float *restrict sum, float *restrict weighted) {
  for (int64_t c = 0; c < channels; c++) sum[c] = weighted[c] = 0;
#define TERM(slope, row)                                                       \
  {                                                                            \
    const float xhat = (x[(row)*channels + c] - mean[c]) * rstd[c];            \
    const float d = dy[(row)*channels + c] * slope(xhat * gamma[c] + beta[c]); \
    s += d;                                                                    \
    w += d * xhat;                                                             \
  }
#define LOOP(slope)                               \
  int64_t p = 0;                                  \
  for (; p + 4 <= pixels; p += 4) {               \
    for (int64_t c = 0; c < channels; c++) {      \
      float s = 0, w = 0;                         \
      TERM(slope, p)                              \
      TERM(slope, p + 1)                          \
      TERM(slope, p + 2)                          \
      TERM(slope, p + 3)                          \
      sum[c] += s;                                \
      weighted[c] += w;                           \
    }                                             \
  }                                               \
  for (; p < pixels; p++) {                       \
    for (int64_t c = 0; c < channels; c++) {      \
      float s = 0, w = 0;                         \
      TERM(slope, p)                              \
      sum[c] += s;                                \
      weighted[c] += w;                           \
    }                                             \
  }
  switch (act) {
    case ESP_ACT_NONE: {
      LOOP(bk_identity_slope)
      break;
    }
    case ESP_ACT_SILU: {
      LOOP(bk_silu_slope)
      break;
    }
    case ESP_ACT_RELU: {
      LOOP(bk_relu_slope)
      break;
    }
    case ESP_ACT_GELU: {
      LOOP(bk_gelu_slope)
      break;
    }
    case ESP_ACT_QUICK_GELU: {
      LOOP(bk_quick_gelu_slope)
      break;
    }
    default: {
      LOOP(bk_sigmoid_slope)
      break;
    }
  }
#undef LOOP
#undef TERM
}

/* dy·act'(…) into dx. */
BK_CLONES static void cotangent_block(const backward_job *job, int64_t sample, int64_t block) {
  const norm_layout *l = &job->layout;
  const int64_t channels = l->channels;
  const int64_t begin = block * l->block, pixels = bk_min(l->block, l->pixels - begin);
  const int64_t offset = (sample * l->pixels + begin) * channels;
  const float *mean = job->channels + sample * 5 * channels, *rstd = mean + channels;
  const float *gamma = job->gamma, *beta = job->beta;
#define LOOP(slope)                                                                            \
  for (int64_t p = 0; p < pixels; p++) {                                                       \
    const float *dy = job->dy + offset + p * channels;                                         \
    const float *x = job->x + offset + p * channels;                                           \
    float *dx = job->dx + offset + p * channels;                                               \
    BK_INDEPENDENT for (int64_t c = 0; c < channels; c++) dx[c] =                              \
        dy[c] * slope((x[c] - mean[c]) * rstd[c] * gamma[c] + beta[c]);                        \
  }
  BK_FOR_SLOPE(job->act, LOOP)
#undef LOOP
}

/* The sample's statistics, one value per channel. */
static void spread_statistics(const backward_job *job, int64_t sample) {
  const norm_layout *l = &job->layout;
  float *mean = job->channels + sample * 5 * l->channels, *rstd = mean + l->channels;
  float *scale = rstd + l->channels;
  for (int64_t c = 0; c < l->channels; c++) {
    const int64_t g = sample * l->groups + c / l->group_channels;
    mean[c] = job->mean[g];
    rstd[c] = job->rstd[g];
    scale[c] = job->rstd[g] * job->gamma[c];
  }
}

static void reduce(const backward_job *job, int64_t index, uint32_t worker) {
  const norm_layout *l = &job->layout;
  const norm_part part = bk_norm_part(l, index);
  const float *mean = job->channels + part.sample * 5 * l->channels;
  double *sums = job->sums + index * 2 * l->channels;
  float *block_sums = bk_block_sums(l, job->block_sums, worker);
  for (int64_t block = part.begin; block < part.end; block++) {
    const int64_t begin = block * l->block, pixels = bk_min(l->block, l->pixels - begin);
    const int64_t offset = (part.sample * l->pixels + begin) * l->channels;
    sum_block(job->dy + offset, job->x + offset, mean, mean + l->channels, job->gamma, job->beta, pixels,
              l->channels, job->act, block_sums, block_sums + l->channels);
    bk_add_block(l, block_sums, sums, block == part.begin);
  }
}

static void finish_reduction(const backward_job *job, int64_t sample) {
  const norm_layout *l = &job->layout;
  double *total = job->sums + sample * l->parts * 2 * l->channels, *weighted = total + l->channels;
  bk_add_parts(l, total);
  float *constant = job->channels + (sample * 5 + 3) * l->channels, *linear = constant + l->channels;
  const double n = (double)(l->pixels * l->group_channels);
  for (int64_t g = 0; g < l->groups; g++) {
    const int64_t begin = g * l->group_channels, end = begin + l->group_channels;
    double a = 0, b = 0;
    for (int64_t c = begin; c < end; c++) {
      a += (double)job->gamma[c] * total[c];
      b += (double)job->gamma[c] * weighted[c];
    }
    const double rstd = (double)job->rstd[sample * l->groups + g];
    for (int64_t c = begin; c < end; c++) {
      constant[c] = (float)(rstd * a / n);
      linear[c] = (float)(rstd * b / n);
    }
  }
}

BK_CLONES static void input_block(const backward_job *job, int64_t sample, int64_t block) {
  const norm_layout *l = &job->layout;
  const int64_t channels = l->channels;
  const int64_t begin = block * l->block, pixels = bk_min(l->block, l->pixels - begin);
  const int64_t offset = (sample * l->pixels + begin) * channels;
  const float *mean = job->channels + sample * 5 * channels, *rstd = mean + channels;
  const float *scale = rstd + channels, *constant = scale + channels, *linear = constant + channels;
  const float *gamma = job->gamma, *beta = job->beta;
#define ROW(slope, plus)                                                                   \
  BK_INDEPENDENT for (int64_t c = 0; c < channels; c++) {                                  \
    const float xhat = (x[c] - mean[c]) * rstd[c];                                         \
    const float d = dy[c] * slope(xhat * gamma[c] + beta[c]);                              \
    dx[c] = d * scale[c] - constant[c] - xhat * linear[c] plus;                            \
  }
#define LOOP(slope)                                              \
  for (int64_t p = 0; p < pixels; p++) {                         \
    const float *dy = job->dy + offset + p * channels;           \
    const float *x = job->x + offset + p * channels;             \
    float *dx = job->dx + offset + p * channels;                 \
    if (job->residual) {                                         \
      const float *residual = job->residual + offset + p * channels; \
      ROW(slope, +residual[c])                                   \
    } else {                                                     \
      ROW(slope, )                                               \
    }                                                            \
  }
  BK_FOR_SLOPE(job->act, LOOP)
#undef LOOP
#undef ROW
}

static void spread_samples(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  for (int64_t b = begin; b < end; b++) spread_statistics(argument, b);
}

static void reduce_parts(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  for (int64_t k = begin; k < end; k++) reduce(argument, k, worker);
}

static void finish_samples(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  for (int64_t b = begin; b < end; b++) finish_reduction(argument, b);
}

static void input_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const backward_job *job = argument;
  const int64_t blocks = job->layout.blocks;
  for (int64_t k = begin; k < end; k++) input_block(job, k / blocks, k % blocks);
}

/* Here a sample stays in the cache, so the cotangents before the activation wait in dx for the second pass,
 * unless dx stands in the place of x or the residual. */
static void whole_samples(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  backward_job job = *(const backward_job *)argument;
  const int64_t blocks = job.layout.blocks;
  spread_samples(&job, begin, end, worker);
  if (job.act != ESP_ACT_NONE && job.dx && job.dx != job.x && job.dx != job.residual) {
    for (int64_t k = begin * blocks; k < end * blocks; k++) cotangent_block(&job, k / blocks, k % blocks);
    job.act = ESP_ACT_NONE;
    job.dy = job.dx;
  }
  reduce_parts(&job, begin * job.layout.parts, end * job.layout.parts, worker);
  finish_samples(&job, begin, end, worker);
  if (job.dx) input_blocks(&job, begin * blocks, end * blocks, worker);
}

/* dβ and dγ: the samples' sums in order. */
static void sum_parameters(const backward_job *job) {
  const norm_layout *l = &job->layout;
  for (int64_t c = 0; c < l->channels; c++) {
    double s = 0, w = 0;
    for (int64_t b = 0; b < l->batch; b++) {
      s += job->sums[b * l->parts * 2 * l->channels + c];
      w += job->sums[(b * l->parts * 2 + 1) * l->channels + c];
    }
    if (job->dbeta) job->dbeta[c] = (float)s;
    if (job->dgamma) job->dgamma[c] = (float)w;
  }
}

static const char *backward_check(const bk_call *call) {
  const bk_tensor *dy = bk_input(call, 0), *x = bk_input(call, 1);
  BK_REQUIRE(bk_is_f32(dy) && bk_is_f32(x) && bk_count(dy) == bk_count(x), "needs f32 dy and x of one size");
  BK_REQUIRE(x->rank >= 2, "x is not [B,…,C]");
  BK_REQUIRE(call->i[1] >= 1 && bk_last(x) % call->i[1] == 0, "groups do not divide the channels");
  BK_REQUIRE(bk_is_activation(call->i[0]), "unknown activation");
  for (uint32_t k = 2; k <= 3; k++) {
    const bk_tensor *t = bk_input(call, k);
    BK_REQUIRE(bk_is_f32(t) && bk_count(t) == x->dims[0] * call->i[1], "statistics are not [B,G]");
  }
  BK_REQUIRE(bk_is_vector(bk_input(call, 4), bk_last(x)), "gamma is not [C]");
  BK_REQUIRE(bk_is_vector(bk_input(call, 5), bk_last(x)), "beta is not [C]");
  const bk_tensor *residual = bk_input(call, 6), *dx = bk_output(call, 0);
  BK_REQUIRE(bk_optional_f32(residual) && (!residual || bk_count(residual) == bk_count(x)), "residual differs");
  BK_REQUIRE(bk_optional_f32(dx) && (!dx || bk_count(dx) == bk_count(x)), "dx differs from x");
  BK_REQUIRE(bk_optional_vector(bk_output(call, 1), bk_last(x)), "dgamma is not [C]");
  BK_REQUIRE(bk_optional_vector(bk_output(call, 2), bk_last(x)), "dbeta is not [C]");
  return 0;
}

static uint64_t backward_workspace(const bk_call *call) {
  const norm_layout l = bk_norm_layout(bk_input(call, 1), call->i[1]);
  return bk_parameter_bytes(bk_input(call, 4)) + bk_parameter_bytes(bk_input(call, 5)) +
         bk_norm_sum_bytes(&l, call->workers) + bk_round64((uint64_t)(l.batch * 5 * l.channels) * 4);
}

static void backward_run(const bk_call *call) {
  backward_job job = {
      .dy = bk_floats(bk_input(call, 0)),
      .x = bk_floats(bk_input(call, 1)),
      .mean = bk_floats(bk_input(call, 2)),
      .rstd = bk_floats(bk_input(call, 3)),
      .residual = bk_floats(bk_input(call, 6)),
      .dx = bk_floats(bk_output(call, 0)),
      .dgamma = bk_floats(bk_output(call, 1)),
      .dbeta = bk_floats(bk_output(call, 2)),
      .layout = bk_norm_layout(bk_input(call, 1), call->i[1]),
      .act = call->i[0],
  };
  const norm_layout *l = &job.layout;
  char *space = call->workspace;
  job.gamma = bk_parameter(bk_input(call, 4), (float *)space);
  space += bk_parameter_bytes(bk_input(call, 4));
  job.beta = bk_parameter(bk_input(call, 5), (float *)space);
  space += bk_parameter_bytes(bk_input(call, 5));
  job.sums = (double *)space;
  space += bk_norm_part_bytes(l);
  job.block_sums = (float *)space;
  space += bk_norm_block_bytes(l) * call->workers;
  job.channels = (float *)space;
  if (bk_norm_by_sample(l, call->workers)) {
    bk_parallel(call, l->batch, whole_samples, &job);
  } else {
    bk_parallel(call, l->batch, spread_samples, &job);
    bk_parallel(call, l->batch * l->parts, reduce_parts, &job);
    bk_parallel(call, l->batch, finish_samples, &job);
    if (job.dx) bk_parallel(call, l->batch * l->blocks, input_blocks, &job);
  }
  if (job.dgamma || job.dbeta) sum_parameters(&job);
}

const bk_kernel bk_group_norm_backward = {
    .op = ESP_OP_GROUP_NORM_BACKWARD,
    .inplace = 1 | 2 | 64,
    .check = backward_check,
    .workspace = backward_workspace,
    .run = backward_run,
};
