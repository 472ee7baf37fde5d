/* What the transforms of every tile size share: from one-dimensional transforms to those of tiles, eight channels at a
 * time. A one-dimensional transform reads at stride `s` and writes at stride `t`.
 */
#ifndef WINOGRAD_TILES_H
#define WINOGRAD_TILES_H

#include "clones.h"
#include "winograd_transform.h"

typedef float bk_lanes __attribute__((vector_size(32), aligned(4)));

enum { bk_lane_count = 8 };

/* F(4×4, 3×3). */
void bk_winograd_4_input(const float *const *pixels, int64_t channels, float *v, bk_winograd_places places);
void bk_winograd_4_kernel(const float *g, float *u, int64_t point_stride);
void bk_winograd_4_output(const float *m, int64_t point_stride, int64_t count, bk_winograd_pixels pixels);

/* F(2×2, 3×3). */
void bk_winograd_2_input(const float *const *pixels, int64_t channels, float *v, bk_winograd_places places);
void bk_winograd_2_kernel(const float *g, float *u, int64_t point_stride);
void bk_winograd_2_output(const float *m, int64_t point_stride, int64_t count, bk_winograd_pixels pixels);

/* Transform of a map: `side` pixels along each axis become `tile`. Single channels are left at the end. The pixels of
 * the next tile in the row, `step` further, are fetched meanwhile. */
#define BK_MAP_TRANSFORM(name, side, tile, step, axis, axis_1)                                                \
  BK_CLONES void name(const float *const *pixels, int64_t channels, float *v, bk_winograd_places places) {    \
    enum { area = (side) * (side), points = (tile) * (tile) };                                                \
    int64_t c = 0, panel = 0, lane = 0;                                                                       \
    for (; c + bk_lane_count <= channels; c += bk_lane_count) {                                               \
      bk_lanes d[area], half[(tile) * (side)], out[points];                                                   \
      float *to = v + panel + lane;                                                                           \
      for (int p = 0; p < area; p++) {                                                                        \
        d[p] = *(const bk_lanes *)(pixels[p] + c);                                                            \
        if (c % 16 == 0 && p % (side) >= (side) - (step)) {                                                   \
          __builtin_prefetch(pixels[p] + (step) * channels + c, 0, 2);                                        \
        }                                                                                                     \
      }                                                                                                       \
      for (int x = 0; x < (side); x++) axis(d + x, side, half + x, side);                                     \
      for (int y = 0; y < (tile); y++) axis(half + (side) * y, 1, out + (tile) * y, 1);                       \
      for (int p = 0; p < points; p++) *(bk_lanes *)(to + p * places.point) = out[p];                         \
      lane += bk_lane_count;                                                                                  \
      if (lane == places.width) {                                                                             \
        lane = 0;                                                                                             \
        panel += places.panel;                                                                                \
      }                                                                                                       \
    }                                                                                                         \
    for (; c < channels; c++) {                                                                               \
      float d[area], half[(tile) * (side)], out[points];                                                      \
      float *to = v + panel + lane;                                                                           \
      for (int p = 0; p < area; p++) d[p] = pixels[p][c];                                                     \
      for (int x = 0; x < (side); x++) axis_1(d + x, side, half + x, side);                                   \
      for (int y = 0; y < (tile); y++) axis_1(half + (side) * y, 1, out + (tile) * y, 1);                     \
      for (int p = 0; p < points; p++) to[p * places.point] = out[p];                                         \
      lane++;                                                                                                 \
    }                                                                                                         \
  }

/* Transform of one panel of 16 kernels. */
#define BK_KERNEL_TRANSFORM(name, tile, axis)                                                                 \
  BK_CLONES void name(const float *g, float *u, int64_t point_stride) {                                       \
    enum { points = (tile) * (tile) };                                                                        \
    for (int part = 0; part < 2; part++) {                                                                    \
      bk_lanes d[9], half[3 * (tile)], out[points];                                                           \
      for (int p = 0; p < 9; p++) d[p] = *(const bk_lanes *)(g + 16 * p + bk_lane_count * part);              \
      for (int x = 0; x < 3; x++) axis(d + x, 3, half + x, 3);                                                \
      for (int y = 0; y < (tile); y++) axis(half + 3 * y, 1, out + (tile) * y, 1);                            \
      for (int p = 0; p < points; p++) *(bk_lanes *)(u + p * point_stride + bk_lane_count * part) = out[p];   \
    }                                                                                                         \
  }

/* Transform of products to `step` × `step` pixels. */
#define BK_OUTPUT_TRANSFORM(name, tile, step, axis, axis_1)                                                   \
  BK_CLONES void name(const float *m, int64_t point_stride, int64_t count, bk_winograd_pixels t) {            \
    enum { points = (tile) * (tile) };                                                                        \
    int64_t c = 0;                                                                                            \
    for (; c + bk_lane_count <= count; c += bk_lane_count) {                                                  \
      bk_lanes d[points], half[(step) * (tile)], out[(step) * (step)], added = {0};                           \
      for (int p = 0; p < points; p++) d[p] = *(const bk_lanes *)(m + p * point_stride + c);                  \
      for (int x = 0; x < (tile); x++) axis(d + x, tile, half + x, tile);                                     \
      for (int i = 0; i < (step); i++) axis(half + (tile) * i, 1, out + (step) * i, 1);                       \
      if (t.bias) added += *(const bk_lanes *)(t.bias + c);                                                   \
      if (t.channel) added += *(const bk_lanes *)(t.channel + c);                                             \
      for (int64_t y = 0; y < t.height; y++) {                                                                \
        for (int64_t x = 0; x < t.width; x++) {                                                               \
          int64_t at = y * t.line + x * t.pixel + c;                                                          \
          bk_lanes value = out[(step) * y + x] + added;                                                       \
          *(bk_lanes *)(t.target + at) = t.residual ? *(const bk_lanes *)(t.residual + at) + value : value;   \
        }                                                                                                     \
      }                                                                                                       \
    }                                                                                                         \
    for (; c < count; c++) {                                                                                  \
      float d[points], half[(step) * (tile)], out[(step) * (step)];                                           \
      for (int p = 0; p < points; p++) d[p] = m[p * point_stride + c];                                        \
      for (int x = 0; x < (tile); x++) axis_1(d + x, tile, half + x, tile);                                   \
      for (int i = 0; i < (step); i++) axis_1(half + (tile) * i, 1, out + (step) * i, 1);                     \
      float added = (t.bias ? t.bias[c] : 0) + (t.channel ? t.channel[c] : 0);                                \
      for (int64_t y = 0; y < t.height; y++) {                                                                \
        for (int64_t x = 0; x < t.width; x++) {                                                               \
          int64_t at = y * t.line + x * t.pixel + c;                                                          \
          t.target[at] = (t.residual ? t.residual[at] : 0) + (out[(step) * y + x] + added);                   \
        }                                                                                                     \
      }                                                                                                       \
    }                                                                                                         \
  }

#endif
