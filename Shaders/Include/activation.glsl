// The activations of the boundary, ESP_ACT_…, and their derivatives. Pass a specialisation constant as
// `act`: then no branch is left. Relative errors are a few 1e-7.
#include "Include/exp.glsl"

const uint ACT_NONE = 0;
const uint ACT_SILU = 1;
const uint ACT_RELU = 2;
const uint ACT_GELU = 3;
const uint ACT_QUICK_GELU = 4;
const uint ACT_SIGMOID = 5;

float sigmoid(float x) { return 1.0 / (1.0 + exponential(-x)); }

// Φ(−t)·e^(t²/2) for t ≥ 0, by a polynomial in 1/(1 + 0.28 t); its error times t is below 6e-9.
float scaled_tail(float t) {
  float u = 1.0 / (1.0 + 0.28 * t);
  float p = -0.10703267;
  p = p * u + 0.39492681;
  p = p * u - 0.24528007;
  p = p * u + 0.27565955;
  p = p * u + 0.06476725;
  p = p * u + 0.11695913;
  return p * u;
}

// x·Φ(x) = max(x, 0) − |x|·Φ(−|x|), so that large values keep full precision.
float gelu(float x) {
  float t = abs(x);
  return max(x, 0.0) - t * exponential(-0.5 * x * x) * scaled_tail(t);
}

// Φ(x) + x·φ(x)
float gelu_slope(float x) {
  float density = exponential(-0.5 * x * x);
  float tail = density * scaled_tail(abs(x));
  return (x < 0.0 ? tail : 1.0 - tail) + x * 0.39894228 * density;
}

float activate(uint act, float x) {
  if (act == ACT_SILU) return x * sigmoid(x);
  if (act == ACT_RELU) return x < 0.0 ? 0.0 : x;
  if (act == ACT_GELU) return gelu(x);
  if (act == ACT_QUICK_GELU) return x * sigmoid(1.702 * x);
  if (act == ACT_SIGMOID) return sigmoid(x);
  return x;
}

vec4 activate(uint act, vec4 x) {
  return vec4(
    activate(act, x.x), activate(act, x.y), activate(act, x.z), activate(act, x.w));
}

float activation_slope(uint act, float x) {
  if (act == ACT_SILU) {
    float s = sigmoid(x);
    return s * (1.0 + x * (1.0 - s));
  }
  if (act == ACT_RELU) return x > 0.0 ? 1.0 : 0.0;
  if (act == ACT_GELU) return gelu_slope(x);
  if (act == ACT_QUICK_GELU) {
    float s = sigmoid(1.702 * x);
    return s * (1.0 + 1.702 * x * (1.0 - s));
  }
  if (act == ACT_SIGMOID) {
    float s = sigmoid(x);
    return s * (1.0 - s);
  }
  return 1.0;
}

vec4 activation_slope(uint act, vec4 x) {
  return vec4(
    activation_slope(act, x.x), activation_slope(act, x.y), activation_slope(act, x.z),
    activation_slope(act, x.w));
}
