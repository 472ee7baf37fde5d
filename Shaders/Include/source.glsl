// An operand that a shader only reads: FETCH 0 through its address, 1 by texel fetches (f32 by fours).
//
// Declare it in the push constants as `Source x` and read it with `source4(SLOT, x, index)`; slots count
// the fetched operands from 0. Needs types.glsl.
#if FETCH == 1
#include "Include/texels.glsl"
#define Source uint
#define source4(slot, t, index) fetch4(texels##slot, t + (index))
#define source1(t, index) 0.0
#else
#define Source Acts
#define source4(slot, t, index) load4(t, index)
#define source1(t, index) load(t, index)
#endif
