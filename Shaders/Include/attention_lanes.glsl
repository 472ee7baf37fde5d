// Attention in registers, for CPU drivers: operands as `Include/sources.glsl` reads them, four words (a quad)
// at a time, no shared memory, one subgroup a workgroup.
//
// A lane owns lane_rows rows of one head (lane, lane + lanes, … of the workgroup's) and walks over the
// other operand's rows, its columns, `lanes` at a time; lane r reads column r, and shuffles with constant
// indices hand it to all. Both add short sums to long ones, which keeps rounding errors small.
//
//   products(a, b)     product[r][j] = Σ_c a[row j, c]·b[column r, c]
//   accumulate(n, b)   sums[n][c][j] += Σ_r weight[r][j]·b[column r, first4 + c]
//
// A workgroup computes chunk4 vec4 of the width; the products are repeated for each such chunk.
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_vote : require
#extension GL_KHR_shader_subgroup_shuffle : require

layout(constant_id = 3) const uint width = 64;
layout(constant_id = 4) const uint lanes = 8;
layout(constant_id = 5) const uint lane_rows = 4;
layout(constant_id = 6) const uint chunk4 = 16;
// vec4 that are read at a time in products; divides width / 4, and even where activations are f16.
layout(constant_id = 7) const uint burst = 4;
// Arrays `sums` that the kernel needs.
layout(constant_id = 8) const uint sum_count = 1;

// Columns whose products are in the making at a time: with lane_rows as many chains as registers hold.
const uint block = 2;

const uint width4 = width / 4;
const uint chunks = width4 / chunk4;
const uint rows = lanes * lane_rows;

float product[lanes][lane_rows];
float weight[lanes][lane_rows];
vec4 sums[sum_count][chunk4][lane_rows];

// An operand's quads, and the number of its first one among them.
#if FETCH == 1
#define Quads usamplerBuffer
#define QUADS(slot, source) texels##slot
#define FIRST_QUAD(source) (source)
uvec4 quad(Quads t, uint index) { return texelFetch(t, int(index)); }
#else
#define Quads Source
#define QUADS(slot, source) source
#define FIRST_QUAD(source) 0u
uvec4 quad(Quads t, uint index) { return SourceQuads(uvec2(t)).at[index]; }
#endif

// Vector c of the row whose first quad is `row`, and the next one where a quad holds two.
#if ACT == 1
const uint quad_vectors = 2;
void fetch_pair(Quads t, uint row, uint c, out vec4 pair[2]) {
  uvec4 words = quad(t, row + c / 2);
  pair[0] = vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y));
  pair[1] = vec4(unpackHalf2x16(words.z), unpackHalf2x16(words.w));
}
#else
const uint quad_vectors = 1;
void fetch_pair(Quads t, uint row, uint c, out vec4 pair[2]) {
  pair[0] = uintBitsToFloat(quad(t, row + c));
}
#endif

// The first quad of row `token` of a head that starts at element `base` of the tensor at quad `first`.
uint quad_row(uint first, uint base, uint step, uint token, uint count) {
  return first + (base + min(token, count - 1) * step) / (4 * quad_vectors);
}

void clear_sums() {
  [[unroll]] for (uint n = 0; n < sum_count; n++) {
    [[unroll]] for (uint c = 0; c < chunk4; c++) {
      [[unroll]] for (uint j = 0; j < lane_rows; j++) sums[n][c][j] = vec4(0);
    }
  }
}

void products(Quads a, uint a_rows[lane_rows], Quads b, uint b_row) {
  [[unroll]] for (uint r = 0; r < lanes; r++) {
    [[unroll]] for (uint j = 0; j < lane_rows; j++) product[r][j] = 0;
  }
  vec4 left[lane_rows][burst];
  vec4 right[burst];
  for (uint c = 0; c < width4; c += burst) {
    [[unroll]] for (uint u = 0; u < burst; u += quad_vectors) {
      vec4 pair[2];
      fetch_pair(b, b_row, c + u, pair);
      [[unroll]] for (uint i = 0; i < quad_vectors; i++) right[u + i] = pair[i];
      [[unroll]] for (uint j = 0; j < lane_rows; j++) {
        fetch_pair(a, a_rows[j], c + u, pair);
        [[unroll]] for (uint i = 0; i < quad_vectors; i++) left[j][u + i] = pair[i];
      }
    }
    [[unroll]] for (uint r = 0; r < lanes; r += block) {
      float part[block][lane_rows];
      [[unroll]] for (uint u = 0; u < burst; u++) {
        [[unroll]] for (uint i = 0; i < 4; i++) {
          [[unroll]] for (uint n = 0; n < block; n++) {
            float x = subgroupShuffle(right[u][i], r + n);
            [[unroll]] for (uint j = 0; j < lane_rows; j++) {
              float y = left[j][u][i];
              part[n][j] = u + i == 0 ? x * y : fma(x, y, part[n][j]);
            }
          }
        }
      }
      [[unroll]] for (uint n = 0; n < block; n++) {
        [[unroll]] for (uint j = 0; j < lane_rows; j++) product[r + n][j] += part[n][j];
      }
    }
  }
}

void accumulate(uint n, Quads b, uint b_row, uint first4) {
  [[unroll]] for (uint c = 0; c < chunk4; c += quad_vectors) {
    vec4 pair[2];
    fetch_pair(b, b_row, first4 + c, pair);
    [[unroll]] for (uint k = 0; k < quad_vectors; k++) {
      vec4 part[lane_rows];
      [[unroll]] for (uint i = 0; i < 4; i++) {
        [[unroll]] for (uint r = 0; r < lanes; r++) {
          float x = subgroupShuffle(pair[k][i], r);
          [[unroll]] for (uint j = 0; j < lane_rows; j++) {
            part[j][i] = r == 0 ? x * weight[r][j] : fma(x, weight[r][j], part[j][i]);
          }
        }
      }
      [[unroll]] for (uint j = 0; j < lane_rows; j++) sums[n][c + k][j] += part[j];
    }
  }
}

// Own row j of sums n to the vectors from `first` on.
void put_sums(Acts t, uint n, uint j, uint first) {
  [[unroll]] for (uint c = 0; c < chunk4; c++) store4(t, first + c, sums[n][c][j]);
}
