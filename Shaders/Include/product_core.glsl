// main() of a matrix product, by CORE. Included last.
#if CORE == 0
#include "product_shared.glsl"
#elif CORE == 3
#include "product_matrix.glsl"
#else
#include "product_subgroup.glsl"
#endif
