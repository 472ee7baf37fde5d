// y = factor · x + offset, elementwise.
//
// One invocation per four elements, or per element where their number is not a multiple of four.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/lanes.glsl"

layout(push_constant) uniform Push {
  Source x;
  Acts y;
  uint count;  // in groups of LANES
  float factor;
  float offset;
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  store_lanes(y, i, factor * LOAD(0, x, i) + offset);
}
