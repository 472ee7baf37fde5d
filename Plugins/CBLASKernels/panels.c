#include "panels.h"

#include "clones.h"

typedef float vector __attribute__((vector_size(32), aligned(4)));

/* Rows of a register tile (6 × 16 fills AVX2's registers), and the depth for which a panel stays in the
 * first cache. */
enum { tile_rows = 6, depth_limit = 384 };

/* `rows` is constant where this is inlined, so the loops over it unroll and `sum` lives in registers. */
static inline __attribute__((always_inline)) void tile(int rows, const float *a, int64_t row_stride,
                                                       int64_t depth_stride, int64_t depth, const float *b, float *c,
                                                       int64_t c_stride, int add) {
  vector sum[tile_rows][2];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = (vector){0};
  for (int64_t k = 0; k < depth; k++) {
    vector left = *(const vector *)(b + k * bk_panel_width);
    vector right = *(const vector *)(b + k * bk_panel_width + 8);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      float factor = a[r * row_stride + k * depth_stride];
      sum[r][0] += left * factor;
      sum[r][1] += right * factor;
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    vector *to = (vector *)(c + r * c_stride);
    if (add) {
      sum[r][0] += to[0];
      sum[r][1] += to[1];
    }
    to[0] = sum[r][0];
    to[1] = sum[r][1];
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
                        int64_t panel_stride, int64_t panels, float *c, int64_t c_stride) {
  for (int64_t start = 0; start < depth; start += depth_limit) {
    int64_t length = depth - start < depth_limit ? depth - start : depth_limit;
    for (int64_t panel = 0; panel < panels; panel++) {
      multiply_panel(a + start, a_stride, rows, length, b + panel * panel_stride + start * bk_panel_width,
                     c + panel * bk_panel_width, c_stride, start > 0);
    }
  }
}
