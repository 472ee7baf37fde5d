/* Sizes that the C BLAS can count, and pieces of the workspace. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "tensor_access.h"

/* Every axis at least 1 and countable by the C BLAS, every row too. */
static inline int bk_sizes_fit(const bk_tensor *tensor) {
  if (tensor->rank < 1 || tensor->rank > ESP_MAX_RANK) return 0;
  for (int32_t axis = 0; axis < tensor->rank; axis++) {
    if (tensor->dims[axis] < 1 || tensor->dims[axis] > INT32_MAX) return 0;
  }
  return 1;
}

static inline int64_t bk_round_up(int64_t a, int64_t b) {
  return bk_blocks(a, b) * b;
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

#endif
