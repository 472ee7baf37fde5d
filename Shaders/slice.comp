// y[r,k] = x[r,first+k].
//
// Widths in units of UNIT bytes; one invocation per unit of y.
//! variants FETCH=0,1 UNIT=2,4,8,16
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/units.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"

layout(push_constant) uniform Push {
  Source x;
  Units y;
  uint count;    // rows · y_width
  uint x_width;
  uint y_width;
  uint first;
  Divisor per_row;  // by y_width
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint row = divide(i, per_row);
  y.at[i] = Unit(UNIT_OF(0, x, row * x_width + first + (i - row * y_width)));
}
