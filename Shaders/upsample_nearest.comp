// y[b,i,j,:] = x[b,⌊i·H/H2⌋,⌊j·W/W2⌋,:]; x [B,H,W,C], y [B,H2,W2,C].
//
// C in units of UNIT bytes; one invocation per unit of y.
//! variants FETCH=0,1 UNIT=2,4,8,16
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/units.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"

layout(push_constant) uniform Push {
  Source x;
  Units y;
  uint count;
  uint channels;  // C, in units
  uint height;    // H
  uint width;     // W
  uint y_height;  // H2
  uint y_width;   // W2
  Divisor per_pixel;   // by channels
  Divisor per_height;  // by y_height
  Divisor per_width;   // by y_width
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint pixel = divide(i, per_pixel);
  uint channel = i - pixel * channels;
  uint line = divide(pixel, per_width);
  uint column = pixel - line * y_width;
  uint batch = divide(line, per_height);
  uint row = line - batch * y_height;
  uint from = (batch * height + divide(row * height, per_height)) * width + divide(column * width, per_width);
  y.at[i] = Unit(UNIT_OF(0, x, from * channels + channel));
}
