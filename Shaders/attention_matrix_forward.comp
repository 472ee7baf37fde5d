// o = softmax(scale · q · kᵀ) · v and lse = log Σ exp(scale · q · kᵀ), on matrix units.
//
// q, o [B,queries,heads·width]; k, v [B,keys,heads·width]; lse [B,heads,queries]; queries and keys in
// multiples of 32, width of 16. A workgroup, one subgroup of 32, takes 32 queries of one head, a
// row for each lane while exponentials are taken, and 32 keys at a time. Products are f16 · f16 → f32; the
// softmax is f32; exp(score − top) is rounded to f16 for its product, and o divided by the sum as rounded.
// Source: Dao, "FlashAttention-2", algorithm 1.
//! variants ACT=1
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_vote : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/matrices.glsl"
layout(constant_id = 3) const uint width = 64;

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
  uint wants_lse;
  float scale;
};

const uint rows = 32;
const uint depth = width / 16;
// Strides keep rows 16-byte aligned and on different banks.
const uint score_stride = 36;
const uint weight_stride = 40;
// As in attention_lanes_forward: the exponent's reference seldom moves; exp(slack) fits f16.
const float slack = 8;
const float hidden = -3.0e38;

shared float scores[rows * score_stride];
shared float16_t weights[rows * weight_stride];

SUM_MATRIX sums[2 * depth];

// scores[query, key] = q · kᵀ for 32 queries and keys.
void put_products(uint q_first, uint k_first, uint step) {
  SUM_MATRIX product[4];
  [[unroll]] for (uint i = 0; i < 4; i++) product[i] = SUM_MATRIX(0.0);
  [[unroll]] for (uint c = 0; c < depth; c++) {
    A_MATRIX left[2];
    [[unroll]] for (uint i = 0; i < 2; i++) {
      LOAD_ROWS(left[i], q.at, q_first + 16 * (i * step + c), step);
    }
    [[unroll]] for (uint j = 0; j < 2; j++) {
      B_MATRIX right;
      LOAD_COLUMNS(right, k.at, k_first + 16 * (j * step + c), step);
      [[unroll]] for (uint i = 0; i < 2; i++) {
        product[2 * i + j] = MULTIPLY_ADD(left[i], right, product[2 * i + j]);
      }
    }
  }
  [[unroll]] for (uint i = 0; i < 4; i++) {
    uint at = i / 2 * 16 * score_stride + i % 2 * 16;
    STORE_ROWS(product[i], scores, at, score_stride);
  }
}

// Sums of all queries go through `scores`, where each lane multiplies its row; the scores are lost.
void rescale(uint lane, float factor) {
  [[unroll]] for (uint c = 0; c < depth; c++) {
    [[unroll]] for (uint i = 0; i < 2; i++) {
      STORE_ROWS(sums[i * depth + c], scores, i * 16 * score_stride, score_stride);
    }
    barrier();
    if (lane < rows) {
      for (uint x = 0; x < 16; x++) scores[lane * score_stride + x] *= factor;
    }
    barrier();
    [[unroll]] for (uint i = 0; i < 2; i++) {
      LOAD_ROWS(sums[i * depth + c], scores, i * 16 * score_stride, score_stride);
    }
    barrier();
  }
}

void accumulate(uint v_first, uint step) {
  [[unroll]] for (uint j = 0; j < 2; j++) {
    A_MATRIX left[2];
    [[unroll]] for (uint i = 0; i < 2; i++) {
      LOAD_ROWS(left[i], weights, i * 16 * weight_stride + 16 * j, weight_stride);
    }
    [[unroll]] for (uint c = 0; c < depth; c++) {
      B_MATRIX right;
      LOAD_ROWS(right, v.at, v_first + 16 * (j * step + c), step);
      [[unroll]] for (uint i = 0; i < 2; i++) {
        sums[i * depth + c] = MULTIPLY_ADD(left[i], right, sums[i * depth + c]);
      }
    }
  }
}

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint row = min(lane, rows - 1);
  uint tiles = queries / rows;
  uint head = group_index() / tiles;
  uint query = group_index() % tiles * rows;
  if (head >= batch * heads) return;
  uint step = heads * width;
  uint offset = head % heads * width;
  uint q_first = (head / heads * queries + query) * step + offset;
  uint k_first = head / heads * keys * step + offset;

  [[unroll]] for (uint i = 0; i < 2 * depth; i++) sums[i] = SUM_MATRIX(0.0);
  float top = hidden;
  float total = 0;
  float rounded = 0;
  for (uint key = 0; key < keys; key += 32) {
    put_products(q_first, k_first + key * step, step);
    barrier();
    // Each lane begins at its own column, so that lanes meet on different banks.
    float score[32];
    float largest = hidden;
    [[unroll]] for (uint x = 0; x < 32; x++) {
      score[x] = scale * scores[row * score_stride + ((x + lane) & 31u)];
      largest = max(largest, score[x]);
    }
    barrier();
    if (subgroupAny(largest > top + slack)) {
      float next = max(top, largest);
      float factor = exp(top - next);
      top = next;
      total *= factor;
      rounded *= factor;
      rescale(lane, factor);
    }
    [[unroll]] for (uint x = 0; x < 32; x++) {
      float exact = exp(score[x] - top);
      float16_t weight = float16_t(exact);
      total += exact;
      rounded += float(weight);
      if (lane < rows) weights[row * weight_stride + ((x + lane) & 31u)] = weight;
    }
    barrier();
    accumulate(k_first + key * step, step);
    barrier();
  }

  rescale(lane, 1.0 / rounded);
  [[unroll]] for (uint c = 0; c < depth; c++) {
    [[unroll]] for (uint i = 0; i < 2; i++) {
      STORE_ROWS(sums[i * depth + c], scores, i * 16 * score_stride, score_stride);
    }
    barrier();
    if (lane < rows) {
      for (uint x = 0; x < 16; x++) {
        store(o, q_first + row * step + 16 * c + x, scores[row * score_stride + x]);
      }
    }
    barrier();
  }
  if (wants_lse != 0 && lane < rows) lse.at[head * queries + query + row] = top + log(total);
}
