// y[r,:] = x0[r,:] ‖ x1[r,:] ‖ x2[r,:] ‖ x3[r,:], from column `first` of y on.
//
// Widths in units of UNIT bytes; a missing input has width 0. One invocation per unit written; more than
// four inputs take several dispatches.
//! variants FETCH=0,1 UNIT=2,4,8,16
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/units.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"

layout(constant_id = 3) const uint inputs = 4;

layout(push_constant) uniform Push {
  Source x0;
  Source x1;
  Source x2;
  Source x3;
  Units y;
  uint count;     // rows · (the inputs' widths together)
  uint width0;
  uint width1;
  uint width2;
  uint width3;
  uint first;
  uint y_width;   // of a whole row of y
  Divisor per_row;  // by the widths together
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint row = divide(i, per_row);
  uint column = i - row * (width0 + width1 + width2 + width3);
  uint target = row * y_width + first + column;
  Loaded unit;
  if (inputs == 1 || column < width0) {
    unit = UNIT_OF(0, x0, row * width0 + column);
  } else if (inputs == 2 || column < width0 + width1) {
    unit = UNIT_OF(1, x1, row * width1 + column - width0);
  } else if (inputs == 3 || column < width0 + width1 + width2) {
    unit = UNIT_OF(2, x2, row * width2 + column - width0 - width1);
  } else {
    unit = UNIT_OF(3, x3, row * width3 + column - width0 - width1 - width2);
  }
  y.at[target] = Unit(unit);
}
