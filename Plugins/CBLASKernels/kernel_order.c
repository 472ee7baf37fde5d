#include "kernel_order.h"

#include "clones.h"
#include "widen.h"

typedef struct job {
  const void *weights;
  int32_t dtype;
  int64_t outputs, channels, taps;
  const bk_tap_choice *choice;
  float *target;
} job;

/* to[k] = from[k · stride], any storage type. */
#define BK_PICK(name, type, value)                                                                          \
  BK_CLONES static void name(const type *restrict from, float *restrict to, int64_t count, int64_t stride) { \
    for (int64_t k = 0; k < count; k++) {                                                                    \
      type element = from[k * stride];                                                                       \
      to[k] = value;                                                                                         \
    }                                                                                                        \
  }
static inline float from_bf16(uint16_t bits) {
  union { uint32_t bits; float value; } wide = {(uint32_t)bits << 16};
  return wide.value;
}
BK_PICK(pick_f32, float, element)
BK_PICK(pick_f16, _Float16, (float)element)
BK_PICK(pick_bf16, uint16_t, from_bf16(element))

static void pick(const job *j, int64_t index, float *to) {
  const void *from = bk_element(j->weights, j->dtype, index);
  if (j->dtype == ESP_DTYPE_F16) {
    pick_f16(from, to, j->channels, j->taps);
  } else if (j->dtype == ESP_DTYPE_BF16) {
    pick_bf16(from, to, j->channels, j->taps);
  } else {
    pick_f32(from, to, j->channels, j->taps);
  }
}

static void taps_first(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const job *j = argument;
  for (int64_t o = begin; o < end; o++) {
    for (int64_t tap = 0; tap < j->taps; tap++) {
      pick(j, o * j->channels * j->taps + tap, j->target + (o * j->taps + tap) * j->channels);
    }
  }
}

static void rotated(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const job *j = argument;
  const bk_tap_choice *s = j->choice;
  for (int64_t o = begin; o < end; o++) {
    for (int64_t ty = 0; ty < s->taps_y; ty++) {
      int64_t y = s->first_y + (s->taps_y - 1 - ty) * s->step;
      for (int64_t tx = 0; tx < s->taps_x; tx++) {
        int64_t x = s->first_x + (s->taps_x - 1 - tx) * s->step;
        int64_t at = (ty * s->taps_x + tx) * j->outputs + o;
        pick(j, o * j->channels * j->taps + y * s->kernel_width + x, j->target + at * j->channels);
      }
    }
  }
}

BK_CLONES static void spread(const float *restrict from, float *restrict to, int64_t count, int64_t stride) {
  for (int64_t k = 0; k < count; k++) to[k * stride] = from[k];
}

static void checkpoint(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const job *j = argument;
  const float *gradients = j->weights;
  for (int64_t o = begin; o < end; o++) {
    for (int64_t tap = 0; tap < j->taps; tap++) {
      spread(gradients + (o * j->taps + tap) * j->channels, j->target + o * j->channels * j->taps + tap,
             j->channels, j->taps);
    }
  }
}

void bk_order_taps_first(const void *weights, int32_t dtype, int64_t outputs, int64_t channels, int64_t taps,
                         float *target, const bk_call *call) {
  job j = {weights, dtype, outputs, channels, taps, 0, target};
  call->host->parallel_for(call->host->context, outputs, 4, taps_first, &j);
}

void bk_order_rotated(const void *weights, int32_t dtype, int64_t outputs, int64_t channels,
                      const bk_tap_choice *choice, float *target, const bk_call *call) {
  job j = {weights, dtype, outputs, channels, choice->kernel_height * choice->kernel_width, choice, target};
  call->host->parallel_for(call->host->context, outputs, 4, rotated, &j);
}

void bk_order_checkpoint(const float *gradients, int64_t outputs, int64_t channels, int64_t taps, float *dw,
                         const bk_call *call) {
  job j = {gradients, ESP_DTYPE_F32, outputs, channels, taps, 0, dw};
  call->host->parallel_for(call->host->context, outputs, 4, checkpoint, &j);
}
