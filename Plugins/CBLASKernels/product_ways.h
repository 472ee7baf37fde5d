/* The ways to compute a product; bk_product_run chooses. Each has its own use of the scratch. */
#ifndef PRODUCT_WAYS_H
#define PRODUCT_WAYS_H

#include "product.h"

/* OpenBLAS: f32 weights only. */
uint64_t bk_product_blas_scratch(const bk_product *product, uint32_t workers);
void bk_product_blas_run(const bk_product *product, const bk_call *call, void *scratch);

/* Register tiles over packed weights of any storage type. */
uint64_t bk_product_tiles_scratch(const bk_product *product, uint32_t workers);
void bk_product_tiles_run(const bk_product *product, const bk_call *call, void *scratch);
/* How often each worker's share of the right operand is packed in one run, if no copy is kept. */
double bk_product_tiles_packings(const bk_product *product, uint32_t workers);

/* Dot products with weights where they lie: transposed half-precision weights and few rows, no scratch. */
enum { bk_dots_rows = 8 };
void bk_product_dots_run(const bk_product *product, const bk_call *call);

#endif
