/* The innermost product: tiles of 12 rows by 32 columns of a result, or 6 by 16, held in registers over the whole depth.
 *
 * The left operand is read where it lies, by rows or by columns; the right one was packed into panels (packing.h):
 * element (k, j) of a panel stands at k · 32 + j, or at k · 16 + j in a narrow one of at most 16 columns. Without AVX-512
 * all panels are narrow: half of a wide one would crowd every second line of the first cache.
 */
#ifndef REGISTER_TILE_H
#define REGISTER_TILE_H

#include "lines.h"

enum { bk_tile_rows = 12, bk_tile_columns = 2 * bk_line };

/* Twelve rows that lie a multiple of this many floats apart compete for one set of the first cache. */
enum { bk_crowded_stride = 1024 };

typedef struct bk_tile_operands {
  int64_t rows, columns, depth; /* at most 32 columns, or 16 of a narrow panel */
  const float *a;               /* element (r, k) at r · a_step + k, or at k · a_step + r of bk_tile_deep */
  int64_t a_step;
  const float *b;
  int32_t narrow;
} bk_tile_operands;

/* c = a · b + bias + from; bias and from may be null, and from may be c. Rows of both are `step` floats apart. */
typedef struct bk_tile_result {
  float *c;
  const float *from;
  const float *bias; /* one value per column */
  int64_t step;
} bk_tile_result;

/* Columns of a panel: those of a tile, 32 or 16. */
int64_t bk_panel_width(void);

/* Rows that should be multiplied by one panel before the next: so many stay in the first cache, or the panel does. */
int64_t bk_tile_group(void);

void bk_tile_rows_by_panel(const bk_tile_operands *operands, const bk_tile_result *result);
void bk_tile_deep_by_panel(const bk_tile_operands *operands, const bk_tile_result *result);

#endif
