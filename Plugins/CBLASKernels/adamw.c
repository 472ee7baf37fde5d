/* ADAMW over many tensors in one call, with PyTorch's arithmetic (torch/optim/adamw.py, one tensor). */
#include "kernel_list.h"
#include "tensor_access.h"

#include <string.h>

/* The step's scalars as PyTorch computes them: in f64, then rounded where they meet the tensors. */
typedef struct adamw_scalars {
  float decay;             /* 1 − lr·weight_decay */
  float blend;             /* 1 − beta1 */
  float beta2, complement; /* complement: 1 − beta2 */
  float root;              /* √(1 − beta2^t) */
  float epsilon;
  float step;              /* −lr / (1 − beta1^t) */
  float multiplier;        /* of the gradient */
} adamw_scalars;

typedef struct adamw_job {
  const bk_call *call;
  int64_t *starts; /* the first block of every parameter, and their number */
  adamw_scalars s;
} adamw_job;

/* f32 holds beta as the nearest to a short decimal; 1 − beta needs that decimal back. */
static double decimal(float beta) { return __builtin_rint((double)beta * 1e7) / 1e7; }

static adamw_scalars step_scalars(const float *v) {
  const double lr = (double)v[0], beta1 = decimal(v[1]), beta2 = decimal(v[2]);
  return (adamw_scalars){
      .decay = (float)(1.0 - lr * (double)v[4]),
      .blend = (float)(1.0 - beta1),
      .beta2 = (float)beta2,
      .complement = (float)(1.0 - beta2),
      .root = (float)__builtin_sqrt((double)v[6]),
      .epsilon = v[3],
      .step = (float)(-lr / (double)v[5]),
      .multiplier = v[7],
  };
}

/* a·b + c with one rounding where the processor can, as PyTorch's lerp and addcmul do. */
static inline float fused(float a, float b, float c) { return a * b + c; }

BK_CLONES static void update(float *restrict p, const float *restrict g, float *restrict m, float *restrict v,
                             int64_t count, const adamw_scalars *scalars) {
  const adamw_scalars s = *scalars;
  for (int64_t k = 0; k < count; k++) {
    /* Everything else rounds at each operation, as PyTorch's separate passes do. */
#pragma clang fp contract(off)
    const float gradient = g[k] * s.multiplier;
    const float first = fused(s.blend, gradient - m[k], m[k]);
    const float second = fused(s.complement * gradient, gradient, v[k] * s.beta2);
    const float root = __builtin_elementwise_sqrt(second) / s.root + s.epsilon;
    m[k] = first;
    v[k] = second;
    p[k] = p[k] * s.decay + s.step * first / root;
  }
}

static void adamw_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const adamw_job *job = argument;
  uint32_t n = 0;
  for (int64_t k = begin; k < end; k++) {
    while (k >= job->starts[n + 1]) n++;
    const int64_t first = (k - job->starts[n]) * BK_BLOCK;
    const int64_t count = bk_min(BK_BLOCK, bk_count(bk_input(job->call, 1 + 4 * n)) - first);
    const float *g = bk_floats(bk_input(job->call, 2 + 4 * n)) + first;
    float *target[3];
    for (uint32_t j = 0; j < 3; j++) {
      const uint32_t source = 1 + 4 * n + (j == 0 ? 0 : j + 1); /* p, m, v */
      const float *old = bk_floats(bk_input(job->call, source)) + first;
      target[j] = bk_floats(bk_output(job->call, 3 * n + j)) + first;
      if (target[j] != old) memcpy(target[j], old, (size_t)count * 4);
    }
    update(target[0], g, target[1], target[2], count, &job->s);
  }
}

static const char *adamw_check(const bk_call *call) {
  const bk_tensor *scalars = bk_input(call, 0);
  BK_REQUIRE(bk_is_f32(scalars) && bk_count(scalars) == 16, "needs 16 f32 scalars");
  BK_REQUIRE(call->input_count >= 5 && call->input_count % 4 == 1, "needs p, g, m and v of every parameter");
  const uint32_t n = (call->input_count - 1) / 4;
  BK_REQUIRE(call->output_count == 3 * n, "needs p, m and v of every parameter as outputs");
  for (uint32_t k = 0; k < n; k++) {
    const bk_tensor *p = bk_input(call, 1 + 4 * k);
    BK_REQUIRE(bk_is_f32(p), "parameters are not f32");
    for (uint32_t j = 1; j < 4; j++) {
      const bk_tensor *t = bk_input(call, 1 + 4 * k + j);
      BK_REQUIRE(bk_is_f32(t) && bk_count(t) == bk_count(p), "gradient or moments differ from their parameter");
    }
    for (uint32_t j = 0; j < 3; j++) {
      const bk_tensor *t = bk_output(call, 3 * k + j);
      BK_REQUIRE(bk_is_f32(t) && bk_count(t) == bk_count(p), "outputs differ from their parameter");
    }
  }
  return 0;
}

static uint64_t adamw_workspace(const bk_call *call) {
  return bk_round64(((uint64_t)(call->input_count - 1) / 4 + 1) * 8);
}

static void adamw_run(const bk_call *call) {
  adamw_job job = {
      .call = call,
      .starts = call->workspace,
      .s = step_scalars(bk_floats(bk_input(call, 0))),
  };
  const uint32_t n = (call->input_count - 1) / 4;
  int64_t blocks = 0;
  for (uint32_t k = 0; k < n; k++) {
    job.starts[k] = blocks;
    blocks += bk_blocks(bk_count(bk_input(call, 1 + 4 * k)), BK_BLOCK);
  }
  job.starts[n] = blocks;
  bk_parallel(call, blocks, adamw_blocks, &job);
}

const bk_kernel bk_adamw = {
    .op = ESP_OP_ADAMW, .inplace = 2, .check = adamw_check, .workspace = adamw_workspace, .run = adamw_run};
