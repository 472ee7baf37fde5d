// With x = [v, g]: dv = dy · gelu(g), dg = dy · v · gelu'(g); dy [rows, F], x and dx [rows, 2F].
//
// One invocation per four elements of dy, or per element where F is not a multiple of four. It reads all
// of x that it overwrites before it writes, so dx may stand in x's place.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"
#include "Include/lanes.glsl"
#include "Include/activation.glsl"

layout(push_constant) uniform Push {
  Source dy;
  Source x;
  Acts dx;
  uint count;     // of dy, in groups of LANES
  uint features;  // F, in groups of LANES
  Divisor per_features;
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint place = i + divide(i, per_features) * features;
  vec4 slope = LOAD(0, dy, i);
  vec4 value = LOAD(1, x, place);
  vec4 gate = LOAD(1, x, place + features);
  store_lanes(dx, place, slope * activate(ACT_GELU, gate));
  store_lanes(dx, place + features, slope * value * activation_slope(ACT_GELU, gate));
}
