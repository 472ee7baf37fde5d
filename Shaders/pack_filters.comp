// packed[O, taps, C] = w[O, C, taps] in f32: filters with their channels last, as products read them.
//
// One invocation per element of `packed`.
//! variants ACT=0 WEIGHT=0,1,2
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/weights.glsl"
#include "Include/grid.glsl"

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(push_constant) uniform Push {
  Weights w;
  Floats packed;
  uint channels;
  uint taps;
  uint count;
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint channel = i % channels;
  uint tap = i / channels % taps;
  uint filterIndex = i / channels / taps;
  packed.at[i] = weight(w, (filterIndex * channels + channel) * taps + tap);
}
