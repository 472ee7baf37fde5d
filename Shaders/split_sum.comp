// y = act(Σ partial + bias + channel) + residual, over the parts of a product's split depth.
//
// partial[splits, rows, columns], f32. One invocation takes four columns of a row.
//! variants ACT=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/vectors.glsl"
#include "Include/activation.glsl"
#include "Include/product_block.glsl"

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(push_constant) uniform Push {
  Product product;
  Floats partial;
  uint splits;
};

#include "Include/product_result.glsl"

void main() {
  uint runs = (product.columns + 3) >> 2;
  uint index = invocation_index();
  if (index >= product.rows * runs) return;
  uint row = index / runs;
  uint column = index % runs * 4;
  vec4 sum = column_bias(column);
  for (uint split = 0; split < splits; split++) {
    uint at = (split * product.rows + row) * product.columns + column;
    if (Y_QUADS) {
      sum += Float4s(uvec2(partial)).at[at >> 2];
    } else {
      [[unroll]] for (uint j = 0; j < 4; j++) {
        if (column + j < product.columns) sum[j] += partial.at[at + j];
      }
    }
  }
  put_result(0, row, column, sum);
}
