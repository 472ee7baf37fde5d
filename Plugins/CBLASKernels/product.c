#include "product.h"

#include "copies.h"
#include "packing.h"
#include "product_ways.h"

/* f32 weights of this size and smaller, and rows from which tiles of our own multiply them: the BLAS, which copies
 * both operands, is 5 to 20 % slower on them. */
enum { small_weights = 1 << 20, many_rows = 96 };

typedef enum way { way_blas, way_tiles, way_dots } way;

/* Half-precision weights are not for the BLAS: they would have to be widened in memory first. For few rows packing
 * them costs more than it gains. */
static way choose(const bk_product *p) {
  if (p->b_dtype != ESP_DTYPE_F32) return p->m <= bk_dots_rows && p->b_transposed ? way_dots : way_tiles;
  return p->n * p->k <= small_weights && p->n % bk_line == 0 && p->m >= many_rows ? way_tiles : way_blas;
}

uint64_t bk_product_scratch(const bk_product *product, uint32_t workers) {
  switch (choose(product)) {
    case way_blas: return bk_product_blas_scratch(product, workers);
    case way_tiles: return bk_product_tiles_scratch(product, workers);
    case way_dots: return 0;
  }
}

void bk_product_run(const bk_product *product, const bk_call *call, void *scratch) {
  switch (choose(product)) {
    case way_blas: bk_product_blas_run(product, call, scratch); break;
    case way_tiles: bk_product_tiles_run(product, call, scratch); break;
    case way_dots: bk_product_dots_run(product, call); break;
  }
}

/* Measured, in nanoseconds of one worker: what a run saves for each element that it does not widen and turn on its way
 * into panels but reads as f32, which is twice as much from memory; less where rows are only widened. */
static const double saved_turning = 0.3, saved_widening = 0.2;

bk_copy_offer bk_product_copy(const bk_product *p, uint32_t workers) {
  bk_copy_offer offer = {0};
  if (choose(p) != way_tiles) return offer;
  double elements = (double)bk_packed_columns(p->n) * (double)p->k;
  offer.bytes = (uint64_t)elements * sizeof(float);
  offer.form = p->b_transposed ? bk_form_turned : bk_form_widened;
  offer.saved_ns = elements * (p->b_transposed ? saved_turning : saved_widening) *
                   bk_product_tiles_packings(p, workers) / workers;
  offer.making_ns = bk_copy_making_ns(offer.bytes, workers);
  return offer;
}
