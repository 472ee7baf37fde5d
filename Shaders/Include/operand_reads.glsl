// Reads of a product's operands `a` (activations) and `b` (weights, or activations of the same type),
// by address or, with CORE 2, through texel buffers.
//
// Needs types.glsl, weights.glsl and the push constants `a`, `b`, `aTexel` and `bTexel`.
#if CORE == 2
#include "texels.glsl"

// Four of the eight halves of a texel.
uvec2 fetch_halves(usamplerBuffer texels, uint texel, uint index) {
  uvec4 words = texelFetch(texels, int(texel + (index >> 1)));
  return (index & 1u) == 0u ? words.xy : words.zw;
}

vec4 a_quad(uint index) {
#if ACT == 0
  return fetch4(texels0, aTexel + index);
#else
  uvec2 words = fetch_halves(texels0, aTexel, index);
  return vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y));
#endif
}

vec4 b_quad(uint index) {
#if WEIGHT == 0
  return fetch4(texels1, bTexel + index);
#else
  uvec2 words = fetch_halves(texels1, bTexel, index);
  return vec4(widen(words.x), widen(words.y));
#endif
}
#else
// Elements 4·index to 4·index + 3.
vec4 a_quad(uint index) { return load4(a, index); }
vec4 b_quad(uint index) { return weight4(b, index); }
#endif

// Elements `first` to `first` + 3 of line `line` of an operand in lines of `count`; beyond the end,
// some other element of the line.
vec4 a_run(uint line, uint first, uint count) {
  if (A_QUADS) return a_quad((line * count + min(first, count - 4)) >> 2);
  vec4 run;
  [[unroll]] for (uint c = 0; c < 4; c++) {
    run[c] = load(a, line * count + min(first + c, count - 1));
  }
  return run;
}

vec4 b_run(uint line, uint first, uint count) {
  if (B_QUADS) return b_quad((line * count + min(first, count - 4)) >> 2);
  vec4 run;
  [[unroll]] for (uint c = 0; c < 4; c++) {
    run[c] = weight(b, line * count + min(first + c, count - 1));
  }
  return run;
}
