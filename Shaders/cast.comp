// y = x in another storage type: f32, f16, bf16 or i32, rounded to nearest even; to i32 clamped, NaN → 0.
//
// One invocation per four elements. Halves are read and written two in a 32-bit word, so that no device
// needs 16-bit storage; the neighbour of a last odd half keeps its bits.
//! variants FETCH=0,1
#version 460
#extension GL_GOOGLE_include_directive : require
#define ACT 0
#include "Include/types.glsl"
#include "Include/grid.glsl"
#include "Include/half.glsl"
#include "Include/sources.glsl"

// ESP_DTYPE_…: 0 f32, 1 f16, 2 bf16, 3 i32.
layout(constant_id = 3) const uint x_dtype = 0;
layout(constant_id = 4) const uint y_dtype = 0;

layout(buffer_reference, std430, buffer_reference_align = 8) buffer WordPairs { uvec2 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer WordQuads { uvec4 at[]; };

layout(push_constant) uniform Push {
  Source x;
  Words y;
  uint count;  // in elements
};

const bool x_is_half = x_dtype == 1 || x_dtype == 2;
const bool y_is_half = y_dtype == 1 || y_dtype == 2;

// The element's bits, a half in the low ones.
uint element(uint index) {
  if (!x_is_half) return READ(0, x, index);
  return half_of(READ(0, x, index >> 1), index);
}

// Four elements from 4·index on.
uvec4 elements(uint index) {
  if (!x_is_half) return READ4(0, x, index);
  uvec2 words = READ2(0, x, index);
  return uvec4(words.x & 0xffffu, words.x >> 16, words.y & 0xffffu, words.y >> 16);
}

void put(uint index, uint bits) {
  if (!y_is_half) {
    y.at[index] = bits;
    return;
  }
  uint shift = 16u * (index & 1u);
  y.at[index >> 1] = (y.at[index >> 1] & ~(0xffffu << shift)) | (bits << shift);
}

int rounded(float value) {
  if (isnan(value)) return 0;
  float whole = roundEven(value);
  if (whole >= 2147483648.0) return 0x7fffffff;
  if (whole <= -2147483648.0) return int(0x80000000u);
  return int(whole);
}

uint converted(uint bits) {
  if (x_dtype == y_dtype) return bits;
  if (x_dtype == 1) bits = f32_from_f16(bits);
  if (x_dtype == 2) bits = f32_from_bf16(bits);
  if (x_dtype == 3) bits = floatBitsToUint(float(int(bits)));
  if (y_dtype == 1) return f16_from_f32(bits);
  if (y_dtype == 2) return bf16_from_f32(bits);
  if (y_dtype == 3) return uint(rounded(uintBitsToFloat(bits)));
  return bits;
}

void main() {
  uint i = invocation_index();
  if (4 * i >= count) return;
  if (4 * i + 4 > count) {
    for (uint k = 4 * i; k < count; k++) put(k, converted(element(k)));
    return;
  }
  uvec4 bits = elements(i);
  bits = uvec4(converted(bits.x), converted(bits.y), converted(bits.z), converted(bits.w));
  if (y_is_half) {
    WordPairs(uvec2(y)).at[i] = uvec2(bits.x | (bits.y << 16), bits.z | (bits.w << 16));
  } else {
    WordQuads(uvec2(y)).at[i] = bits;
  }
}
