/* Weights of any storage type to f32. */
#ifndef WIDEN_H
#define WIDEN_H

#include "tensor_access.h"

/* rows × columns from row stride `source_stride` to `target_stride`, both in elements. */
void bk_widen(const void *source, int32_t dtype, int64_t source_stride, float *target, int64_t target_stride,
              int64_t rows, int64_t columns);

/* `source` itself if it is f32, otherwise its `count` values in `target`; null stays null. */
const float *bk_widened(const void *source, int32_t dtype, float *target, int64_t count);

/* Where the element `index` lies. */
static inline const void *bk_element(const void *source, int32_t dtype, int64_t index) {
  return (const char *)source + index * bk_element_bytes(dtype);
}

#endif
