/* What happens between attention's two products: rows of scores to weights. */
#ifndef ATTENTION_ROWS_H
#define ATTENTION_ROWS_H

#include "tensor_access.h"

/* A tile of scores [rows, columns], `columns` a whole number of panels. */
typedef struct score_tile {
  float *scores;
  int64_t stride;       /* between rows */
  int64_t rows;
  int64_t keys;         /* columns that stand for keys; the rest pads */
  int64_t columns;
  bool causal;          /* row i sees the first diagonal + i keys only */
  int64_t diagonal;
} score_tile;

static inline int64_t bk_visible_keys(const score_tile *tile, int64_t row) {
  return tile->causal ? bk_max(0, bk_min(tile->keys, tile->diagonal + row)) : tile->keys;
}

/* One step of the online softmax. The scores, in base-2 logarithms, become 2^(score − maximum), 0 where a key is not
 * seen; `maximum` grows to cover them, `total` and the rows of `sum` [rows, width] shrink accordingly, and the new
 * weights are added to `total`. With `first`, what `maximum`, `total` and `sum` held does not count. */
void bk_online_softmax(const score_tile *tile, bool first, float *maximum, float *total, float *sum, int64_t width);

/* Scores become P = 2^(scale·score − lse), slopes (do·vᵀ) become dS = P ∘ (slope − delta), both 0 where a key is not
 * seen; lse and delta have one value per row. `lse` counts in natural logarithms, `scale` gives those of base 2. */
void bk_attention_slopes(const score_tile *tile, float *slopes, float scale, const float *lse, const float *delta);

#endif
