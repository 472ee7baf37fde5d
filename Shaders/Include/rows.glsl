// How workgroups share the rows of a matrix [R,C] that are treated whole: `lanes` invocations hold a row.
//
// Needs types.glsl, grid.glsl and vectors.glsl.
layout(constant_id = 3) const uint lanes = 32;   // a power of two that divides the workgroup's size
layout(constant_id = 4) const bool wide = true;  // pieces of four elements: C % 4 == 0
layout(constant_id = 5) const uint vectors = 1;  // pieces an invocation holds

uint row_lane() { return gl_LocalInvocationID.x & (lanes - 1u); }

// The invocation's k-th row of `count`.
uint row_of(uint k, uint count) {
  uint step = gl_WorkGroupSize.x / lanes;
  return (group_index() * count + k) * step + gl_LocalInvocationID.x / lanes;
}

uint piece_index(uint k) { return row_lane() + k * lanes; }

// True if the row of `width` elements reaches the invocation's piece k. A piece of one element is in x.
bool in_row(uint k, uint width) { return piece_index(k) < (wide ? width >> 2 : width); }

vec4 row_piece(Acts t, uint row, uint k, uint rows, uint width) {
  if (row >= rows || !in_row(k, width)) return vec4(0);
  return wide ? load4(t, row * (width >> 2) + piece_index(k))
              : vec4(load(t, row * width + piece_index(k)), 0, 0, 0);
}

void store_piece(Acts t, uint row, uint k, uint width, vec4 value) {
  if (wide) {
    store4(t, row * (width >> 2) + piece_index(k), value);
  } else {
    store(t, row * width + piece_index(k), value.x);
  }
}

// The invocation's piece k of a vector [C], which must reach it.
vec4 vector_piece(Words t, uint k, uint dtype) {
  return wide ? vector4_at(t, piece_index(k), dtype)
              : vec4(vector_at(t, piece_index(k), dtype), 0, 0, 0);
}

// The sum of a piece's elements.
float total(vec4 piece) { return wide ? (piece.x + piece.y) + (piece.z + piece.w) : piece.x; }
