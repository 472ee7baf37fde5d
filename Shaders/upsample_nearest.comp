// y[b,i,j,:] = x[b,⌊i·H/H2⌋,⌊j·W/W2⌋,:]; x [B,H,W,C], y [B,H2,W2,C].
//
// C in units of UNIT bytes; one invocation per unit of y.
//! variants FETCH=0,1 UNIT=2,4,8,16
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/units.glsl"
#include "Include/grid.glsl"

layout(push_constant) uniform Push {
  Source x;
  Units y;
  uint count;
  uint channels;  // C, in units
  uint height;    // H
  uint width;     // W
  uint y_height;  // H2
  uint y_width;   // W2
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint pixel = i / channels;
  uint channel = i - pixel * channels;
  uint line = pixel / y_width;
  uint column = pixel - line * y_width;
  uint batch = line / y_height;
  uint row = line - batch * y_height;
  uint from = (batch * height + row * height / y_height) * width + column * width / y_width;
  y.at[i] = UNIT_OF(0, x, from * channels + channel);
}
