/* What kernels ask of a call: operands, sizes, scratch. All sizes are 64-bit. */
#ifndef OPERANDS_H
#define OPERANDS_H

#include "blas_kernels.h"

/* Input or output `index`, or null if it is absent. */
static inline const bk_tensor *bk_input(const bk_call *call, uint32_t index) {
  return index < call->input_count ? call->inputs[index] : 0;
}

static inline const bk_tensor *bk_output(const bk_call *call, uint32_t index) {
  return index < call->output_count ? call->outputs[index] : 0;
}

static inline float *bk_floats(const bk_tensor *tensor) {
  return tensor ? (float *)tensor->data : 0;
}

static inline int64_t bk_elements(const bk_tensor *tensor) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < tensor->rank; axis++) count *= tensor->dims[axis];
  return count;
}

/* The length of the last axis, and how many such rows there are. */
static inline int64_t bk_columns(const bk_tensor *tensor) {
  return tensor->dims[tensor->rank - 1];
}

static inline int64_t bk_rows(const bk_tensor *tensor) {
  int64_t count = 1;
  for (int32_t axis = 0; axis + 1 < tensor->rank; axis++) count *= tensor->dims[axis];
  return count;
}

static inline int bk_same_shape(const bk_tensor *a, const bk_tensor *b) {
  if (a->rank != b->rank) return 0;
  for (int32_t axis = 0; axis < a->rank; axis++) {
    if (a->dims[axis] != b->dims[axis]) return 0;
  }
  return 1;
}

static inline int bk_is_f32(const bk_tensor *tensor) {
  return tensor->dtype == ESP_DTYPE_F32;
}

static inline int bk_is_weight_dtype(const bk_tensor *tensor) {
  return tensor->dtype == ESP_DTYPE_F32 || tensor->dtype == ESP_DTYPE_F16 || tensor->dtype == ESP_DTYPE_BF16;
}

/* Every axis at least 1 and countable by the C BLAS, every row too. */
static inline int bk_sizes_fit(const bk_tensor *tensor) {
  if (tensor->rank < 1 || tensor->rank > ESP_MAX_RANK) return 0;
  for (int32_t axis = 0; axis < tensor->rank; axis++) {
    if (tensor->dims[axis] < 1 || tensor->dims[axis] > INT32_MAX) return 0;
  }
  return 1;
}

static inline int64_t bk_smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static inline int64_t bk_larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static inline int64_t bk_divide_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

static inline int64_t bk_round_up(int64_t a, int64_t b) {
  return bk_divide_up(a, b) * b;
}

/* Hands out pieces of the workspace, or, with a null base, only counts them. */
typedef struct bk_scratch {
  char *base;
  uint64_t used;
} bk_scratch;

static inline void *bk_take(bk_scratch *scratch, int64_t bytes) {
  char *piece = scratch->base ? scratch->base + scratch->used : 0;
  scratch->used += (uint64_t)bk_round_up(bytes, 64);
  return piece;
}

static inline float *bk_take_floats(bk_scratch *scratch, int64_t count) {
  return (float *)bk_take(scratch, count * (int64_t)sizeof(float));
}

/* Scratch for a bias as f32: none if it is absent or f32 already. */
static inline int64_t bk_bias_bytes(const bk_tensor *bias) {
  return bias && !bk_is_f32(bias) ? bk_round_up(bias->dims[0] * (int64_t)sizeof(float), 64) : 0;
}

/* The host's parallel loop over `count` pieces of work. */
static inline void bk_parallel(const bk_call *call, int64_t count, esp_parallel_body body, void *argument) {
  if (count == 1) {
    body(argument, 0, 1, 0);
  } else if (count > 1) {
    call->host->parallel_for(call->host->context, count, 1, body, argument);
  }
}

#endif
