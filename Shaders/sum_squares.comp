// Partial sums of squares over pieces of several f32 tensors: eight, or four by texel fetches.
//
// One workgroup per piece, counted through the tensors; a tensor without elements has none.
//! variants FETCH=0,1 SUBGROUP=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/reduce.glsl"

#if FETCH == 1
#include "Include/texels.glsl"
#define TENSORS 4
#define TENSOR uint
#else
#define TENSORS 8
#define TENSOR Floats
#endif

layout(push_constant) uniform Push {
  TENSOR tensors[TENSORS];
  Floats sums;
  uint counts[TENSORS];
  uint piece;  // elements of a workgroup, a multiple of four
};

// Elements from 4·index on.
vec4 elements(uint n, uint index) {
#if FETCH == 1
  switch (n) {
    case 0: return fetch4(texels0, tensors[0] + index);
    case 1: return fetch4(texels1, tensors[1] + index);
    case 2: return fetch4(texels2, tensors[2] + index);
    default: return fetch4(texels3, tensors[3] + index);
  }
#else
  return Float4s(uvec2(tensors[n])).at[index];
#endif
}

// Of the last elements of a tensor, which do not fill four, the one that is the invocation's.
float last_element(uint n, uint end) {
  uint lane = gl_LocalInvocationID.x;
  if (lane >= (end & 3u)) return 0.0;
#if FETCH == 1
  return elements(n, end >> 2)[lane];
#else
  return tensors[n].at[(end & ~3u) + lane];
#endif
}

void main() {
  uint index = group_index();
  uint n = 0;
  for (; n < TENSORS; n++) {
    uint pieces = (counts[n] + piece - 1u) / piece;
    if (index < pieces) break;
    index -= pieces;
  }
  if (n == TENSORS) return;
  uint first = index * piece;
  uint end = min(first + piece, counts[n]);
  uint step = gl_WorkGroupSize.x;
  vec4 a = vec4(0);
  vec4 b = vec4(0);
  uint k = (first >> 2) + gl_LocalInvocationID.x;
  for (; k + step < end >> 2; k += 2u * step) {
    vec4 left = elements(n, k);
    vec4 right = elements(n, k + step);
    a += left * left;
    b += right * right;
  }
  if (k < end >> 2) {
    vec4 left = elements(n, k);
    a += left * left;
  }
  float rest = last_element(n, end);
  b.x += rest * rest;
  a += b;
  float sum = sum_workgroup((a.x + a.y) + (a.z + a.w));
  if (gl_LocalInvocationID.x == 0u) sums.at[group_index()] = sum;
}
