// How the kernels of attention reach a head's rows: token t of head g starts at (t·heads + g)·width, so a
// row is `width` elements long and the next token's is `step` = heads·width elements on.
//
// Includes nothing; needs types.glsl and a specialisation constant `width`.

const uint width4 = (width + 3) / 4;
// Where rows are whole vectors they are read and written as such.
const bool is_aligned = (width & 3u) == 0u;

// Elements 4·c … 4·c+3 of the row that starts at `first`, zero beyond its end.
vec4 row4(Acts t, uint first, uint c) {
  if (is_aligned) return load4(t, first / 4 + c);
  uint left = width - 4 * c;
  uint at = first + 4 * c;
  vec4 value = vec4(load(t, at), 0, 0, 0);
  if (left > 1) value.y = load(t, at + 1);
  if (left > 2) value.z = load(t, at + 2);
  if (left > 3) value.w = load(t, at + 3);
  return value;
}

void store_row4(Acts t, uint first, uint c, vec4 value) {
  if (is_aligned) {
    store4(t, first / 4 + c, value);
    return;
  }
  uint left = width - 4 * c;
  uint at = first + 4 * c;
  store(t, at, value.x);
  if (left > 1) store(t, at + 1, value.y);
  if (left > 2) store(t, at + 2, value.z);
  if (left > 3) store(t, at + 3, value.w);
}

// Results that another dispatch adds up stay f32 whatever activations are stored in.
void store_part4(Floats t, uint first, uint c, vec4 value) {
  if (is_aligned) {
    Float4s(uvec2(t)).at[first / 4 + c] = value;
    return;
  }
  [[unroll]] for (uint i = 0; i < 4; i++) {
    if (4 * c + i < width) t.at[first + 4 * c + i] = value[i];
  }
}
