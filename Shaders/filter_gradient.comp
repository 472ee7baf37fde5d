// dw[O, C, taps] = Σ partial[splits, O, taps, C]: finishes the filters' gradient, f32.
//
// One invocation per element of dw.
//! variants ACT=0
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(push_constant) uniform Push {
  Floats partial;
  Floats dw;
  uint channels;
  uint taps;
  uint count;
  uint splits;
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint tap = i % taps;
  uint channel = i / taps % channels;
  uint filterIndex = i / taps / channels;
  uint at = (filterIndex * taps + tap) * channels + channel;
  float sum = 0.0;
  for (uint split = 0; split < splits; split++) sum += partial.at[split * count + at];
  dw.at[i] = sum;
}
