/* Rows of attention scores. Loops run over whole panels, so that none ends in single elements. */
#include "attention_rows.h"

#include "vector_math.h"

#include <math.h>

typedef float vector16 __attribute__((ext_vector_type(16), aligned(4)));
typedef float vector8 __attribute__((ext_vector_type(8)));
typedef float vector4 __attribute__((ext_vector_type(4)));

#define LARGER(a, b) ((a) > (b) ? (a) : (b))

/* The largest of `top` and a row's `columns` elements; NaN does not count. */
static inline float row_maximum(const float *row, int64_t columns, float top) {
  vector16 even = top, odd = top;
  int64_t k = 0;
  for (; k + 32 <= columns; k += 32) {
    const vector16 a = *(const vector16 *)(row + k), b = *(const vector16 *)(row + k + 16);
    even = LARGER(a, even);
    odd = LARGER(b, odd);
  }
  if (k < columns) {
    const vector16 a = *(const vector16 *)(row + k);
    even = LARGER(a, even);
  }
  even = LARGER(even, odd);
  const vector8 eight = LARGER(even.lo, even.hi);
  const vector4 four = LARGER(eight.lo, eight.hi);
  const float left = LARGER(four.x, four.z), right = LARGER(four.y, four.w);
  return LARGER(left, right);
}

static inline float exponentials(float *row, int64_t columns, float top) {
  float sum = 0;
  {
#pragma clang fp reassociate(on)
#pragma clang loop vectorize_width(16) interleave_count(1)
    for (int64_t k = 0; k < columns; k++) {
      const float weight = bk_exp2(row[k] - top);
      row[k] = weight;
      sum += weight;
    }
  }
  return sum;
}

BK_CLONES void bk_online_softmax(const score_tile *tile, bool first, float *maximum, float *total, float *sum,
                                 int64_t width) {
  for (int64_t i = 0; i < tile->rows; i++) {
    float *row = tile->scores + i * tile->stride;
    const int64_t visible = bk_visible_keys(tile, i);
    for (int64_t k = visible; k < tile->columns; k++) row[k] = -INFINITY;
    const float before = first ? -INFINITY : maximum[i];
    const float top = row_maximum(row, tile->columns, before);
    const float added = exponentials(row, tile->columns, top);
    for (int64_t k = visible; k < tile->columns; k++) row[k] = 0;
    maximum[i] = top;
    if (first) {
      total[i] = added;
      continue;
    }
    if (top == before) {
      total[i] += added;
      continue;
    }
    const float shrink = bk_exp2(before - top);
    total[i] = total[i] * shrink + added;
    float *row_sum = sum + i * width;
    for (int64_t k = 0; k < width; k++) row_sum[k] *= shrink;
  }
}

BK_CLONES void bk_attention_slopes(const score_tile *tile, float *slopes, float scale, const float *lse,
                                   const float *delta) {
  const float log2_e = 1.44269504f;
  for (int64_t i = 0; i < tile->rows; i++) {
    float *restrict row = tile->scores + i * tile->stride, *restrict slope = slopes + i * tile->stride;
    const float shift = lse[i] * log2_e, mean = delta[i];
#pragma clang loop vectorize_width(16) interleave_count(1)
    for (int64_t k = 0; k < tile->columns; k++) {
      const float weight = bk_exp2(scale * row[k] - shift);
      row[k] = weight;
      slope[k] = weight * (slope[k] - mean);
    }
    for (int64_t k = bk_visible_keys(tile, i); k < tile->columns; k++) row[k] = slope[k] = 0;
  }
}
