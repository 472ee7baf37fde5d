// dv = Pᵀ · dO and dk = scale · dSᵀ · q with dS = P ∘ (dO · vᵀ − delta), P = exp(scale · q · kᵀ − lse).
//
// q, dO [B,queries,heads·width]; k, v, dk, dv [B,keys,heads·width]; lse, delta [B,heads,queries]. A
// workgroup takes `rows` keys of one head and walks over `span` queries; where several share the queries,
// each writes an f32 part, [parts,B,keys,heads·width], and another dispatch adds the parts.
// Source: Dao, "FlashAttention-2", algorithm 2.
//! variants ACT=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/attention_tiles.glsl"
layout(constant_id = 12) const uint wants_dk = 1;
layout(constant_id = 13) const uint wants_dv = 1;
// Workgroups that share the queries.
layout(constant_id = 14) const uint parts = 1;

layout(push_constant) uniform Push {
  Acts q;
  Acts k;
  Acts v;
  Acts dO;
  Floats lse;
  Floats delta;
  Acts dk;
  Acts dv;
  uint batch;
  uint heads;
  uint queries;
  uint keys;
  uint span;
  float scale;
};

void put_probabilities(uint key, uint query, uint statistics) {
  [[unroll]] for (uint j = 0; j < lane_columns; j++) {
    uint column = lane_index() + column_lanes * j;
    float log_sum = query + column < queries ? lse.at[statistics + query + column] : 0.0;
    [[unroll]] for (uint i = 0; i < lane_rows; i++) {
      uint row = first_lane_row() + i;
      bool seen = is_visible(query + column, key + row, queries, keys);
      weights[weight_at(row, column)][column & 3u] =
          seen ? exp(scale * product[i * lane_columns + j] - log_sum) : 0.0;
    }
  }
}

void put_slopes(uint query, uint statistics) {
  [[unroll]] for (uint j = 0; j < lane_columns; j++) {
    uint column = lane_index() + column_lanes * j;
    float mean = query + column < queries ? delta.at[statistics + query + column] : 0.0;
    [[unroll]] for (uint i = 0; i < lane_rows; i++) {
      uint row = first_lane_row() + i;
      weights[weight_at(row, column)][column & 3u] *=
          scale * (product[i * lane_columns + j] - mean);
    }
  }
}

// Sums `which` to rows of `t`, of which part `part` begins `part` tensors in.
void put_sums(Acts t, uint which, uint part, uint key, uint key_base, uint step) {
  [[unroll]] for (uint i = 0; i < lane_rows; i++) {
    uint row = first_lane_row() + i;
    if (key + row >= keys) continue;
    uint first = key_base + (key + row) * step;
    [[unroll]] for (uint j = 0; j < lane_vectors; j++) {
      uint c = lane_index() + column_lanes * j;
      vec4 sum = sums[which * lane_sums + i * lane_vectors + j];
      if (c >= width4) continue;
      if (parts == 1) {
        store_row4(t, first, c, sum);
      } else {
        store_part4(Floats(uvec2(t)), part * batch * keys * step + first, c, sum);
      }
    }
  }
}

void main() {
  uint part = group_index() % parts;
  uint tiles = (keys + rows - 1) / rows;
  uint head = group_index() / parts / tiles;
  uint key = group_index() / parts % tiles * rows;
  if (head >= batch * heads) return;
  uint step = heads * width;
  uint offset = head % heads * width;
  uint query_base = head / heads * queries * step + offset;
  uint key_base = head / heads * keys * step + offset;
  Rows k_rows = rows_from(k, key_base, step, key, keys);
  Rows v_rows = rows_from(v, key_base, step, key, keys);

  clear_sums();
  uint begin = part * span;
  if (is_causal != 0) begin = max(begin, key / columns * columns);
  uint end = min(queries, (part + 1) * span);
  for (uint query = begin; query < end; query += columns) {
    Rows q_rows = rows_from(q, query_base, step, query, queries);
    Rows do_rows = rows_from(dO, query_base, step, query, queries);
    products(k_rows, q_rows);
    put_probabilities(key, query, head * queries);
    if (wants_dv != 0) accumulate(sum_count - 1, do_rows);
    if (wants_dk != 0) {
      products(v_rows, do_rows);
      put_slopes(query, head * queries);
      accumulate(0, q_rows);
    }
  }
  if (wants_dk != 0) put_sums(dk, 0, part, key, key_base, step);
  if (wants_dv != 0) put_sums(dv, sum_count - 1, part, key, key_base, step);
}
