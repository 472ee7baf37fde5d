// The core for GPUs: a workgroup of x × y invocations makes a tile of 4·CORE_ROWS·y rows by
// 4·CORE_COLUMNS·x columns. Each step puts DEPTH of the depth into shared memory, while the next
// step's operands are already on their way into registers.
const uint THREADS = gl_WorkGroupSize.x * gl_WorkGroupSize.y;
const uint ROW_QUADS = CORE_ROWS * gl_WorkGroupSize.y;
const uint COLUMN_QUADS = CORE_COLUMNS * gl_WorkGroupSize.x;
// A line of shared memory is one depth of the tile; the odd quad at its end spreads the banks.
const uint ROW_PITCH = ROW_QUADS + 1;
const uint COLUMN_PITCH = COLUMN_QUADS + 1;
// Quads of a step.
const uint A_COUNT = ROW_QUADS * DEPTH;
const uint B_COUNT = COLUMN_QUADS * DEPTH;

shared vec4 a_tile[ROW_PITCH * DEPTH];
shared vec4 b_tile[COLUMN_PITCH * DEPTH];

// The place of quad `index` of a tile: (first row or column, first depth).
uvec2 quad_place(uint index, bool across, uint quads) {
  if (across) return uvec2(index % quads * 4, index / quads);
  return uvec2(index / (DEPTH / 4), index % (DEPTH / 4) * 4);
}

void main() {
  uint thread = gl_LocalInvocationIndex;
  uint rowTiles = (product.rows + ROW_QUADS * 4 - 1) / (ROW_QUADS * 4);
  uint columnTiles = (product.columns + COLUMN_QUADS * 4 - 1) / (COLUMN_QUADS * 4);
  uint group = group_index();
  uint split = group / (rowTiles * columnTiles);
  uint tile = group % (rowTiles * columnTiles);
  uint row0 = tile / columnTiles * ROW_QUADS * 4;
  uint column0 = tile % columnTiles * COLUMN_QUADS * 4;
  uint first = split * product.stepsPerSplit;
  if (first >= product.steps) return;
  uint last = min(first + product.stepsPerSplit, product.steps);

  vec4 a_next[A_SLOTS];
  vec4 b_next[B_SLOTS];
  vec4 sums[4 * CORE_ROWS * CORE_COLUMNS];
  [[unroll]] for (uint i = 0; i < 4 * CORE_ROWS * CORE_COLUMNS; i++) sums[i] = vec4(0.0);

  begin_steps(first);
  [[unroll]] for (uint slot = 0; slot < A_SLOTS; slot++) {
    uvec2 place = quad_place(slot * THREADS + thread, A_ACROSS, ROW_QUADS);
    begin_a(slot, row0 + place.x, place.y);
    a_next[slot] = load_a(slot, row0 + place.x, place.y);
  }
  [[unroll]] for (uint slot = 0; slot < B_SLOTS; slot++) {
    uvec2 place = quad_place(slot * THREADS + thread, B_ACROSS, COLUMN_QUADS);
    begin_b(slot, column0 + place.x, place.y);
    b_next[slot] = load_b(slot, column0 + place.x, place.y);
  }

  for (uint step = first; step < last; step++) {
    barrier();
    [[unroll]] for (uint slot = 0; slot < A_SLOTS; slot++) {
      uint index = slot * THREADS + thread;
      uvec2 place = quad_place(index, A_ACROSS, ROW_QUADS);
      if (A_COUNT % THREADS == 0 || index < A_COUNT) {
        if (A_ACROSS) {
          a_tile[place.y * ROW_PITCH + place.x / 4] = a_next[slot];
        } else {
          [[unroll]] for (uint c = 0; c < 4; c++) {
            a_tile[(place.y + c) * ROW_PITCH + place.x / 4][place.x % 4] = a_next[slot][c];
          }
        }
      }
    }
    [[unroll]] for (uint slot = 0; slot < B_SLOTS; slot++) {
      uint index = slot * THREADS + thread;
      uvec2 place = quad_place(index, B_ACROSS, COLUMN_QUADS);
      if (B_COUNT % THREADS == 0 || index < B_COUNT) {
        if (B_ACROSS) {
          b_tile[place.y * COLUMN_PITCH + place.x / 4] = b_next[slot];
        } else {
          [[unroll]] for (uint c = 0; c < 4; c++) {
            b_tile[(place.y + c) * COLUMN_PITCH + place.x / 4][place.x % 4] = b_next[slot][c];
          }
        }
      }
    }
    barrier();
    if (step + 1 < last) {
      next_step();
      [[unroll]] for (uint slot = 0; slot < A_SLOTS; slot++) {
        uvec2 place = quad_place(slot * THREADS + thread, A_ACROSS, ROW_QUADS);
        a_next[slot] = load_a(slot, row0 + place.x, place.y);
      }
      [[unroll]] for (uint slot = 0; slot < B_SLOTS; slot++) {
        uvec2 place = quad_place(slot * THREADS + thread, B_ACROSS, COLUMN_QUADS);
        b_next[slot] = load_b(slot, column0 + place.x, place.y);
      }
    }
    [[unroll]] for (uint k = 0; k < DEPTH; k++) {
      vec4 b[CORE_COLUMNS];
      [[unroll]] for (uint j = 0; j < CORE_COLUMNS; j++) {
        b[j] = b_tile[k * COLUMN_PITCH + j * gl_WorkGroupSize.x + gl_LocalInvocationID.x];
      }
      [[unroll]] for (uint i = 0; i < CORE_ROWS; i++) {
        vec4 a = a_tile[k * ROW_PITCH + i * gl_WorkGroupSize.y + gl_LocalInvocationID.y];
        [[unroll]] for (uint j = 0; j < CORE_COLUMNS; j++) {
          [[unroll]] for (uint r = 0; r < 4; r++) {
            uint at = (i * 4 + r) * CORE_COLUMNS + j;
            sums[at] = fma(vec4(a[r]), b[j], sums[at]);
          }
        }
      }
    }
  }

  [[unroll]] for (uint j = 0; j < CORE_COLUMNS; j++) {
    uint column = column0 + (j * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * 4;
    vec4 bias = column_bias(column);
    [[unroll]] for (uint i = 0; i < CORE_ROWS; i++) {
      uint row = row0 + (i * gl_WorkGroupSize.y + gl_LocalInvocationID.y) * 4;
      [[unroll]] for (uint r = 0; r < 4; r++) {
        put_result(split, row + r, column, sums[(i * 4 + r) * CORE_COLUMNS + j] + bias);
      }
    }
  }
}
