// The common part of all matrix products C = A·Bᵀ: what a shader of the family includes first.
//
// C has rows × columns elements; the reduction runs along "depth" in steps of DEPTH elements. The
// shader says how operands are read; a core (CORE) says how they meet:
// CORE: 0 tiles in shared memory (GPUs), 1 tiles in registers of a subgroup (software devices),
// 2 as 1 with operands read through texel buffers, 3 cooperative matrices of f16.
//
// Operands arrive in quads: four elements along the depth of one row, or, where A_ACROSS (B_ACROSS)
// is set, four rows (columns) at one depth. The shader defines
//   void begin_steps(uint step)                         the first step of this workgroup
//   void begin_a(uint slot, uint row, uint depth)       what a slot will always read, depth < DEPTH
//   vec4 load_a(uint slot, uint row, uint depth)        the slot's quad in the present step
//   void next_step()
// and the same for b. Rows beyond the last may be read as any other; depths beyond the last are 0.
//
// Needs types.glsl.
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint CORE_ROWS = 1;
layout(constant_id = 4) const uint CORE_COLUMNS = 4;
layout(constant_id = 5) const uint CORE_DEPTH = 4;
layout(constant_id = 6) const bool A_ACROSS = false;
layout(constant_id = 7) const bool B_ACROSS = false;
layout(constant_id = 8) const bool A_QUADS = false;  // four elements may be read at once
layout(constant_id = 9) const bool B_QUADS = false;
layout(constant_id = 10) const bool WHOLE_STEPS = false;  // the depth is a multiple of DEPTH
// 11 to 16: product_result.glsl; from 17 on: the shader's own.

const uint DEPTH = 4 * CORE_DEPTH;

// The quads of a step that an invocation reads.
#if CORE == 0
const uint A_SLOTS = (CORE_ROWS * DEPTH + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;
const uint B_SLOTS = (CORE_COLUMNS * DEPTH + gl_WorkGroupSize.y - 1) / gl_WorkGroupSize.y;
#elif CORE == 3
#extension GL_KHR_shader_subgroup_basic : require
const uint TILE_SIDE = 64;
const uint A_SLOTS = (TILE_SIDE * DEPTH / 4 + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;
const uint B_SLOTS = A_SLOTS;
#else
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
const uint A_SLOTS = CORE_DEPTH * CORE_ROWS;
const uint B_SLOTS = DEPTH;
#endif

void begin_steps(uint step);
void next_step();
void begin_a(uint slot, uint row, uint depth);
void begin_b(uint slot, uint column, uint depth);
vec4 load_a(uint slot, uint row, uint depth);
vec4 load_b(uint slot, uint column, uint depth);

// `quad` with zeros from `length` on, where it starts at `first`.
vec4 keep_below(uint length, uint first, vec4 quad) {
  return mix(vec4(0.0), quad, lessThan(uvec4(first) + uvec4(0, 1, 2, 3), uvec4(length)));
}
