/* What the host needs from C: vectorised conversions and the thread pool. */
#ifndef ESPALIER_RUNTIME_H
#define ESPALIER_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

/* Conversions of `count` elements between storage types; half-precision pointers may be unaligned. */
void espalier_f16_to_f32(const void *_Nonnull source, float *_Nonnull target, size_t count);
void espalier_bf16_to_f32(const void *_Nonnull source, float *_Nonnull target, size_t count);
void espalier_f32_to_f16(const float *_Nonnull source, void *_Nonnull target, size_t count);
void espalier_f32_to_bf16(const float *_Nonnull source, void *_Nonnull target, size_t count);

#endif
