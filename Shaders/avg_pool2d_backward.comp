// dx[b,i,j,:] = dy[b,⌊i/2⌋,⌊j/2⌋,:] / how many pixels its window has.
//
// dy [B,⌈H/2⌉,⌈W/2⌉,C], dx [B,H,W,C]. One invocation per four elements of dx, or per element where C is
// not a multiple of four.
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
  uint count;     // of dx, in groups of LANES
  uint channels;  // C, in groups of LANES
  uint height;    // H
  uint width;     // W
  Divisor per_pixel;   // by channels
  Divisor per_height;  // by height
  Divisor per_width;   // by width
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint dy_width = (width + 1) / 2;
  uint dy_height = (height + 1) / 2;
  uint pixel = divide(i, per_pixel);
  uint channel = i - pixel * channels;
  uint line = divide(pixel, per_width);
  uint column = (pixel - line * width) / 2;
  uint batch = divide(line, per_height);
  uint row = (line - batch * height) / 2;
  uint covered = min(2, width - 2 * column) * min(2, height - 2 * row);
  uint window = (batch * dy_height + row) * dy_width + column;
  store_lanes(dx, i, LOAD(0, dy, window * channels + channel) * (1.0 / float(covered)));
}
