/* F(2×2, 3×3): all factors are 1 and ½, so that a result is hardly less exact than the plain sum of products. */
#include "winograd_tiles.h"

#define BK_INPUT_LINE(name, type)                                                              \
  static inline __attribute__((always_inline)) void name(const type *d, int s, type *v, int t) { \
    type first = d[0] - d[2 * s], sum = d[s] + d[2 * s], difference = d[2 * s] - d[s];         \
    type last = d[s] - d[3 * s];                                                               \
    v[0] = first;                                                                              \
    v[t] = sum;                                                                                \
    v[2 * t] = difference;                                                                     \
    v[3 * t] = last;                                                                           \
  }

#define BK_KERNEL_LINE(name, type)                                                             \
  static inline __attribute__((always_inline)) void name(const type *g, int s, type *u, int t) { \
    type ends = 0.5f * (g[0] + g[2 * s]), middle = 0.5f * g[s], last = g[2 * s];               \
    u[0] = g[0];                                                                               \
    u[t] = ends + middle;                                                                      \
    u[2 * t] = ends - middle;                                                                  \
    u[3 * t] = last;                                                                           \
  }

#define BK_OUTPUT_LINE(name, type)                                                             \
  static inline __attribute__((always_inline)) void name(const type *m, int s, type *y, int t) { \
    type first = m[0] + m[s] + m[2 * s], second = m[s] - m[2 * s] - m[3 * s];                  \
    y[0] = first;                                                                              \
    y[t] = second;                                                                             \
  }

BK_INPUT_LINE(input_line, bk_lanes)
BK_INPUT_LINE(input_line_1, float)
BK_KERNEL_LINE(kernel_line, bk_lanes)
BK_OUTPUT_LINE(output_line, bk_lanes)
BK_OUTPUT_LINE(output_line_1, float)

BK_MAP_TRANSFORM(bk_winograd_2_input, 4, 4, 2, input_line, input_line_1)
BK_KERNEL_TRANSFORM(bk_winograd_2_kernel, 4, kernel_line)
BK_OUTPUT_TRANSFORM(bk_winograd_2_output, 4, 2, output_line, output_line_1)
