// y[i] = Σ_p part[p,i], in the order of p.
//
// part [parts,count], f32; y [count]. One invocation per element.
//! variants ACT=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"


layout(push_constant) uniform Push {
  Floats part;
  Acts y;
  uint parts;
  uint count;
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  float sum = part.at[i];
  for (uint p = 1; p < parts; p++) sum += part.at[p * count + i];
  store(y, i, sum);
}
