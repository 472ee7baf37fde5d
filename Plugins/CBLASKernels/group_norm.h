/* What both directions of the group norm share: the split of x[B,…,C] into blocks of pixels. */
#ifndef GROUP_NORM_H
#define GROUP_NORM_H

#include "tensor_access.h"

typedef struct norm_layout {
  int64_t batch, pixels, channels, groups;
  int64_t group_channels;
  int64_t block;  /* pixels per block */
  int64_t blocks; /* per sample */
} norm_layout;

/* The split depends on the shape alone. */
static inline norm_layout bk_norm_layout(const bk_tensor *x, int64_t groups) {
  norm_layout l = {.batch = x->dims[0], .pixels = bk_middle(x), .channels = bk_last(x), .groups = groups};
  l.group_channels = l.channels / groups;
  l.block = bk_min(bk_max(2 * BK_BLOCK / l.channels, 8), 512);
  l.blocks = bk_blocks(l.pixels, l.block);
  return l;
}

/* True if whole samples are the better slices: they fit a core's cache and there are enough of them. */
static inline bool bk_norm_by_sample(const norm_layout *l, uint32_t workers) {
  return l->blocks == 1 || (l->pixels * l->channels <= 6 * BK_BLOCK && l->batch >= 2 * (int64_t)workers);
}

#endif
