/* Operands of a matrix product in the order in which register_tile.h reads them. */
#ifndef PACKING_H
#define PACKING_H

#include "register_tile.h"

/* The right operand [depth, columns] in any storage type, with row stride `stride`, or, if `transposed`, stored as
 * [columns, depth]. Panel p goes to target + p · bk_panel_width() · depth; the last one is narrow if 16 columns or fewer
 * are left for it. Columns that are missing in a line become 0. */
void bk_pack_panels(const void *source, int32_t dtype, int64_t stride, int64_t depth, int64_t columns, int transposed,
                    float *target);

/* target[k · 16 + r] = source[r · stride + k] for 16 × 16 floats. */
void bk_transpose_square(const float *source, int64_t stride, float *target);

/* Whether the panel of which `columns` are left, or more, has 16 columns. */
static inline int bk_panel_is_narrow(int64_t columns) {
  return columns <= bk_line || bk_panel_width() == bk_line;
}

/* Columns with those that fill the last line: a matrix's packed size is this times its depth. */
static inline int64_t bk_packed_columns(int64_t columns) { return (columns + bk_line - 1) / bk_line * bk_line; }

#endif
