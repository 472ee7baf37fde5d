// dx = rstd·(dz·gamma − m(dz·gamma) − u·m(dz·gamma·u)) + residual, where u = (x − mean)·rstd, dz is
// dy·act'(u·gamma + beta) and m is the mean over a group.
//
// Workgroup: see Include/columns.glsl. dx may be dy, x or residual.
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
layout(constant_id = 7) const bool has_residual = false;

layout(push_constant) uniform Push {
  Acts dy;
  Acts x;
  Acts residual;
  Acts dx;
  Floats mean;      // [B,G]
  Floats rstd;      // [B,G]
  Floats mean_dz;   // [B,G]
  Floats mean_dzu;  // [B,G]
  Words gamma;
  Words beta;
  MapShape shape;
  uint groups;
};

void main() {
  Place place = place_in(shape);
  uint width = shape.channels / groups;
  vec4 centre = groups_of(mean, place, groups, width);
  vec4 scale = groups_of(rstd, place, groups, width);
  vec4 offset = groups_of(mean_dz, place, groups, width);
  vec4 slope = groups_of(mean_dzu, place, groups, width);
  vec4 factor = channels_of(gamma, place, vector_dtype);
  vec4 shift = act == ACT_NONE ? vec4(0) : channels_of(beta, place, vector_dtype);
  for (uint row = place.begin; row < place.end; row += pixel_step()) {
    vec4 u = (row_at(x, row, place, shape) - centre) * scale;
    vec4 dz = row_at(dy, row, place, shape);
    if (act != ACT_NONE) dz *= activation_slope(act, u * factor + shift);
    vec4 result = scale * (dz * factor - offset - u * slope);
    if (has_residual) result += row_at(residual, row, place, shape);
    store_row(dx, row, place, shape, result);
  }
}
