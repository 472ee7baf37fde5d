#include "packing.h"

#include "clones.h"
#include "lines.h"
#include "widen.h"

#include <string.h>

/* Rows to columns in four rounds, each of which a processor can do within or between quarters of a register. */
BK_INLINE void transpose(bk_floats16 *a) {
  bk_floats16 b[16];
  BK_UNROLL for (int k = 0; k < 16; k += 2) {
    b[k] = __builtin_shufflevector(a[k], a[k + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    b[k + 1] = __builtin_shufflevector(a[k], a[k + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  }
  BK_UNROLL for (int k = 0; k < 16; k += 4) {
    BK_UNROLL for (int j = 0; j < 2; j++) {
      a[k + 2 * j] = __builtin_shufflevector(b[k + j], b[k + j + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12,
                                             13, 28, 29);
      a[k + 2 * j + 1] = __builtin_shufflevector(b[k + j], b[k + j + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27,
                                                 14, 15, 30, 31);
    }
  }
  BK_UNROLL for (int k = 0; k < 16; k += 8) {
    BK_UNROLL for (int j = 0; j < 4; j++) {
      b[k + j] = __builtin_shufflevector(a[k + j], a[k + j + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25,
                                         26, 27);
      b[k + j + 4] = __builtin_shufflevector(a[k + j], a[k + j + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28,
                                             29, 30, 31);
    }
  }
  BK_UNROLL for (int k = 0; k < 8; k++) {
    a[k] = __builtin_shufflevector(b[k], b[k + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    a[k + 8] = __builtin_shufflevector(b[k], b[k + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
}

BK_CLONES void bk_transpose_square(const float *source, int64_t stride, float *target) {
  bk_floats16 a[bk_line];
  BK_UNROLL for (int r = 0; r < bk_line; r++) a[r] = *(const bk_floats16 *)(source + r * stride);
  transpose(a);
  BK_UNROLL for (int r = 0; r < bk_line; r++) *(bk_floats16 *)(target + r * bk_line) = a[r];
}

/* Sixteen rows of `depth` elements to sixteen columns of a panel. */
BK_INLINE void turn(const void *source, int32_t dtype, int64_t stride, int64_t depth, int64_t rows, int64_t width,
                    float *target) {
  int64_t k = 0;
  for (; rows == bk_line && k + bk_line <= depth; k += bk_line) {
    bk_floats16 a[bk_line];
    BK_UNROLL for (int r = 0; r < bk_line; r++) bk_widen_line(source, dtype, r * stride + k, a + r);
    transpose(a);
    BK_UNROLL for (int r = 0; r < bk_line; r++) *(bk_floats16 *)(target + (k + r) * width) = a[r];
  }
  for (; k < depth; k++) {
    for (int64_t r = 0; r < bk_line; r++) {
      target[k * width + r] = r < rows ? bk_widen_one(source, dtype, r * stride + k) : 0;
    }
  }
}

/* Rows ahead that are fetched: each of a panel's rows is a short piece of another line. */
enum { rows_ahead = 24 };

BK_INLINE void copy(const void *source, int32_t dtype, int64_t stride, int64_t depth, int64_t columns, float *target) {
  const int64_t whole = bk_panel_width();
  for (int64_t first = 0; first < columns; first += whole) {
    int64_t rest = columns - first, width = bk_panel_is_narrow(rest) ? bk_line : whole;
    int64_t count = rest < width ? rest : width;
    float *to = target + first * depth;
    for (int64_t k = 0; k < depth; k++, to += width) {
      int64_t at = k * stride + first, j = 0;
      __builtin_prefetch(bk_element(source, dtype, at + rows_ahead * stride));
      for (; j + bk_line <= count; j += bk_line) bk_widen_line(source, dtype, at + j, (bk_floats16 *)(to + j));
      for (; j < width; j++) to[j] = j < count ? bk_widen_one(source, dtype, at + j) : 0;
    }
  }
}

BK_INLINE void pack(const void *source, int32_t dtype, int64_t stride, int64_t depth, int64_t columns, int transposed,
                    float *target) {
  if (!transposed) {
    copy(source, dtype, stride, depth, columns, target);
    return;
  }
  for (int64_t j = 0; j < columns; j += bk_line) {
    int64_t rest = columns - j, panel = j / bk_panel_width() * bk_panel_width();
    int64_t width = bk_panel_is_narrow(columns - panel) ? bk_line : bk_panel_width();
    turn(bk_element(source, dtype, j * stride), dtype, stride, depth, rest < bk_line ? rest : bk_line, width,
         target + panel * depth + (j - panel));
  }
}

BK_CLONES void bk_pack_panels(const void *source, int32_t dtype, int64_t stride, int64_t depth, int64_t columns,
                              int transposed, float *target) {
  switch (dtype) {
    case ESP_DTYPE_F16: pack(source, ESP_DTYPE_F16, stride, depth, columns, transposed, target); break;
    case ESP_DTYPE_BF16: pack(source, ESP_DTYPE_BF16, stride, depth, columns, transposed, target); break;
    default: pack(source, ESP_DTYPE_F32, stride, depth, columns, transposed, target); break;
  }
}
