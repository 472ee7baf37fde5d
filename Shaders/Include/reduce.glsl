// Sums over a workgroup in a fixed order, through shared memory.
//
// All invocations must call; counts of lanes are powers of two that divide the workgroup's size. Needs
// grid.glsl. SUBGROUP: 1 uses arithmetic across a subgroup.
#if SUBGROUP == 1
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif

// Up to four numbers of each invocation, one after another for all of them.
shared float reduce_values[4u * gl_WorkGroupSize.x];

// The sum over the `lanes` consecutive invocations that the caller is among.
float sum_neighbours(float value, uint lanes) {
  uint id = gl_LocalInvocationID.x;
  uint lane = id & (lanes - 1u);
  barrier();
  reduce_values[id] = value;
  for (uint step = lanes >> 1; step > 0u; step >>= 1) {
    barrier();
    if (lane < step) {
      value += reduce_values[id + step];
      reduce_values[id] = value;
    }
  }
  barrier();
  return reduce_values[id - lane];
}

// The sum over the workgroup.
vec2 sum_workgroup(vec2 value) {
  uint size = gl_WorkGroupSize.x;
  barrier();
#if SUBGROUP == 1
  value = subgroupAdd(value);
  if (gl_NumSubgroups == 1u) return value;
  if (subgroupElect()) {
    reduce_values[gl_SubgroupID] = value.x;
    reduce_values[size + gl_SubgroupID] = value.y;
  }
  barrier();
  value = vec2(0);
  for (uint k = gl_SubgroupInvocationID; k < gl_NumSubgroups; k += gl_SubgroupSize)
    value += vec2(reduce_values[k], reduce_values[size + k]);
  return subgroupAdd(value);
#else
  return vec2(sum_neighbours(value.x, size), sum_neighbours(value.y, size));
#endif
}

float sum_workgroup(float value) {
#if SUBGROUP == 1
  barrier();
  value = subgroupAdd(value);
  if (gl_NumSubgroups == 1u) return value;
  if (subgroupElect()) reduce_values[gl_SubgroupID] = value;
  barrier();
  value = 0.0;
  for (uint k = gl_SubgroupInvocationID; k < gl_NumSubgroups; k += gl_SubgroupSize)
    value += reduce_values[k];
  return subgroupAdd(value);
#else
  return sum_neighbours(value, gl_WorkGroupSize.x);
#endif
}

// The sum over the invocations whose index is the caller's modulo `columns`; only the first `columns`
// invocations get it.
vec4 sum_columns(vec4 value, uint columns) {
  uint id = gl_LocalInvocationID.x;
  uint size = gl_WorkGroupSize.x;
  for (uint step = size >> 1; step >= columns; step >>= 1) {
    barrier();
    if (id >= step && id < 2u * step)
      [[unroll]] for (uint c = 0; c < 4u; c++) reduce_values[c * size + id] = value[c];
    barrier();
    if (id < step)
      [[unroll]] for (uint c = 0; c < 4u; c++) value[c] += reduce_values[c * size + id + step];
  }
  return value;
}
