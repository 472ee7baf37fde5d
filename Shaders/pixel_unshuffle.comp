// y[b,i,j,c·r²+dy·r+dx] = x[b,i·r+dy,j·r+dx,c]; x [B,H,W,C], y [B,H/r,W/r,C·r²].
//
// UNIT is the bytes of an element. One invocation per element of y.
//! variants FETCH=0,1 UNIT=2,4
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/units.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"

layout(constant_id = 3) const uint r = 1;
layout(constant_id = 4) const uint channels = 1;  // C

layout(push_constant) uniform Push {
  Source x;
  Units y;
  uint count;
  uint width;  // W/r
  Divisor per_row;  // by width
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint dx = i % r;
  uint dy = i / r % r;
  uint channel = i / (r * r) % channels;
  uint pixel = i / (r * r * channels);
  uint row = divide(pixel, per_row);
  uint column = pixel - row * width;
  uint from = ((row * r + dy) * width * r + column * r + dx) * channels + channel;
  y.at[i] = Unit(UNIT_OF(0, x, from));
}
