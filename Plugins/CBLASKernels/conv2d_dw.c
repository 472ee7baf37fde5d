/* CONV2D_DW: by Winograd where that pays, else the cotangents times gathered patches, tile by tile, summed in a
 * fixed order.
 */
#include "convolution.h"
#include "kernel_list_matmul.h"
#include "kernel_order.h"
#include "patches.h"
#include "product.h"
#include "winograd_dw.h"

typedef struct layout {
  bk_convolution shape;
  int order;
  int64_t tile; /* pixels gathered at a time; 0: the map itself is the matrix */
  float *patches;
  float *sums; /* [O, taps, C], unless the patches have the order of the result */
  void *outer;
  uint64_t bytes;
} layout;

static bk_outer tile_outer(const bk_call *call, const layout *s, int64_t first, int64_t count) {
  const float *dy = bk_input(call, 0)->data;
  bk_outer o = {0};
  o.m = count;
  o.n = s->shape.out_channels;
  o.k = bk_taps(&s->shape) * s->shape.channels;
  o.a = dy ? dy + first * o.n : 0;
  o.b = s->tile ? s->patches : bk_floats(bk_input(call, 1));
  o.c = s->order == BK_TAPS_FIRST ? s->sums : bk_floats(bk_output(call, 0));
  o.accumulate = first > 0;
  return o;
}

static layout make_layout(const bk_call *call, void *base) {
  layout s = {0};
  s.shape = bk_convolution_of(call, bk_input(call, 1), bk_output(call, 0), bk_input(call, 0));
  int64_t pixels = bk_out_pixels(&s.shape), depth = bk_taps(&s.shape) * s.shape.channels;
  bk_scratch scratch = {base, 0};
  s.order = BK_CHANNELS_FIRST;
  if (!bk_is_pointwise(&s.shape)) {
    s.tile = bk_tile_pixels(pixels, depth, call->workers);
    s.patches = bk_take_floats(&scratch, s.tile * depth);
    if (bk_taps(&s.shape) > 1 && pixels >= s.shape.out_channels) {
      s.order = BK_TAPS_FIRST;
      s.sums = bk_take_floats(&scratch, s.shape.out_channels * depth);
    }
  }
  bk_outer o = tile_outer(call, &s, 0, s.tile ? s.tile : pixels);
  int64_t rest = s.tile ? pixels % s.tile : 0;
  bk_outer last = tile_outer(call, &s, 0, rest ? rest : o.m);
  uint64_t bytes = bk_outer_scratch(&o, call->workers), last_bytes = bk_outer_scratch(&last, call->workers);
  s.outer = bk_take(&scratch, (int64_t)(bytes > last_bytes ? bytes : last_bytes));
  s.bytes = scratch.used;
  return s;
}

static const char *check(const bk_call *call) {
  const bk_tensor *dy = bk_input(call, 0), *x = bk_input(call, 1), *dw = bk_output(call, 0);
  const char *reason = bk_convolution_check(call, x, dw, dy);
  if (reason) return reason;
  return bk_is_f32(dw) ? 0 : "weight gradients must be f32";
}

static void run_im2col(const bk_call *call) {
  layout s = make_layout(call, call->workspace);
  const bk_convolution *c = &s.shape;
  int64_t pixels = bk_out_pixels(c);
  bk_windows windows = {bk_floats(bk_input(call, 1)), c->height, c->width,   c->channels,      c->out_height,
                        c->out_width,                 c->stride, c->top,     c->left,          c->kernel_height,
                        c->kernel_width};
  int64_t step = s.tile ? s.tile : pixels;
  for (int64_t first = 0; first < pixels; first += step) {
    int64_t count = bk_min(step, pixels - first);
    if (s.tile) bk_gather(&windows, s.order, first, count, s.patches, call);
    bk_outer o = tile_outer(call, &s, first, count);
    bk_outer_run(&o, call, s.outer);
  }
  if (s.order == BK_TAPS_FIRST) {
    bk_order_checkpoint(s.sums, c->out_channels, c->channels, bk_taps(c), bk_floats(bk_output(call, 0)), call);
  }
}

static bk_winograd_dw make_winograd(const bk_call *call) {
  const bk_tensor *dy = bk_input(call, 0), *x = bk_input(call, 1), *dw = bk_output(call, 0);
  bk_winograd_dw w = {bk_convolution_of(call, x, dw, dy), x->data, dy->data, dw->data};
  return w;
}

static int uses_winograd(const bk_winograd_dw *conv) {
  return bk_is_3x3(&conv->shape) && bk_winograd_dw_pays(conv);
}

static uint64_t workspace(const bk_call *call) {
  bk_winograd_dw w = make_winograd(call);
  return uses_winograd(&w) ? bk_winograd_dw_scratch(&w, call->workers) : make_layout(call, 0).bytes;
}

static void run(const bk_call *call) {
  bk_winograd_dw w = make_winograd(call);
  if (uses_winograd(&w)) {
    bk_winograd_dw_run(&w, call, call->workspace);
  } else {
    run_im2col(call);
  }
}
const bk_kernel bk_conv2d_dw = {ESP_OP_CONV2D_DW, 0, check, workspace, run};
