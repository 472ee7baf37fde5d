// y[b,i,j,:] = the mean of x[b,2i..2i+1,2j..2j+1,:], of what lies inside x.
//
// x [B,H,W,C], y [B,⌈H/2⌉,⌈W/2⌉,C]. One invocation per four elements of y, or per element where C is not
// a multiple of four.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"
#include "Include/lanes.glsl"

layout(push_constant) uniform Push {
  Source x;
  Acts y;
  uint count;     // of y, in groups of LANES
  uint channels;  // C, in groups of LANES
  uint height;    // H
  uint width;     // W
  Divisor per_pixel;   // by channels
  Divisor per_height;  // by y's height
  Divisor per_width;   // by y's width
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint y_width = (width + 1) / 2;
  uint y_height = (height + 1) / 2;
  uint pixel = divide(i, per_pixel);
  uint channel = i - pixel * channels;
  uint line = divide(pixel, per_width);
  uint left = 2 * (pixel - line * y_width);
  uint batch = divide(line, per_height);
  uint top = 2 * (line - batch * y_height);
  uint wide = min(2, width - left);
  uint tall = min(2, height - top);
  vec4 sum = vec4(0.0);
  for (uint dy = 0; dy < tall; dy++) {
    uint start = (batch * height + top + dy) * width + left;
    for (uint dx = 0; dx < wide; dx++) sum += LOAD(0, x, (start + dx) * channels + channel);
  }
  store_lanes(y, i, sum * (1.0 / float(tall * wide)));
}
