// The core for devices with cooperative matrices: operands in f16, sums in f32.
//
// Four subgroups make a tile of 64 × 64, each a quarter as 2 × 2 matrices of 16 × 16. A step's operands go
// through shared memory, so that any operand fits, whatever its sizes.
#include "matrices.glsl"

const uint THREADS = gl_WorkGroupSize.x;
const uint QUADS = TILE_SIDE * DEPTH / 4;
// Of a row or column of the tile in shared memory; 16 bytes more than needed spread the banks.
const uint PITCH = DEPTH + 8;

shared float16_t a_tile[TILE_SIDE * PITCH];
shared float16_t b_tile[TILE_SIDE * PITCH];
shared float results[4 * 256];

// The place of quad `index` of a step: (first row or column, first depth).
uvec2 quad_place(uint index, bool across) {
  if (across) return uvec2(index % (TILE_SIDE / 4) * 4, index / (TILE_SIDE / 4));
  return uvec2(index / (DEPTH / 4), index % (DEPTH / 4) * 4);
}

// Where component `c` of a quad belongs in a tile.
uint tile_index(uvec2 place, bool across, uint c) {
  return across ? (place.x + c) * PITCH + place.y : place.x * PITCH + place.y + c;
}

void main() {
  uint thread = gl_LocalInvocationID.x;
  uint rowTiles = (product.rows + TILE_SIDE - 1) / TILE_SIDE;
  uint columnTiles = (product.columns + TILE_SIDE - 1) / TILE_SIDE;
  uint group = group_index();
  uint split = group / (rowTiles * columnTiles);
  uint tile = group % (rowTiles * columnTiles);
  uint row0 = tile / columnTiles * TILE_SIDE;
  uint column0 = tile % columnTiles * TILE_SIDE;
  uint first = split * product.stepsPerSplit;
  if (first >= product.steps) return;
  uint last = min(first + product.stepsPerSplit, product.steps);
  // The subgroup's quarter of the tile.
  uint rowPart = gl_SubgroupID / 2 * 32;
  uint columnPart = gl_SubgroupID % 2 * 32;

  vec4 a_next[A_SLOTS];
  vec4 b_next[B_SLOTS];
  SUM_MATRIX sums[4];
  for (uint i = 0; i < 4; i++) sums[i] = SUM_MATRIX(0.0);

  begin_steps(first);
  [[unroll]] for (uint slot = 0; slot < A_SLOTS; slot++) {
    uvec2 place = quad_place(slot * THREADS + thread, A_ACROSS);
    begin_a(slot, row0 + place.x, place.y);
    a_next[slot] = load_a(slot, row0 + place.x, place.y);
  }
  [[unroll]] for (uint slot = 0; slot < B_SLOTS; slot++) {
    uvec2 place = quad_place(slot * THREADS + thread, B_ACROSS);
    begin_b(slot, column0 + place.x, place.y);
    b_next[slot] = load_b(slot, column0 + place.x, place.y);
  }

  for (uint step = first; step < last; step++) {
    barrier();
    [[unroll]] for (uint slot = 0; slot < A_SLOTS; slot++) {
      uvec2 place = quad_place(slot * THREADS + thread, A_ACROSS);
      if (QUADS % THREADS == 0 || slot * THREADS + thread < QUADS) {
        [[unroll]] for (uint c = 0; c < 4; c++) {
          a_tile[tile_index(place, A_ACROSS, c)] = float16_t(a_next[slot][c]);
        }
      }
    }
    [[unroll]] for (uint slot = 0; slot < B_SLOTS; slot++) {
      uvec2 place = quad_place(slot * THREADS + thread, B_ACROSS);
      if (QUADS % THREADS == 0 || slot * THREADS + thread < QUADS) {
        [[unroll]] for (uint c = 0; c < 4; c++) {
          b_tile[tile_index(place, B_ACROSS, c)] = float16_t(b_next[slot][c]);
        }
      }
    }
    barrier();
    if (step + 1 < last) {
      next_step();
      [[unroll]] for (uint slot = 0; slot < A_SLOTS; slot++) {
        uvec2 place = quad_place(slot * THREADS + thread, A_ACROSS);
        a_next[slot] = load_a(slot, row0 + place.x, place.y);
      }
      [[unroll]] for (uint slot = 0; slot < B_SLOTS; slot++) {
        uvec2 place = quad_place(slot * THREADS + thread, B_ACROSS);
        b_next[slot] = load_b(slot, column0 + place.x, place.y);
      }
    }
    [[unroll]] for (uint k = 0; k < DEPTH; k += 16) {
      A_MATRIX a[2];
      B_MATRIX b[2];
      [[unroll]] for (uint i = 0; i < 2; i++) {
        LOAD_ROWS(a[i], a_tile, (rowPart + i * 16) * PITCH + k, PITCH);
        LOAD_COLUMNS(b[i], b_tile, (columnPart + i * 16) * PITCH + k, PITCH);
      }
      [[unroll]] for (uint i = 0; i < 4; i++) {
        sums[i] = MULTIPLY_ADD(a[i / 2], b[i % 2], sums[i]);
      }
    }
  }

  uint base = gl_SubgroupID * 256;
  [[unroll]] for (uint i = 0; i < 4; i++) {
    barrier();
    STORE_ROWS(sums[i], results, base, 16);
    barrier();
    for (uint quad = gl_SubgroupInvocationID; quad < 64; quad += gl_SubgroupSize) {
      uint row = row0 + rowPart + i / 2 * 16 + quad / 4;
      uint column = column0 + columnPart + i % 2 * 16 + quad % 4 * 4;
      uint at = base + quad * 4;
      vec4 sum = vec4(results[at], results[at + 1], results[at + 2], results[at + 3]);
      put_result(split, row, column, sum + column_bias(column));
    }
  }
}
