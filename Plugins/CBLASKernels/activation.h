/* An activation by its number; a constant number leaves no branch. */
#ifndef ACTIVATION_H
#define ACTIVATION_H

#include "vector_math.h"

static inline float bk_activate(float x, int32_t activation) {
  switch (activation) {
  case ESP_ACT_SILU: return bk_silu(x);
  case ESP_ACT_RELU: return bk_relu(x);
  case ESP_ACT_GELU: return bk_gelu(x);
  case ESP_ACT_QUICK_GELU: return bk_quick_gelu(x);
  case ESP_ACT_SIGMOID: return bk_sigmoid(x);
  default: return x;
  }
}

#endif
