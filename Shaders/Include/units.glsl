// Pieces of rows for kernels that only move elements, whatever their type.
//
// UNIT: bytes of a piece, 2 (needs 16-bit storage), 4, 8 or 16; the largest that divides every row.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#include "Include/sources.glsl"
#if UNIT == 2
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : require
#define Unit uint16_t
#define UNIT_OF(slot, source, index) half_of(READ(slot, source, (index) >> 1), index)
#elif UNIT == 4
#define Unit uint
#define UNIT_OF(slot, source, index) READ(slot, source, index)
#elif UNIT == 8
#define Unit uvec2
#define UNIT_OF(slot, source, index) READ2(slot, source, index)
#else
#define Unit uvec4
#define UNIT_OF(slot, source, index) READ4(slot, source, index)
#endif

// What UNIT_OF gives, to be stored as Unit(…): no device needs 16-bit variables.
#if UNIT == 2
#define Loaded uint
#else
#define Loaded Unit
#endif

layout(buffer_reference, std430, buffer_reference_align = UNIT) buffer Units { Unit at[]; };
