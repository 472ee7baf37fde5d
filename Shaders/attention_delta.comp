// delta[b,h,i] = Σ_c dO[b,i,h·width+c] · o[b,i,h·width+c], which the gradients of attention subtract.
//
// dO, o [B,queries,heads·width]; delta [B,heads,queries]. `lanes` invocations share a row.
//! variants ACT=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"

layout(constant_id = 3) const uint width = 64;
layout(constant_id = 4) const uint lanes = 8;
layout(constant_id = 5) const uint group_size = 64;
#include "Include/attention_rows.glsl"

layout(push_constant) uniform Push {
  Acts dO;
  Acts o;
  Floats delta;
  uint batch;
  uint heads;
  uint queries;
};

shared float parts[group_size];

void main() {
  uint lane = gl_LocalInvocationID.x % lanes;
  uint row = group_index() * (group_size / lanes) + gl_LocalInvocationID.x / lanes;
  bool exists = row < batch * queries * heads;
  float sum = 0;
  if (exists) {
    for (uint c = lane; c < width4; c += lanes) {
      sum += dot(row4(dO, row * width, c), row4(o, row * width, c));
    }
  }
  parts[gl_LocalInvocationID.x] = sum;
  barrier();
  if (!exists || lane != 0) return;
  for (uint i = 1; i < lanes; i++) sum += parts[gl_LocalInvocationID.x + i];
  uint token = row / heads;
  delta.at[(token / queries * heads + row % heads) * queries + token % queries] = sum;
}
