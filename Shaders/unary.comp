// y = act(x), elementwise.
//
// One invocation per element; a workgroup takes gl_WorkGroupSize.x consecutive ones.
//! variants ACT=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/activation.glsl"

layout(constant_id = 3) const uint act = 0;

layout(push_constant) uniform Push {
  Acts x;
  Acts y;
  uint count;
};

void main() {
  uint i = invocation_index();
  if (i >= count) return;
  store(y, i, activate(act, load(x, i)));
}
