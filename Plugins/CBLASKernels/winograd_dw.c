#include "winograd_dw.h"

#include "packing.h"
#include "winograd_transform.h"

/* Bytes of transformed tiles, tiles summed at a time, and channels along the sides of one block of the result. */
enum { shared_limit = 48 << 20, tile_limit = 256, block_side = 64, taps = 9 };

/* Transformed tiles lie as [point, panel, tile, width]. Lanes beyond the last channel hold whatever was there: each
 * lane of a product is a pair of channels of its own, and those are not read. */
typedef struct side {
  int64_t width; /* of a panel: a line of output channels, a panel of input channels */
  int64_t panels, block, blocks;
  bk_winograd_places places;
  float *values;
} side;

typedef struct plan {
  int64_t tiles_y, tiles_x, tiles, round; /* `round` tiles at a time */
  side out, in;                           /* of dy and x */
  float *zeros;
  float *own; /* per worker, the products of one block */
  int64_t own_floats;
  uint64_t bytes;
} plan;

static side make_side(int64_t channels, int64_t width, int64_t round) {
  side s = {.width = width};
  s.panels = bk_blocks(channels, width);
  s.block = bk_min(s.panels, block_side / width);
  s.places.width = width;
  s.places.panel = round * width;
  s.places.point = s.panels * s.places.panel + bk_line; /* not a multiple of the cache's way */
  return s;
}

static plan make_plan(const bk_winograd_dw *conv, uint32_t workers, void *base) {
  const bk_convolution *c = &conv->shape;
  plan s = {0};
  s.tiles_y = bk_blocks(c->out_height, bk_winograd_step);
  s.tiles_x = bk_blocks(c->out_width, bk_winograd_step);
  s.tiles = c->batch * s.tiles_y * s.tiles_x;
  int64_t tile_bytes = bk_winograd_points * 4 * (c->channels + c->out_channels + 2 * bk_panel_width());
  int64_t round = bk_min(bk_max(shared_limit / tile_bytes, 16), tile_limit);
  s.round = bk_blocks(s.tiles, bk_blocks(s.tiles, round));
  s.out = make_side(c->out_channels, bk_line, s.round);
  s.in = make_side(c->channels, c->channels <= bk_line ? bk_line : bk_panel_width(), s.round);
  for (;;) {
    s.out.blocks = bk_blocks(s.out.panels, s.out.block);
    s.in.blocks = bk_blocks(s.in.panels, s.in.block);
    side *larger = s.out.block * s.out.width > s.in.block * s.in.width ? &s.out : &s.in;
    if (s.out.blocks * s.in.blocks >= workers || larger->block == 1) break;
    larger->block = bk_blocks(larger->block, 2);
  }
  bk_scratch scratch = {base, 0};
  s.zeros = bk_take_floats(&scratch, bk_max(c->channels, c->out_channels));
  s.out.values = bk_take_floats(&scratch, bk_winograd_points * s.out.places.point);
  s.in.values = bk_take_floats(&scratch, bk_winograd_points * s.in.places.point);
  s.own_floats = bk_winograd_points * s.out.block * s.out.width * s.in.block * s.in.width;
  s.own = bk_take_floats(&scratch, s.own_floats * workers);
  s.bytes = scratch.used;
  return s;
}

typedef struct job {
  const bk_winograd_dw *conv;
  plan plan;
  int64_t first, count; /* the round's tiles */
} job;

typedef struct map {
  const float *values;
  int64_t height, width, channels;
} map;

/* Pixels of a square of `length` from (y0, x0); `zeros` outside the map. */
static void find_pixels(map m, const float *zeros, int64_t sample, int64_t y0, int64_t x0, int64_t length,
                        const float **pixels) {
  for (int64_t y = y0; y < y0 + length; y++) {
    for (int64_t x = x0; x < x0 + length; x++) {
      int inside = y >= 0 && y < m.height && x >= 0 && x < m.width;
      *pixels++ = inside ? m.values + ((sample * m.height + y) * m.width + x) * m.channels : zeros;
    }
  }
}

static void transform(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const job *j = argument;
  const plan *s = &j->plan;
  const bk_convolution *c = &j->conv->shape;
  map x = {j->conv->x, c->height, c->width, c->channels};
  map dy = {j->conv->dy, c->out_height, c->out_width, c->out_channels};
  const float *pixels[bk_winograd_points];
  for (int64_t at = begin; at < end; at++) {
    int64_t tile = j->first + at, sample = tile / s->tiles_x / s->tiles_y;
    int64_t top = tile / s->tiles_x % s->tiles_y * bk_winograd_step, left = tile % s->tiles_x * bk_winograd_step;
    find_pixels(x, s->zeros, sample, top - c->top, left - c->left, bk_winograd_tile, pixels);
    bk_winograd_input(&bk_winograd_4, pixels, c->channels, s->in.values + at * s->in.width, s->in.places);
    find_pixels(dy, s->zeros, sample, top, left, bk_winograd_step, pixels);
    bk_winograd_cotangent(pixels, c->out_channels, s->out.values + at * s->out.width, s->out.places);
  }
}

/* Sixteen channels of one output channel's gradient. */
static void store(const job *j, int64_t o, int64_t channel, const float *g) {
  const bk_convolution *c = &j->conv->shape;
  float *to = j->conv->dw + (o * c->channels + channel) * taps;
  int64_t count = bk_min(bk_line, c->channels - channel);
  for (int64_t k = 0; k < count; k++) {
    for (int64_t tap = 0; tap < taps; tap++) {
      float value = g[tap * bk_line + k];
      to[k * taps + tap] = j->first == 0 ? value : to[k * taps + tap] + value;
    }
  }
}

/* m[16, width] = dyᵀ·x of one pair of panels. */
static void multiply_pair(const job *j, const float *dy, const float *x, float *m, int64_t m_stride) {
  const int64_t width = j->plan.in.width;
  bk_tile_operands o = {bk_line, width, j->count, dy, bk_line, x, width == bk_line};
  bk_tile_result result = {m, 0, 0, m_stride};
  bk_tile_deep_by_panel(&o, &result);
}

static void run_block(const job *j, int64_t out, int64_t in, float *m) {
  const plan *s = &j->plan;
  int64_t outs = bk_min(s->out.block, s->out.panels - out), ins = bk_min(s->in.block, s->in.panels - in);
  int64_t width = ins * s->in.width, square = outs * bk_line * width;
  for (int64_t point = 0; point < bk_winograd_points; point++) {
    const float *dy = s->out.values + point * s->out.places.point + out * s->out.places.panel;
    const float *x = s->in.values + point * s->in.places.point + in * s->in.places.panel;
    for (int64_t q = 0; q < ins; q++) {
      for (int64_t p = 0; p < outs; p++) {
        multiply_pair(j, dy + p * s->out.places.panel, x + q * s->in.places.panel,
                      m + point * square + p * bk_line * width + q * s->in.width, width);
      }
    }
  }
  int64_t first = out * bk_line, last = bk_min(first + outs * bk_line, j->conv->shape.out_channels);
  int64_t channel = in * s->in.width, channels = bk_min(width, j->conv->shape.channels - channel);
  for (int64_t o = first; o < last; o++) {
    for (int64_t c = 0; c < channels; c += bk_line) {
      float g[taps * bk_line];
      bk_winograd_kernel_gradient(m + (o - first) * width + c, square, g);
      store(j, o, channel + c, g);
    }
  }
}

static void run_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const job *j = argument;
  const plan *s = &j->plan;
  for (int64_t block = begin; block < end; block++) {
    run_block(j, block / s->in.blocks * s->out.block, block % s->in.blocks * s->in.block,
              s->own + worker * s->own_floats);
  }
}

/* Measured as for the forward pass: nanoseconds per pair of channels. */
int bk_winograd_dw_pays(const bk_winograd_dw *conv) {
  const bk_convolution *c = &conv->shape;
  double tiles = (double)(c->batch * bk_blocks(c->out_height, bk_winograd_step) *
                          bk_blocks(c->out_width, bk_winograd_step));
  return 0.9 * tiles + 9 < 0.28 * (double)bk_out_pixels(c);
}

uint64_t bk_winograd_dw_scratch(const bk_winograd_dw *conv, uint32_t workers) {
  return make_plan(conv, workers, 0).bytes;
}

void bk_winograd_dw_run(const bk_winograd_dw *conv, const bk_call *call, void *scratch) {
  job j = {conv, make_plan(conv, call->workers, scratch), 0, 0};
  const plan *s = &j.plan;
  int64_t zeros = bk_max(conv->shape.channels, conv->shape.out_channels);
  for (int64_t c = 0; c < zeros; c++) s->zeros[c] = 0;
  for (; j.first < s->tiles; j.first += s->round) {
    j.count = bk_min(s->round, s->tiles - j.first);
    bk_parallel(call, j.count, transform, &j);
    bk_parallel(call, s->out.blocks * s->in.blocks, run_blocks, &j);
  }
}
