/* Patches of a feature map as rows of a matrix, tile by tile; a whole such matrix is never built. */
#ifndef PATCHES_H
#define PATCHES_H

#include "scratch.h"

/* Windows over a map: grid point (i, j) sees source pixels (i·step − top + ty, j·step − left + tx), zero
 * outside the map. Grid points are counted over all samples. */
typedef struct bk_windows {
  const float *source; /* [batch, height, width, channels] */
  int64_t height, width, channels;
  int64_t grid_height, grid_width;
  int64_t step, top, left;
  int64_t taps_y, taps_x;
} bk_windows;

/* Orders of a patch's elements. */
#define BK_TAPS_FIRST 0     /* [ty, tx, channel]: runs of pixels, copied as they lie */
#define BK_CHANNELS_FIRST 1 /* [channel, ty, tx]: as checkpoints store kernels */

/* rows[count, taps·channels] = the patches of grid points first ..< first + count, in parallel. */
void bk_gather(const bk_windows *windows, int order, int64_t first, int64_t count, float *rows, const bk_call *call);

#endif
