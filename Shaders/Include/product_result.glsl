// y = act(sum + bias + channel) + residual: what a product does with four sums of a row.
//
// A partial sum of a split reduction is stored as it is, in f32; split_sum.comp finishes it.
// Needs vectors.glsl, activation.glsl and the push constant `product`.
layout(constant_id = 11) const bool Y_QUADS = false;  // columns is a multiple of four
layout(constant_id = 12) const bool Y_FLOAT = false;  // y is f32 whatever ACT says
layout(constant_id = 13) const uint RESULT_ACT = 0;
layout(constant_id = 14) const uint BIAS_TYPE = 3;  // 3: there is none
layout(constant_id = 15) const bool HAS_CHANNEL = false;
layout(constant_id = 16) const bool HAS_RESIDUAL = false;
const bool IS_PLAIN_RESULT =
    Y_QUADS && RESULT_ACT == ACT_NONE && !HAS_CHANNEL && !HAS_RESIDUAL;

// Bias of columns `column` to `column` + 3.
vec4 column_bias(uint column) {
  vec4 bias = vec4(0.0);
  if (BIAS_TYPE == 3) return bias;
  [[unroll]] for (uint j = 0; j < 4; j++) {
    bias[j] = vector_at(product.bias, min(column + j, product.columns - 1), BIAS_TYPE);
  }
  return bias;
}

float finish(uint row, uint column, float sum) {
  if (HAS_CHANNEL) {
    sum += load(product.channel, row / product.rowsPerSample * product.columns + column);
  }
  float value = activate(RESULT_ACT, sum);
  if (HAS_RESIDUAL) value += load(product.residual, row * product.columns + column);
  return value;
}

vec4 finish4(uint row, uint column, vec4 sum) {
  if (HAS_CHANNEL) {
    sum += load4(
        product.channel, (row / product.rowsPerSample * product.columns + column) >> 2);
  }
  vec4 value = sum;
  if (RESULT_ACT != ACT_NONE) {
    [[unroll]] for (uint j = 0; j < 4; j++) value[j] = activate(RESULT_ACT, sum[j]);
  }
  if (HAS_RESIDUAL) value += load4(product.residual, (row * product.columns + column) >> 2);
  return value;
}

// Finishes and stores the sums, bias included, of `row` at `column` and the three columns after it, where
// they exist.
void put_result(uint split, uint row, uint column, vec4 sum) {
  if (row >= product.rows || column >= product.columns) return;
  uint at = (split * product.rows + row) * product.columns + column;
  if (Y_QUADS) {
    vec4 value = finish4(row, column, sum);
    if (Y_FLOAT) {
      Float4s(uvec2(product.y)).at[at >> 2] = value;
    } else {
      store4(product.y, at >> 2, value);
    }
    return;
  }
  [[unroll]] for (uint j = 0; j < 4; j++) {
    if (column + j < product.columns) {
      float value = finish(row, column + j, sum[j]);
      if (Y_FLOAT) {
        Floats(uvec2(product.y)).at[at + j] = value;
      } else {
        store(product.y, at + j, value);
      }
    }
  }
}
