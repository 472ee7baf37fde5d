// Short weight vectors (bias, gamma, beta) in whatever type a checkpoint has them.
//
// `dtype` is 0 f32, 1 f16, 2 bf16; pass a specialisation constant. Needs types.glsl.
layout(buffer_reference, std430, buffer_reference_align = 8) buffer VectorPairs { uvec2 at[]; };

float vector_at(Words t, uint index, uint dtype) {
  if (dtype == 0) return uintBitsToFloat(t.at[index]);
  uint word = t.at[index >> 1];
  if (dtype == 1) {
    vec2 pair = unpackHalf2x16(word);
    return (index & 1u) == 0u ? pair.x : pair.y;
  }
  return uintBitsToFloat((index & 1u) == 0u ? word << 16 : word & 0xffff0000u);
}

// Four consecutive elements from 4·index on.
vec4 vector4_at(Words t, uint index, uint dtype) {
  if (dtype == 0) return Float4s(uvec2(t)).at[index];
  uvec2 words = VectorPairs(uvec2(t)).at[index];
  if (dtype == 1) return vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y));
  uvec4 bits = uvec4(words.x << 16, words.x & 0xffff0000u, words.y << 16, words.y & 0xffff0000u);
  return uintBitsToFloat(bits);
}
