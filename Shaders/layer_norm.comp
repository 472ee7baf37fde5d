// y = (x − mean)·rstd·gamma + beta over the rows of x[R,C], with mean and rstd of each row.
//
// Workgroup: `row_count` rows in turn, see Include/rows.glsl. y may be x.
//! variants ACT=0,1 SUBGROUP=0,1
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

void normalise(uint row, vec4 slope[pieces], vec4 shift[pieces]) {
  vec4 held[pieces];
  vec4 sum = vec4(0);
  [[unroll]] for (uint k = 0; k < pieces; k++) {
    held[k] = row_piece(x, row, k, width);
    sum += held[k];
  }
  float centre = sum_workgroup(total(sum)) / float(width);
  vec4 square = vec4(0);
  [[unroll]] for (uint k = 0; k < pieces; k++) {
    held[k] -= centre;
    if (in_row(k, width)) square += held[k] * held[k];
  }
  float scale = sum_workgroup(total(square));
  scale = 1.0 / sqrt(scale / float(width) + epsilon);
  [[unroll]] for (uint k = 0; k < pieces; k++)
    store_piece(y, row, k, width, held[k] * scale * slope[k] + shift[k]);
  if (gl_LocalInvocationID.x > 0u) return;
  if (has_mean) mean.at[row] = centre;
  if (has_rstd) rstd.at[row] = scale;
}

void main() {
  vec4 slope[pieces];
  vec4 shift[pieces];
  [[unroll]] for (uint k = 0; k < pieces; k++) {
    slope[k] = vector_piece(gamma, k, width, vector_dtype);
    shift[k] = vector_piece(beta, k, width, vector_dtype);
  }
  uint first = group_index() * row_count;
  for (uint row = first; row < min(first + row_count, rows); row++) normalise(row, slope, shift);
}
