/* Conversions between f32 and the storage types of checkpoints. */
#ifndef HALF_PRECISION_H
#define HALF_PRECISION_H

#include "tensor_access.h"

/* `count` elements of a storage type to f32. */
void bk_to_floats(const void *source, int32_t dtype, float *target, int64_t count);

/* `count` f32 to a storage type, round to nearest even. */
void bk_from_floats(const float *source, int32_t dtype, void *target, int64_t count);

/* The parameter's floats: its own where it is f32, else widened into `space` (bk_parameter_bytes). */
const float *bk_parameter(const bk_tensor *t, float *space);

/* Bytes of the space that bk_parameter needs, a multiple of 64; 0 where it needs none. */
static inline uint64_t bk_parameter_bytes(const bk_tensor *t) {
  return t && t->dtype != ESP_DTYPE_F32 ? bk_round64((uint64_t)bk_count(t) * 4) : 0;
}

#endif
