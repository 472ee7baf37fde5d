/* Sixteen elements at a time, of every storage type: the unit of packed matrices. */
#ifndef LINES_H
#define LINES_H

#include "espalier_plugin.h"

#include <string.h>

enum { bk_line = 16 };

typedef float bk_floats16 __attribute__((vector_size(64), aligned(4)));
typedef _Float16 bk_halves16 __attribute__((vector_size(32), aligned(2)));
typedef uint16_t bk_shorts16 __attribute__((vector_size(32), aligned(2)));
typedef uint32_t bk_words16 __attribute__((vector_size(64), aligned(4)));

#define BK_UNROLL _Pragma("clang loop unroll(full)")
#define BK_INLINE static inline __attribute__((always_inline))

/* target = elements [at, at + 16) as f32; `dtype` is a constant where this is inlined. */
BK_INLINE void bk_widen_line(const void *source, int32_t dtype, int64_t at, bk_floats16 *target) {
  if (dtype == ESP_DTYPE_F16) {
    *target = __builtin_convertvector(*(const bk_halves16 *)((const _Float16 *)source + at), bk_floats16);
  } else if (dtype == ESP_DTYPE_BF16) {
    const bk_shorts16 *from = (const bk_shorts16 *)((const uint16_t *)source + at);
    *target = (bk_floats16)(__builtin_convertvector(*from, bk_words16) << 16);
  } else {
    *target = *(const bk_floats16 *)((const float *)source + at);
  }
}

BK_INLINE float bk_widen_one(const void *source, int32_t dtype, int64_t at) {
  if (dtype == ESP_DTYPE_F16) return (float)((const _Float16 *)source)[at];
  if (dtype == ESP_DTYPE_BF16) {
    uint32_t bits = (uint32_t)((const uint16_t *)source)[at] << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
  }
  return ((const float *)source)[at];
}

#endif
