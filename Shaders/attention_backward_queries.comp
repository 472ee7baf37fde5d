// dq = scale · dS · k with dS = P ∘ (dO · vᵀ − delta), P = exp(scale · q · kᵀ − lse).
//
// q, dO, dq [B,queries,heads·width]; k, v [B,keys,heads·width]; lse, delta [B,heads,queries]. A workgroup
// takes `rows` queries of one head and walks over the keys.
// Source: Dao, "FlashAttention-2", algorithm 2.
//! variants ACT=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/attention_tiles.glsl"

layout(push_constant) uniform Push {
  Acts q;
  Acts k;
  Acts v;
  Acts dO;
  Floats lse;
  Floats delta;
  Acts dq;
  uint batch;
  uint heads;
  uint queries;
  uint keys;
  float scale;
};

void put_probabilities(uint query, uint key, uint statistics) {
  [[unroll]] for (uint i = 0; i < lane_rows; i++) {
    uint row = first_lane_row() + i;
    float log_sum = query + row < queries ? lse.at[statistics + query + row] : 0.0;
    [[unroll]] for (uint j = 0; j < lane_columns; j++) {
      uint column = lane_index() + column_lanes * j;
      bool seen = is_visible(query + row, key + column, queries, keys);
      weights[weight_at(row, column)][column & 3u] =
          seen ? exp(scale * product[i * lane_columns + j] - log_sum) : 0.0;
    }
  }
}

void put_slopes(uint query, uint statistics) {
  [[unroll]] for (uint i = 0; i < lane_rows; i++) {
    uint row = first_lane_row() + i;
    float mean = query + row < queries ? delta.at[statistics + query + row] : 0.0;
    [[unroll]] for (uint j = 0; j < lane_columns; j++) {
      uint column = lane_index() + column_lanes * j;
      weights[weight_at(row, column)][column & 3u] *=
          scale * (product[i * lane_columns + j] - mean);
    }
  }
}

void main() {
  uint tiles = (queries + rows - 1) / rows;
  uint head = group_index() / tiles;
  uint query = group_index() % tiles * rows;
  if (head >= batch * heads) return;
  uint step = heads * width;
  uint offset = head % heads * width;
  uint query_base = head / heads * queries * step + offset;
  uint key_base = head / heads * keys * step + offset;
  Rows q_rows = rows_from(q, query_base, step, query, queries);
  Rows do_rows = rows_from(dO, query_base, step, query, queries);

  clear_sums();
  uint end = is_causal != 0 ? min(keys, query + rows) : keys;
  for (uint key = 0; key < end; key += columns) {
    Rows k_rows = rows_from(k, key_base, step, key, keys);
    products(q_rows, k_rows);
    put_probabilities(query, key, head * queries);
    products(do_rows, rows_from(v, key_base, step, key, keys));
    put_slopes(query, head * queries);
    accumulate(0, k_rows);
  }

  [[unroll]] for (uint i = 0; i < lane_rows; i++) {
    uint row = first_lane_row() + i;
    if (query + row >= queries) continue;
    [[unroll]] for (uint j = 0; j < lane_vectors; j++) {
      uint c = lane_index() + column_lanes * j;
      if (c < width4) {
        store_row4(dq, query_base + (query + row) * step, c, sums[i * lane_vectors + j]);
      }
    }
  }
}
