// y[o] = Σ_t x[o,t] where outputs o and terms t both count through some of x's axes.
//
// An output is summed by `sum_lanes` invocations and a tree; a workgroup takes several outputs side by
// side. Where x's last axis is kept, neighbours take neighbouring outputs, else neighbouring terms. Long
// sums are cut into parts, whose results [parts,outputs] are summed in the same way afterwards.
//! variants ACT=0,1 FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/sources.glsl"
#include "Include/grid.glsl"
#include "Include/reduce.glsl"
layout(constant_id = 3) const uint sum_lanes = 16;        // a power of two
layout(constant_id = 4) const bool wide = false;          // x is read by fours along its last axis
layout(constant_id = 5) const bool last_kept = false;     // of x's axes
layout(constant_id = 6) const bool half_source = false;   // x is f16
layout(constant_id = 7) const bool half_result = false;   // y is f16
layout(constant_id = 8) const bool plain_outputs = true;  // they count through one axis
layout(constant_id = 9) const bool plain_terms = true;

// Up to three axes, the last one fastest; steps in elements of x, or in fours.
struct Axes {
  uint count;
  uint size_1;
  uint size_2;
  uint step_0;
  uint step_1;
  uint step_2;
};

layout(push_constant) uniform Push {
#if FETCH == 1
  uint x;
#else
  Floats x;
#endif
  Floats y;
  Axes outputs;
  Axes terms;
  uint part;   // terms of one
  uint parts;
};

uint offset_in(Axes axes, uint index, bool plain) {
  if (plain) return index * axes.step_2;
  uint outer = index / axes.size_2;
  return index % axes.size_2 * axes.step_2 + outer % axes.size_1 * axes.step_1
      + outer / axes.size_1 * axes.step_0;
}

vec4 term(uint start, uint index) {
  uint at = start + offset_in(terms, index, plain_terms);
#if FETCH == 1
  return fetch4(texels0, x + at);
#else
  if (wide) return half_source ? load4(Acts(uvec2(x)), at) : Float4s(uvec2(x)).at[at];
  return vec4(half_source ? load(Acts(uvec2(x)), at) : x.at[at], 0, 0, 0);
#endif
}

void put(uint index, vec4 sum) {
  if (wide && last_kept) {
    if (half_result) {
      store4(Acts(uvec2(y)), index, sum);
    } else {
      Float4s(uvec2(y)).at[index] = sum;
    }
    return;
  }
  if (half_result) {
    store(Acts(uvec2(y)), index, sum.x);
  } else {
    y.at[index] = sum.x;
  }
}

void main() {
  uint id = gl_LocalInvocationID.x;
  uint output_lanes = gl_WorkGroupSize.x / sum_lanes;
  uint lane = last_kept ? id / output_lanes : id & (sum_lanes - 1u);
  uint column = last_kept ? id & (output_lanes - 1u) : id / sum_lanes;
  uint tiles = (outputs.count + output_lanes - 1u) / output_lanes;
  uint output_index = group_index() % tiles * output_lanes + column;
  uint part_index = group_index() / tiles;
  bool inside = output_index < outputs.count && part_index < parts;

  vec4 a = vec4(0);
  vec4 b = vec4(0);
  vec4 c = vec4(0);
  vec4 d = vec4(0);
  if (inside) {
    uint start = offset_in(outputs, output_index, plain_outputs);
    uint end = min((part_index + 1u) * part, terms.count);
    uint k = part_index * part + lane;
    for (; k + 3u * sum_lanes < end; k += 4u * sum_lanes) {
      a += term(start, k);
      b += term(start, k + sum_lanes);
      c += term(start, k + 2u * sum_lanes);
      d += term(start, k + 3u * sum_lanes);
    }
    for (; k < end; k += sum_lanes) a += term(start, k);
  }
  vec4 sum = (a + b) + (c + d);
  if (last_kept) {
    sum = sum_columns(sum, output_lanes);
  } else {
    sum.x = sum_neighbours((sum.x + sum.y) + (sum.z + sum.w), sum_lanes);
  }
  if (inside && lane == 0u) put(part_index * outputs.count + output_index, sum);
}
