// Weights as checkpoints store them.
//
// WEIGHT: 0 f32, 1 f16, 2 bf16. Two halves share a 32-bit word, so no device needs 16-bit storage.
#if WEIGHT == 0
#define Weights Floats
float weight(Weights t, uint index) { return t.at[index]; }
// Four consecutive elements from 4·index on.
vec4 weight4(Weights t, uint index) { return Float4s(uvec2(t)).at[index]; }
#else
layout(buffer_reference, std430, buffer_reference_align = 8) buffer WordPairs { uvec2 at[]; };
#define Weights Words
#if WEIGHT == 1
vec2 widen(uint word) { return unpackHalf2x16(word); }
#else
vec2 widen(uint word) { return uintBitsToFloat(uvec2(word << 16, word & 0xffff0000u)); }
#endif
float weight(Weights t, uint index) {
  vec2 pair = widen(t.at[index >> 1]);
  return (index & 1u) == 0u ? pair.x : pair.y;
}
vec4 weight4(Weights t, uint index) {
  uvec2 words = WordPairs(uvec2(t)).at[index];
  return vec4(widen(words.x), widen(words.y));
}
#endif
