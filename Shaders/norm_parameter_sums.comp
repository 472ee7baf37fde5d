// Partial sums of a norm's parameter gradients over blocks of pixels: Σ dz and Σ dz·u for each channel,
// with u = (x − mean)·rstd and dz = dy·act'(u·gamma + beta).
//
// Workgroup: see Include/columns.glsl. Group norm has a statistic per group, layer norm one per row.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/sources.glsl"
#include "Include/grid.glsl"
#include "Include/vectors.glsl"
#include "Include/activation.glsl"
#include "Include/columns.glsl"
#include "Include/reduce.glsl"
layout(constant_id = 5) const uint act = 0;
layout(constant_id = 6) const uint vector_dtype = 0;
layout(constant_id = 7) const bool by_row = false;

layout(push_constant) uniform Push {
  Source dy;
  Source x;
  Floats mean;    // [B,G], or [P] by row
  Floats rstd;    // as mean
  Words gamma;    // null without an activation
  Words beta;     // null without an activation
  Floats sums;    // [B·blocks,C]: Σ dz
  Floats scaled;  // [B·blocks,C]: Σ dz·u
  MapShape shape;
  uint groups;
};

void main() {
  Place place = place_in(shape);
  vec4 centre = vec4(0);
  vec4 scale = vec4(1);
  if (!by_row) {
    centre = groups_of(mean, place, groups, shape.channels / groups);
    scale = groups_of(rstd, place, groups, shape.channels / groups);
  }
  vec4 slope = vec4(1);
  vec4 shift = vec4(0);
  if (act != ACT_NONE) {
    slope = channels_of(gamma, place, vector_dtype);
    shift = channels_of(beta, place, vector_dtype);
  }
  vec4 sum = vec4(0);
  vec4 product = vec4(0);
  for (uint row = place.begin; row < place.end; row += pixel_step()) {
    if (by_row) {
      centre = vec4(mean.at[row]);
      scale = vec4(rstd.at[row]);
    }
    vec4 u = (row_source(1, x, row, place, shape) - centre) * scale;
    vec4 dz = row_source(0, dy, row, place, shape);
    if (act != ACT_NONE) dz *= activation_slope(act, u * slope + shift);
    sum += dz;
    product += dz * u;
  }
  sum = sum_columns(sum, columns);
  product = sum_columns(product, columns);
  if (!stores(place)) return;
  store_part(sums, place, shape, sum);
  store_part(scaled, place, shape, product);
}
