/* The weight gradient of 3×3 convolutions with stride 1 by the transpose of Winograd's F(4×4, 3×3). */
#ifndef WINOGRAD_DW_H
#define WINOGRAD_DW_H

#include "convolution.h"

typedef struct bk_winograd_dw {
  bk_convolution shape;
  const float *x;
  const float *dy;
  float *dw; /* [O, C, 3, 3] */
} bk_winograd_dw;

/* Whether it is faster than gathered patches. */
int bk_winograd_dw_pays(const bk_winograd_dw *conv);

uint64_t bk_winograd_dw_scratch(const bk_winograd_dw *conv, uint32_t workers);
void bk_winograd_dw_run(const bk_winograd_dw *conv, const bk_call *call, void *scratch);

#endif
