// Four consecutive elements per invocation where rows are a multiple of four long, else one.
//
// Takes the specialisation constant 3. An index counts groups of four elements, or elements where
// `quads` is false; then only the first component means something. Needs types.glsl.
#include "Include/sources.glsl"

layout(constant_id = 3) const bool quads = true;

const uint LANES = quads ? 4 : 1;

// Of a Source: activations, or elements of a type given by a constant.
#define LOAD(slot, source, index) LOAD_TYPED(slot, source, index, ACT)
#define LOAD_TYPED(slot, source, index, dtype) \
  (quads ? VALUES(slot, source, index, dtype) : vec4(VALUE(slot, source, index, dtype)))

void store_lanes(Acts t, uint index, vec4 value) {
  if (quads) {
    store4(t, index, value);
  } else {
    store(t, index, value.x);
  }
}
