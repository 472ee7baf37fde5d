/* Elementwise functions without branches or calls, so that loops over them vectorise in every clone. */
#ifndef VECTOR_MATH_H
#define VECTOR_MATH_H

#include "espalier_plugin.h"

#include <string.h>

/* e^x: 2^n by the exponent bits, the rest by a polynomial of degree 6 (our own minimax fit); relative error
 * 1.5e-7. Below −87.3 it gives 0, above 88.3 it stays at e^88.3; NaN stays NaN. */
static inline float bk_exp(float x) {
  const float magic = 12582912.0f + 127.0f; /* 1.5 · 2^23: adding it rounds to an integer; 127: 2^0's exponent */
  float y = x > 88.3f ? 88.3f : x;
  y = y < -87.3f ? -87.3f : y;
  const float shifted = y * 1.44269504f + magic;
  const float n = shifted - magic;
  float r = y - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  float p = 1.38436523e-3f;
  p = p * r + 8.37415539e-3f;
  p = p * r + 4.16680021e-2f;
  p = p * r + 1.66664313e-1f;
  p = p * r + 4.99999942e-1f;
  p = p * r + 1.00000003f;
  p = p * r + 1.0f;
  uint32_t bits;
  memcpy(&bits, &shifted, 4);
  bits <<= 23;
  float power;
  memcpy(&power, &bits, 4);
  return x < -87.3f ? 0.0f : p * power;
}

/* 2^x for x below 127, degree 5, relative error 2e-7; below −100 it stays at 2^−100; NaN stays NaN. */
static inline float bk_exp2(float x) {
  const float magic = 12582912.0f + 127.0f;
  const float y = x < -100.0f ? -100.0f : x;
  const float shifted = y + magic;
  const float r = y - (shifted - magic);
  float p = 1.32647266e-3f;
  p = p * r + 9.67151272e-3f;
  p = p * r + 5.55073375e-2f;
  p = p * r + 2.40222421e-1f;
  p = p * r + 6.93146978e-1f;
  p = p * r + 1.0f;
  uint32_t bits;
  memcpy(&bits, &shifted, 4);
  bits <<= 23;
  float power;
  memcpy(&power, &bits, 4);
  return p * power;
}

static inline float bk_sigmoid(float x) { return 1.0f / (1.0f + bk_exp(-x)); }

/* Φ(−t)·e^(t²/2) for t = |x|, by a polynomial in 1/(1 + 0.28 t); its error times t is below 6e-9. */
static inline float bk_scaled_tail(float t) {
  float u = 1.0f / (1.0f + 0.28f * t);
  float p = -0.10703267f;
  p = p * u + 0.39492681f;
  p = p * u - 0.24528007f;
  p = p * u + 0.27565955f;
  p = p * u + 0.06476725f;
  p = p * u + 0.11695913f;
  return p * u;
}

/* x·Φ(x) = max(x, 0) − |x|·Φ(−|x|), so that large values keep full precision. */
static inline float bk_gelu(float x) {
  float t = x < 0.0f ? -x : x;
  float tail = bk_exp(-0.5f * x * x) * bk_scaled_tail(t);
  return (x < 0.0f ? 0.0f : x) - t * tail;
}

/* Φ(x) + x·φ(x) */
static inline float bk_gelu_slope(float x) {
  float t = x < 0.0f ? -x : x;
  float density = bk_exp(-0.5f * x * x);
  float tail = density * bk_scaled_tail(t);
  return (x < 0.0f ? tail : 1.0f - tail) + x * 0.39894228f * density;
}

static inline float bk_identity(float x) { return x; }
static inline float bk_silu(float x) { return x * bk_sigmoid(x); }
static inline float bk_relu(float x) { return x < 0.0f ? 0.0f : x; }
static inline float bk_quick_gelu(float x) { return x * bk_sigmoid(1.702f * x); }

static inline float bk_identity_slope(float x) {
  (void)x;
  return 1.0f;
}

static inline float bk_silu_slope(float x) {
  float s = bk_sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}

static inline float bk_relu_slope(float x) { return x > 0.0f ? 1.0f : 0.0f; }

static inline float bk_quick_gelu_slope(float x) {
  float s = bk_sigmoid(1.702f * x);
  return s * (1.0f + 1.702f * x * (1.0f - s));
}

static inline float bk_sigmoid_slope(float x) {
  float s = bk_sigmoid(x);
  return s * (1.0f - s);
}

/* True for the numbers ESP_ACT_… */
static inline int bk_is_activation(int64_t act) { return act >= ESP_ACT_NONE && act <= ESP_ACT_SIGMOID; }

/* Expands LOOP(function) once per activation, so that each loop has its function inlined. */
#define BK_FOR_ACTIVATION(act, LOOP)                  \
  switch (act) {                                      \
    case ESP_ACT_SILU: LOOP(bk_silu) break;           \
    case ESP_ACT_RELU: LOOP(bk_relu) break;           \
    case ESP_ACT_GELU: LOOP(bk_gelu) break;           \
    case ESP_ACT_QUICK_GELU: LOOP(bk_quick_gelu) break; \
    case ESP_ACT_SIGMOID: LOOP(bk_sigmoid) break;     \
    default: LOOP(bk_identity) break;                 \
  }

/* The same for the derivatives. */
#define BK_FOR_SLOPE(act, LOOP)                             \
  switch (act) {                                            \
    case ESP_ACT_SILU: LOOP(bk_silu_slope) break;           \
    case ESP_ACT_RELU: LOOP(bk_relu_slope) break;           \
    case ESP_ACT_GELU: LOOP(bk_gelu_slope) break;           \
    case ESP_ACT_QUICK_GELU: LOOP(bk_quick_gelu_slope) break; \
    case ESP_ACT_SIGMOID: LOOP(bk_sigmoid_slope) break;     \
    default: LOOP(bk_identity_slope) break;                 \
  }

#endif
