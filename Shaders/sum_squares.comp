// Partial sums of squares over pieces of up to eight f32 tensors.
//
// One workgroup per piece, counted through the tensors; a tensor without elements has none.
//! variants SUBGROUP=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/reduce.glsl"

layout(push_constant) uniform Push {
  Floats tensors[8];
  Floats sums;
  uint counts[8];
  uint piece;  // elements of a workgroup, a multiple of four
};

void main() {
  uint index = group_index();
  uint n = 0;
  for (; n < 8u; n++) {
    uint pieces = (counts[n] + piece - 1u) / piece;
    if (index < pieces) break;
    index -= pieces;
  }
  if (n == 8u) return;
  Floats x = tensors[n];
  uint first = index * piece;
  uint end = min(first + piece, counts[n]);
  uint step = gl_WorkGroupSize.x;
  vec4 a = vec4(0);
  vec4 b = vec4(0);
  uint k = (first >> 2) + gl_LocalInvocationID.x;
  for (; k + step < end >> 2; k += 2u * step) {
    vec4 left = Float4s(uvec2(x)).at[k];
    vec4 right = Float4s(uvec2(x)).at[k + step];
    a += left * left;
    b += right * right;
  }
  if (k < end >> 2) {
    vec4 left = Float4s(uvec2(x)).at[k];
    a += left * left;
  }
  uint rest = (end & ~3u) + gl_LocalInvocationID.x;
  if (rest < end) b.x += x.at[rest] * x.at[rest];
  a += b;
  float sum = sum_workgroup((a.x + a.y) + (a.z + a.w));
  if (gl_LocalInvocationID.x == 0u) sums.at[group_index()] = sum;
}
