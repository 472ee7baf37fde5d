// y = act(x), elementwise.
//
// One invocation per four elements, or per element where their number is not a multiple of four.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/lanes.glsl"
#include "Include/activation.glsl"

layout(constant_id = 4) const uint act = 0;

layout(push_constant) uniform Push {
  Source x;
  Acts y;
  uint count;  // in groups of LANES
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  store_lanes(y, i, activate(act, LOAD(0, x, i)));
}
