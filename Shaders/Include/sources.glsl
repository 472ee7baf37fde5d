// Operands that a kernel only reads, as 32-bit words: by address, or, with FETCH=1, through the texel buffer
// in `slot`, which is the operand's place among the push constants' sources.
//
//   READ(slot, s, i)    word i
//   READ2(slot, s, i)   words 2i and 2i + 1
//   READ4(slot, s, i)   words 4i to 4i + 3
#if FETCH == 1
#include "Include/texels.glsl"
// The number of the first texel.
#define Source uint
#define READ(slot, source, index) one_of(texelFetch(texels##slot, int((source) + ((index) >> 2))), index)
#define READ2(slot, source, index) two_of(texelFetch(texels##slot, int((source) + ((index) >> 1))), index)
#define READ4(slot, source, index) texelFetch(texels##slot, int((source) + (index)))
uvec2 two_of(uvec4 texel, uint index) { return (index & 1u) == 0u ? texel.xy : texel.zw; }
uint one_of(uvec4 texel, uint index) {
  uvec2 pair = two_of(texel, index >> 1);
  return (index & 1u) == 0u ? pair.x : pair.y;
}
#else
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Source { uint at[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) buffer SourcePairs { uvec2 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer SourceQuads { uvec4 at[]; };
#define READ(slot, source, index) source.at[index]
#define READ2(slot, source, index) SourcePairs(uvec2(source)).at[index]
#define READ4(slot, source, index) SourceQuads(uvec2(source)).at[index]
#endif

// The half with this index in its word, in the low bits.
uint half_of(uint word, uint index) { return (word >> (16u * (index & 1u))) & 0xffffu; }

// Two halves, f16 or (dtype 2) bf16.
vec2 widened(uint word, uint dtype) {
  if (dtype == 1) return unpackHalf2x16(word);
  return uintBitsToFloat(uvec2(word << 16, word & 0xffff0000u));
}

// Element i, and elements 4i to 4i + 3, of a tensor of dtype 0 f32, 1 f16 or 2 bf16.
#define VALUE(slot, source, index, dtype)                       \
  ((dtype) == 0 ? uintBitsToFloat(READ(slot, source, index)) \
                : widened(half_of(READ(slot, source, (index) >> 1), index), dtype).x)
#define VALUES(slot, source, index, dtype)                      \
  ((dtype) == 0 ? uintBitsToFloat(READ4(slot, source, index)) \
                : widened4(READ2(slot, source, index), dtype))
vec4 widened4(uvec2 words, uint dtype) { return vec4(widened(words.x, dtype), widened(words.y, dtype)); }
