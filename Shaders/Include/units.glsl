// Pieces of rows for kernels that only move elements, whatever their type.
//
// UNIT: bytes of a piece, 2 (needs 16-bit storage), 4, 8 or 16; the largest that divides every row.
#extension GL_EXT_buffer_reference : require
#if UNIT == 2
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : require
#define UNIT_TYPE uint16_t
#elif UNIT == 4
#define UNIT_TYPE uint
#elif UNIT == 8
#define UNIT_TYPE uvec2
#else
#define UNIT_TYPE uvec4
#endif

layout(buffer_reference, std430, buffer_reference_align = UNIT) buffer Units { UNIT_TYPE at[]; };
