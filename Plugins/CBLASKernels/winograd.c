#include "winograd.h"

#include "copies.h"
#include "packing.h"
#include "winograd_kernels.h"

#include <string.h>

/* Bytes of scratch that all workers share, and rows, depth and columns of one product. */
enum { shared_limit = 48 << 20, tile_limit = 96, depth_limit = 384, block_columns = 128 };

/* Channels whose kernels are transformed at a time where there are so few tiles that they do not stay in the cache
 * otherwise. */
enum { kernel_depth = 64 };

/* Whichever side is smaller is transformed once for all workers; the other side is cut into pieces, and each
 * worker transforms, multiplies and finishes its own pieces while they are in its cache. */
typedef struct plan {
  int64_t tiles_y, tiles_x, tiles, panels;
  int64_t tile_stride, panel_stride; /* from one point to the next, in a transformed tile or panel */
  int64_t tile_floats, panel_floats; /* transformed */
  int64_t kernel_channels;           /* of a transformed panel: all, or a part that stays in the cache */
  int64_t parts;                     /* of the channels, `kernel_channels` in each but the last */
  int32_t shares_tiles;              /* else the weights are shared */
  int64_t shared_tiles;              /* at a time */
  int64_t block_tiles;               /* of one product */
  int64_t block_panels;              /* likewise */
  float *shared, *zeros;
  char *own;
  int64_t own_bytes, own_transformed;
  uint64_t bytes;
} plan;

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
  return bk_max(low, bk_min(value, high));
}

/* Points an odd number of cache lines apart: else all of them compete for a few sets of the first cache. */
static int64_t spread_points(int64_t floats) {
  return floats < 256 || floats / 16 % 2 ? floats : bk_round_up(floats, 16) + 16;
}

static void set_kernel_channels(plan *s, const bk_winograd *conv, int64_t channels) {
  s->kernel_channels = channels;
  s->panel_stride = spread_points(channels * bk_panel_width());
  s->panel_floats = conv->form->points * s->panel_stride;
}

/* Sizes chosen by measurement on a core with 512 KiB of second-level cache. */
static void choose_blocks(plan *s, const bk_winograd *conv, int64_t workers) {
  int64_t channels = conv->channels;
  int64_t tile_bytes = s->tile_floats * 4, panel_bytes = s->panel_floats * 4;
  int64_t all_tiles = s->tiles * tile_bytes, all_panels = s->panels * panel_bytes;
  s->shares_tiles = all_panels > shared_limit || s->tiles < 2 * bk_tile_rows * workers ||
                    (all_tiles < all_panels && all_tiles <= shared_limit);
  if (s->shares_tiles) {
    s->shared_tiles = clamp(shared_limit / tile_bytes, bk_min(s->tiles, tile_limit), s->tiles);
    int64_t rounds = bk_blocks(s->tiles, s->shared_tiles);
    s->shared_tiles = bk_blocks(s->tiles, rounds);
    s->block_panels = clamp((3 << 20) / panel_bytes, 1, bk_blocks(s->panels, workers));
    s->block_tiles = bk_min(s->shared_tiles, tile_limit);
    if (s->shared_tiles <= tile_limit && channels > kernel_depth) {
      set_kernel_channels(s, conv, kernel_depth);
      s->block_panels = bk_tile_columns / bk_panel_width();
    }
  } else {
    s->shared_tiles = s->tiles;
    int64_t fit = clamp((1 << 20) / tile_bytes, channels < 256 ? 4 * bk_tile_rows : tile_limit, tile_limit);
    int64_t blocks = bk_round_up(bk_blocks(s->tiles, fit), workers);
    s->block_tiles = bk_round_up(bk_blocks(s->tiles, blocks), bk_tile_rows);
    s->block_panels = bk_min(s->panels, block_columns / bk_panel_width());
  }
}

static plan make_plan(const bk_winograd *conv, uint32_t workers, void *base) {
  plan s = {0};
  s.tiles_y = bk_blocks(conv->out_height, conv->form->step);
  s.tiles_x = bk_blocks(conv->out_width, conv->form->step);
  s.tiles = conv->batch * s.tiles_y * s.tiles_x;
  s.panels = bk_blocks(conv->out_channels, bk_panel_width());
  s.tile_stride = spread_points(conv->channels);
  s.tile_floats = conv->form->points * s.tile_stride;
  set_kernel_channels(&s, conv, conv->channels);
  choose_blocks(&s, conv, workers);
  s.parts = bk_blocks(conv->channels, s.kernel_channels);
  bk_scratch scratch = {base, 0};
  s.zeros = bk_take_floats(&scratch, conv->channels);
  int64_t shared = s.shares_tiles ? s.shared_tiles * s.tile_floats : s.panels * s.panel_floats;
  s.shared = bk_take_floats(&scratch, shared);
  int64_t transformed = s.shares_tiles ? s.block_panels * s.panel_floats : s.block_tiles * s.tile_floats;
  s.own_transformed = bk_round_up(transformed, 16);
  int64_t width = s.block_panels * bk_panel_width();
  int64_t products = s.block_tiles * conv->form->points * width;
  s.own_bytes = bk_round_up((s.own_transformed + products + 16 * width) * 4, 64);
  s.own = bk_take(&scratch, s.own_bytes * workers);
  s.bytes = scratch.used;
  return s;
}

typedef struct job {
  const bk_winograd *conv;
  plan plan;
  int64_t first; /* of the shared tiles */
  int64_t count;
  const float *kernels; /* those that all workers share */
} job;

/* One tile of the source, zero outside the map. */
static void transform_tile(const job *j, int64_t tile, float *v) {
  const bk_winograd *c = j->conv;
  const plan *s = &j->plan;
  const int64_t step = c->form->step, side = c->form->tile;
  const float *pixels[bk_winograd_points];
  int64_t x0 = tile % s->tiles_x * step - c->left;
  int64_t y0 = tile / s->tiles_x % s->tiles_y * step - c->top;
  int64_t sample = tile / s->tiles_x / s->tiles_y;
  for (int64_t y = 0; y < side; y++) {
    for (int64_t x = 0; x < side; x++) {
      int inside = y0 + y >= 0 && y0 + y < c->height && x0 + x >= 0 && x0 + x < c->width;
      int64_t pixel = (sample * c->height + y0 + y) * c->width + x0 + x;
      pixels[y * side + x] = inside ? c->source + pixel * c->channels : s->zeros;
    }
  }
  bk_winograd_places places = {s->tile_stride, bk_line, bk_line};
  bk_winograd_input(c->form, pixels, c->channels, v, places);
}

/* The products of one tile back to its pixels. */
static void finish_tile(const job *j, int64_t tile, int64_t column, int64_t width, const float *m, float *y) {
  const bk_winograd *c = j->conv;
  const plan *s = &j->plan;
  const bk_epilogue *e = &c->epilogue;
  const int linear = bk_epilogue_is_linear(e);
  const int64_t step = c->form->step;
  int64_t count = bk_min(width, c->out_channels - column);
  int64_t x0 = tile % s->tiles_x * step;
  int64_t y0 = tile / s->tiles_x % s->tiles_y * step;
  int64_t sample = tile / s->tiles_x / s->tiles_y;
  int64_t row = (sample * c->out_height + y0) * c->out_width + x0, at = row * c->out_channels + column;
  bk_winograd_pixels p = {.height = bk_min(step, c->out_height - y0),
                          .width = bk_min(step, c->out_width - x0)};
  if (linear) {
    p.target = c->target + at;
    p.line = c->out_width * c->out_channels;
    p.pixel = c->out_channels;
    p.residual = e->residual ? e->residual + at : 0;
    p.bias = e->bias ? e->bias + column : 0;
    p.channel = e->channel ? e->channel + sample * c->out_channels + column : 0;
  } else {
    p.target = y;
    p.line = step * count;
    p.pixel = count;
  }
  bk_winograd_output(c->form, m, width, count, p);
  for (int64_t line = 0; !linear && line < p.height; line++) {
    bk_epilogue_finish(e, y + line * p.line, count, c->target, row + line * c->out_width, p.width, column, count);
  }
}

/* m[tiles, columns] = v[tiles, channels] · u (+ m if `add`); panels of u are panel_floats apart. */
static void multiply_point(const plan *s, const float *v, int64_t tiles, int64_t channels, const float *u,
                           int64_t columns, float *m, int64_t m_stride, int add) {
  for (int64_t depth = 0; depth < channels; depth += depth_limit) {
    for (int64_t first = 0; first < columns; first += bk_panel_width()) {
      int64_t rest = columns - first;
      int narrow = bk_panel_is_narrow(rest);
      bk_tile_operands o = {.columns = bk_min(rest, bk_panel_width()), .depth = bk_min(depth_limit, channels - depth),
                            .a_step = s->tile_floats, .narrow = narrow};
      o.b = u + first / bk_panel_width() * s->panel_floats + depth * (narrow ? bk_line : bk_panel_width());
      o.rows = tiles;
      o.a = v + depth;
      float *c = m + first;
      bk_tile_result result = {c, add || depth ? c : 0, 0, m_stride};
      bk_tile_rows_by_panel(&o, &result);
    }
  }
}

/* Channels [first, first + count) of transformed tiles at v, times the panels at u, added up in m; after the last
 * channels to the pixels of tiles `tile` …. */
static void multiply(const job *j, int64_t tile, int64_t tiles, const float *v, int64_t first, int64_t count,
                     int64_t panel, int64_t panels, const float *u, float *m) {
  const plan *s = &j->plan;
  const int64_t points = j->conv->form->points;
  int64_t column = panel * bk_panel_width(), columns = bk_min(panels * bk_panel_width(), j->conv->out_channels - column);
  int64_t width = bk_round_up(columns, bk_line);
  float *y = m + s->block_tiles * points * s->block_panels * bk_panel_width();
  for (int64_t point = 0; point < points; point++) {
    multiply_point(s, v + point * s->tile_stride + first, tiles, count, u + point * s->panel_stride, width,
                   m + point * width, points * width, first > 0);
  }
  for (int64_t k = 0; k < tiles && first + count == j->conv->channels; k++) {
    finish_tile(j, tile + k, column, width, m + k * points * width, y);
  }
}

static void transform_shared_tiles(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const job *j = argument;
  for (int64_t tile = begin; tile < end; tile++) {
    transform_tile(j, j->first + tile, j->plan.shared + tile * j->plan.tile_floats);
  }
}

typedef struct kernels {
  const bk_winograd *conv;
  const plan *plan;
  float *target; /* [panels, parts] */
} kernels;

static void transform_kernels(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const kernels *j = argument;
  const plan *s = j->plan;
  for (int64_t item = begin; item < end; item++) {
    int64_t first = item % s->parts * s->kernel_channels;
    bk_winograd_panel(j->conv, item / s->parts, first, bk_min(s->kernel_channels, j->conv->channels - first),
                      j->target + item * s->panel_floats, s->panel_stride);
  }
}

static void transform_all_kernels(const bk_winograd *conv, const plan *s, const bk_call *call, float *target) {
  kernels j = {conv, s, target};
  bk_parallel(call, s->panels * s->parts, transform_kernels, &j);
}

/* Transformed kernels of some panels for channels [first, first + count): kept ones, or made at u. */
static const float *take_kernels(const job *j, int64_t panel, int64_t panels, int64_t first, int64_t count, float *u) {
  const plan *s = &j->plan;
  const float *kept = j->conv->kept;
  if (kept && s->parts == 1) return kept + panel * s->panel_floats;
  for (int64_t p = 0; p < panels; p++) {
    float *to = u + p * s->panel_floats;
    if (kept) {
      /* Read in one go: a piece for each point would wait for the memory at each. */
      const float *from = kept + ((panel + p) * s->parts + first / s->kernel_channels) * s->panel_floats;
      memcpy(to, from, (size_t)s->panel_floats * sizeof(float));
    } else {
      bk_winograd_panel(j->conv, panel + p, first, count, to, s->panel_stride);
    }
  }
  return u;
}

static void run_panels(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const job *j = argument;
  const plan *s = &j->plan;
  float *u = (float *)(s->own + worker * s->own_bytes), *m = u + s->own_transformed;
  for (int64_t block = begin; block < end; block++) {
    int64_t panel = block * s->block_panels, panels = bk_min(s->block_panels, s->panels - panel);
    for (int64_t first = 0; first < j->conv->channels; first += s->kernel_channels) {
      int64_t count = bk_min(s->kernel_channels, j->conv->channels - first);
      const float *kernels = take_kernels(j, panel, panels, first, count, u);
      for (int64_t tile = 0; tile < j->count; tile += s->block_tiles) {
        multiply(j, j->first + tile, bk_min(s->block_tiles, j->count - tile), s->shared + tile * s->tile_floats,
                 first, count, panel, panels, kernels, m);
      }
    }
  }
}

static void run_tiles(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const job *j = argument;
  const plan *s = &j->plan;
  float *v = (float *)(s->own + worker * s->own_bytes), *m = v + s->own_transformed;
  for (int64_t block = begin; block < end; block++) {
    int64_t first = block * s->block_tiles, tiles = bk_min(s->block_tiles, s->tiles - first);
    for (int64_t tile = 0; tile < tiles; tile++) transform_tile(j, first + tile, v + tile * s->tile_floats);
    for (int64_t panel = 0; panel < s->panels; panel += s->block_panels) {
      multiply(j, first, tiles, v, 0, j->conv->channels, panel, bk_min(s->block_panels, s->panels - panel),
               j->kernels + panel * s->panel_floats, m);
    }
  }
}

/* Measured, in nanoseconds per pair of channels: 0.28 per pixel for gathered patches, 0.9 per tile of 4×4 pixels and 9
 * for the kernel here, 0.45 and 5 with tiles of 2×2; turning the kernels for the gradient costs the gathered patches
 * another 6. With few channels the transform of the output, which is as long for each number of them, decides. */
enum { few_channels = 8 };

int bk_winograd_pays(const bk_winograd *conv) {
  const int64_t step = conv->form->step;
  const double per_tile = step == 2 ? 0.45 : 0.9, per_kernel = step == 2 ? 5 : 9;
  double tiles = (double)(conv->batch * bk_blocks(conv->out_height, step) * bk_blocks(conv->out_width, step));
  double pixels = (double)(conv->batch * conv->out_height * conv->out_width);
  return conv->channels > few_channels && per_tile * tiles + per_kernel < 0.28 * pixels + (conv->rotated ? 6 : 0);
}

uint64_t bk_winograd_scratch(const bk_winograd *conv, uint32_t workers) {
  return make_plan(conv, workers, 0).bytes;
}

void bk_winograd_run(const bk_winograd *conv, const bk_call *call, void *scratch) {
  job j = {.conv = conv, .plan = make_plan(conv, call->workers, scratch)};
  const plan *s = &j.plan;
  for (int64_t c = 0; c < conv->channels; c++) s->zeros[c] = 0;
  if (!s->shares_tiles) {
    j.kernels = conv->kept ? conv->kept : s->shared;
    if (!conv->kept) transform_all_kernels(conv, s, call, s->shared);
    bk_parallel(call, bk_blocks(s->tiles, s->block_tiles), run_tiles, &j);
    return;
  }
  for (; j.first < s->tiles; j.first += s->shared_tiles) {
    j.count = bk_min(s->shared_tiles, s->tiles - j.first);
    bk_parallel(call, j.count, transform_shared_tiles, &j);
    bk_parallel(call, bk_blocks(s->panels, s->block_panels), run_panels, &j);
  }
}

/* Measured, in nanoseconds of one worker per pair of channels: to transform a kernel, or a turned one, and to read a
 * transformed one from memory, eight times as many bytes as a half-precision kernel has. */
static const double transforming = 7.7, transforming_rotated = 11, reading = 8.7;

bk_copy_offer bk_winograd_copy(const bk_winograd *conv, uint32_t workers) {
  plan s = make_plan(conv, workers, 0);
  double pairs = (double)conv->channels * (double)(s.panels * bk_panel_width());
  double spared = conv->rotated ? transforming_rotated : transforming;
  /* Shared kernels are written to memory and read again; others are read from there only if they are kept. */
  double saved = s.shares_tiles ? spared - reading : spared;
  bk_copy_offer offer = {0};
  if (saved <= 0) return offer;
  double rounds = s.shares_tiles ? (double)bk_blocks(s.tiles, s.shared_tiles) : 1;
  offer.bytes = (uint64_t)(s.panels * s.parts * s.panel_floats) * sizeof(float);
  offer.form = (uint32_t)(bk_form_winograd + (conv->rotated ? 1 : 0) + (s.parts > 1 ? 2 : 0));
  offer.saved_ns = rounds * pairs * saved / workers;
  offer.making_ns = bk_copy_making_ns(offer.bytes, workers);
  return offer;
}

void bk_winograd_keep(const bk_winograd *conv, const bk_call *call, float *target) {
  plan s = make_plan(conv, call->workers, 0);
  transform_all_kernels(conv, &s, call, target);
}
