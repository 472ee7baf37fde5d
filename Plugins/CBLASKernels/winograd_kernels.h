/* Transformed 3×3 kernels in panels of 16 output channels. */
#ifndef WINOGRAD_KERNELS_H
#define WINOGRAD_KERNELS_H

#include "winograd.h"

/* u[36][channels, 16] for output channels panel · 16 …, zero beyond the last. */
void bk_winograd_panel(const bk_winograd *conv, int64_t panel, float *u, int64_t point_stride);

#endif
