// Conversions between the bits of f32, f16 and bf16 by integer arithmetic: exact, to nearest even, the
// same on every driver, whatever it does to subnormal numbers. A NaN stays a NaN.

uint f32_from_f16(uint half_bits) {
  uint sign = (half_bits & 0x8000u) << 16;
  uint rest = half_bits & 0x7fffu;
  uint bits = (rest << 13) + (112u << 23);
  if (rest >= 0x7c00u) bits += 112u << 23;  // infinity and NaN
  if (rest < 0x0400u) bits = floatBitsToUint(float(rest) * 5.9604644775390625e-8);  // · 2^-24
  return sign | bits;
}

uint f16_from_f32(uint bits) {
  uint sign = (bits >> 16) & 0x8000u;
  uint rest = bits & 0x7fffffffu;
  if (rest > 0x7f800000u) return sign | 0x7e00u;
  if (rest >= 0x47800000u) return sign | 0x7c00u;  // 2^16 and above
  if (rest >= 0x38800000u) {                       // 2^-14 and above
    uint scaled = rest - (112u << 23);
    return sign | ((scaled + 0xfffu + ((scaled >> 13) & 1u)) >> 13);
  }
  // Subnormal in f16: the mantissa in units of 2^-24.
  uint mantissa = (rest & 0x7fffffu) | 0x800000u;
  uint shift = min(126u - (rest >> 23), 31u);
  uint kept = mantissa >> shift;
  uint lost = mantissa - (kept << shift);
  uint tie = 1u << (shift - 1u);
  if (lost > tie || (lost == tie && (kept & 1u) == 1u)) kept++;
  return sign | kept;
}

uint f32_from_bf16(uint half_bits) { return half_bits << 16; }

uint bf16_from_f32(uint bits) {
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (bits >> 16) | 0x40u;
  return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}
