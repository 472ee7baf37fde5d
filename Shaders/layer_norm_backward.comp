// dx = rstd·(dy·gamma − m(dy·gamma) − u·m(dy·gamma·u)) + residual over the rows of x[R,C], where
// u = (x − mean)·rstd and m is the mean over a row.
//
// Workgroup: see layer_norm.comp. dx may be dy, x or residual.
//! variants ACT=0,1
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

void differentiate(uint row, vec4 slope[vectors]) {
  bool inside = row < rows;
  float centre = inside ? mean.at[row] : 0.0;
  float scale = inside ? rstd.at[row] : 0.0;
  vec4 u[vectors];
  vec4 dz[vectors];
  vec4 sum = vec4(0);
  vec4 product = vec4(0);
  [[unroll]] for (uint k = 0; k < vectors; k++) {
    u[k] = (row_piece(x, row, k, rows, width) - centre) * scale;
    dz[k] = row_piece(dy, row, k, rows, width) * slope[k];
    sum += dz[k];
    product += dz[k] * u[k];
  }
  vec2 means =
      sum_neighbours(vec4(total(sum), total(product), 0, 0), lanes).xy / float(width);
  if (!inside) return;
  [[unroll]] for (uint k = 0; k < vectors; k++) {
    if (!in_row(k, width)) continue;
    vec4 result = scale * (dz[k] - means.x - u[k] * means.y);
    if (has_residual) result += row_piece(residual, row, k, rows, width);
    store_piece(dx, row, k, width, result);
  }
}

void main() {
  vec4 slope[vectors];
  [[unroll]] for (uint k = 0; k < vectors; k++)
    slope[k] = in_row(k, width) ? vector_piece(gamma, k, vector_dtype) : vec4(0);
  for (uint k = 0; k < row_count; k++) differentiate(row_of(k, row_count), slope);
}
