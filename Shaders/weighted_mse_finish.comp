// means[b] = Σ sums[b,…] / n, loss = Σ_b weight[b]·means[b] / B.
//
// One workgroup.
//! variants SUBGROUP=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/reduce.glsl"
layout(constant_id = 3) const bool has_means = false;

layout(push_constant) uniform Push {
  Floats sums;   // [B,pieces]
  Floats weight;  // [B]
  Floats loss;   // [1]
  Floats means;  // [B], may be absent
  uint samples;
  uint count;    // elements of a sample, n
  uint pieces;
};

void main() {
  float loss_sum = 0.0;
  for (uint item = 0; item < samples; item++) {
    float sum = 0.0;
    for (uint k = gl_LocalInvocationID.x; k < pieces; k += gl_WorkGroupSize.x)
      sum += sums.at[item * pieces + k];
    float mean = sum_workgroup(sum) / float(count);
    loss_sum += weight.at[item] * mean;
    if (has_means && gl_LocalInvocationID.x == 0u) means.at[item] = mean;
  }
  if (gl_LocalInvocationID.x == 0u) loss.at[0] = loss_sum / float(samples);
}
