/* The three transforms of Winograd's F(4×4, 3×3) and F(2×2, 3×3): Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A.
 *
 * Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015); the larger with the interpolation points
 * 0, ±√½, ±√2, ∞, which lose fewer bits than the usual 0, ±1, ±2, ∞. Points of a tile count (y, x).
 */
#ifndef WINOGRAD_TRANSFORM_H
#define WINOGRAD_TRANSFORM_H

#include <stdint.h>

/* Of the larger: sides of a tile of the source and of the target. */
enum { bk_winograd_tile = 6, bk_winograd_points = 36, bk_winograd_step = 4 };

/* Where transformed values go: point p of channel c to p · point + c / width · panel + c % width, the width being
 * a multiple of 16. */
typedef struct bk_winograd_places {
  int64_t point;
  int64_t panel;
  int64_t width;
} bk_winograd_places;

/* v = A d Aᵀ, where pixels[y · 4 + x] holds the channels of a pixel: a cotangent of the output. */
void bk_winograd_cotangent(const float *const *pixels, int64_t channels, float *v, bk_winograd_places places);

/* g[9, 16] = Gᵀ m G, where m[point] starts at m + point · point_stride: a gradient of kernels. */
void bk_winograd_kernel_gradient(const float *m, int64_t point_stride, float *g);

/* Where the pixels of an output tile go, those that are inside the map, and what is added to each. */
typedef struct bk_winograd_pixels {
  float *target;
  const float *residual;        /* laid out as the target, or null */
  const float *bias, *channel;  /* one value per channel, or null */
  int64_t line, pixel;          /* floats from one to the next */
  int64_t height, width;        /* of the target, at most `step` */
} bk_winograd_pixels;

/* F(step×step, 3×3): tiles of the source have a side of step + 2, and `points` is its square. */
typedef struct bk_winograd_form {
  int64_t step, tile, points;
} bk_winograd_form;

/* The faster one, and the more exact one, whose error is that of plain products. */
extern const bk_winograd_form bk_winograd_4, bk_winograd_2;

/* v = Bᵀ d B, where pixels[y · tile + x] holds the channels of a pixel. */
void bk_winograd_input(const bk_winograd_form *form, const float *const *pixels, int64_t channels, float *v,
                       bk_winograd_places places);

/* One panel of 16 kernels: u[points][·] with `point_stride` between points, each point [16] for one channel, from
 * g[9][16]. */
void bk_winograd_kernel(const bk_winograd_form *form, const float *g, float *u, int64_t point_stride);

/* Aᵀ m A + bias + channel + residual, where m[point][count] starts at m + point · point_stride. */
void bk_winograd_output(const bk_winograd_form *form, const float *m, int64_t point_stride, int64_t count,
                        bk_winograd_pixels pixels);

#endif
