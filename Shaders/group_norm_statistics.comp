// Partial statistics of x[B,P,C]: for each block of pixels and each channel, the mean of x − x[b,0,c] and
// the sum of squared deviations from it.
//
// The shift keeps a large mean from eating the digits; Chan, Golub and LeVeque's update keeps an unlucky
// shift from doing so. Workgroup: see Include/columns.glsl.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/sources.glsl"
#include "Include/grid.glsl"
#include "Include/vectors.glsl"
#include "Include/columns.glsl"

layout(push_constant) uniform Push {
  Source x;
  Floats means;    // [B·blocks,C]
  Floats squares;  // [B·blocks,C]
  MapShape shape;
};

struct Moments {
  float count;
  vec4 mean;
  vec4 square;  // sum of squared deviations from the mean
};

Moments merge(Moments a, Moments b) {
  float count = a.count + b.count;
  float share = count > 0.0 ? b.count / count : 0.0;
  vec4 delta = b.mean - a.mean;
  return Moments(
      count, a.mean + delta * share, a.square + b.square + delta * delta * (a.count * share));
}

shared float counts[gl_WorkGroupSize.x];
shared vec4 lane_means[gl_WorkGroupSize.x];
shared vec4 lane_squares[gl_WorkGroupSize.x];

Moments merge_rows(Moments own) {
  uint id = gl_LocalInvocationID.x;
  for (uint step = gl_WorkGroupSize.x >> 1; step >= columns; step >>= 1) {
    barrier();
    if (id >= step && id < 2u * step) {
      counts[id] = own.count;
      lane_means[id] = own.mean;
      lane_squares[id] = own.square;
    }
    barrier();
    uint other = id + step;
    if (id < step) own = merge(own, Moments(counts[other], lane_means[other], lane_squares[other]));
  }
  return own;
}

void main() {
  Place place = place_in(shape);
  uint step = pixel_step();
  vec4 shift = row_source(0, x, place.item * shape.pixels, place, shape);
  Moments own = Moments(0.0, vec4(0), vec4(0));
  uint row = place.begin;
  for (; row + 3u * step < place.end; row += 4u * step) {
    vec4 a = row_source(0, x, row, place, shape) - shift;
    vec4 b = row_source(0, x, row + step, place, shape) - shift;
    vec4 c = row_source(0, x, row + 2u * step, place, shape) - shift;
    vec4 d = row_source(0, x, row + 3u * step, place, shape) - shift;
    vec4 mean = ((a + b) + (c + d)) * 0.25;
    a -= mean;
    b -= mean;
    c -= mean;
    d -= mean;
    own = merge(own, Moments(4.0, mean, (a * a + b * b) + (c * c + d * d)));
  }
  for (; row < place.end; row += step)
    own = merge(own, Moments(1.0, row_source(0, x, row, place, shape) - shift, vec4(0)));
  own = merge_rows(own);
  if (!stores(place)) return;
  store_part(means, place, shape, own.mean);
  store_part(squares, place, shape, own.square);
}
