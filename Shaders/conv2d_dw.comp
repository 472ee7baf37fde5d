// dw[O, (tap, C)] = dyᵀ·x as a product over the pixels of y: the gradient of a convolution's filters,
// with channels last and in f32; filter_gradient.comp puts them into their order.
//
// Rows are filters, columns (tap, channel); a = dy[B,Ho,Wo,O], across, b = x[B,H,W,C], across.
// A workgroup makes one tile of dw for one part of the pixels.
//! variants ACT=0,1 CORE=0,1,2,3 WEIGHT=0,1
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

layout(constant_id = 17) const int STRIDE = 1;
layout(constant_id = 18) const uint KERNEL_WIDTH = 3;
layout(constant_id = 19) const bool IN_LINE = false;  // the pixels of a step share a line of dy

layout(push_constant) uniform Push {
  Product product;
  Acts a;
  Weights b;
  uint aTexel;  // where a and b start in their texel buffers, with CORE 2
  uint bTexel;
  uint pixels;  // of dy, all images
  uint height;  // of x
  uint width;
  uint channels;
  uint dyHeight;
  uint dyWidth;
  int top;
  int left;
  uint stepImages;  // DEPTH pixels of dy, as images, rows and columns
  uint stepRows;
  uint stepColumns;
};

#include "Include/operand_reads.glsl"
#include "Include/product_result.glsl"

uint here;  // the pixel of dy at which the present step starts

// Pixels of dy as (image, row, column): the step's first, or, where it goes beyond a line, each slot's.
uvec3 stepPixel;
uvec3 slotPixel[B_SLOTS];

// Per slot of `b`: the tap and the channel of its first column.
uint tapOf[B_SLOTS];
uint channelOf[B_SLOTS];

uvec3 pixel_at(uint index) {
  return uvec3(index / dyWidth / dyHeight, index / dyWidth % dyHeight, index % dyWidth);
}

// The pixel DEPTH later.
uvec3 step_on(uvec3 pixel) {
  pixel += uvec3(stepImages, stepRows, stepColumns);
  if (pixel.z >= dyWidth) pixel += uvec3(0, 1, -dyWidth);
  if (pixel.y >= dyHeight) pixel += uvec3(1, -dyHeight, 0);
  return pixel;
}

void begin_steps(uint step) {
  here = step * DEPTH;
  stepPixel = pixel_at(here);
}

void begin_a(uint slot, uint row, uint k) {}

void begin_b(uint slot, uint column, uint k) {
  if (!IN_LINE) slotPixel[slot] = pixel_at(here + k);
  column = min(column, product.columns - 1);
  channelOf[slot] = column % channels;
  tapOf[slot] = column / channels;
}

void next_step() {
  here += DEPTH;
  if (IN_LINE) {
    stepPixel = step_on(stepPixel);
  } else {
    [[unroll]] for (uint slot = 0; slot < B_SLOTS; slot++) {
      slotPixel[slot] = step_on(slotPixel[slot]);
    }
  }
}

vec4 load_a(uint slot, uint row, uint k) {
  k += here;
  vec4 quad = a_run(min(k, pixels - 1), row, product.rows);
  return WHOLE_STEPS || k < pixels ? quad : vec4(0.0);
}

// The pixel of x under `tap` at the slot's pixel of dy, and whether there is one.
bool under_tap(uint slot, uint tap, uint k, out uint pixel) {
  uvec3 at = IN_LINE ? stepPixel + uvec3(0, 0, k) : slotPixel[slot];
  uint y = at.y * STRIDE + tap / KERNEL_WIDTH - top;
  uint x = at.z * STRIDE + tap % KERNEL_WIDTH - left;
  bool inside = here + k < pixels && y < height && x < width;
  pixel = inside ? (at.x * height + y) * width + x : 0;
  return inside;
}

vec4 load_b(uint slot, uint column, uint k) {
  uint pixel;
  if (B_QUADS) {
    bool inside = under_tap(slot, tapOf[slot], k, pixel);
    vec4 quad = b_quad((pixel * channels + channelOf[slot]) >> 2);
    return inside ? quad : vec4(0.0);
  }
  vec4 quad = vec4(0.0);
  uint channel = channelOf[slot];
  uint tap = tapOf[slot];
  [[unroll]] for (uint c = 0; c < 4; c++) {
    if (under_tap(slot, tap, k, pixel)) quad[c] = weight(b, pixel * channels + channel);
    channel++;
    if (channel == channels) {
      channel = 0;
      tap++;
    }
  }
  return quad;
}

#include "Include/product_core.glsl"
