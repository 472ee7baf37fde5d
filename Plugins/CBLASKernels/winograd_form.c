/* Which transforms a form has. No table of functions: the loader fills one before it can choose among the variants that
 * a function has for several processors. */
#include "winograd_tiles.h"

const bk_winograd_form bk_winograd_4 = {bk_winograd_step, bk_winograd_tile, bk_winograd_points};
const bk_winograd_form bk_winograd_2 = {2, 4, 16};

void bk_winograd_input(const bk_winograd_form *form, const float *const *pixels, int64_t channels, float *v,
                       bk_winograd_places places) {
  if (form->step == 2) {
    bk_winograd_2_input(pixels, channels, v, places);
  } else {
    bk_winograd_4_input(pixels, channels, v, places);
  }
}

void bk_winograd_kernel(const bk_winograd_form *form, const float *g, float *u, int64_t point_stride) {
  if (form->step == 2) {
    bk_winograd_2_kernel(g, u, point_stride);
  } else {
    bk_winograd_4_kernel(g, u, point_stride);
  }
}

void bk_winograd_output(const bk_winograd_form *form, const float *m, int64_t point_stride, int64_t count,
                        bk_winograd_pixels pixels) {
  if (form->step == 2) {
    bk_winograd_2_output(m, point_stride, count, pixels);
  } else {
    bk_winograd_4_output(m, point_stride, count, pixels);
  }
}
