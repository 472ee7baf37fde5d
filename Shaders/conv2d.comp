// y = act(conv(x, w) + bias + channel) + residual as a product over (tap, channel); and its gradient
// in x, dx = convᵀ(dy, w) + residual, where TRANSPOSED is set.
//
// CONV2D     rows are pixels of y, columns filters; a = x[B,H,W,C], b = w[O,taps,C]
// CONV2D_DX  rows are pixels of x, columns channels; a = dy[B,Ho,Wo,O], b = w[O,taps,C], across
// `source` is the map that `a` holds, `target` the one that is made. A step stays in one tap.
// A workgroup makes one tile of y, or the partial sums of one part of the depth.
//! variants ACT=0,1 CORE=0,1,2,3 WEIGHT=0
//! unrolled
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/weights.glsl"
#include "Include/grid.glsl"
#include "Include/vectors.glsl"
#include "Include/activation.glsl"
#include "Include/product_block.glsl"
#include "Include/product.glsl"

layout(constant_id = 17) const bool TRANSPOSED = false;
layout(constant_id = 18) const int STRIDE = 1;
layout(constant_id = 19) const uint KERNEL_WIDTH = 3;

layout(push_constant) uniform Push {
  Product product;
  Acts a;
  Weights b;
  uint aTexel;  // where a and b start in their texel buffers, with CORE 2
  uint bTexel;
  uint sourceHeight;
  uint sourceWidth;
  uint sourceChannels;
  uint targetHeight;
  uint targetWidth;
  uint taps;
  int top;
  int left;
};

#include "Include/operand_reads.glsl"
#include "Include/product_result.glsl"

// The present step: a tap and the channel at which the step starts.
uint tap;
ivec2 tapOffset;  // (row, column)
uint here;

// Per slot of `a`: the place in the source that tap 0 meets, and the image's first pixel.
ivec2 corner[A_SLOTS];
uint image[A_SLOTS];

void set_tap(uint index) {
  tap = index;
  tapOffset = ivec2(index / KERNEL_WIDTH, index % KERNEL_WIDTH);
}

void begin_steps(uint step) {
  uint chunks = (sourceChannels + DEPTH - 1) / DEPTH;
  set_tap(step / chunks);
  here = step % chunks * DEPTH;
}

void next_step() {
  here += DEPTH;
  if (here >= sourceChannels) {
    here = 0;
    set_tap(tap + 1);
  }
}

void begin_a(uint slot, uint row, uint k) {
  row = min(row, product.rows - 1);
  ivec2 pixel = ivec2(row / targetWidth % targetHeight, row % targetWidth);
  ivec2 padding = ivec2(top, left);
  corner[slot] = TRANSPOSED ? pixel + padding : pixel * STRIDE - padding;
  image[slot] = row / targetWidth / targetHeight * sourceHeight;
}

void begin_b(uint slot, uint column, uint k) {}

vec4 load_a(uint slot, uint row, uint k) {
  k += here;
  ivec2 place = TRANSPOSED ? corner[slot] - tapOffset : corner[slot] + tapOffset;
  bool inside = place.x >= 0 && place.y >= 0;
  if (TRANSPOSED && STRIDE > 1) {
    inside = inside && place.x % STRIDE == 0 && place.y % STRIDE == 0;
    place /= STRIDE;
  }
  uvec2 at = uvec2(place);
  inside = inside && at.x < sourceHeight && at.y < sourceWidth;
  uint pixel = inside ? (image[slot] + at.x) * sourceWidth + at.y : 0;
  vec4 quad = a_run(pixel, k, sourceChannels);
  if (!WHOLE_STEPS) quad = keep_below(sourceChannels, k, quad);
  return inside ? quad : vec4(0.0);
}

vec4 load_b(uint slot, uint column, uint k) {
  k += here;
  if (TRANSPOSED) {
    uint line = min(k, sourceChannels - 1) * taps + tap;
    vec4 quad = b_run(line, column, product.columns);
    return WHOLE_STEPS || k < sourceChannels ? quad : vec4(0.0);
  }
  uint line = min(column, product.columns - 1) * taps + tap;
  vec4 quad = b_run(line, k, sourceChannels);
  return WHOLE_STEPS ? quad : keep_below(sourceChannels, k, quad);
}

#include "Include/product_core.glsl"
