// Mean and reciprocal standard deviation of each group from the partial statistics of its channels.
//
// One workgroup per sample and group.
//! variants ACT=0,1 SUBGROUP=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/reduce.glsl"

layout(push_constant) uniform Push {
  Acts x;          // [B,P,C]
  Floats means;    // [B,blocks,C], of x − x[b,0,c]
  Floats squares;  // [B,blocks,C]
  Floats mean;     // [B,G]
  Floats rstd;     // [B,G]
  uint samples;
  uint pixels;
  uint channels;
  uint block;
  uint groups;
  float epsilon;
};

void main() {
  uint index = group_index();
  if (index >= samples * groups) return;
  uint width = channels / groups;
  uint blocks = (pixels + block - 1u) / block;
  uint sample_index = index / groups;
  uint channel = index % groups * width;
  uint corner = sample_index * pixels * channels + channel;
  float shift = load(x, corner);
  float elements = float(pixels) * float(width);

  float sum = 0.0;
  for (uint k = gl_LocalInvocationID.x; k < blocks * width; k += gl_WorkGroupSize.x) {
    uint part = k / width;
    uint c = k % width;
    float count = float(min(block, pixels - part * block));
    float centre = means.at[(sample_index * blocks + part) * channels + channel + c];
    sum += count * (centre + (load(x, corner + c) - shift));
  }
  float centre = sum_workgroup(sum) / elements;

  float square = 0.0;
  for (uint k = gl_LocalInvocationID.x; k < blocks * width; k += gl_WorkGroupSize.x) {
    uint part = k / width;
    uint c = k % width;
    float count = float(min(block, pixels - part * block));
    uint at = (sample_index * blocks + part) * channels + channel + c;
    float distance = means.at[at] + (load(x, corner + c) - shift) - centre;
    square += squares.at[at] + count * distance * distance;
  }
  square = sum_workgroup(square);
  if (gl_LocalInvocationID.x > 0u) return;
  mean.at[index] = shift + centre;
  rstd.at[index] = 1.0 / sqrt(square / elements + epsilon);
}
