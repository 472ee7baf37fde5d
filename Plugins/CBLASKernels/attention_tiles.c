/* Matrix products of tiles: 6 rows by 16 columns of the result stay in registers. */
#include "attention_tiles.h"

#include <string.h>

typedef float vector16 __attribute__((vector_size(64), aligned(4)));
typedef float vector8 __attribute__((vector_size(32), aligned(4)));

/* `rows` is a constant where this is inlined. */
static inline __attribute__((always_inline)) void multiply_rows(const int rows, int64_t depth, const float *a,
                                                                int64_t row_step, int64_t depth_step,
                                                                const float *panel, float *c, int64_t ldc,
                                                                int64_t columns, bool accumulate) {
  vector16 sum[6];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) sum[i] = (vector16){0};
  for (int64_t l = 0; l < depth; l++) {
    const vector16 b = *(const vector16 *)(panel + l * TILE_COLUMNS);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) sum[i] += a[i * row_step + l * depth_step] * b;
  }
  if (columns == TILE_COLUMNS) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      vector16 *target = (vector16 *)(c + i * ldc);
      *target = accumulate ? *target + sum[i] : sum[i];
    }
    return;
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    float edge[16];
    memcpy(edge, &sum[i], sizeof edge);
    for (int64_t j = 0; j < columns; j++) c[i * ldc + j] = accumulate ? c[i * ldc + j] + edge[j] : edge[j];
  }
}

#define MULTIPLY(ROW_STEP, DEPTH_STEP)                                                                            \
  for (int64_t j = 0; j < n; j += TILE_COLUMNS) {                                                                 \
    const float *panel = panels + j * k;                                                                          \
    const int64_t columns = bk_min(TILE_COLUMNS, n - j);                                                          \
    int64_t i = 0;                                                                                                \
    for (; i + TILE_ROWS <= m; i += TILE_ROWS)                                                                    \
      multiply_rows(6, k, a + i * (ROW_STEP), ROW_STEP, DEPTH_STEP, panel, c + i * ldc + j, ldc, columns,         \
                    accumulate);                                                                                  \
    for (; i + 2 <= m; i += 2)                                                                                    \
      multiply_rows(2, k, a + i * (ROW_STEP), ROW_STEP, DEPTH_STEP, panel, c + i * ldc + j, ldc, columns,         \
                    accumulate);                                                                                  \
    if (i < m)                                                                                                    \
      multiply_rows(1, k, a + i * (ROW_STEP), ROW_STEP, DEPTH_STEP, panel, c + i * ldc + j, ldc, columns,         \
                    accumulate);                                                                                  \
  }

BK_CLONES void bk_tile_multiply(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *panels,
                                float *c, int64_t ldc, bool accumulate) {
  MULTIPLY(lda, 1)
}

BK_CLONES void bk_tile_multiply_transposed(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                                           const float *panels, float *c, int64_t ldc, bool accumulate) {
  MULTIPLY(1, lda)
}

BK_CLONES void bk_tile_pack(const float *x, int64_t stride, int64_t rows, int64_t columns, float factor,
                            float *panels) {
  for (int64_t j = 0; j < columns; j += TILE_COLUMNS) {
    const int64_t width = bk_min(TILE_COLUMNS, columns - j);
    float *target = panels + j * rows;
    for (int64_t r = 0; r < rows; r++, target += TILE_COLUMNS) {
      const float *source = x + r * stride + j;
      if (width == TILE_COLUMNS) {
        *(vector16 *)target = factor * *(const vector16 *)source;
        continue;
      }
      for (int64_t k = 0; k < TILE_COLUMNS; k++) target[k] = k < width ? factor * source[k] : 0.0f;
    }
  }
}

/* target[c·16 + r] = x[r·stride + c] for 8×8 elements, by three rounds of interleaving. */
static inline __attribute__((always_inline)) void transpose8(const float *x, int64_t stride, float *target) {
  vector8 a[8], b[8];
#pragma clang loop unroll(full)
  for (int r = 0; r < 8; r++) a[r] = *(const vector8 *)(x + r * stride);
#pragma clang loop unroll(full)
  for (int r = 0; r < 8; r += 2) {
    b[r] = __builtin_shufflevector(a[r], a[r + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    b[r + 1] = __builtin_shufflevector(a[r], a[r + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < 8; r += 4) {
#pragma clang loop unroll(full)
    for (int k = 0; k < 2; k++) {
      a[r + k] = __builtin_shufflevector(b[r + k], b[r + k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      a[r + k + 2] = __builtin_shufflevector(b[r + k], b[r + k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
#pragma clang loop unroll(full)
  for (int k = 0; k < 4; k++) {
    *(vector8 *)(target + k * TILE_COLUMNS) =
        __builtin_shufflevector(a[k], a[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    *(vector8 *)(target + (k + 4) * TILE_COLUMNS) =
        __builtin_shufflevector(a[k], a[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

BK_CLONES void bk_tile_pack_transposed(const float *x, int64_t stride, int64_t rows, int64_t columns,
                                       float *panels) {
  for (int64_t j = 0; j < rows; j += TILE_COLUMNS) {
    const int64_t width = bk_min(TILE_COLUMNS, rows - j);
    const float *source = x + j * stride;
    float *target = panels + j * columns;
    int64_t k = 0;
    if (width == TILE_COLUMNS) {
      for (; k + 8 <= columns; k += 8) {
        transpose8(source + k, stride, target + k * TILE_COLUMNS);
        transpose8(source + 8 * stride + k, stride, target + k * TILE_COLUMNS + 8);
      }
    }
    for (; k < columns; k++)
      for (int64_t r = 0; r < TILE_COLUMNS; r++)
        target[k * TILE_COLUMNS + r] = r < width ? source[r * stride + k] : 0.0f;
  }
}
