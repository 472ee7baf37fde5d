// AdamW with decoupled weight decay on up to three parameters (Loshchilov & Hutter 2019; PyTorch's order
// of operations): m += (1−β1)(g−m), v = β2·v + (1−β2)·g², p = p·(1−lr·wd) − lr/(1−β1^t) · m / (√v/√(1−β2^t) + ε).
//
// One workgroup per piece, counted through the parameters; one without elements has none.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"

layout(push_constant) uniform Push {
  Floats scalars;  // lr, β1, β2, ε, weight decay, 1−β1^t, 1−β2^t, multiplier of g
  Floats parameters[3];
  Floats gradients[3];
  Floats first_moments[3];
  Floats second_moments[3];
  uint counts[3];
  uint piece;  // elements of a workgroup, a multiple of four
};

struct Step {
  float decay;
  float blend;
  float beta2;
  float complement;
  float root;
  float epsilon;
  float rate;
  float multiplier;
};

// 1 − β for the short decimal that β was rounded from; the plain difference keeps few digits.
float complement_of(float beta) { return (1e7 - round(beta * 1e7)) * 1e-7; }

Step read_step() {
  return Step(
      1.0 - scalars.at[0] * scalars.at[4], complement_of(scalars.at[1]), scalars.at[2],
      complement_of(scalars.at[2]), sqrt(scalars.at[6]), scalars.at[3],
      scalars.at[0] / scalars.at[5], scalars.at[7]);
}

void advance(inout vec4 p, inout vec4 m, inout vec4 v, vec4 gradient, Step s) {
  vec4 g = gradient * s.multiplier;
  m += s.blend * (g - m);
  v = s.beta2 * v + s.complement * g * g;
  p = p * s.decay - s.rate * m / (sqrt(v) / s.root + s.epsilon);
}

void main() {
  uint index = group_index();
  uint n = 0;
  for (; n < 3u; n++) {
    uint pieces = (counts[n] + piece - 1u) / piece;
    if (index < pieces) break;
    index -= pieces;
  }
  if (n == 3u) return;
  Step s = read_step();
  uint first = index * piece;
  uint end = min(first + piece, counts[n]);
  uint id = gl_LocalInvocationID.x;
  Float4s p4 = Float4s(uvec2(parameters[n]));
  Float4s g4 = Float4s(uvec2(gradients[n]));
  Float4s m4 = Float4s(uvec2(first_moments[n]));
  Float4s v4 = Float4s(uvec2(second_moments[n]));
  for (uint k = (first >> 2) + id; k < end >> 2; k += gl_WorkGroupSize.x) {
    vec4 p = p4.at[k];
    vec4 m = m4.at[k];
    vec4 v = v4.at[k];
    advance(p, m, v, g4.at[k], s);
    p4.at[k] = p;
    m4.at[k] = m;
    v4.at[k] = v;
  }
  uint rest = (end & ~3u) + id;
  if (rest >= end) return;
  vec4 p = vec4(parameters[n].at[rest]);
  vec4 m = vec4(first_moments[n].at[rest]);
  vec4 v = vec4(second_moments[n].at[rest]);
  advance(p, m, v, vec4(gradients[n].at[rest]), s);
  parameters[n].at[rest] = p.x;
  first_moments[n].at[rest] = m.x;
  second_moments[n].at[rest] = v.x;
}
