#include "panels.h"

#include "clones.h"
#include "widen.h"

typedef float vector __attribute__((vector_size(32), aligned(4)));
typedef float wide __attribute__((vector_size(64), aligned(4))); /* a panel's width */

/* Rows of a register tile (6 × 16 fills AVX2's registers), and the depth for which a panel stays in the
 * first cache. */
enum { tile_rows = 6, depth_limit = 384 };

/* `rows` is constant where this is inlined, so the loops over it unroll and `sum` lives in registers: two per row
 * with AVX2, one with AVX-512. */
static inline __attribute__((always_inline)) void tile(int rows, const float *a, int64_t row_stride,
                                                       int64_t depth_stride, int64_t depth, const float *b, float *c,
                                                       int64_t c_stride, int add) {
  wide sum[tile_rows];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = (wide){0};
  for (int64_t k = 0; k < depth; k++) {
    wide line = *(const wide *)(b + k * bk_panel_width);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] += line * a[r * row_stride + k * depth_stride];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    wide *to = (wide *)(c + r * c_stride);
    *to = add ? *to + sum[r] : sum[r];
  }
}

BK_CLONES static void multiply_panel(const float *a, int64_t a_stride, int64_t rows, int64_t depth, const float *b,
                                     float *c, int64_t c_stride, int add) {
  for (; rows >= tile_rows; rows -= tile_rows) {
    tile(tile_rows, a, a_stride, 1, depth, b, c, c_stride, add);
    a += tile_rows * a_stride;
    c += tile_rows * c_stride;
  }
  switch (rows) {
  case 5: tile(5, a, a_stride, 1, depth, b, c, c_stride, add); break;
  case 4: tile(4, a, a_stride, 1, depth, b, c, c_stride, add); break;
  case 3: tile(3, a, a_stride, 1, depth, b, c, c_stride, add); break;
  case 2: tile(2, a, a_stride, 1, depth, b, c, c_stride, add); break;
  case 1: tile(1, a, a_stride, 1, depth, b, c, c_stride, add); break;
  default: break;
  }
}

BK_CLONES void bk_multiply_panel_pair(const float *a, const float *b, int64_t depth, float *c, int64_t c_stride) {
  tile(6, a, 1, bk_panel_width, depth, b, c, c_stride, 0);
  tile(5, a + 6, 1, bk_panel_width, depth, b, c + 6 * c_stride, c_stride, 0);
  tile(5, a + 11, 1, bk_panel_width, depth, b, c + 11 * c_stride, c_stride, 0);
}

void bk_multiply_panels(const float *a, int64_t a_stride, int64_t rows, int64_t depth, const float *b,
                        int64_t panel_stride, int64_t panels, float *c, int64_t c_stride, int add) {
  for (int64_t start = 0; start < depth; start += depth_limit) {
    int64_t length = depth - start < depth_limit ? depth - start : depth_limit;
    for (int64_t panel = 0; panel < panels; panel++) {
      multiply_panel(a + start, a_stride, rows, length, b + panel * panel_stride + start * bk_panel_width,
                     c + panel * bk_panel_width, c_stride, add || start > 0);
    }
  }
}

enum { lanes = 8, pack_depth = 64 };

/* Eight rows to eight columns, by interleaving ever longer runs. */
static inline __attribute__((always_inline)) void transpose_square(const float *from, int64_t stride, float *to) {
  vector r[8], s[8];
  for (int k = 0; k < 8; k++) r[k] = *(const vector *)(from + k * stride);
  for (int k = 0; k < 4; k++) {
    s[2 * k] = __builtin_shufflevector(r[k], r[k + 4], 0, 8, 1, 9, 2, 10, 3, 11);
    s[2 * k + 1] = __builtin_shufflevector(r[k], r[k + 4], 4, 12, 5, 13, 6, 14, 7, 15);
  }
  for (int k = 0; k < 4; k++) {
    r[2 * k] = __builtin_shufflevector(s[k], s[k + 4], 0, 8, 1, 9, 2, 10, 3, 11);
    r[2 * k + 1] = __builtin_shufflevector(s[k], s[k + 4], 4, 12, 5, 13, 6, 14, 7, 15);
  }
  for (int k = 0; k < 4; k++) {
    *(vector *)(to + 2 * k * bk_panel_width) = __builtin_shufflevector(r[k], r[k + 4], 0, 8, 1, 9, 2, 10, 3, 11);
    *(vector *)(to + (2 * k + 1) * bk_panel_width) =
        __builtin_shufflevector(r[k], r[k + 4], 4, 12, 5, 13, 6, 14, 7, 15);
  }
}

BK_CLONES static void transpose(const float *from, int64_t stride, int64_t depth, float *to) {
  int64_t k = 0;
  for (; k + lanes <= depth; k += lanes) {
    transpose_square(from + k, stride, to + k * bk_panel_width);
    transpose_square(from + lanes * stride + k, stride, to + k * bk_panel_width + lanes);
  }
  for (; k < depth; k++) {
    for (int row = 0; row < bk_panel_width; row++) to[k * bk_panel_width + row] = from[row * stride + k];
  }
}

void bk_pack_panel(const void *source, int32_t dtype, int64_t stride, int64_t depth, int transposed, float *target) {
  if (!transposed) {
    bk_widen(source, dtype, stride, target, bk_panel_width, depth, bk_panel_width);
    return;
  }
  float block[bk_panel_width * pack_depth];
  for (int64_t start = 0; start < depth; start += pack_depth) {
    int64_t length = depth - start < pack_depth ? depth - start : pack_depth;
    bk_widen(bk_element(source, dtype, start), dtype, stride, block, pack_depth, bk_panel_width, length);
    transpose(block, pack_depth, length, target + start * bk_panel_width);
  }
}
