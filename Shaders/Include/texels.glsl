// Reading through texel buffers: on CPU drivers thirty times as fast as through addresses.
//
// Every block of device memory is a buffer of 16-byte texels. `PushConstants.fetch` binds an operand's
// block to the next slot and pushes the number of its first texel. f32 tensors: four elements a texel;
// f16 and bf16: eight.
layout(set = 0, binding = 0) uniform usamplerBuffer texels0;
layout(set = 0, binding = 1) uniform usamplerBuffer texels1;
layout(set = 0, binding = 2) uniform usamplerBuffer texels2;
layout(set = 0, binding = 3) uniform usamplerBuffer texels3;

// Four f32.
vec4 fetch4(usamplerBuffer texels, uint index) { return uintBitsToFloat(texelFetch(texels, int(index))); }
