/* The shapes of a convolution, whichever of its three kernels is asked. */
#ifndef CONVOLUTION_H
#define CONVOLUTION_H

#include "epilogue.h"
#include "scratch.h"

typedef struct bk_convolution {
  int64_t batch, height, width, channels;       /* x */
  int64_t out_height, out_width, out_channels;  /* y */
  int64_t kernel_height, kernel_width;
  int64_t stride, top, left;
} bk_convolution;

/* The larger map, the smaller map (as the output of the forward pass) and the kernel; null if they match. */
const char *bk_convolution_check(const bk_call *call, const bk_tensor *x, const bk_tensor *w, const bk_tensor *y);
bk_convolution bk_convolution_of(const bk_call *call, const bk_tensor *x, const bk_tensor *w, const bk_tensor *y);

static inline int64_t bk_taps(const bk_convolution *s) {
  return s->kernel_height * s->kernel_width;
}

static inline int64_t bk_pixels(const bk_convolution *s) {
  return s->batch * s->height * s->width;
}

static inline int64_t bk_out_pixels(const bk_convolution *s) {
  return s->batch * s->out_height * s->out_width;
}

/* A matrix product over pixels: nothing to gather. */
static inline int bk_is_pointwise(const bk_convolution *s) {
  return bk_taps(s) == 1 && s->stride == 1 && s->top == 0 && s->left == 0 && s->height == s->out_height &&
         s->width == s->out_width;
}

static inline int bk_is_3x3(const bk_convolution *s) {
  return s->kernel_height == 3 && s->kernel_width == 3 && s->stride == 1;
}

/* Scratch for the patches of one tile, in floats per worker: what stays in the last cache. */
enum { bk_tile_floats = 1 << 20 };

/* How many pixels with patches of `depth` floats make a tile. */
static inline int64_t bk_tile_pixels(int64_t pixels, int64_t depth, uint32_t workers) {
  int64_t fit = bk_max(bk_tile_floats / bk_max(depth, 1), 128) * workers;
  int64_t tiles = bk_blocks(pixels, fit);
  return bk_min(pixels, bk_round_up(bk_blocks(pixels, tiles), 16));
}

#endif
