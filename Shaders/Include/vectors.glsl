// Short weight vectors (bias, gamma, beta) in whatever type a checkpoint has them.
//
// `dtype` is 0 f32, 1 f16, 2 bf16; pass a specialisation constant. Needs types.glsl.
float vector_at(Words t, uint index, uint dtype) {
  if (dtype == 0) return uintBitsToFloat(t.at[index]);
  uint word = t.at[index >> 1];
  if (dtype == 1) {
    vec2 pair = unpackHalf2x16(word);
    return (index & 1u) == 0u ? pair.x : pair.y;
  }
  return uintBitsToFloat((index & 1u) == 0u ? word << 16 : word & 0xffff0000u);
}
