// dprediction = dloss·2·weight[b]·(prediction − target) / (B·n).
//
// One workgroup per piece of a sample. dprediction may be prediction or target.
//! variants ACT=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
layout(constant_id = 3) const bool wide = true;  // samples are read by fours

layout(push_constant) uniform Push {
  Floats dloss;  // [1]
  Acts prediction;
  Acts target;
  Floats weight;  // [B]
  Acts dprediction;
  uint samples;
  uint count;    // of a sample, in elements or fours
  uint piece;    // of a workgroup
  float factor;  // 2 / (B·n)
};

void main() {
  uint pieces = (count + piece - 1u) / piece;
  uint item = group_index() / pieces;
  if (item >= samples) return;
  uint first = group_index() % pieces * piece;
  uint end = item * count + min(first + piece, count);
  float scale = dloss.at[0] * factor * weight.at[item];
  for (uint k = item * count + first + gl_LocalInvocationID.x; k < end; k += gl_WorkGroupSize.x) {
    if (wide) {
      store4(dprediction, k, scale * (load4(prediction, k) - load4(target, k)));
    } else {
      store(dprediction, k, scale * (load(prediction, k) - load(target, k)));
    }
  }
}
