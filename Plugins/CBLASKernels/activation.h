/* Activations of one element, branch-free, so that loops over them vectorise. */
#ifndef ACTIVATION_H
#define ACTIVATION_H

#include "espalier_plugin.h"

#include <stdint.h>

/* eˣ to 2 ulp; 0 below −87, largest finite values above 88; keeps NaN. */
static inline float bk_exp(float x) {
  const float magic = 12582912.0f; /* 1.5 · 2²³: adding it rounds to an integer */
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  float shifted = x * 1.44269504f + magic;
  float whole = shifted - magic;
  float rest = x - whole * 0.693145752f - whole * 1.42860677e-6f;
  float series = 1.0f / 5040;
  series = series * rest + 1.0f / 720;
  series = series * rest + 1.0f / 120;
  series = series * rest + 1.0f / 24;
  series = series * rest + 1.0f / 6;
  series = series * rest + 0.5f;
  series = series * rest + 1.0f;
  series = series * rest + 1.0f;
  union { float value; int32_t bits; } power = {shifted}, result = {series};
  result.bits += (int32_t)((uint32_t)power.bits << 23);
  return x != x ? x : result.value;
}

/* erf(x): x·P(x²) inside ±1, 1 − exp(−Q(|x|)) outside; P and Q are our own Chebyshev fits, error 1e-7. */
static inline float bk_erf(float x) {
  float square = x * x;
  float near = 7.88249745e-05f;
  near = near * square - 8.01885501e-04f;
  near = near * square + 5.18931216e-03f;
  near = near * square - 2.68543288e-02f;
  near = near * square + 1.12835974e-01f;
  near = near * square - 3.76126260e-01f;
  near = (near * square + 1.12837911f) * x;
  float t = x < 0 ? -x : x;
  t = t > 4.0f ? 4.0f : t;
  float q = -1.86546386e-04f;
  q = q * t + 2.94889580e-03f;
  q = q * t - 2.18415149e-02f;
  q = q * t + 1.03111066e-01f;
  q = q * t + 6.38142943e-01f;
  q = q * t + 1.12708867f;
  q = q * t + 3.42021696e-04f;
  float tail = 1.0f - bk_exp(-q);
  tail = x < 0 ? -tail : tail;
  return square < 1.0f ? near : tail;
}

static inline float bk_activate(float x, int32_t activation) {
  switch (activation) {
  case ESP_ACT_SILU: return x / (1.0f + bk_exp(-x));
  case ESP_ACT_RELU: return x < 0 ? 0.0f : x;
  case ESP_ACT_GELU: return 0.5f * x * (1.0f + bk_erf(x * 0.707106781f));
  case ESP_ACT_QUICK_GELU: return x / (1.0f + bk_exp(-1.702f * x));
  case ESP_ACT_SIGMOID: return 1.0f / (1.0f + bk_exp(-x));
  default: return x;
  }
}

#endif
