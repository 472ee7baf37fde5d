/* Half-precision conversions: plain loops, compiled for several instruction sets and chosen at run time. */
#include "espalier_runtime.h"

#include <string.h>

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "arch=x86-64-v4", "default")))
#else
#define CLONES
#endif

typedef _Float16 half_unaligned __attribute__((aligned(1)));
typedef uint16_t word_unaligned __attribute__((aligned(1)));

CLONES void espalier_f16_to_f32(const void *source, float *target, size_t count) {
  const half_unaligned *from = source;
  for (size_t i = 0; i < count; i++) target[i] = (float)from[i];
}

CLONES void espalier_f32_to_f16(const float *source, void *target, size_t count) {
  half_unaligned *to = target;
  for (size_t i = 0; i < count; i++) to[i] = (_Float16)source[i];
}

CLONES void espalier_bf16_to_f32(const void *source, float *target, size_t count) {
  const word_unaligned *from = source;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = (uint32_t)from[i] << 16;
    memcpy(&target[i], &bits, 4);
  }
}

/* Round to nearest even; a NaN stays a NaN. */
CLONES void espalier_f32_to_bf16(const float *source, void *target, size_t count) {
  word_unaligned *to = target;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, &source[i], 4);
    uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    uint32_t quiet = (bits >> 16) | 0x40u;
    to[i] = (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
  }
}
