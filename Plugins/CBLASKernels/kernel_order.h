/* Convolution weights [O, C, taps] of any storage type, in the orders that the products want, as f32. */
#ifndef KERNEL_ORDER_H
#define KERNEL_ORDER_H

#include "scratch.h"

/* target[O, taps, C] */
void bk_order_taps_first(const void *weights, int32_t dtype, int64_t outputs, int64_t channels, int64_t taps,
                         float *target, const bk_call *call);

/* target[t, O, C] of the chosen taps: tap t is the kernel's element (y + ty·step_y) · kernel_width + …, where
 * (ty, tx) counts from the last chosen row and column to the first, as the transposed convolution sees them. */
typedef struct bk_tap_choice {
  int64_t first_y, first_x, step; /* kernel rows first_y, first_y + step, …; likewise columns */
  int64_t taps_y, taps_x;         /* how many */
  int64_t kernel_height, kernel_width;
} bk_tap_choice;

void bk_order_rotated(const void *weights, int32_t dtype, int64_t outputs, int64_t channels,
                      const bk_tap_choice *choice, float *target, const bk_call *call);

/* dw[O, C, taps] = gradients[O, taps, C] */
void bk_order_checkpoint(const float *gradients, int64_t outputs, int64_t channels, int64_t taps, float *dw,
                         const bk_call *call);

#endif
