// The means over each group of dz·gamma and of dz·gamma·u, from the partial sums of its channels.
//
// One workgroup per sample and group.
//! variants SUBGROUP=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/vectors.glsl"
#include "Include/reduce.glsl"
layout(constant_id = 3) const uint vector_dtype = 0;

layout(push_constant) uniform Push {
  Floats sums;    // [B,blocks,C]: Σ dz
  Floats scaled;  // [B,blocks,C]: Σ dz·u
  Words gamma;
  Floats mean_dz;   // [B,G]
  Floats mean_dzu;  // [B,G]
  uint samples;
  uint pixels;
  uint channels;
  uint blocks;
  uint groups;
};

void main() {
  uint index = group_index();
  if (index >= samples * groups) return;
  uint width = channels / groups;
  uint channel = index % groups * width;
  vec2 sum = vec2(0);
  for (uint k = gl_LocalInvocationID.x; k < blocks * width; k += gl_WorkGroupSize.x) {
    uint c = channel + k % width;
    uint at = (index / groups * blocks + k / width) * channels + c;
    sum += vec2(sums.at[at], scaled.at[at]) * vector_at(gamma, c, vector_dtype);
  }
  sum = sum_workgroup(sum) / (float(pixels) * float(width));
  if (gl_LocalInvocationID.x > 0u) return;
  mean_dz.at[index] = sum.x;
  mean_dzu.at[index] = sum.y;
}
