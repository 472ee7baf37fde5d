/* Transformed 3×3 kernels in panels of output channels, as register_tile.h reads them. */
#ifndef WINOGRAD_KERNELS_H
#define WINOGRAD_KERNELS_H

#include "winograd.h"

/* u[points][count, 32] for input channels [first, first + count) and output channels panel · width …, or [count, 16] in a
 * narrow panel; zero beyond the last output. */
void bk_winograd_panel(const bk_winograd *conv, int64_t panel, int64_t first, int64_t count, float *u,
                       int64_t point_stride);

#endif
