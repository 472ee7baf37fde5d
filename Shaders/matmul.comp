// y = act(a·bᵀ + bias) + residual; a and b in lines along the depth, or across it.
//
// LINEAR     y[M,N]  = x[M,K]·w[N,K]ᵀ:  a = x, b = w
// LINEAR_DX  dx[M,K] = dy[M,N]·w[N,K]:  a = dy, b = w, across
// LINEAR_DW  dw[N,K] = dy[M,N]ᵀ·x[M,K]: a = dy, across, b = x, across
// A workgroup makes one tile of y, or the partial sums of one part of the depth.
//! variants ACT=0,1 CORE=0,1,2,3 WEIGHT=0,1,2
//! unrolled
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/weights.glsl"
#include "Include/grid.glsl"
#include "Include/vectors.glsl"
#include "Include/activation.glsl"
#include "Include/product_block.glsl"
#include "Include/product.glsl"

layout(push_constant) uniform Push {
  Product product;
  Acts a;     // [rows, depth], or [depth, rows] where A_ACROSS
  Weights b;  // [columns, depth], or [depth, columns] where B_ACROSS
  uint aTexel;  // where a and b start in their texel buffers, with CORE 2
  uint bTexel;
  uint depth;
};

#include "Include/operand_reads.glsl"
#include "Include/product_result.glsl"

uint here;  // the depth at which the present step starts

// Where steps are whole and quads can be read: each slot's first quad (of its line, where lines are along the
// depth), and what the steps add to it.
const bool A_PLAIN = WHOLE_STEPS && A_QUADS;
const bool B_PLAIN = WHOLE_STEPS && B_QUADS;
uint aFirst[A_SLOTS];
uint bFirst[B_SLOTS];
uint aOffset;
uint bOffset;

void set_step(uint start) {
  here = start;
  aOffset = A_ACROSS ? start * (product.rows >> 2) : start >> 2;
  bOffset = B_ACROSS ? start * (product.columns >> 2) : start >> 2;
}

void begin_steps(uint step) { set_step(step * DEPTH); }
void next_step() { set_step(here + DEPTH); }

void begin_a(uint slot, uint row, uint k) {
  aFirst[slot] = A_ACROSS ? k * (product.rows >> 2) + (min(row, product.rows - 4) >> 2)
                          : min(row, product.rows - 1) * (depth >> 2);
}

void begin_b(uint slot, uint column, uint k) {
  bFirst[slot] = B_ACROSS ? k * (product.columns >> 2) + (min(column, product.columns - 4) >> 2)
                          : min(column, product.columns - 1) * (depth >> 2);
}

vec4 load_a(uint slot, uint row, uint k) {
  if (A_PLAIN) return a_quad(aFirst[slot] + aOffset + (A_ACROSS ? 0 : k >> 2));
  k += here;
  if (A_ACROSS) {
    vec4 quad = a_run(min(k, depth - 1), row, product.rows);
    return k < depth ? quad : vec4(0.0);
  }
  return keep_below(depth, k, a_run(min(row, product.rows - 1), k, depth));
}

vec4 load_b(uint slot, uint column, uint k) {
  if (B_PLAIN) return b_quad(bFirst[slot] + bOffset + (B_ACROSS ? 0 : k >> 2));
  k += here;
  if (B_ACROSS) {
    vec4 quad = b_run(min(k, depth - 1), column, product.columns);
    return k < depth ? quad : vec4(0.0);
  }
  return keep_below(depth, k, b_run(min(column, product.columns - 1), k, depth));
}

#include "Include/product_core.glsl"
