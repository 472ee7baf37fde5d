// o = softmax(scale · q · kᵀ) · v and lse = log Σ exp(scale · q · kᵀ), by the online softmax.
//
// q, o [B,queries,heads·width]; k, v [B,keys,heads·width]; lse [B,heads,queries]. A workgroup, one subgroup,
// takes `rows` queries of one head and a chunk of the width; scores exist for `lanes` keys at a time.
// Source: Dao, "FlashAttention-2", algorithm 1.
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
  Acts o;
  Floats lse;
  uint batch;
  uint heads;
  uint queries;
  uint keys;
  uint is_causal;
  uint wants_lse;
  float scale;
};

const float hidden = -3.0e38;
// The exponent's reference moves when a score exceeds it by more than this, so that sums are seldom scaled.
const float slack = 8;

// What is subtracted from scores before exp, and Σ exp(score − top).
float top[lane_rows];
float total[lane_rows];

// Products become scores in `weight`; those of keys that a query may not see are hidden.
void put_scores(uint query, uint key) {
  [[unroll]] for (uint r = 0; r < lanes; r++) {
    [[unroll]] for (uint j = 0; j < lane_rows; j++) {
      bool seen = key + r < keys && (is_causal == 0 || key + r <= query + lanes * j);
      weight[r][j] = seen ? scale * product[r][j] : hidden;
    }
  }
}

void move_top() {
  float largest[lane_rows];
  bool moves = false;
  [[unroll]] for (uint j = 0; j < lane_rows; j++) {
    largest[j] = weight[0][j];
    [[unroll]] for (uint r = 1; r < lanes; r++) largest[j] = max(largest[j], weight[r][j]);
    moves = moves || largest[j] > top[j] + slack;
  }
  if (!subgroupAny(moves)) return;
  [[unroll]] for (uint j = 0; j < lane_rows; j++) {
    float next = max(top[j], largest[j]);
    float factor = exp(top[j] - next);
    top[j] = next;
    total[j] *= factor;
    [[unroll]] for (uint c = 0; c < chunk4; c++) sums[0][c][j] *= factor;
  }
}

void exponentials() {
  [[unroll]] for (uint j = 0; j < lane_rows; j++) {
    float sum = 0;
    [[unroll]] for (uint r = 0; r < lanes; r++) {
      weight[r][j] = exp(weight[r][j] - top[j]);
      sum += weight[r][j];
    }
    total[j] += sum;
  }
}

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
  [[unroll]] for (uint j = 0; j < lane_rows; j++) {
    q_rows[j] = quad_row(FIRST_QUAD(q), query_base, step, query + lane + lanes * j, queries);
    top[j] = hidden;
    total[j] = 0;
  }
  clear_sums();
  uint end = is_causal != 0 ? min(keys, query + rows) : keys;
  for (uint key = 0; key < end; key += lanes) {
    products(QUADS(0, q), q_rows, QUADS(1, k), quad_row(FIRST_QUAD(k), key_base, step, key + lane, keys));
    put_scores(query + lane, key);
    move_top();
    exponentials();
    accumulate(0, QUADS(2, v), quad_row(FIRST_QUAD(v), key_base, step, key + lane, keys), first4);
  }

  [[unroll]] for (uint j = 0; j < lane_rows; j++) {
    uint row = query + lane + lanes * j;
    if (row < queries) {
      if (wants_lse != 0 && first4 == 0) lse.at[head * queries + row] = top[j] + log(total[j]);
      uint first = (query_base + row * step) / 4 + first4;
      [[unroll]] for (uint c = 0; c < chunk4; c++) store4(o, first + c, sums[0][c][j] / total[j]);
    }
  }
}
