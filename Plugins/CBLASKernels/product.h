/* The matrix product behind every kernel here: rows of f32 activations times a weight matrix of any storage
 * type, with the epilogue applied while a tile is in the cache. Runs over the host's pool; the split depends
 * on shapes and the worker count only.
 */
#ifndef PRODUCT_H
#define PRODUCT_H

#include "epilogue.h"
#include "scratch.h"

typedef struct bk_product {
  int64_t m, n, k;
  const float *a; /* [m, k], row stride a_stride */
  int64_t a_stride;
  const void *b; /* [n, k] if b_transposed, else [k, n], row stride b_stride */
  int32_t b_dtype;
  int32_t b_transposed;
  int64_t b_stride;
  const float *packed; /* all of b, from bk_product_pack, or null */
  float *c; /* [m, n], dense */
  bk_epilogue epilogue;
} bk_product;

/* Scratch bytes for a product of these sizes; pointers are not looked at, but which epilogue terms are set. */
uint64_t bk_product_scratch(const bk_product *product, uint32_t workers);
void bk_product_run(const bk_product *product, const bk_call *call, void *scratch);

/* A copy of b for `packed`, if the product would pack b at each run; the operand is left to the caller. */
bk_copy_offer bk_product_copy(const bk_product *product, uint32_t workers);
void bk_product_pack(const bk_product *product, const bk_call *call, float *target);

/* c[n,k] = aᵀ·b (+ c if `accumulate`), where a is [m, n] and b is [m, k], all dense f32. */
typedef struct bk_outer {
  int64_t m, n, k;
  const float *a;
  const float *b;
  float *c;
  int32_t accumulate;
} bk_outer;

uint64_t bk_outer_scratch(const bk_outer *outer, uint32_t workers);
void bk_outer_run(const bk_outer *outer, const bk_call *call, void *scratch);

#endif
