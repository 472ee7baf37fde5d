/* Products by register tiles of our own: weights are widened on their way into panels. */
#include "product_ways.h"

#include "packing.h"
#include "widen.h"

#include <string.h>
#include <unistd.h>

/* Bytes of the left operand's rows in one round, which stay in the last cache; columns of the right operand's block,
 * which stays in a worker's second cache; multiplications that are not worth a second worker; rows for each column from
 * which rows are split, not columns. */
enum { left_limit = 8 << 20, column_limit = 256, serial_limit = 1 << 18, rows_per_column = 8 };

/* The depth of the right operand's block: with all columns it fills two thirds of a second cache of 1 MiB, or less than
 * that of a smaller one. */
enum { large_cache = 1 << 20, large_depth = 640, small_depth = 384 };

static int64_t depth_limit(void) {
  static _Atomic int64_t found; /* 0: not asked yet */
  if (!found) found = sysconf(_SC_LEVEL2_CACHE_SIZE) >= large_cache ? large_depth : small_depth;
  return found;
}

/* The result is cut into rounds of rows and those into chunks of columns, and each worker packs its own blocks of the
 * right operand, so that nothing is packed twice; a round's rows are cut only where there are too few columns. */
typedef struct plan {
  int64_t rows;              /* of one round, whole tiles but for the last */
  int64_t depth;             /* of one block of the right operand */
  int64_t chunks, columns;   /* of the result, `columns` in each but the last */
  int64_t parts, part_rows;  /* of a round's rows */
  int64_t left_stride;       /* of the left operand's copy; 0: no copy */
  int32_t finishes;          /* the epilogue is a pass over finished sums, else part of the product */
  int32_t whole;             /* the depth in one block, to a tile of its own: the residual may be the output */
  uint64_t left_bytes, right_bytes, tile_bytes;
} plan;

static void cut_columns(plan *s, int64_t n, int64_t limit, int64_t workers) {
  int64_t panels = bk_blocks(n, bk_panel_width());
  int64_t fewest = bk_blocks(panels, limit), best = 0;
  if (panels >= workers) fewest = bk_round_up(fewest, workers);
  s->columns = bk_panel_width();
  /* The busiest worker's columns decide; then larger chunks are better. */
  for (int64_t chunks = fewest; chunks <= fewest + 4 * workers && chunks <= panels; chunks++) {
    int64_t width = bk_blocks(panels, chunks);
    int64_t longest = bk_blocks(bk_blocks(panels, width), workers) * width;
    if (best && longest >= best) continue;
    best = longest;
    s->columns = width * bk_panel_width();
  }
  s->chunks = bk_blocks(n, s->columns);
}

static plan make_plan(const bk_product *p, uint32_t workers) {
  plan s = {0};
  int64_t threads = (double)p->m * (double)p->n * (double)p->k < serial_limit ? 1 : (int64_t)workers;
  s.finishes = !bk_epilogue_is_linear(&p->epilogue) || p->epilogue.channel;
  s.whole = s.finishes && p->epilogue.residual;
  const int64_t deepest = depth_limit();
  s.depth = s.whole ? p->k : bk_blocks(p->k, bk_blocks(p->k, deepest));
  /* Where all of the right operand is small beside the left one, each worker may as well pack it. */
  int64_t splitting = p->n <= column_limit && p->m >= rows_per_column * p->n ? 1 : threads;
  int64_t most_panels = column_limit / bk_panel_width() * deepest / bk_max(s.depth, deepest);
  cut_columns(&s, p->n, bk_max(1, most_panels), splitting);
  int64_t tiles = bk_blocks(p->m, bk_tile_rows);
  int64_t fit = bk_max(threads, left_limit / (p->k * 4 * bk_tile_rows));
  int64_t round_tiles = bk_blocks(tiles, bk_blocks(tiles, fit));
  s.rows = bk_min(p->m, round_tiles * bk_tile_rows);
  s.parts = s.chunks < threads ? bk_min(round_tiles, bk_blocks(threads, s.chunks)) : 1;
  s.part_rows = bk_blocks(round_tiles, s.parts) * bk_tile_rows;
  if (p->a_stride % bk_crowded_stride == 0 && s.rows > 1) s.left_stride = p->k + bk_line;
  s.left_bytes = (uint64_t)bk_round_up(s.rows * s.left_stride * 4, 64);
  s.right_bytes = (uint64_t)bk_round_up(bk_packed_columns(s.columns) * s.depth * 4, 64);
  s.tile_bytes = s.whole ? (uint64_t)bk_round_up(bk_tile_group() * s.columns * 4, 64) : 0;
  return s;
}

uint64_t bk_product_tiles_scratch(const bk_product *product, uint32_t workers) {
  plan s = make_plan(product, workers);
  return s.left_bytes + (s.right_bytes + s.tile_bytes) * workers;
}

double bk_product_tiles_packings(const bk_product *product, uint32_t workers) {
  plan s = make_plan(product, workers);
  double rounds = (double)bk_blocks(product->m, s.rows);
  int64_t busy = bk_min((int64_t)workers, s.chunks * s.parts);
  return rounds * (double)s.parts * workers / (double)busy;
}

typedef struct job {
  const bk_product *product;
  plan plan;
  int64_t row, rows; /* of the round */
  const float *left;
  int64_t left_stride;
  float *copy;
  char *own;
} job;

static void copy_rows(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const job *j = argument;
  const bk_product *p = j->product;
  for (int64_t row = begin; row < end; row++) {
    memcpy(j->copy + row * j->plan.left_stride, p->a + (j->row + row) * p->a_stride, (size_t)p->k * sizeof(float));
  }
}

/* Columns [column, column + columns) of the right operand, `length` deep from `depth`. */
static void pack_block(const bk_product *p, int64_t depth, int64_t length, int64_t column, int64_t columns,
                       float *target) {
  int64_t at = p->b_transposed ? column * p->b_stride + depth : depth * p->b_stride + column;
  bk_pack_panels(bk_element(p->b, p->b_dtype, at), p->b_dtype, p->b_stride, length, columns, p->b_transposed, target);
}

typedef struct packing {
  const bk_product *product;
  float *target;
} packing;

static void pack_whole_panels(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const packing *j = argument;
  const bk_product *p = j->product;
  int64_t column = begin * bk_panel_width();
  pack_block(p, 0, p->k, column, bk_min(end * bk_panel_width(), p->n) - column, j->target + column * p->k);
}

void bk_product_pack(const bk_product *product, const bk_call *call, float *target) {
  packing j = {product, target};
  bk_parallel(call, bk_blocks(product->n, bk_panel_width()), pack_whole_panels, &j);
}

/* A group of rows times the packed block, or that part of the packed copy, with bias and residual on the way. */
static void multiply_rows(const job *j, float *tile, int64_t row, int64_t rows, int64_t depth, int64_t length,
                          int64_t column, int64_t columns, const float *right) {
  const bk_product *p = j->product;
  const bk_epilogue *e = &p->epilogue;
  const int64_t at = (j->row + row) * p->n + column, stride = tile ? columns : p->n;
  const int begins = depth == 0 && !j->plan.finishes;
  float *c = tile ? tile : p->c + at;
  const float *from = begins ? e->residual ? e->residual + at : 0 : depth ? c : 0;
  const float *left = j->left + row * j->left_stride + depth;
  for (int64_t first = 0; first < columns; first += bk_panel_width()) {
    int64_t rest = columns - first;
    int narrow = bk_panel_is_narrow(rest);
    const float *panel = right + first * length;
    if (p->packed) panel = p->packed + (column + first) * p->k + depth * (narrow ? bk_line : bk_panel_width());
    bk_tile_operands operands = {rows,
                                 bk_min(rest, bk_panel_width()),
                                 length,
                                 left,
                                 j->left_stride,
                                 panel,
                                 narrow};
    bk_tile_result result = {c + first, from ? from + first : 0,
                             begins && e->bias ? e->bias + column + first : 0, stride};
    bk_tile_rows_by_panel(&operands, &result);
  }
  if (j->plan.finishes && depth + length == p->k) {
    bk_epilogue_finish(e, c, stride, p->c, j->row + row, rows, column, columns);
  }
}

static void run_chunks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const job *j = argument;
  const bk_product *p = j->product;
  const plan *s = &j->plan;
  char *own = j->own + worker * (s->right_bytes + s->tile_bytes);
  float *right = (float *)own, *tile = s->whole ? (float *)(own + s->right_bytes) : 0;
  for (int64_t item = begin; item < end; item++) {
    int64_t column = item / s->parts * s->columns, columns = bk_min(s->columns, p->n - column);
    int64_t first = item % s->parts * s->part_rows, last = bk_min(j->rows, first + s->part_rows);
    for (int64_t depth = 0; depth < p->k && first < last; depth += s->depth) {
      int64_t length = bk_min(s->depth, p->k - depth);
      if (!p->packed) pack_block(p, depth, length, column, columns, right);
      for (int64_t row = first; row < last; row += bk_tile_group()) {
        multiply_rows(j, tile, row, bk_min(bk_tile_group(), last - row), depth, length, column, columns, right);
      }
    }
  }
}

void bk_product_tiles_run(const bk_product *product, const bk_call *call, void *scratch) {
  job j = {.product = product, .plan = make_plan(product, call->workers), .copy = scratch};
  const plan *s = &j.plan;
  j.own = (char *)scratch + s->left_bytes;
  for (; j.row < product->m; j.row += s->rows) {
    j.rows = bk_min(s->rows, product->m - j.row);
    j.left = s->left_stride ? j.copy : product->a + j.row * product->a_stride;
    j.left_stride = s->left_stride ? s->left_stride : product->a_stride;
    if (s->left_stride) bk_parallel(call, j.rows, copy_rows, &j);
    bk_parallel(call, s->chunks * s->parts, run_chunks, &j);
  }
}
