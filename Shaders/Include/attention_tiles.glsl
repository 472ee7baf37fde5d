// Tiles of attention in shared memory: a workgroup owns `rows` rows of one head and walks over the other
// operand's rows, its columns, `columns` at a time.
//
//   products(a, b)   product[row, column] = Σ_c a[row, c]·b[column, c], in registers
//   accumulate(b)    sums[row, c] += Σ_column weights[row, column]·b[column, c]
//
// Operands pass through `stage`, four vec4 of channels of all rows at a time for products, some whole rows
// at a time for accumulate, so that any width fits 16 KiB. Invocation (group, lane) holds lane_rows rows,
// from group·lane_rows on; columns lane, lane + column_lanes, … of the products; and vec4 lane,
// lane + column_lanes, … of the sums.

layout(constant_id = 3) const uint width = 64;
layout(constant_id = 4) const uint rows = 64;
layout(constant_id = 5) const uint column_lanes = 16;
layout(constant_id = 6) const uint lane_rows = 8;
layout(constant_id = 7) const uint lane_columns = 2;
// Rows that accumulate stages at a time, a multiple of 4 that divides `columns`.
layout(constant_id = 8) const uint staged_rows = 16;
// The larger of (rows + columns)·slice_stride and staged_rows·width4.
layout(constant_id = 9) const uint stage_size = 480;
layout(constant_id = 10) const uint is_causal = 0;
// Arrays `sums` that the kernel needs.
layout(constant_id = 11) const uint sum_count = 1;

#include "Include/attention_rows.glsl"

const uint columns = column_lanes * lane_columns;
const uint lane_vectors = (width4 + column_lanes - 1) / column_lanes;
const uint lane_sums = lane_rows * lane_vectors;
const uint slice = 4;
const uint slice_stride = slice + 1;
const uint weight_stride = columns / 4 + 1;

shared vec4 stage[stage_size];
shared vec4 weights[rows * weight_stride];

float product[lane_rows * lane_columns];
vec4 sums[sum_count * lane_sums];

// A head of an operand: `count` rows from element `first` on, `step` elements apart.
struct Rows {
  Acts data;
  uint first;
  uint step;
  uint count;
};

// Operand rows from `first` on, as many as there are.
Rows rows_from(Acts data, uint base, uint step, uint first, uint count) {
  return Rows(data, base + first * step, step, count - first);
}

uint lane_index() { return gl_LocalInvocationID.x % column_lanes; }
uint first_lane_row() { return gl_LocalInvocationID.x / column_lanes * lane_rows; }
uint weight_at(uint row, uint column) { return row * weight_stride + column / 4; }

void clear_sums() {
  [[unroll]] for (uint i = 0; i < sum_count * lane_sums; i++) sums[i] = vec4(0);
}

// Vectors c … c+slice−1 of `count` rows to stage rows `at` and on; zero where there are none.
void stage_slice(Rows t, uint c, uint at, uint count) {
  for (uint i = gl_LocalInvocationID.x; i < count * slice; i += gl_WorkGroupSize.x) {
    uint row = i / slice;
    uint s = i % slice;
    vec4 value = vec4(0);
    if (row < t.count && c + s < width4) value = row4(t.data, t.first + row * t.step, c + s);
    stage[(at + row) * slice_stride + s] = value;
  }
}

void products(Rows a, Rows b) {
  uint lane = lane_index();
  uint first = first_lane_row();
  [[unroll]] for (uint i = 0; i < lane_rows * lane_columns; i++) product[i] = 0;
  for (uint c = 0; c < width4; c += slice) {
    barrier();
    stage_slice(a, c, 0, rows);
    stage_slice(b, c, rows, columns);
    barrier();
    [[unroll]] for (uint s = 0; s < slice; s++) {
      vec4 left[lane_rows];
      [[unroll]] for (uint i = 0; i < lane_rows; i++) left[i] = stage[(first + i) * slice_stride + s];
      [[unroll]] for (uint j = 0; j < lane_columns; j++) {
        vec4 right = stage[(rows + lane + column_lanes * j) * slice_stride + s];
        [[unroll]] for (uint i = 0; i < lane_rows; i++) {
          product[i * lane_columns + j] += dot(left[i], right);
        }
      }
    }
  }
}

// The first barrier also makes `weights` visible.
void accumulate(uint which, Rows b) {
  uint lane = lane_index();
  uint first = first_lane_row();
  for (uint column = 0; column < columns; column += staged_rows) {
    barrier();
    for (uint i = gl_LocalInvocationID.x; i < staged_rows * width4; i += gl_WorkGroupSize.x) {
      uint row = column + i / width4;
      stage[i] = row < b.count ? row4(b.data, b.first + row * b.step, i % width4) : vec4(0);
    }
    barrier();
    for (uint k = 0; k < staged_rows; k += 4) {
      [[unroll]] for (uint j = 0; j < lane_vectors; j++) {
        uint c = k * width4 + min(lane + column_lanes * j, width4 - 1);
        mat4 right =
            mat4(stage[c], stage[c + width4], stage[c + 2 * width4], stage[c + 3 * width4]);
        [[unroll]] for (uint i = 0; i < lane_rows; i++) {
          sums[which * lane_sums + i * lane_vectors + j] +=
              right * weights[weight_at(first + i, column + k)];
        }
      }
    }
  }
}

// Whether a key may be seen: it exists, and no causal mask hides it.
bool is_visible(uint query, uint key, uint queries, uint keys) {
  return key < keys && query < queries && (is_causal == 0 || key <= query);
}
