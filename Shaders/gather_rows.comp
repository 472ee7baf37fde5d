// y[b,:] = x[b,index[b],:]; a row of NaN where the index is outside 0 ..< L.
//
// x [B,L,D], index i32 [B], y [B,D]; D in units of UNIT bytes. One invocation per unit of y.
//! variants FETCH=0,1 UNIT=2,4,8,16
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/units.glsl"
#include "Include/grid.glsl"
#include "Include/divide.glsl"

layout(push_constant) uniform Push {
  Source x;
  Source index;
  Units y;
  uint count;   // B · width
  uint tokens;  // L
  uint width;   // D, in units
  Divisor per_row;  // by width
  uint nan;     // the bits of one f32 or two f16
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  uint sample_number = divide(i, per_row);
  int token = int(READ(1, index, sample_number));
  if (token < 0 || uint(token) >= tokens) {
    y.at[i] = Unit(nan);
  } else {
    uint from = (sample_number * tokens + uint(token)) * width + (i - sample_number * width);
    y.at[i] = Unit(UNIT_OF(0, x, from));
  }
}
