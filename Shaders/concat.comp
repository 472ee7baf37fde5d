// y[r,:] = x0[r,:] ‖ x1[r,:] ‖ x2[r,:] ‖ x3[r,:], from column `first` of y on.
//
// Widths in units of UNIT bytes; a missing input has width 0. One invocation per unit written; more than
// four inputs take several dispatches.
//! variants UNIT=2,4,8,16
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/units.glsl"
#include "Include/grid.glsl"

layout(push_constant) uniform Push {
  Units x0;
  Units x1;
  Units x2;
  Units x3;
  Units y;
  uint count;     // rows · (the inputs' widths together)
  uint width0;
  uint width1;
  uint width2;
  uint width3;
  uint first;
  uint y_width;   // of a whole row of y
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint width = width0 + width1 + width2 + width3;
  uint row = i / width;
  uint column = i - row * width;
  uint target = row * y_width + first + column;
  if (column < width0) {
    y.at[target] = x0.at[row * width0 + column];
    return;
  }
  column -= width0;
  if (column < width1) {
    y.at[target] = x1.at[row * width1 + column];
    return;
  }
  column -= width1;
  if (column < width2) {
    y.at[target] = x2.at[row * width2 + column];
    return;
  }
  column -= width2;
  y.at[target] = x3.at[row * width3 + column];
}
