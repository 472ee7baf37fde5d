#include "conv2d_im2col.h"

#include "kernel_order.h"
#include "patches.h"

/* Weights are put in the order of gathered pixels; only where that would cost more than putting the patches
 * in the order of the weights (few pixels), or take too much scratch, it is the other way round. */
enum { ordered_limit = 1 << 24 };

typedef struct layout {
  int order;
  int64_t tile; /* pixels gathered at a time; 0: the map itself is the matrix */
  float *weights;
  float *patches;
  void *product;
  uint64_t bytes;
} layout;

static bk_product tile_product(const bk_conv_forward *conv, const layout *s, int64_t first, int64_t count) {
  int64_t depth = bk_taps(&conv->shape) * conv->shape.channels;
  bk_product p = {0};
  p.m = count;
  p.n = conv->shape.out_channels;
  p.k = depth;
  p.a = s->tile ? s->patches : conv->x;
  p.a_stride = depth;
  p.b = s->order == BK_TAPS_FIRST ? s->weights : conv->w;
  p.b_dtype = s->order == BK_TAPS_FIRST ? ESP_DTYPE_F32 : conv->w_dtype;
  p.b_transposed = 1;
  p.b_stride = depth;
  if (!s->tile) p.packed = conv->copy;
  p.c = conv->y ? conv->y + first * p.n : 0;
  p.epilogue = conv->epilogue;
  if (p.epilogue.residual) p.epilogue.residual += first * p.n;
  p.epilogue.row_offset = first;
  return p;
}

bk_product bk_pointwise_forward(const bk_conv_forward *conv) {
  layout s = {.order = BK_CHANNELS_FIRST};
  return tile_product(conv, &s, 0, bk_out_pixels(&conv->shape));
}

static layout make_layout(const bk_conv_forward *conv, uint32_t workers, void *base) {
  const bk_convolution *c = &conv->shape;
  int64_t pixels = bk_out_pixels(c), depth = bk_taps(c) * c->channels;
  bk_scratch scratch = {base, 0};
  layout s = {BK_CHANNELS_FIRST, 0, 0, 0, 0, 0};
  if (!bk_is_pointwise(c)) {
    s.tile = bk_tile_pixels(pixels, depth, workers);
    s.patches = bk_take_floats(&scratch, s.tile * depth);
    if (bk_taps(c) > 1 && pixels >= c->out_channels && c->out_channels <= ordered_limit / depth) {
      s.order = BK_TAPS_FIRST;
      s.weights = bk_take_floats(&scratch, c->out_channels * depth);
    }
  }
  bk_product p = tile_product(conv, &s, 0, s.tile ? s.tile : pixels);
  int64_t rest = s.tile ? pixels % s.tile : 0;
  bk_product last = tile_product(conv, &s, 0, rest ? rest : p.m);
  uint64_t bytes = bk_product_scratch(&p, workers), last_bytes = bk_product_scratch(&last, workers);
  s.product = bk_take(&scratch, (int64_t)(bytes > last_bytes ? bytes : last_bytes));
  s.bytes = scratch.used;
  return s;
}

uint64_t bk_conv2d_im2col_scratch(const bk_conv_forward *conv, uint32_t workers) {
  return make_layout(conv, workers, 0).bytes;
}

void bk_conv2d_im2col_run(const bk_conv_forward *conv, const bk_call *call, void *scratch) {
  const bk_convolution *c = &conv->shape;
  layout s = make_layout(conv, call->workers, scratch);
  int64_t pixels = bk_out_pixels(c);
  if (!s.tile) {
    bk_product p = tile_product(conv, &s, 0, pixels);
    bk_product_run(&p, call, s.product);
    return;
  }
  if (s.order == BK_TAPS_FIRST) {
    bk_order_taps_first(conv->w, conv->w_dtype, c->out_channels, c->channels, bk_taps(c), s.weights, call);
  }
  bk_windows windows = {conv->x,      c->height,  c->width, c->channels, c->out_height,    c->out_width,
                        c->stride,    c->top,     c->left,  c->kernel_height, c->kernel_width};
  for (int64_t first = 0; first < pixels; first += s.tile) {
    int64_t count = bk_min(s.tile, pixels - first);
    bk_gather(&windows, s.order, first, count, s.patches, call);
    bk_product p = tile_product(conv, &s, first, count);
    bk_product_run(&p, call, s.product);
  }
}
