// o = softmax(scale · q · kᵀ) · v and lse = log Σ exp(scale · q · kᵀ), by the online softmax.
//
// q, o [B,queries,heads·width]; k, v [B,keys,heads·width]; lse [B,heads,queries]. A workgroup takes `rows`
// queries of one head; scores exist for `columns` keys at a time, in shared memory.
// Source: Dao, "FlashAttention-2", algorithm 1.
//! variants ACT=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/attention_tiles.glsl"
layout(constant_id = 12) const uint wants_lse = 0;
layout(constant_id = 13) const uint group_size = 128;

layout(push_constant) uniform Push {
  Acts q;
  Acts k;
  Acts v;
  Acts o;
  Floats lse;
  uint batch;
  uint heads;
  uint queries;
  uint keys;
  float scale;
};

const float hidden = -3.0e38;
// Invocations that share a row while exponentials are taken.
const uint parts = group_size / rows;

shared float part_of[group_size];
shared float row_factor[rows];

// The largest score of this invocation's row so far, and its own part of Σ exp(score − top).
float top = hidden;
float total = 0;

void put_scores(uint query, uint key) {
  [[unroll]] for (uint i = 0; i < lane_rows; i++) {
    [[unroll]] for (uint j = 0; j < lane_columns; j++) {
      uint row = first_lane_row() + i;
      uint column = lane_index() + column_lanes * j;
      bool seen = is_visible(query + row, key + column, queries, keys);
      weights[weight_at(row, column)][column & 3u] =
          seen ? scale * product[i * lane_columns + j] : hidden;
    }
  }
}

// Scores become exp(score − top); row_factor is what earlier sums are multiplied with.
void exponentials() {
  uint row = gl_LocalInvocationID.x / parts;
  uint part = gl_LocalInvocationID.x % parts;
  float largest = hidden;
  for (uint c = part; c < columns / 4; c += parts) {
    vec4 s = weights[row * weight_stride + c];
    largest = max(max(largest, max(s.x, s.y)), max(s.z, s.w));
  }
  part_of[gl_LocalInvocationID.x] = largest;
  barrier();
  float before = top;
  for (uint i = 0; i < parts; i++) top = max(top, part_of[row * parts + i]);
  float factor = exp(before - top);
  if (part == 0) row_factor[row] = factor;
  total *= factor;
  for (uint c = part; c < columns / 4; c += parts) {
    vec4 e = exp(weights[row * weight_stride + c] - top);
    weights[row * weight_stride + c] = e;
    total += (e.x + e.y) + (e.z + e.w);
  }
  barrier();
}

void rescale() {
  [[unroll]] for (uint i = 0; i < lane_rows; i++) {
    float factor = row_factor[first_lane_row() + i];
    [[unroll]] for (uint j = 0; j < lane_vectors; j++) sums[i * lane_vectors + j] *= factor;
  }
}

// row_factor becomes 1 / Σ exp(score − top).
void finish_rows(uint query, uint head) {
  uint row = gl_LocalInvocationID.x / parts;
  part_of[gl_LocalInvocationID.x] = total;
  barrier();
  if (gl_LocalInvocationID.x % parts == 0) {
    float sum = 0;
    for (uint i = 0; i < parts; i++) sum += part_of[row * parts + i];
    row_factor[row] = 1.0 / sum;
    if (wants_lse != 0 && query + row < queries) lse.at[head * queries + query + row] = top + log(sum);
  }
  barrier();
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

  clear_sums();
  uint end = is_causal != 0 ? min(keys, query + rows) : keys;
  for (uint key = 0; key < end; key += columns) {
    products(q_rows, rows_from(k, key_base, step, key, keys));
    put_scores(query, key);
    barrier();
    exponentials();
    rescale();
    accumulate(0, rows_from(v, key_base, step, key, keys));
  }
  finish_rows(query, head);

  [[unroll]] for (uint i = 0; i < lane_rows; i++) {
    uint row = first_lane_row() + i;
    if (query + row >= queries) continue;
    [[unroll]] for (uint j = 0; j < lane_vectors; j++) {
      uint c = lane_index() + column_lanes * j;
      if (c < width4) {
        store_row4(
            o, query_base + (query + row) * step, c, sums[i * lane_vectors + j] * row_factor[row]);
      }
    }
  }
}
