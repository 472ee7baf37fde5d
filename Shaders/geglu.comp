// y[r,f] = x[r,f] · gelu(x[r,F+f]); x [rows, 2F], y [rows, F].
//
// One invocation per four elements of y, or per element where F is not a multiple of four.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"
#include "Include/lanes.glsl"
#include "Include/activation.glsl"

layout(push_constant) uniform Push {
  Source x;
  Acts y;
  uint count;     // of y, in groups of LANES
  uint features;  // F, in groups of LANES
  Divisor per_features;
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint value = i + divide(i, per_features) * features;
  store_lanes(y, i, LOAD(0, x, value) * activate(ACT_GELU, LOAD(0, x, value + features)));
}
