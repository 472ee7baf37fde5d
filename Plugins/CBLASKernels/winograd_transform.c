/* F(4×4, 3×3). */
#include "winograd_tiles.h"

#define ROOT_HALF 0.707106781f
#define ROOT_TWO 1.41421356f

/* One-dimensional transforms of one lane type, at unit stride `s` in and `t` out. */
#define BK_INPUT_LINE(name, type)                                                              \
  static inline __attribute__((always_inline)) void name(const type *d, int s, type *v, int t) { \
    type even = d[4 * s] - 2.0f * d[2 * s], odd = ROOT_HALF * (d[3 * s] - 2.0f * d[s]);        \
    type even2 = d[4 * s] - 0.5f * d[2 * s], odd2 = ROOT_TWO * (d[3 * s] - 0.5f * d[s]);       \
    type first = d[0] - 2.5f * d[2 * s] + d[4 * s], last = d[s] - 2.5f * d[3 * s] + d[5 * s];  \
    v[0] = first;                                                                              \
    v[t] = even + odd;                                                                         \
    v[2 * t] = even - odd;                                                                     \
    v[3 * t] = even2 + odd2;                                                                   \
    v[4 * t] = even2 - odd2;                                                                   \
    v[5 * t] = last;                                                                           \
  }

#define BK_KERNEL_LINE(name, type)                                                             \
  static inline __attribute__((always_inline)) void name(const type *g, int s, type *u, int t) { \
    type even = (-2.0f / 3) * g[0] - (1.0f / 3) * g[2 * s], odd = (-2.0f / 3 * ROOT_HALF) * g[s]; \
    type even2 = (1.0f / 6) * g[0] + (1.0f / 3) * g[2 * s], odd2 = (ROOT_TWO / 6) * g[s];      \
    type last = g[2 * s];                                                                      \
    u[0] = g[0];                                                                               \
    u[t] = even + odd;                                                                         \
    u[2 * t] = even - odd;                                                                     \
    u[3 * t] = even2 + odd2;                                                                   \
    u[4 * t] = even2 - odd2;                                                                   \
    u[5 * t] = last;                                                                           \
  }

#define BK_OUTPUT_LINE(name, type)                                                             \
  static inline __attribute__((always_inline)) void name(const type *m, int s, type *y, int t) { \
    type sum = m[s] + m[2 * s], difference = m[s] - m[2 * s];                                  \
    type sum2 = m[3 * s] + m[4 * s], difference2 = m[3 * s] - m[4 * s];                        \
    type last = m[5 * s];                                                                      \
    y[0] = m[0] + sum + sum2;                                                                  \
    y[t] = ROOT_HALF * difference + ROOT_TWO * difference2;                                    \
    y[2 * t] = 0.5f * sum + 2.0f * sum2;                                                       \
    y[3 * t] = (0.5f * ROOT_HALF) * difference + (2.0f * ROOT_TWO) * difference2 + last;       \
  }

#define BK_COTANGENT_LINE(name, type)                                                          \
  static inline __attribute__((always_inline)) void name(const type *y, int s, type *v, int t) { \
    type even = y[0] + 0.5f * y[2 * s], odd = ROOT_HALF * (y[s] + 0.5f * y[3 * s]);            \
    type even2 = y[0] + 2.0f * y[2 * s], odd2 = ROOT_TWO * (y[s] + 2.0f * y[3 * s]);           \
    type last = y[3 * s];                                                                      \
    v[0] = y[0];                                                                               \
    v[t] = even + odd;                                                                         \
    v[2 * t] = even - odd;                                                                     \
    v[3 * t] = even2 + odd2;                                                                   \
    v[4 * t] = even2 - odd2;                                                                   \
    v[5 * t] = last;                                                                           \
  }

#define BK_KERNEL_GRADIENT_LINE(name, type)                                                    \
  static inline __attribute__((always_inline)) void name(const type *m, int s, type *g, int t) { \
    type sum = m[s] + m[2 * s], difference = m[s] - m[2 * s];                                  \
    type sum2 = m[3 * s] + m[4 * s], difference2 = m[3 * s] - m[4 * s];                        \
    type last = m[5 * s];                                                                      \
    g[0] = m[0] - (2.0f / 3) * sum + (1.0f / 6) * sum2;                                        \
    g[t] = (-2.0f / 3 * ROOT_HALF) * difference + (ROOT_TWO / 6) * difference2;                \
    g[2 * t] = (1.0f / 3) * (sum2 - sum) + last;                                               \
  }

BK_INPUT_LINE(input_line, bk_lanes)
BK_INPUT_LINE(input_line_1, float)
BK_COTANGENT_LINE(cotangent_line, bk_lanes)
BK_COTANGENT_LINE(cotangent_line_1, float)
BK_KERNEL_LINE(kernel_line, bk_lanes)
BK_KERNEL_GRADIENT_LINE(kernel_gradient_line, bk_lanes)
BK_OUTPUT_LINE(output_line, bk_lanes)
BK_OUTPUT_LINE(output_line_1, float)

BK_MAP_TRANSFORM(bk_winograd_4_input, 6, 6, 4, input_line, input_line_1)
BK_MAP_TRANSFORM(bk_winograd_cotangent, 4, 6, 4, cotangent_line, cotangent_line_1)
BK_KERNEL_TRANSFORM(bk_winograd_4_kernel, 6, kernel_line)
BK_OUTPUT_TRANSFORM(bk_winograd_4_output, 6, 4, output_line, output_line_1)

BK_CLONES void bk_winograd_kernel_gradient(const float *m, int64_t point_stride, float *g) {
  for (int part = 0; part < 2; part++) {
    bk_lanes d[36], half[18], out[9];
    for (int p = 0; p < 36; p++) d[p] = *(const bk_lanes *)(m + p * point_stride + bk_lane_count * part);
    for (int x = 0; x < 6; x++) kernel_gradient_line(d + x, 6, half + x, 6);
    for (int y = 0; y < 3; y++) kernel_gradient_line(half + 6 * y, 1, out + 3 * y, 1);
    for (int p = 0; p < 9; p++) *(bk_lanes *)(g + 16 * p + bk_lane_count * part) = out[p];
  }
}
