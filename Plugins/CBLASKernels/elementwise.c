/* UNARY, UNARY_BACKWARD, SCALE, GEGLU and GEGLU_BACKWARD. */
#include "kernel_list.h"
#include "tensor_access.h"
#include "vector_math.h"

/* ---- UNARY, UNARY_BACKWARD, SCALE --------------------------------------------------------------- */

typedef struct unary_job {
  const float *dy; /* null in the forward direction */
  const float *x;
  float *y;
  int64_t count;
  int64_t act;
  float factor, offset;
} unary_job;

BK_CLONES static void unary_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const unary_job *job = argument;
  const float *x = job->x;
  float *y = job->y;
  const int64_t first = begin * BK_BLOCK, last = bk_min(end * BK_BLOCK, job->count);
#define LOOP(function) \
  BK_INDEPENDENT for (int64_t k = first; k < last; k++) y[k] = function(x[k]);
  BK_FOR_ACTIVATION(job->act, LOOP)
#undef LOOP
}

BK_CLONES static void unary_backward_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const unary_job *job = argument;
  const float *dy = job->dy, *x = job->x;
  float *dx = job->y;
  const int64_t first = begin * BK_BLOCK, last = bk_min(end * BK_BLOCK, job->count);
#define LOOP(slope) \
  BK_INDEPENDENT for (int64_t k = first; k < last; k++) dx[k] = dy[k] * slope(x[k]);
  BK_FOR_SLOPE(job->act, LOOP)
#undef LOOP
}

BK_CLONES static void scale_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const unary_job *job = argument;
  const float *x = job->x, factor = job->factor, offset = job->offset;
  float *y = job->y;
  const int64_t first = begin * BK_BLOCK, last = bk_min(end * BK_BLOCK, job->count);
  BK_INDEPENDENT for (int64_t k = first; k < last; k++) y[k] = factor * x[k] + offset;
}

static const char *unary_check(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  BK_REQUIRE(bk_is_f32(x) && bk_is_f32(y), "needs f32 operands");
  BK_REQUIRE(bk_count(x) == bk_count(y), "input and output differ in size");
  BK_REQUIRE(call->op == ESP_OP_SCALE || bk_is_activation(call->i[0]), "unknown activation");
  return 0;
}

static const char *unary_backward_check(const bk_call *call) {
  const bk_tensor *dy = bk_input(call, 0), *x = bk_input(call, 1), *dx = bk_output(call, 0);
  BK_REQUIRE(bk_is_f32(dy) && bk_is_f32(x) && bk_is_f32(dx), "needs f32 operands");
  BK_REQUIRE(bk_count(dy) == bk_count(x) && bk_count(x) == bk_count(dx), "operands differ in size");
  BK_REQUIRE(bk_is_activation(call->i[0]), "unknown activation");
  return 0;
}

static void unary_run(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0);
  unary_job job = {
      .x = x->data,
      .y = bk_floats(bk_output(call, 0)),
      .count = bk_count(x),
      .act = call->i[0],
      .factor = (float)call->f[0],
      .offset = (float)call->f[1],
  };
  bk_parallel(call, bk_blocks(job.count, BK_BLOCK), call->op == ESP_OP_SCALE ? scale_blocks : unary_blocks, &job);
}

static void unary_backward_run(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 1);
  unary_job job = {
      .dy = bk_floats(bk_input(call, 0)),
      .x = x->data,
      .y = bk_floats(bk_output(call, 0)),
      .count = bk_count(x),
      .act = call->i[0],
  };
  bk_parallel(call, bk_blocks(job.count, BK_BLOCK), unary_backward_blocks, &job);
}

/* ---- GEGLU -------------------------------------------------------------------------------------- */

typedef struct geglu_job {
  const float *dy; /* [rows, F] */
  const float *x;  /* [rows, 2F] */
  float *y;        /* [rows, F], or dx [rows, 2F] */
  int64_t rows, features, block;
} geglu_job;

BK_CLONES static void geglu_row(const float *x, float *restrict y, int64_t features) {
  const float *gate = x + features;
  for (int64_t k = 0; k < features; k++) y[k] = x[k] * bk_gelu(gate[k]);
}

BK_CLONES static void geglu_backward_row(const float *restrict dy, const float *x, float *dx, int64_t features) {
  const float *gate = x + features;
  float *dgate = dx + features;
  BK_INDEPENDENT for (int64_t k = 0; k < features; k++) {
    float value = x[k], g = gate[k], d = dy[k];
    float t = g < 0.0f ? -g : g;
    float density = bk_exp(-0.5f * g * g);
    float tail = density * bk_scaled_tail(t);
    float phi = g < 0.0f ? tail : 1.0f - tail;
    dx[k] = d * ((g < 0.0f ? 0.0f : g) - t * tail);
    dgate[k] = d * value * (phi + g * 0.39894228f * density);
  }
}

static void geglu_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const geglu_job *job = argument;
  const int64_t f = job->features;
  for (int64_t row = begin * job->block; row < bk_min(end * job->block, job->rows); row++) {
    if (job->dy)
      geglu_backward_row(job->dy + row * f, job->x + row * 2 * f, job->y + row * 2 * f, f);
    else
      geglu_row(job->x + row * 2 * f, job->y + row * f, f);
  }
}

static const char *geglu_check(const bk_call *call) {
  const bool backward = call->op == ESP_OP_GEGLU_BACKWARD;
  const bk_tensor *narrow = backward ? bk_input(call, 0) : bk_output(call, 0);
  const bk_tensor *x = bk_input(call, backward ? 1 : 0);
  BK_REQUIRE(bk_is_f32(narrow) && bk_is_f32(x), "needs f32 operands");
  BK_REQUIRE(x->rank >= 1 && narrow->rank >= 1 && bk_last(x) == 2 * bk_last(narrow), "last axis is not 2F");
  BK_REQUIRE(bk_rows(x) == bk_rows(narrow), "operands differ in rows");
  if (backward) {
    const bk_tensor *dx = bk_output(call, 0);
    BK_REQUIRE(bk_is_f32(dx) && bk_count(dx) == bk_count(x), "dx differs from x");
  }
  return 0;
}

static void geglu_run(const bk_call *call) {
  const bool backward = call->op == ESP_OP_GEGLU_BACKWARD;
  const bk_tensor *x = bk_input(call, backward ? 1 : 0);
  geglu_job job = {
      .dy = backward ? bk_floats(bk_input(call, 0)) : 0,
      .x = x->data,
      .y = bk_floats(bk_output(call, 0)),
      .rows = bk_rows(x),
      .features = bk_last(x) / 2,
  };
  job.block = bk_max(1, BK_BLOCK / job.features);
  bk_parallel(call, bk_blocks(job.rows, job.block), geglu_blocks, &job);
}

const bk_kernel bk_unary = {.op = ESP_OP_UNARY, .inplace = 1, .check = unary_check, .run = unary_run};
const bk_kernel bk_unary_backward = {
    .op = ESP_OP_UNARY_BACKWARD, .inplace = 3, .check = unary_backward_check, .run = unary_backward_run};
const bk_kernel bk_scale = {.op = ESP_OP_SCALE, .inplace = 1, .check = unary_check, .run = unary_run};
const bk_kernel bk_geglu = {.op = ESP_OP_GEGLU, .check = geglu_check, .run = geglu_run};
const bk_kernel bk_geglu_backward = {
    .op = ESP_OP_GEGLU_BACKWARD, .inplace = 2, .check = geglu_check, .run = geglu_run};
