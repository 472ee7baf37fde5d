// Partial sums of (prediction − target)² over pieces of each sample.
//
// One workgroup per piece.
//! variants ACT=0,1 FETCH=0,1 SUBGROUP=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/sources.glsl"
#include "Include/grid.glsl"
#include "Include/reduce.glsl"
layout(constant_id = 3) const bool wide = true;  // samples are read by fours

layout(push_constant) uniform Push {
  Source prediction;
  Source target;
  Floats sums;  // [B,pieces]
  uint samples;
  uint count;   // of a sample, in elements or fours
  uint piece;   // of a workgroup
};

vec4 squared_error(uint index) {
  vec4 error = wide
      ? VALUES(0, prediction, index, ACT) - VALUES(1, target, index, ACT)
      : vec4(VALUE(0, prediction, index, ACT) - VALUE(1, target, index, ACT), 0, 0, 0);
  return error * error;
}

void main() {
  uint pieces = (count + piece - 1u) / piece;
  uint index = group_index();
  if (index >= samples * pieces) return;
  uint start = index / pieces * count;
  uint end = start + min((index % pieces + 1u) * piece, count);
  uint k = start + index % pieces * piece + gl_LocalInvocationID.x;
  uint step = gl_WorkGroupSize.x;
  vec4 a = vec4(0);
  vec4 b = vec4(0);
  for (; k + step < end; k += 2u * step) {
    a += squared_error(k);
    b += squared_error(k + step);
  }
  if (k < end) a += squared_error(k);
  a += b;
  float sum = sum_workgroup((a.x + a.y) + (a.z + a.w));
  if (gl_LocalInvocationID.x == 0u) sums.at[index] = sum;
}
