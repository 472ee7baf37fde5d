/* What both directions of the group norm share: the split of x[B,…,C] into blocks of pixels. */
#ifndef GROUP_NORM_H
#define GROUP_NORM_H

#include "tensor_access.h"

typedef struct norm_layout {
  int64_t batch, pixels, channels, groups;
  int64_t group_channels;
  int64_t block;  /* pixels whose sums are taken in f32, a multiple of 8 */
  int64_t blocks; /* per sample */
  int64_t part;   /* blocks whose sums are added up in f64 by one worker */
  int64_t parts;  /* per sample */
} norm_layout;

/* So few parts that adding them up takes no time. */
enum { most_parts = 64 };

/* The split depends on the shape alone. */
static inline norm_layout bk_norm_layout(const bk_tensor *x, int64_t groups) {
  norm_layout l = {.batch = x->dims[0], .pixels = bk_middle(x), .channels = bk_last(x), .groups = groups};
  l.group_channels = l.channels / groups;
  l.block = bk_min(bk_blocks(bk_max(2 * BK_BLOCK / l.channels, 16), 8) * 8, 512);
  l.blocks = bk_blocks(l.pixels, l.block);
  l.part = bk_blocks(l.blocks, most_parts);
  l.parts = bk_blocks(l.blocks, l.part);
  return l;
}

/* True if whole samples are the better slices: they fit a core's cache and there are enough of them. */
static inline bool bk_norm_by_sample(const norm_layout *l, uint32_t workers) {
  return l->blocks == 1 || (l->pixels * l->channels <= 6 * BK_BLOCK && l->batch >= 2 * (int64_t)workers);
}

/* The blocks of one part: from `begin` to `end`. */
typedef struct norm_part {
  int64_t sample, begin, end;
} norm_part;

static inline norm_part bk_norm_part(const norm_layout *l, int64_t index) {
  const int64_t first = index % l->parts * l->part;
  return (norm_part){index / l->parts, first, bk_min(first + l->part, l->blocks)};
}

/* Adds the sums [2, C] of a block to those of its part, which start with the first block. */
void bk_add_block(const norm_layout *layout, const float *block, double *part, bool first);

/* Adds the sums of a sample's parts, in order, to those of the first. */
void bk_add_parts(const norm_layout *layout, double *parts);

/* Bytes of the sums [B, parts, 2, C] of all parts. */
static inline uint64_t bk_norm_part_bytes(const norm_layout *l) {
  return bk_round64((uint64_t)(l->batch * l->parts * 2 * l->channels) * sizeof(double));
}

/* Bytes of the sums [2, C] of the block that a worker is at. */
static inline uint64_t bk_norm_block_bytes(const norm_layout *l) {
  return bk_round64((uint64_t)(2 * l->channels) * sizeof(float));
}

/* Where a worker keeps the sums of its block. */
static inline float *bk_block_sums(const norm_layout *l, float *all, uint32_t worker) {
  return (float *)((char *)all + bk_norm_block_bytes(l) * worker);
}

/* Bytes of both. */
static inline uint64_t bk_norm_sum_bytes(const norm_layout *l, uint32_t workers) {
  return bk_norm_part_bytes(l) + bk_norm_block_bytes(l) * workers;
}

#endif
