// Numbers of workgroups and invocations in a dispatch that DeviceLimits.grid folded into two axes.
//
// Declares the workgroup's size as the specialisation constants 0, 1 and 2: gl_WorkGroupSize is wrong in
// code before that declaration.
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

uint group_index() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }
uint invocation_index() { return group_index() * gl_WorkGroupSize.x + gl_LocalInvocationID.x; }
