// The multiply-add peak: CHAINS independent a = a·y + x, over and over.
//
// Not part of any operation: vulkan-bench measures with it what the device can do at best. Each invocation
// does 2 · CHAINS · STEPS operations a round and writes the sum of its chains, so that no compiler can leave
// them out; x and y keep the chains between 1e-3 and 2 (denormals would be slow on a CPU).
//! variants CHAINS=8,16,32
#version 460
#extension GL_GOOGLE_include_directive : require
#define ACT 0
#include "Include/types.glsl"
#include "Include/grid.glsl"

#define STEPS 6

layout(push_constant) uniform Push {
  Floats sums;  // one per invocation
  uint rounds;
};

void main() {
  uint i = invocation_index();
  float x = 1e-3 + 1e-6 * float(i & 1023u);
  float y = 0.5 + 1e-5 * float(i & 1023u);
  float chain[CHAINS];
  [[unroll]] for (int c = 0; c < CHAINS; c++) chain[c] = 1.0 + x * float(c);
  for (uint round = 0; round < rounds; round++) {
    [[unroll]] for (int step = 0; step < STEPS; step++) {
      [[unroll]] for (int c = 0; c < CHAINS; c++) chain[c] = fma(chain[c], y, x);
    }
  }
  float sum = 0.0;
  [[unroll]] for (int c = 0; c < CHAINS; c++) sum += chain[c];
  sums.at[i] = sum;
}
