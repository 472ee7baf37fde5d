// Storage types of tensors and how to reach them: every tensor is a device address.
//
// ACT: activations are stored as 0 f32, 1 f16 (needs 16-bit storage). All arithmetic is f32.
// To look at an address as another type, go through uvec2, Float4s(uvec2(t)): not every driver converts
// references into each other (SwiftShader does not).
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_control_flow_attributes : require
#if ACT == 1
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define ACT_TYPE float16_t
#define ACT_VEC4 f16vec4
#define ACT_VEC4_BYTES 8
#else
#define ACT_TYPE float
#define ACT_VEC4 vec4
#define ACT_VEC4_BYTES 16
#endif

layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Float4s { vec4 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Ints { int at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { uint at[]; };
#if ACT == 1
layout(buffer_reference, std430, buffer_reference_align = 2) buffer Acts { ACT_TYPE at[]; };
#else
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Acts { ACT_TYPE at[]; };
#endif
layout(buffer_reference, std430, buffer_reference_align = ACT_VEC4_BYTES) buffer Act4s { ACT_VEC4 at[]; };

float load(Acts t, uint index) { return float(t.at[index]); }
void store(Acts t, uint index, float value) { t.at[index] = ACT_TYPE(value); }

// Four consecutive elements from 4·index on; the tensor's rows must be a multiple of four long.
vec4 load4(Acts t, uint index) { return vec4(Act4s(uvec2(t)).at[index]); }
void store4(Acts t, uint index, vec4 value) { Act4s(uvec2(t)).at[index] = ACT_VEC4(value); }
