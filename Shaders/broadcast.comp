// y = a + b or a · b, where b repeats along some axes of a.
//
// Neighbouring axes along which b behaves alike are merged by the lowering. The last one is the row: b has
// it or is constant along it; the others are `axes` numbers with b's steps along them (0: repeats).
// One invocation per four elements of a row, or per element where rows are not a multiple of four long.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"
#include "Include/lanes.glsl"

layout(constant_id = 4) const bool multiply = false;
layout(constant_id = 5) const uint b_dtype = 0;
layout(constant_id = 6) const bool b_has_row = true;
layout(constant_id = 7) const uint axes = 0;

layout(push_constant) uniform Push {
  Source a;
  Source b;
  Acts y;
  uint count;        // in groups of LANES
  uint row_length;   // in groups of LANES
  Divisor per_row;
  uint sizes[5];     // of the axes before the row
  Divisor per_size[5];
  uint steps[5];     // of b along them, in elements
};

// Where b's part for this row starts, in elements.
uint b_start(uint row) {
  uint start = 0;
  [[unroll]] for (uint axis = axes; axis > 0; axis--) {
    uint rest = axis == 1 ? 0 : divide(row, per_size[axis - 1]);
    start += (row - rest * sizes[axis - 1]) * steps[axis - 1];
    row = rest;
  }
  return start;
}

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint row = axes == 0 ? 0 : divide(i, per_row);
  uint column = i - row * row_length;
  uint start = b_start(row);
  vec4 addend;
  if (b_has_row && quads) {
    addend = VALUES(1, b, start / 4 + column, b_dtype);
  } else {
    uint place = b_has_row ? start + column : start;
    addend = vec4(VALUE(1, b, place, b_dtype));
  }
  vec4 value = LOAD(0, a, i);
  store_lanes(y, i, multiply ? value * addend : value + addend);
}
