/* Products of operands that were packed into panels when they were transformed: what the BLAS would copy
 * first, lies in place already. Meant for many small products.
 */
#ifndef PANELS_H
#define PANELS_H

#include <stdint.h>

/* Columns of one panel: [depth, bk_panel_width], zero beyond the last real column. */
enum { bk_panel_width = 16 };

/* c[rows, 16 · panels] = a[rows, depth] · b (+ c if `add`), where panel p of b starts at b + p · panel_stride. */
void bk_multiply_panels(const float *a, int64_t a_stride, int64_t rows, int64_t depth, const float *b,
                        int64_t panel_stride, int64_t panels, float *c, int64_t c_stride, int add);

/* One panel of a matrix: target[k, 16] = source[16, k]ᵀ if `transposed`, else source[k, 16]; any storage type. */
void bk_pack_panel(const void *source, int32_t dtype, int64_t stride, int64_t depth, int transposed, float *target);

/* c[16, 16] = aᵀ·b of two panels. */
void bk_multiply_panel_pair(const float *a, const float *b, int64_t depth, float *c, int64_t c_stride);

#endif
