// y = (x − mean)·rstd·gamma + beta over the rows of x[R,C], with mean and rstd of each row.
//
// Workgroup: `lanes` invocations share a row and keep it in registers; the workgroup's rows lie side by
// side, and each invocation takes `row_count` of them in turn. y may be x.
//! variants ACT=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/vectors.glsl"
#include "Include/reduce.glsl"
#include "Include/rows.glsl"
layout(constant_id = 6) const uint vector_dtype = 0;
layout(constant_id = 7) const bool has_mean = false;
layout(constant_id = 8) const bool has_rstd = false;

layout(push_constant) uniform Push {
  Acts x;
  Words gamma;
  Words beta;
  Acts y;
  Floats mean;  // [R], may be absent
  Floats rstd;  // [R], may be absent
  uint rows;
  uint width;  // C
  uint row_count;
  float epsilon;
};

void normalise(uint row, vec4 slope[vectors], vec4 shift[vectors]) {
  vec4 held[vectors];
  vec4 sum = vec4(0);
  [[unroll]] for (uint k = 0; k < vectors; k++) {
    held[k] = row_piece(x, row, k, rows, width);
    sum += held[k];
  }
  float centre = sum_neighbours(vec4(total(sum)), lanes).x / float(width);
  vec4 square = vec4(0);
  [[unroll]] for (uint k = 0; k < vectors; k++) {
    held[k] -= centre;
    if (in_row(k, width)) square += held[k] * held[k];
  }
  float scale = sum_neighbours(vec4(total(square)), lanes).x;
  scale = 1.0 / sqrt(scale / float(width) + epsilon);
  if (row >= rows) return;
  [[unroll]] for (uint k = 0; k < vectors; k++) {
    if (!in_row(k, width)) continue;
    store_piece(y, row, k, width, held[k] * scale * slope[k] + shift[k]);
  }
  if (row_lane() > 0u) return;
  if (has_mean) mean.at[row] = centre;
  if (has_rstd) rstd.at[row] = scale;
}

void main() {
  vec4 slope[vectors];
  vec4 shift[vectors];
  [[unroll]] for (uint k = 0; k < vectors; k++) {
    slope[k] = in_row(k, width) ? vector_piece(gamma, k, vector_dtype) : vec4(0);
    shift[k] = in_row(k, width) ? vector_piece(beta, k, vector_dtype) : vec4(0);
  }
  for (uint k = 0; k < row_count; k++) normalise(row_of(k, row_count), slope, shift);
}
