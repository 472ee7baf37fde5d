// Sums over a workgroup by a fixed tree in shared memory.
//
// `lanes` is a power of two and divides the workgroup's size; all invocations must call. Needs the
// workgroup's size declared before, by specialisation constants.
shared vec4 reduce_values[gl_WorkGroupSize.x];

// The sum over the `lanes` consecutive invocations that the caller is among.
vec4 sum_neighbours(vec4 value, uint lanes) {
  uint id = gl_LocalInvocationID.x;
  uint lane = id & (lanes - 1u);
  barrier();
  reduce_values[id] = value;
  for (uint step = lanes >> 1; step > 0u; step >>= 1) {
    barrier();
    if (lane < step) reduce_values[id] += reduce_values[id + step];
  }
  barrier();
  return reduce_values[id - lane];
}

// The sum over the invocations whose index is the caller's modulo `columns`.
vec4 sum_columns(vec4 value, uint columns) {
  uint id = gl_LocalInvocationID.x;
  barrier();
  reduce_values[id] = value;
  for (uint step = gl_WorkGroupSize.x >> 1; step >= columns; step >>= 1) {
    barrier();
    if (id < step) reduce_values[id] += reduce_values[id + step];
  }
  barrier();
  return reduce_values[id & (columns - 1u)];
}
