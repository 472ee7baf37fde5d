// dv = Pᵀ · dO and dk = dSᵀ · q with dS = scale · P ∘ (dO · vᵀ − delta), P = exp(scale · q · kᵀ − lse), in
// registers.
//
// q, dO [B,queries,heads·width]; k, v, dk, dv [B,keys,heads·width]; lse, delta [B,heads,queries]. A
// workgroup, one subgroup, takes `rows` keys of one head and a chunk of the width, and walks over the queries.
// Source: Dao, "FlashAttention-2", algorithm 2.
//! variants ACT=0,1 FETCH=0,1
//! unrolled
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/sources.glsl"
#include "Include/attention_lanes.glsl"
layout(constant_id = 9) const uint wants_dk = 1;
layout(constant_id = 10) const uint wants_dv = 1;

layout(push_constant) uniform Push {
  Source q;
  Source k;
  Source v;
  Source dO;
  Floats lse;
  Floats delta;
  Acts dk;
  Acts dv;
  uint batch;
  uint heads;
  uint queries;
  uint keys;
  uint is_causal;
  float scale;
};

void main() {
  uint lane = gl_SubgroupInvocationID;
  uint tiles = (keys + rows - 1) / rows;
  uint first4 = group_index() % chunks * chunk4;
  uint head = group_index() / chunks / tiles;
  uint key = group_index() / chunks % tiles * rows;
  if (head >= batch * heads) return;
  uint step = heads * width;
  uint offset = head % heads * width;
  uint query_base = head / heads * queries * step + offset;
  uint key_base = head / heads * keys * step + offset;

  uint k_rows[lane_rows];
  uint v_rows[lane_rows];
  [[unroll]] for (uint j = 0; j < lane_rows; j++) {
    k_rows[j] = quad_row(FIRST_QUAD(k), key_base, step, key + lane + lanes * j, keys);
    v_rows[j] = quad_row(FIRST_QUAD(v), key_base, step, key + lane + lanes * j, keys);
  }
  clear_sums();
  uint begin = is_causal != 0 ? key / lanes * lanes : 0;
  for (uint query = begin; query < queries; query += lanes) {
    uint q_row = quad_row(FIRST_QUAD(q), query_base, step, query + lane, queries);
    uint do_row = quad_row(FIRST_QUAD(dO), query_base, step, query + lane, queries);
    uint statistic = head * queries + min(query + lane, queries - 1);
    products(QUADS(1, k), k_rows, QUADS(0, q), q_row);
    float log_sums = lse.at[statistic];
    [[unroll]] for (uint r = 0; r < lanes; r++) {
      float log_sum = subgroupShuffle(log_sums, r);
      [[unroll]] for (uint j = 0; j < lane_rows; j++) {
        bool seen =
            query + r < queries && (is_causal == 0 || key + lane + lanes * j <= query + r);
        weight[r][j] = seen ? exp(scale * product[r][j] - log_sum) : 0.0;
      }
    }
    if (wants_dv != 0) accumulate(sum_count - 1, QUADS(3, dO), do_row, first4);
    if (wants_dk != 0) {
      products(QUADS(2, v), v_rows, QUADS(3, dO), do_row);
      float means = delta.at[statistic];
      [[unroll]] for (uint r = 0; r < lanes; r++) {
        float mean = subgroupShuffle(means, r);
        [[unroll]] for (uint j = 0; j < lane_rows; j++) {
          weight[r][j] *= scale * (product[r][j] - mean);
        }
      }
      accumulate(0, QUADS(0, q), q_row, first4);
    }
  }

  [[unroll]] for (uint j = 0; j < lane_rows; j++) {
    uint row = key + lane + lanes * j;
    if (row < keys) {
      uint first = (key_base + row * step) / 4 + first4;
      if (wants_dk != 0) put_sums(dk, 0, j, first);
      if (wants_dv != 0) put_sums(dv, sum_count - 1, j, first);
    }
  }
}
