#include "conv2d_im2col.h"

#include "clones.h"
#include "kernel_order.h"
#include "patches.h"

#include <string.h>

/* A transposed convolution with stride s is s² plain ones: the pixels of one remainder modulo s see the same
 * taps. Each is a product of gathered cotangents with those taps, so nothing is scattered and added. */
typedef struct phase {
  int64_t y, x;                   /* remainders */
  int64_t grid_height, grid_width; /* how many pixels have them */
  bk_tap_choice taps;
  bk_windows windows;
} phase;

/* Along one axis: which kernel elements reach pixels r, r + s, …, and the first cotangent that they read. */
static void phase_axis(int64_t remainder, int64_t padding, int64_t kernel, int64_t stride, int64_t *first,
                       int64_t *count, int64_t *before) {
  *first = (remainder + padding) % stride;
  *count = *first < kernel ? (kernel - 1 - *first) / stride + 1 : 0;
  *before = *count - 1 - (remainder + padding - *first) / stride;
}

static phase make_phase(const bk_conv_backward *conv, int64_t index) {
  const bk_convolution *c = &conv->shape;
  phase s = {.y = index / c->stride, .x = index % c->stride};
  s.grid_height = c->height > s.y ? (c->height - 1 - s.y) / c->stride + 1 : 0;
  s.grid_width = c->width > s.x ? (c->width - 1 - s.x) / c->stride + 1 : 0;
  s.taps.step = c->stride;
  s.taps.kernel_height = c->kernel_height;
  s.taps.kernel_width = c->kernel_width;
  int64_t top, left;
  phase_axis(s.y, c->top, c->kernel_height, c->stride, &s.taps.first_y, &s.taps.taps_y, &top);
  phase_axis(s.x, c->left, c->kernel_width, c->stride, &s.taps.first_x, &s.taps.taps_x, &left);
  bk_windows windows = {conv->dy,      c->out_height, c->out_width, c->out_channels, s.grid_height,  s.grid_width,
                        1,             top,           left,         s.taps.taps_y,   s.taps.taps_x};
  s.windows = windows;
  return s;
}

typedef struct layout {
  int64_t tile;
  float *weights; /* [taps, O, C] of one phase */
  float *patches; /* [tile, taps, O] */
  float *rows;    /* [tile, C], where pixels of a phase are not neighbours */
  void *product;
  uint64_t bytes;
} layout;

static bk_product phase_product(const bk_conv_backward *conv, const phase *f, const layout *s, int64_t first,
                                int64_t count) {
  const bk_convolution *c = &conv->shape;
  bk_product p = {0};
  p.m = count;
  p.n = c->channels;
  p.k = f->taps.taps_y * f->taps.taps_x * c->out_channels;
  p.a = s->patches;
  p.a_stride = p.k;
  p.b = s->weights;
  p.b_stride = p.n;
  p.c = s->rows;
  p.epilogue.columns = p.n;
  if (c->stride == 1) {
    p.c = conv->dx ? conv->dx + first * p.n : 0;
    p.epilogue.residual = conv->residual ? conv->residual + first * p.n : 0;
  }
  return p;
}

bk_product bk_pointwise_backward(const bk_conv_backward *conv) {
  const bk_convolution *c = &conv->shape;
  bk_product p = {0};
  p.m = bk_pixels(c);
  p.n = c->channels;
  p.k = c->out_channels;
  p.a = conv->dy;
  p.a_stride = p.k;
  p.b = conv->w;
  p.b_dtype = conv->w_dtype;
  p.b_stride = p.n;
  p.packed = conv->copy;
  p.c = conv->dx;
  p.epilogue.columns = p.n;
  p.epilogue.residual = conv->residual;
  return p;
}

/* The product's scratch for tiles of the phase's pixels, the last included. */
static uint64_t phase_scratch(const bk_conv_backward *conv, const phase *f, const layout *s, int64_t pixels,
                              uint32_t workers) {
  int64_t rest = pixels % s->tile;
  bk_product whole = phase_product(conv, f, s, 0, bk_min(s->tile, pixels));
  bk_product last = phase_product(conv, f, s, 0, rest ? rest : whole.m);
  uint64_t a = bk_product_scratch(&whole, workers), b = bk_product_scratch(&last, workers);
  return a > b ? a : b;
}

static layout make_layout(const bk_conv_backward *conv, uint32_t workers, void *base) {
  const bk_convolution *c = &conv->shape;
  bk_scratch scratch = {base, 0};
  layout s = {0};
  int64_t taps = 0, pixels = 0;
  for (int64_t index = 0; index < c->stride * c->stride; index++) {
    phase f = make_phase(conv, index);
    taps = bk_max(taps, f.taps.taps_y * f.taps.taps_x);
    pixels = bk_max(pixels, c->batch * f.grid_height * f.grid_width);
  }
  s.tile = bk_tile_pixels(pixels, taps * c->out_channels, workers);
  s.weights = bk_take_floats(&scratch, taps * c->out_channels * c->channels);
  s.patches = bk_take_floats(&scratch, s.tile * taps * c->out_channels);
  if (c->stride > 1) s.rows = bk_take_floats(&scratch, s.tile * c->channels);
  uint64_t product = 0;
  for (int64_t index = 0; index < c->stride * c->stride; index++) {
    phase f = make_phase(conv, index);
    int64_t count = c->batch * f.grid_height * f.grid_width;
    if (count == 0 || f.taps.taps_y * f.taps.taps_x == 0) continue;
    uint64_t bytes = phase_scratch(conv, &f, &s, count, workers);
    if (bytes > product) product = bytes;
  }
  s.product = bk_take(&scratch, (int64_t)product);
  s.bytes = scratch.used;
  return s;
}

uint64_t bk_conv2d_dx_im2col_scratch(const bk_conv_backward *conv, uint32_t workers) {
  if (bk_is_pointwise(&conv->shape)) {
    bk_product p = bk_pointwise_backward(conv);
    return bk_product_scratch(&p, workers);
  }
  return make_layout(conv, workers, 0).bytes;
}

typedef struct placing {
  const bk_conv_backward *conv;
  const phase *phase;
  const float *rows;
  int64_t first;
} placing;

BK_CLONES static void add_rows(float *to, const float *a, const float *b, int64_t count) {
  for (int64_t k = 0; k < count; k++) to[k] = a[k] + b[k];
}

/* Rows of a phase to their pixels. */
static void place(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const placing *j = argument;
  const bk_convolution *c = &j->conv->shape;
  const phase *f = j->phase;
  int64_t area = f->grid_height * f->grid_width;
  for (int64_t row = begin; row < end; row++) {
    int64_t sample = (j->first + row) / area, at = (j->first + row) % area;
    int64_t y = at / f->grid_width * c->stride + f->y, x = at % f->grid_width * c->stride + f->x;
    int64_t offset = ((sample * c->height + y) * c->width + x) * c->channels;
    const float *from = j->rows ? j->rows + row * c->channels : 0;
    float *to = j->conv->dx + offset;
    const float *residual = j->conv->residual ? j->conv->residual + offset : 0;
    size_t bytes = (size_t)c->channels * sizeof(float);
    if (from && residual) {
      add_rows(to, residual, from, c->channels);
    } else if (from || residual) {
      const float *source = from ? from : residual;
      if (source != to) memcpy(to, source, bytes);
    } else {
      memset(to, 0, bytes);
    }
  }
}

static void run_phase(const bk_conv_backward *conv, const phase *f, const layout *s, const bk_call *call) {
  const bk_convolution *c = &conv->shape;
  int64_t pixels = c->batch * f->grid_height * f->grid_width;
  int reached = f->taps.taps_y > 0 && f->taps.taps_x > 0;
  if (reached) {
    bk_order_rotated(conv->w, conv->w_dtype, c->out_channels, c->channels, &f->taps, s->weights, call);
  }
  for (int64_t first = 0; first < pixels; first += s->tile) {
    int64_t count = bk_min(s->tile, pixels - first);
    if (reached) {
      bk_gather(&f->windows, BK_TAPS_FIRST, first, count, s->patches, call);
      bk_product p = phase_product(conv, f, s, first, count);
      bk_product_run(&p, call, s->product);
    }
    if (c->stride > 1) {
      placing j = {conv, f, reached ? s->rows : 0, first};
      call->host->parallel_for(call->host->context, count, 16, place, &j);
    }
  }
}

void bk_conv2d_dx_im2col_run(const bk_conv_backward *conv, const bk_call *call, void *scratch) {
  if (bk_is_pointwise(&conv->shape)) {
    bk_product p = bk_pointwise_backward(conv);
    bk_product_run(&p, call, scratch);
    return;
  }
  layout s = make_layout(conv, call->workers, scratch);
  for (int64_t index = 0; index < conv->shape.stride * conv->shape.stride; index++) {
    phase f = make_phase(conv, index);
    run_phase(conv, &f, &s, call);
  }
}
