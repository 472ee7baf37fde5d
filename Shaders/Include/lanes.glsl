// Four consecutive elements per invocation where rows are a multiple of four long, else one.
//
// Takes the specialisation constant 3. An index counts groups of four elements, or elements where
// `quads` is false; then only the first component means something. Needs types.glsl.
layout(constant_id = 3) const bool quads = true;

const uint LANES = quads ? 4 : 1;

vec4 load_lanes(Acts t, uint index) {
  if (quads) return load4(t, index);
  return vec4(load(t, index));
}

void store_lanes(Acts t, uint index, vec4 value) {
  if (quads) {
    store4(t, index, value);
  } else {
    store(t, index, value.x);
  }
}
