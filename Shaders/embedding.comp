// y[k,:] = table[ids[k],:]; a row of NaN where the id is outside 0 ..< V.
//
// ids i32 [rows], table [V,D] in f32, f16 or bf16, y [rows,D]. One invocation per four elements of y, or
// per element where D is not a multiple of four.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"
#include "Include/lanes.glsl"

layout(constant_id = 4) const uint table_dtype = 0;

layout(push_constant) uniform Push {
  Source ids;
  Source table;
  Acts y;
  uint count;  // of y, in groups of LANES
  uint width;  // D, in groups of LANES
  uint size;   // V
  Divisor per_row;  // by width
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint row = divide(i, per_row);
  int id = int(READ(0, ids, row));
  vec4 value = vec4(uintBitsToFloat(0x7fc00000u));
  if (id >= 0 && uint(id) < size) {
    uint from = uint(id) * width + (i - row * width);
    value = LOAD_TYPED(1, table, from, table_dtype);
  }
  store_lanes(y, i, value);
}
