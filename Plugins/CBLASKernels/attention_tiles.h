/* Matrix products of tiles that stay in a core's cache, for attention.
 *
 * The right-hand matrix is packed in panels of 16 columns: panel j holds [depth][16] floats. The left-hand
 * one is read in place by two strides, so a transposed one needs no copy.
 */
#ifndef ATTENTION_TILES_H
#define ATTENTION_TILES_H

#include "tensor_access.h"

#define TILE_COLUMNS ((int64_t)16)
#define TILE_ROWS ((int64_t)6)

static inline int64_t bk_round16(int64_t n) { return (n + 15) / 16 * 16; }

/* c[m,n] = or += a[m,k]·b[k,n]; element (i,l) of `a` stands at a[i·lda + l]. */
void bk_tile_multiply(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *panels, float *c,
                      int64_t ldc, bool accumulate);

/* c[m,n] = or += aᵀ[m,k]·b[k,n]; element (i,l) of aᵀ stands at a[l·lda + i]. */
void bk_tile_multiply_transposed(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *panels,
                                 float *c, int64_t ldc, bool accumulate);

/* Packs x[rows, columns] (row step `stride`), times `factor`, as a right-hand matrix; columns that are missing
 * in the last panel become 0. */
void bk_tile_pack(const float *x, int64_t stride, int64_t rows, int64_t columns, float factor, float *panels);

/* Packs the transpose of x[rows, columns]: `columns` is the depth, `rows` the panels' columns. */
void bk_tile_pack_transposed(const float *x, int64_t stride, int64_t rows, int64_t columns, float *panels);

#endif
