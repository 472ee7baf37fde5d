// Cooperative matrices of a subgroup: 16×16 f16 times 16×16 f16, added to 16×16 f32.
//
// KHR and NV are two spellings of the same; the compiler decides, as Plugins/CVulkanDriver does by its headers.
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_memory_scope_semantics : require
#ifdef GL_KHR_cooperative_matrix
#extension GL_KHR_cooperative_matrix : require
#define A_MATRIX coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>
#define B_MATRIX coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB>
#define SUM_MATRIX coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>
#define LOAD_ROWS(m, from, at, pitch) \
  coopMatLoad(m, from, at, pitch, gl_CooperativeMatrixLayoutRowMajor)
#define LOAD_COLUMNS(m, from, at, pitch) \
  coopMatLoad(m, from, at, pitch, gl_CooperativeMatrixLayoutColumnMajor)
#define STORE_ROWS(m, to, at, pitch) \
  coopMatStore(m, to, at, pitch, gl_CooperativeMatrixLayoutRowMajor)
#define MULTIPLY_ADD coopMatMulAdd
#else
#extension GL_NV_cooperative_matrix : require
#define A_MATRIX fcoopmatNV<16, gl_ScopeSubgroup, 16, 16>
#define B_MATRIX fcoopmatNV<16, gl_ScopeSubgroup, 16, 16>
#define SUM_MATRIX fcoopmatNV<32, gl_ScopeSubgroup, 16, 16>
#define LOAD_ROWS(m, from, at, pitch) coopMatLoadNV(m, from, at, pitch, false)
#define LOAD_COLUMNS(m, from, at, pitch) coopMatLoadNV(m, from, at, pitch, true)
#define STORE_ROWS(m, to, at, pitch) coopMatStoreNV(m, to, at, pitch, false)
#define MULTIPLY_ADD coopMatMulAddNV
#endif
