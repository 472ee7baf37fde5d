// dx[b,i,j,:] = Σ dy[b,u,v,:] over the copies of pixel (i,j): ⌊u·H/H2⌋ = i and ⌊v·W/W2⌋ = j.
//
// dy [B,H2,W2,C], dx [B,H,W,C]. One invocation per four elements of dx, or per element where C is not a
// multiple of four; it adds up row by row.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"
#include "Include/lanes.glsl"

layout(push_constant) uniform Push {
  Source dy;
  Acts dx;
  uint count;      // of dx, in groups of LANES
  uint channels;   // C, in groups of LANES
  uint height;     // H
  uint width;      // W
  uint dy_height;  // H2
  uint dy_width;   // W2
  Divisor per_pixel;   // by channels
  Divisor per_height;  // by height
  Divisor per_width;   // by width
};

// The first index of the large side whose source is k or more: ⌈k·large/small⌉.
uint first_copy(uint k, uint small, Divisor per_small, uint large) {
  return divide(k * large + small - 1, per_small);
}

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint pixel = divide(i, per_pixel);
  uint channel = i - pixel * channels;
  uint line = divide(pixel, per_width);
  uint column = pixel - line * width;
  uint batch = divide(line, per_height);
  uint row = line - batch * height;
  uint bottom = first_copy(row + 1, height, per_height, dy_height);
  uint left = first_copy(column, width, per_width, dy_width);
  uint right = first_copy(column + 1, width, per_width, dy_width);
  vec4 sum = vec4(0.0);
  for (uint u = first_copy(row, height, per_height, dy_height); u < bottom; u++) {
    uint start = (batch * dy_height + u) * dy_width;
    for (uint v = left; v < right; v++) sum += LOAD(0, dy, (start + v) * channels + channel);
  }
  store_lanes(dx, i, sum);
}
