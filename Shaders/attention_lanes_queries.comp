// dq = dS · k with dS = scale · P ∘ (dO · vᵀ − delta), P = exp(scale · q · kᵀ − lse), in registers.
//
// q, dO, dq [B,queries,heads·width]; k, v [B,keys,heads·width]; lse, delta [B,heads,queries]. A workgroup,
// one subgroup, takes `rows` queries of one head and a chunk of the width, and walks over the keys.
// Source: Dao, "FlashAttention-2", algorithm 2.
//! variants ACT=0,1 FETCH=0,1
//! unrolled
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/sources.glsl"
#include "Include/attention_lanes.glsl"

layout(push_constant) uniform Push {
  Source q;
  Source k;
  Source v;
  Source dO;
  Floats lse;
  Floats delta;
  Acts dq;
  uint batch;
  uint heads;
  uint queries;
  uint keys;
  uint is_causal;
  float scale;
};

void main() {
  uint lane = gl_SubgroupInvocationID;
  uint tiles = (queries + rows - 1) / rows;
  uint first4 = group_index() % chunks * chunk4;
  uint head = group_index() / chunks / tiles;
  uint query = group_index() / chunks % tiles * rows;
  if (head >= batch * heads) return;
  uint step = heads * width;
  uint offset = head % heads * width;
  uint query_base = head / heads * queries * step + offset;
  uint key_base = head / heads * keys * step + offset;

  uint q_rows[lane_rows];
  uint do_rows[lane_rows];
  float log_sum[lane_rows];
  float mean[lane_rows];
  [[unroll]] for (uint j = 0; j < lane_rows; j++) {
    uint row = min(query + lane + lanes * j, queries - 1);
    q_rows[j] = quad_row(FIRST_QUAD(q), query_base, step, row, queries);
    do_rows[j] = quad_row(FIRST_QUAD(dO), query_base, step, row, queries);
    log_sum[j] = lse.at[head * queries + row];
    mean[j] = delta.at[head * queries + row];
  }
  clear_sums();
  uint end = is_causal != 0 ? min(keys, query + rows) : keys;
  for (uint key = 0; key < end; key += lanes) {
    uint k_row = quad_row(FIRST_QUAD(k), key_base, step, key + lane, keys);
    products(QUADS(0, q), q_rows, QUADS(1, k), k_row);
    [[unroll]] for (uint r = 0; r < lanes; r++) {
      [[unroll]] for (uint j = 0; j < lane_rows; j++) {
        bool seen = key + r < keys && (is_causal == 0 || key + r <= query + lane + lanes * j);
        weight[r][j] = seen ? exp(scale * product[r][j] - log_sum[j]) : 0.0;
      }
    }
    products(QUADS(3, dO), do_rows, QUADS(2, v), quad_row(FIRST_QUAD(v), key_base, step, key + lane, keys));
    [[unroll]] for (uint r = 0; r < lanes; r++) {
      [[unroll]] for (uint j = 0; j < lane_rows; j++) {
        weight[r][j] *= scale * (product[r][j] - mean[j]);
      }
    }
    accumulate(0, QUADS(1, k), k_row, first4);
  }

  [[unroll]] for (uint j = 0; j < lane_rows; j++) {
    uint row = query + lane + lanes * j;
    if (row < queries) put_sums(dq, 0, j, (query_base + row * step) / 4 + first4);
  }
}
