// AdamW with decoupled weight decay on up to three parameters (Loshchilov & Hutter 2019; PyTorch's order
// of operations): m += (1−β1)(g−m), v = β2·v + (1−β2)·g², p = p·(1−lr·wd) − lr/(1−β1^t) · m / (√v/√(1−β2^t) + ε).
//
// One workgroup per piece, counted through the parameters; one without elements has none.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "Include/types.glsl"
#include "Include/grid.glsl"

struct Parameter {
  Floats p;
  Floats g;
  Floats m;
  Floats v;
};

layout(push_constant) uniform Push {
  Floats scalars;  // lr, β1, β2, ε, weight decay, 1−β1^t, 1−β2^t, multiplier of g
  Parameter parameters[3];
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

void update4(Parameter t, uint k, Step s) {
  vec4 g = Float4s(t.g).at[k] * s.multiplier;
  vec4 m = Float4s(t.m).at[k];
  vec4 v = Float4s(t.v).at[k];
  m += s.blend * (g - m);
  v = s.beta2 * v + s.complement * g * g;
  Float4s(t.m).at[k] = m;
  Float4s(t.v).at[k] = v;
  Float4s(t.p).at[k] = Float4s(t.p).at[k] * s.decay - s.rate * m / (sqrt(v) / s.root + s.epsilon);
}

void update1(Parameter t, uint k, Step s) {
  float g = t.g.at[k] * s.multiplier;
  float m = t.m.at[k];
  float v = t.v.at[k];
  m += s.blend * (g - m);
  v = s.beta2 * v + s.complement * g * g;
  t.m.at[k] = m;
  t.v.at[k] = v;
  t.p.at[k] = t.p.at[k] * s.decay - s.rate * m / (sqrt(v) / s.root + s.epsilon);
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
  Parameter t = parameters[n];
  Step s = read_step();
  uint first = index * piece;
  uint end = min(first + piece, counts[n]);
  uint id = gl_LocalInvocationID.x;
  for (uint k = (first >> 2) + id; k < end >> 2; k += gl_WorkGroupSize.x) update4(t, k, s);
  uint rest = (end & ~3u) + id;
  if (rest < end) update1(t, rest, s);
}
