/* Convolution as a product with gathered patches: any kernel, stride and padding. */
#ifndef CONV2D_IM2COL_H
#define CONV2D_IM2COL_H

#include "convolution.h"
#include "product.h"

/* One forward convolution. */
typedef struct bk_conv_forward {
  bk_convolution shape;
  const float *x;
  const void *w;
  int32_t w_dtype;
  const float *copy; /* of the weights, for a pointwise convolution: packed; or null */
  float *y;
  bk_epilogue epilogue;
} bk_conv_forward;

uint64_t bk_conv2d_im2col_scratch(const bk_conv_forward *conv, uint32_t workers);
void bk_conv2d_im2col_run(const bk_conv_forward *conv, const bk_call *call, void *scratch);

/* The product that a pointwise convolution is. */
bk_product bk_pointwise_forward(const bk_conv_forward *conv);

/* One data gradient: x is what is written, y the cotangent that is read. */
typedef struct bk_conv_backward {
  bk_convolution shape;
  const float *dy;
  const void *w;
  int32_t w_dtype;
  const float *copy; /* as for a forward one */
  float *dx;
  const float *residual;
} bk_conv_backward;

uint64_t bk_conv2d_dx_im2col_scratch(const bk_conv_backward *conv, uint32_t workers);
void bk_conv2d_dx_im2col_run(const bk_conv_backward *conv, const bk_call *call, void *scratch);

bk_product bk_pointwise_backward(const bk_conv_backward *conv);

#endif
