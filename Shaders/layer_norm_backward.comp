// dx = rstd·(dy·gamma − m(dy·gamma) − u·m(dy·gamma·u)) + residual over the rows of x[R,C], where
// u = (x − mean)·rstd and m is the mean over a row.
//
// Workgroup: `row_count` rows in turn, see Include/rows.glsl. dx may be dy, x or residual.
//! variants ACT=0,1 SUBGROUP=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/vectors.glsl"
#include "Include/reduce.glsl"
#include "Include/rows.glsl"
layout(constant_id = 6) const uint vector_dtype = 0;
layout(constant_id = 7) const bool has_residual = false;

layout(push_constant) uniform Push {
  Acts dy;
  Acts x;
  Floats mean;  // [R]
  Floats rstd;  // [R]
  Words gamma;
  Acts residual;
  Acts dx;
  uint rows;
  uint width;  // C
  uint row_count;
};

void differentiate(uint row, vec4 slope[pieces]) {
  float centre = mean.at[row];
  float scale = rstd.at[row];
  vec4 u[pieces];
  vec4 dz[pieces];
  vec4 sum = vec4(0);
  vec4 product = vec4(0);
  [[unroll]] for (uint k = 0; k < pieces; k++) {
    u[k] = (row_piece(x, row, k, width) - centre) * scale;
    dz[k] = row_piece(dy, row, k, width) * slope[k];
    sum += dz[k];
    product += dz[k] * u[k];
  }
  vec2 means = sum_workgroup(vec2(total(sum), total(product))) / float(width);
  [[unroll]] for (uint k = 0; k < pieces; k++) {
    vec4 result = scale * (dz[k] - means.x - u[k] * means.y);
    if (has_residual) result += row_piece(residual, row, k, width);
    store_piece(dx, row, k, width, result);
  }
}

void main() {
  vec4 slope[pieces];
  [[unroll]] for (uint k = 0; k < pieces; k++)
    slope[k] = vector_piece(gamma, k, width, vector_dtype);
  uint first = group_index() * row_count;
  for (uint row = first; row < min(first + row_count, rows); row++) differentiate(row, slope);
}
