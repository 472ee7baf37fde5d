/* GROUP_NORM: statistics per channel and block of pixels, shifted by the sample's first pixel so that a
 * large mean does no harm, combined in f64; then one pass that normalises and applies the activation. */
#include "group_norm.h"

#include "half_precision.h"
#include "kernel_list.h"
#include "vector_math.h"

typedef struct forward_job {
  const float *x, *gamma, *beta;
  float *y, *mean, *rstd; /* mean and rstd [B,G], may be null */
  double *sums;           /* [B, parts, 2, C]: Σ(x − first), Σ(x − first)² */
  float *block_sums;      /* the same of one block, for each worker */
  float *affine;          /* [B, 2, C]: mean, rstd·gamma */
  norm_layout layout;
  int64_t act;
  double epsilon;
} forward_job;

BK_CLONES static void sum_block(const float *x, const float *first, int64_t pixels, int64_t channels,
                                float *restrict sum, float *restrict square) {
  for (int64_t c = 0; c < channels; c++) sum[c] = square[c] = 0;
  int64_t p = 0;
  for (; p + 8 <= pixels; p += 8) {
    const float *row = x + p * channels;
    for (int64_t c = 0; c < channels; c++) {
      const float k = first[c];
      float s = 0, q = 0;
#pragma clang loop unroll(full)
      for (int64_t j = 0; j < 8; j++) {
        const float d = row[j * channels + c] - k;
        s += d;
        q += d * d;
      }
      sum[c] += s;
      square[c] += q;
    }
  }
  for (; p < pixels; p++) {
    for (int64_t c = 0; c < channels; c++) {
      const float d = x[p * channels + c] - first[c];
      sum[c] += d;
      square[c] += d * d;
    }
  }
}

BK_CLONES void bk_add_block(const norm_layout *layout, const float *restrict block, double *restrict part, bool first) {
  const int64_t count = 2 * layout->channels;
  if (first)
    for (int64_t c = 0; c < count; c++) part[c] = (double)block[c];
  else
    for (int64_t c = 0; c < count; c++) part[c] += (double)block[c];
}

BK_CLONES void bk_add_parts(const norm_layout *layout, double *parts) {
  const int64_t count = 2 * layout->channels;
  for (int64_t k = 1; k < layout->parts; k++) {
    const double *restrict part = parts + k * count;
    for (int64_t c = 0; c < count; c++) parts[c] += part[c];
  }
}

static void statistics(const forward_job *job, int64_t index, uint32_t worker) {
  const norm_layout *l = &job->layout;
  const norm_part part = bk_norm_part(l, index);
  const float *first = job->x + part.sample * l->pixels * l->channels;
  double *sums = job->sums + index * 2 * l->channels;
  float *block_sums = bk_block_sums(l, job->block_sums, worker);
  for (int64_t block = part.begin; block < part.end; block++) {
    const int64_t begin = block * l->block, pixels = bk_min(l->block, l->pixels - begin);
    sum_block(first + begin * l->channels, first, pixels, l->channels, block_sums, block_sums + l->channels);
    bk_add_block(l, block_sums, sums, block == part.begin);
  }
}

/* Mean and rstd of every group of a sample. */
static void finish_statistics(const forward_job *job, int64_t sample) {
  const norm_layout *l = &job->layout;
  const float *first = job->x + sample * l->pixels * l->channels;
  double *sums = job->sums + sample * l->parts * 2 * l->channels;
  bk_add_parts(l, sums);
  float *means = job->affine + sample * 2 * l->channels, *scales = means + l->channels;
  const double n = (double)l->pixels;
  for (int64_t g = 0; g < l->groups; g++) {
    const int64_t begin = g * l->group_channels, end = begin + l->group_channels;
    /* Chan's update, channel by channel. */
    double mean = 0, squares = 0, seen = 0;
    for (int64_t c = begin; c < end; c++) {
      const double s = sums[c], q = sums[l->channels + c];
      const double delta = (double)first[c] + s / n - mean;
      mean += delta * n / (seen + n);
      squares += (q - s * s / n) + delta * delta * seen * n / (seen + n);
      seen += n;
    }
    const double variance = squares / seen;
    const float rstd = (float)(1.0 / __builtin_sqrt((variance < 0 ? 0 : variance) + job->epsilon));
    for (int64_t c = begin; c < end; c++) {
      means[c] = (float)mean;
      scales[c] = rstd * job->gamma[c];
    }
    if (job->mean) job->mean[sample * l->groups + g] = (float)mean;
    if (job->rstd) job->rstd[sample * l->groups + g] = rstd;
  }
}

BK_CLONES static void normalise_block(const float *x, float *y, const float *mean, const float *scale,
                                      const float *beta, int64_t pixels, int64_t channels, int64_t act) {
#define LOOP(function)                                                                           \
  for (int64_t p = 0; p < pixels; p++) {                                                         \
    const float *from = x + p * channels;                                                        \
    float *to = y + p * channels;                                                                \
    BK_INDEPENDENT for (int64_t c = 0; c < channels; c++) to[c] =                                \
        function((from[c] - mean[c]) * scale[c] + beta[c]);                                      \
  }
  BK_FOR_ACTIVATION(act, LOOP)
#undef LOOP
}

static void normalise(const forward_job *job, int64_t sample, int64_t block) {
  const norm_layout *l = &job->layout;
  const int64_t begin = block * l->block, pixels = bk_min(l->block, l->pixels - begin);
  const int64_t offset = (sample * l->pixels + begin) * l->channels;
  const float *mean = job->affine + sample * 2 * l->channels;
  normalise_block(job->x + offset, job->y + offset, mean, mean + l->channels, job->beta, pixels, l->channels,
                  job->act);
}

static void statistics_parts(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  for (int64_t k = begin; k < end; k++) statistics(argument, k, worker);
}

static void finish_samples(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  for (int64_t b = begin; b < end; b++) finish_statistics(argument, b);
}

static void normalise_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const forward_job *job = argument;
  const int64_t blocks = job->layout.blocks;
  for (int64_t k = begin; k < end; k++) normalise(job, k / blocks, k % blocks);
}

static void whole_samples(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const forward_job *job = argument;
  const int64_t blocks = job->layout.blocks, parts = job->layout.parts;
  statistics_parts(argument, begin * parts, end * parts, worker);
  finish_samples(argument, begin, end, worker);
  normalise_blocks(argument, begin * blocks, end * blocks, worker);
}

static const char *forward_check(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  BK_REQUIRE(bk_is_f32(x) && bk_is_f32(y) && bk_same_shape(x, y), "needs f32 x and y of one shape");
  BK_REQUIRE(x->rank >= 2, "x is not [B,…,C]");
  BK_REQUIRE(call->i[1] >= 1 && bk_last(x) % call->i[1] == 0, "groups do not divide the channels");
  BK_REQUIRE(bk_is_activation(call->i[0]), "unknown activation");
  BK_REQUIRE(bk_is_vector(bk_input(call, 1), bk_last(x)), "gamma is not [C]");
  BK_REQUIRE(bk_is_vector(bk_input(call, 2), bk_last(x)), "beta is not [C]");
  for (uint32_t k = 1; k <= 2; k++) {
    const bk_tensor *t = bk_output(call, k);
    BK_REQUIRE(!t || (bk_is_f32(t) && bk_count(t) == x->dims[0] * call->i[1]), "statistics are not [B,G]");
  }
  return 0;
}

static uint64_t forward_workspace(const bk_call *call) {
  const norm_layout l = bk_norm_layout(bk_input(call, 0), call->i[1]);
  return bk_norm_sum_bytes(&l, call->workers) + bk_round64((uint64_t)(l.batch * 2 * l.channels) * 4) +
         bk_parameter_bytes(bk_input(call, 1)) + bk_parameter_bytes(bk_input(call, 2));
}

static void forward_run(const bk_call *call) {
  forward_job job = {
      .x = bk_floats(bk_input(call, 0)),
      .y = bk_floats(bk_output(call, 0)),
      .mean = bk_floats(bk_output(call, 1)),
      .rstd = bk_floats(bk_output(call, 2)),
      .layout = bk_norm_layout(bk_input(call, 0), call->i[1]),
      .act = call->i[0],
      .epsilon = call->f[0],
  };
  const norm_layout *l = &job.layout;
  char *space = call->workspace;
  job.gamma = bk_parameter(bk_input(call, 1), (float *)space);
  space += bk_parameter_bytes(bk_input(call, 1));
  job.beta = bk_parameter(bk_input(call, 2), (float *)space);
  space += bk_parameter_bytes(bk_input(call, 2));
  job.sums = (double *)space;
  space += bk_norm_part_bytes(l);
  job.block_sums = (float *)space;
  space += bk_norm_block_bytes(l) * call->workers;
  job.affine = (float *)space;
  if (bk_norm_by_sample(l, call->workers)) {
    bk_parallel(call, l->batch, whole_samples, &job);
    return;
  }
  bk_parallel(call, l->batch * l->parts, statistics_parts, &job);
  bk_parallel(call, l->batch, finish_samples, &job);
  bk_parallel(call, l->batch * l->blocks, normalise_blocks, &job);
}

const bk_kernel bk_group_norm = {
    .op = ESP_OP_GROUP_NORM,
    .inplace = 1,
    .check = forward_check,
    .workspace = forward_workspace,
    .run = forward_run,
};
