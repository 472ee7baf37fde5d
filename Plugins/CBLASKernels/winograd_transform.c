#include "winograd_transform.h"

#include "clones.h"

typedef float vector __attribute__((vector_size(32), aligned(4)));

enum { lanes = 8 };

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

BK_INPUT_LINE(input_line, vector)
BK_INPUT_LINE(input_line_1, float)
BK_COTANGENT_LINE(cotangent_line, vector)
BK_COTANGENT_LINE(cotangent_line_1, float)
BK_KERNEL_LINE(kernel_line, vector)
BK_KERNEL_GRADIENT_LINE(kernel_gradient_line, vector)
BK_OUTPUT_LINE(output_line, vector)
BK_OUTPUT_LINE(output_line_1, float)

/* Both transforms of a map: `side` pixels along each axis become six. Single channels are left at the end. The pixels
 * of the next tile in the row, 4 further, are fetched meanwhile. */
#define BK_MAP_TRANSFORM(name, side, line, line_1)                                                            \
  BK_CLONES void name(const float *const *pixels, int64_t channels, float *v, bk_winograd_places places) {    \
    enum { area = (side) * (side) };                                                                          \
    int64_t c = 0, panel = 0, lane = 0;                                                                       \
    for (; c + lanes <= channels; c += lanes) {                                                               \
      vector d[area], half[6 * (side)], out[36];                                                              \
      float *to = v + panel + lane;                                                                           \
      for (int p = 0; p < area; p++) {                                                                        \
        d[p] = *(const vector *)(pixels[p] + c);                                                              \
        if (c % 16 == 0 && p % (side) >= (side) - 4) __builtin_prefetch(pixels[p] + 4 * channels + c, 0, 2);  \
      }                                                                                                       \
      for (int x = 0; x < (side); x++) line(d + x, side, half + x, side);                                     \
      for (int y = 0; y < 6; y++) line(half + (side) * y, 1, out + 6 * y, 1);                                 \
      for (int p = 0; p < 36; p++) *(vector *)(to + p * places.point) = out[p];                               \
      lane += lanes;                                                                                          \
      if (lane == places.width) {                                                                             \
        lane = 0;                                                                                             \
        panel += places.panel;                                                                                \
      }                                                                                                       \
    }                                                                                                         \
    for (; c < channels; c++) {                                                                               \
      float d[area], half[6 * (side)], out[36];                                                               \
      float *to = v + panel + lane;                                                                           \
      for (int p = 0; p < area; p++) d[p] = pixels[p][c];                                                     \
      for (int x = 0; x < (side); x++) line_1(d + x, side, half + x, side);                                   \
      for (int y = 0; y < 6; y++) line_1(half + (side) * y, 1, out + 6 * y, 1);                               \
      for (int p = 0; p < 36; p++) to[p * places.point] = out[p];                                             \
      lane++;                                                                                                 \
    }                                                                                                         \
  }

BK_MAP_TRANSFORM(bk_winograd_input, 6, input_line, input_line_1)
BK_MAP_TRANSFORM(bk_winograd_cotangent, 4, cotangent_line, cotangent_line_1)

BK_CLONES void bk_winograd_kernel(const float *g, float *u, int64_t point_stride) {
  for (int part = 0; part < 2; part++) {
    vector d[9], half[18], out[36];
    for (int p = 0; p < 9; p++) d[p] = *(const vector *)(g + 16 * p + lanes * part);
    for (int x = 0; x < 3; x++) kernel_line(d + x, 3, half + x, 3);
    for (int y = 0; y < 6; y++) kernel_line(half + 3 * y, 1, out + 6 * y, 1);
    for (int p = 0; p < 36; p++) *(vector *)(u + p * point_stride + lanes * part) = out[p];
  }
}

BK_CLONES void bk_winograd_kernel_gradient(const float *m, int64_t point_stride, float *g) {
  for (int part = 0; part < 2; part++) {
    vector d[36], half[18], out[9];
    for (int p = 0; p < 36; p++) d[p] = *(const vector *)(m + p * point_stride + lanes * part);
    for (int x = 0; x < 6; x++) kernel_gradient_line(d + x, 6, half + x, 6);
    for (int y = 0; y < 3; y++) kernel_gradient_line(half + 6 * y, 1, out + 3 * y, 1);
    for (int p = 0; p < 9; p++) *(vector *)(g + 16 * p + lanes * part) = out[p];
  }
}

BK_CLONES void bk_winograd_output(const float *m, int64_t point_stride, int64_t count, bk_winograd_pixels t) {
  int64_t c = 0;
  for (; c + lanes <= count; c += lanes) {
    vector d[36], half[24], out[16], added = {0};
    for (int p = 0; p < 36; p++) d[p] = *(const vector *)(m + p * point_stride + c);
    for (int x = 0; x < 6; x++) output_line(d + x, 6, half + x, 6);
    for (int i = 0; i < 4; i++) output_line(half + 6 * i, 1, out + 4 * i, 1);
    if (t.bias) added += *(const vector *)(t.bias + c);
    if (t.channel) added += *(const vector *)(t.channel + c);
    for (int64_t y = 0; y < t.height; y++) {
      for (int64_t x = 0; x < t.width; x++) {
        int64_t at = y * t.line + x * t.pixel + c;
        vector value = out[4 * y + x] + added;
        *(vector *)(t.target + at) = t.residual ? *(const vector *)(t.residual + at) + value : value;
      }
    }
  }
  for (; c < count; c++) {
    float d[36], half[24], out[16];
    for (int p = 0; p < 36; p++) d[p] = m[p * point_stride + c];
    for (int x = 0; x < 6; x++) output_line_1(d + x, 6, half + x, 6);
    for (int i = 0; i < 4; i++) output_line_1(half + 6 * i, 1, out + 4 * i, 1);
    float added = (t.bias ? t.bias[c] : 0) + (t.channel ? t.channel[c] : 0);
    for (int64_t y = 0; y < t.height; y++) {
      for (int64_t x = 0; x < t.width; x++) {
        int64_t at = y * t.line + x * t.pixel + c;
        t.target[at] = (t.residual ? t.residual[at] : 0) + (out[4 * y + x] + added);
      }
    }
  }
}
