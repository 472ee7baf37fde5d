/* Conversions between f32 and the storage types of checkpoints, and CAST. */
#include "half_precision.h"
#include "kernel_list.h"

#include <string.h>

BK_CLONES static void widen_f16(const _Float16 *source, float *restrict target, int64_t count) {
  for (int64_t k = 0; k < count; k++) target[k] = (float)source[k];
}

BK_CLONES static void widen_bf16(const uint16_t *source, float *restrict target, int64_t count) {
  for (int64_t k = 0; k < count; k++) {
    uint32_t bits = (uint32_t)source[k] << 16;
    memcpy(&target[k], &bits, 4);
  }
}

BK_CLONES static void widen_i32(const int32_t *source, float *restrict target, int64_t count) {
  for (int64_t k = 0; k < count; k++) target[k] = (float)source[k];
}

BK_CLONES static void narrow_f16(const float *source, _Float16 *restrict target, int64_t count) {
  for (int64_t k = 0; k < count; k++) target[k] = (_Float16)source[k];
}

/* A NaN stays a NaN. */
BK_CLONES static void narrow_bf16(const float *source, uint16_t *restrict target, int64_t count) {
  for (int64_t k = 0; k < count; k++) {
    uint32_t bits;
    memcpy(&bits, &source[k], 4);
    uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    uint32_t quiet = (bits >> 16) | 0x40u;
    target[k] = (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
  }
}

/* To nearest even, clamped to the range; NaN becomes 0. */
static void narrow_i32(const float *source, int32_t *target, int64_t count) {
  for (int64_t k = 0; k < count; k++) {
    float x = source[k];
    float rounded = __builtin_rintf(x);
    target[k] = x != x ? 0 : rounded >= 2147483648.0f ? INT32_MAX : rounded <= -2147483648.0f ? INT32_MIN : (int32_t)rounded;
  }
}

void bk_to_floats(const void *source, int32_t dtype, float *target, int64_t count) {
  switch (dtype) {
    case ESP_DTYPE_F16: widen_f16(source, target, count); break;
    case ESP_DTYPE_BF16: widen_bf16(source, target, count); break;
    case ESP_DTYPE_I32: widen_i32(source, target, count); break;
    default: memmove(target, source, (size_t)count * 4); break;
  }
}

void bk_from_floats(const float *source, int32_t dtype, void *target, int64_t count) {
  switch (dtype) {
    case ESP_DTYPE_F16: narrow_f16(source, target, count); break;
    case ESP_DTYPE_BF16: narrow_bf16(source, target, count); break;
    case ESP_DTYPE_I32: narrow_i32(source, target, count); break;
    default: memmove(target, source, (size_t)count * 4); break;
  }
}

const float *bk_parameter(const bk_tensor *t, float *space) {
  if (t->dtype == ESP_DTYPE_F32) return t->data;
  bk_to_floats(t->data, t->dtype, space, bk_count(t));
  return space;
}

/* ---- CAST --------------------------------------------------------------------------------------- */

typedef struct cast_job {
  const char *source;
  char *target;
  int32_t from, to;
  int64_t count;
} cast_job;

static void cast_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const cast_job *job = argument;
  enum { piece = 1024 };
  float wide[piece];
  int64_t last = bk_min(end * BK_BLOCK, job->count);
  for (int64_t k = begin * BK_BLOCK; k < last; k += piece) {
    int64_t n = bk_min(piece, last - k);
    const char *source = job->source + k * bk_element_bytes(job->from);
    char *target = job->target + k * bk_element_bytes(job->to);
    if (job->from == job->to) {
      memmove(target, source, (size_t)(n * bk_element_bytes(job->from)));
    } else {
      bk_to_floats(source, job->from, wide, n);
      bk_from_floats(wide, job->to, target, n);
    }
  }
}

static const char *cast_check(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  BK_REQUIRE(x && y, "needs x and an output");
  BK_REQUIRE(bk_count(x) == bk_count(y), "input and output differ in size");
  return 0;
}

static void cast_run(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  cast_job job = {x->data, y->data, x->dtype, y->dtype, bk_count(x)};
  bk_parallel(call, bk_blocks(job.count, BK_BLOCK), cast_blocks, &job);
}

const bk_kernel bk_cast = {.op = ESP_OP_CAST, .inplace = 1, .check = cast_check, .run = cast_run};
