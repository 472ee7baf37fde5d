/* 3×3 convolution with stride 1 by Winograd's F(4×4, 3×3) or F(2×2, 3×3), forward and data gradient. */
#ifndef WINOGRAD_H
#define WINOGRAD_H

#include "epilogue.h"
#include "scratch.h"
#include "winograd_transform.h"

typedef struct bk_winograd {
  const bk_winograd_form *form;
  int64_t batch, height, width, channels;      /* of what is read */
  int64_t out_height, out_width, out_channels; /* of what is written */
  int64_t top, left;                           /* zero padding of what is read; may be negative */
  const float *source;
  const void *weights; /* [out_channels, channels, 3, 3], or [channels, out_channels, 3, 3] if `rotated` */
  int32_t dtype;
  int32_t rotated; /* the data gradient: kernels turned by 180° and transposed */
  float *target;
  bk_epilogue epilogue;
  const float *kept; /* the transformed kernels, from bk_winograd_keep, or null */
} bk_winograd;

/* Whether it is faster than gathered patches: enough tiles for the transformed weights to pay. */
int bk_winograd_pays(const bk_winograd *conv);

uint64_t bk_winograd_scratch(const bk_winograd *conv, uint32_t workers);
void bk_winograd_run(const bk_winograd *conv, const bk_call *call, void *scratch);

/* A copy of the transformed kernels for `kept`, if that is faster than to transform them at each run; the operand is left
 * to the caller. */
bk_copy_offer bk_winograd_copy(const bk_winograd *conv, uint32_t workers);
void bk_winograd_keep(const bk_winograd *conv, const bk_call *call, float *target);

#endif
