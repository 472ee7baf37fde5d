// y = act((x − mean)·rstd·gamma + beta) for x[B,P,C] with the statistics of each group.
//
// Workgroup: see Include/columns.glsl. y may be x.
//! variants ACT=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/sources.glsl"
#include "Include/grid.glsl"
#include "Include/vectors.glsl"
#include "Include/activation.glsl"
#include "Include/columns.glsl"
layout(constant_id = 5) const uint act = 0;
layout(constant_id = 6) const uint vector_dtype = 0;

layout(push_constant) uniform Push {
  Acts x;
  Acts y;
  Floats mean;  // [B,G]
  Floats rstd;  // [B,G]
  Words gamma;
  Words beta;
  MapShape shape;
  uint groups;
};

void main() {
  Place place = place_in(shape);
  uint width = shape.channels / groups;
  vec4 centre = groups_of(mean, place, groups, width);
  vec4 scale = groups_of(rstd, place, groups, width) * channels_of(gamma, place, vector_dtype);
  vec4 shift = channels_of(beta, place, vector_dtype);
  for (uint row = place.begin; row < place.end; row += pixel_step()) {
    vec4 z = (row_at(x, row, place, shape) - centre) * scale + shift;
    store_row(y, row, place, shape, activate(act, z));
  }
}
