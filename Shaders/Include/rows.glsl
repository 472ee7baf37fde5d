// How workgroups share the rows of a matrix [R,C] that are treated whole: one row at a time, in pieces
// which the invocations hold in registers.
//
// Needs types.glsl, grid.glsl and vectors.glsl.
layout(constant_id = 3) const bool wide = true;  // pieces of four elements: C % 4 == 0
layout(constant_id = 4) const uint pieces = 1;   // an invocation holds
layout(constant_id = 5) const bool even = true;  // all invocations hold as many

uint piece_index(uint k) { return gl_LocalInvocationID.x + k * gl_WorkGroupSize.x; }

// True if a row of `width` elements reaches the invocation's piece k. A piece of one element is in x.
bool in_row(uint k, uint width) { return even || piece_index(k) < (wide ? width >> 2 : width); }

vec4 row_piece(Acts t, uint row, uint k, uint width) {
  if (!in_row(k, width)) return vec4(0);
  return wide ? load4(t, row * (width >> 2) + piece_index(k))
              : vec4(load(t, row * width + piece_index(k)), 0, 0, 0);
}

void store_piece(Acts t, uint row, uint k, uint width, vec4 value) {
  if (!in_row(k, width)) return;
  if (wide) {
    store4(t, row * (width >> 2) + piece_index(k), value);
  } else {
    store(t, row * width + piece_index(k), value.x);
  }
}

// The invocation's piece k of a vector [C].
vec4 vector_piece(Words t, uint k, uint width, uint dtype) {
  if (!in_row(k, width)) return vec4(0);
  return wide ? vector4_at(t, piece_index(k), dtype)
              : vec4(vector_at(t, piece_index(k), dtype), 0, 0, 0);
}

// The sum of a piece's elements.
float total(vec4 piece) { return wide ? (piece.x + piece.y) + (piece.z + piece.w) : piece.x; }
