// The core for software devices, which run a subgroup as one vector: a subgroup makes a tile of
// CORE_ROWS·LANES rows by 4·LANES columns, LANES = CORE_COLUMNS being its size. Every invocation holds four
// columns of the sums and, of a step's operands, its share of both; the rows' operands go round by
// shuffles, which cost next to nothing when they name a constant invocation. Every array index is a constant
// once loops are unrolled, so that arrays are registers.
const uint LANES = CORE_COLUMNS;
const uint TILE_ROWS = CORE_ROWS * LANES;
const uint TILE_COLUMNS = 4 * LANES;
// Where A_ACROSS: quads of rows in a tile, and depths that one slot of all invocations covers.
const uint ROW_QUADS = TILE_ROWS / 4;
const uint SLOT_DEPTHS = LANES / ROW_QUADS;
// Rows whose sums stay in registers throughout a step.
const uint PAIR = 2;

// What a slot of `a` holds: the first row in the tile, the first depth in the step. Slots that share a
// row, and so a cache line, follow each other.
uvec2 a_place(uint slot, uint lane) {
  if (A_ACROSS) return uvec2(lane % ROW_QUADS * 4, slot * SLOT_DEPTHS + lane / ROW_QUADS);
  return uvec2(slot / CORE_DEPTH * LANES + lane, slot % CORE_DEPTH * 4);
}

// What a slot of `b` holds: the first of the invocation's four columns, the first depth.
uvec2 b_place(uint slot) {
  return B_ACROSS ? uvec2(0, slot) : uvec2(slot / CORE_DEPTH, slot % CORE_DEPTH * 4);
}

void main() {
  uint lane = gl_SubgroupInvocationID;
  uint rowTiles = (product.rows + TILE_ROWS - 1) / TILE_ROWS;
  uint columnTiles = (product.columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
  uint group = group_index() * (gl_WorkGroupSize.x / LANES) + gl_SubgroupID;
  uint split = group / (rowTiles * columnTiles);
  uint tile = group % (rowTiles * columnTiles);
  uint row0 = tile % rowTiles * TILE_ROWS;
  uint column0 = tile / rowTiles * TILE_COLUMNS + lane * 4;
  uint first = split * product.stepsPerSplit;
  if (first >= product.steps) return;
  uint last = min(first + product.stepsPerSplit, product.steps);

  vec4 sums[TILE_ROWS];
  [[unroll]] for (uint i = 0; i < TILE_ROWS; i++) sums[i] = vec4(0.0);

  begin_steps(first);
  [[unroll]] for (uint slot = 0; slot < A_SLOTS; slot++) {
    uvec2 place = a_place(slot, lane);
    begin_a(slot, row0 + place.x, place.y);
  }
  [[unroll]] for (uint slot = 0; slot < B_SLOTS; slot++) {
    uvec2 place = b_place(slot);
    begin_b(slot, column0 + place.x, place.y);
  }
  for (uint step = first; step < last; step++) {
    vec4 a[A_SLOTS];
    vec4 b[B_SLOTS];
    [[unroll]] for (uint slot = 0; slot < B_SLOTS; slot++) {
      uvec2 place = b_place(slot);
      b[slot] = load_b(slot, column0 + place.x, place.y);
    }
    [[unroll]] for (uint slot = 0; slot < A_SLOTS; slot++) {
      uvec2 place = a_place(slot, lane);
      a[slot] = load_a(slot, row0 + place.x, place.y);
    }
    next_step();
    [[unroll]] for (uint i = 0; i < TILE_ROWS; i += PAIR) {
      vec4 pair[PAIR];
      [[unroll]] for (uint r = 0; r < PAIR; r++) pair[r] = sums[i + r];
      [[unroll]] for (uint k = 0; k < DEPTH; k++) {
        vec4 columns = b[k];
        if (!B_ACROSS) {
          [[unroll]] for (uint j = 0; j < 4; j++) columns[j] = b[j * CORE_DEPTH + k / 4][k % 4];
        }
        [[unroll]] for (uint r = 0; r < PAIR; r++) {
          uint row = i + r;
          float value;
          if (A_ACROSS) {
            value = subgroupShuffle(
                a[k / SLOT_DEPTHS][row % 4], row / 4 + k % SLOT_DEPTHS * ROW_QUADS);
          } else {
            value = subgroupShuffle(a[row / LANES * CORE_DEPTH + k / 4][k % 4], row % LANES);
          }
          pair[r] = fma(vec4(value), columns, pair[r]);
        }
      }
      [[unroll]] for (uint r = 0; r < PAIR; r++) sums[i + r] = pair[r];
    }
  }

  vec4 bias = column_bias(column0);
  if (IS_PLAIN_RESULT) {
    [[unroll]] for (uint i = 0; i < TILE_ROWS; i++) {
      put_result(split, row0 + i, column0, sums[i] + bias);
    }
    return;
  }
  // One copy of the longer code for results: unrolled, it would be most of the program.
  vec4 results[TILE_ROWS];
  [[unroll]] for (uint i = 0; i < TILE_ROWS; i++) results[i] = sums[i] + bias;
  [[dont_unroll]] for (uint i = 0; i < TILE_ROWS; i++) {
    put_result(split, row0 + i, column0, results[i]);
  }
}
