#include "product.h"

#include "gemm.h"
#include "panels.h"
#include "widen.h"

/* Rows that one worker multiplies at a time, and the sides of a panel of widened weights. */
enum { row_limit = 1024, panel_columns = 512, panel_depth = 2048 };

/* Weights up to this size are widened straight into panels and multiplied from the cache: the BLAS, which copies
 * both operands, is 5 to 20 % slower on them. */
enum { pack_limit = 1 << 20, pack_rows = 96 };

typedef struct plan {
  int64_t row_blocks, rows;       /* of the output, `rows` in each but the last */
  int64_t column_blocks, columns; /* likewise */
  int64_t panel_columns, panel_depth;
  int32_t widens;   /* weights are converted panel by panel */
  int32_t packs;    /* … and multiplied without the BLAS */
  int32_t buffered; /* the product goes to scratch first: the residual may be the output */
  uint64_t panel_bytes, tile_bytes;
} plan;

static plan make_plan(const bk_product *p, uint32_t workers) {
  plan s = {0};
  s.widens = p->b_dtype != ESP_DTYPE_F32;
  s.buffered = p->epilogue.residual && !bk_epilogue_is_linear(&p->epilogue);
  int64_t threads = (double)p->m * (double)p->n * (double)p->k < 32e3 ? 1 : (int64_t)workers;
  int64_t row_blocks = bk_blocks(p->m, row_limit);
  int64_t column_blocks = 1;
  if (row_blocks < 4 * threads) {
    /* Each worker packs all of the operand that is not split: split the dearer one. */
    int64_t weight_cost = s.widens ? 2 * p->n : p->n;
    if (weight_cost >= p->m && p->n >= 32 * threads) {
      column_blocks = threads;
    } else {
      row_blocks = bk_round_up(row_blocks, threads);
    }
  }
  s.rows = bk_round_up(bk_blocks(p->m, row_blocks), 4);
  s.row_blocks = bk_blocks(p->m, s.rows);
  s.columns = bk_round_up(bk_blocks(p->n, column_blocks), 16);
  s.column_blocks = bk_blocks(p->n, s.columns);
  int64_t panels = bk_blocks(s.columns, panel_columns);
  s.panel_columns = bk_round_up(bk_blocks(s.columns, panels), 16);
  s.packs = p->n * p->k <= pack_limit && p->n % bk_panel_width == 0 && s.rows >= pack_rows;
  int64_t depths = s.widens && !s.packs ? bk_blocks(p->k, panel_depth) : 1;
  s.panel_depth = bk_blocks(p->k, depths);
  if (s.widens || s.packs) s.panel_bytes = (uint64_t)bk_round_up(s.panel_columns * s.panel_depth * 4, 64);
  if (s.buffered) s.tile_bytes = (uint64_t)bk_round_up(s.rows * s.panel_columns * 4, 64);
  return s;
}

uint64_t bk_product_scratch(const bk_product *product, uint32_t workers) {
  plan s = make_plan(product, workers);
  return (s.panel_bytes + s.tile_bytes) * workers;
}

typedef struct job {
  const bk_product *product;
  plan plan;
  char *scratch;
} job;

/* tile[rows, columns] (+)= a[row …, …] · b[…, column …], for small weights. */
static void multiply_packed(const job *j, float *panel, int64_t row, int64_t rows, int64_t column, int64_t columns,
                            float *tile, int64_t tile_stride, int add) {
  const bk_product *p = j->product;
  int64_t panel_stride = p->k * bk_panel_width;
  for (int64_t first = 0; first < columns; first += bk_panel_width) {
    int64_t at = p->b_transposed ? (column + first) * p->b_stride : column + first;
    bk_pack_panel(bk_element(p->b, p->b_dtype, at), p->b_dtype, p->b_stride, p->k, p->b_transposed,
                  panel + first * p->k);
  }
  for (int64_t start = 0; start < rows; start += pack_rows) {
    bk_multiply_panels(p->a + (row + start) * p->a_stride, p->a_stride, bk_min(pack_rows, rows - start), p->k,
                       panel, panel_stride, columns / bk_panel_width, tile + start * tile_stride, tile_stride, add);
  }
}

/* tile[rows, columns] (+)= a[row …, depth …] · b[depth …, column …] */
static void multiply(const job *j, float *panel, int64_t row, int64_t rows, int64_t column, int64_t columns,
                     float *tile, int64_t tile_stride, float beta) {
  const bk_product *p = j->product;
  for (int64_t depth = 0; depth < p->k; depth += j->plan.panel_depth) {
    int64_t length = bk_min(j->plan.panel_depth, p->k - depth);
    int64_t at = p->b_transposed ? column * p->b_stride + depth : depth * p->b_stride + column;
    const float *weights = bk_element(p->b, p->b_dtype, at);
    int64_t stride = p->b_stride;
    if (j->plan.widens) {
      stride = p->b_transposed ? length : columns;
      bk_widen(weights, p->b_dtype, p->b_stride, panel, stride, p->b_transposed ? columns : length, stride);
      weights = panel;
    }
    bk_gemm(BK_AS_STORED, p->b_transposed ? BK_TRANSPOSED : BK_AS_STORED, rows, columns, length,
            p->a + row * p->a_stride + depth, p->a_stride, weights, stride, beta, tile, tile_stride);
    beta = 1;
  }
}

static void run_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const job *j = argument;
  const bk_product *p = j->product;
  const plan *s = &j->plan;
  char *own = j->scratch + worker * (s->panel_bytes + s->tile_bytes);
  float *panel = (float *)own;
  float *buffer = (float *)(own + s->panel_bytes);
  int linear = bk_epilogue_is_linear(&p->epilogue);
  int empty = bk_epilogue_is_empty(&p->epilogue);
  for (int64_t block = begin; block < end; block++) {
    int64_t row = block / s->column_blocks * s->rows;
    int64_t rows = bk_min(s->rows, p->m - row);
    int64_t column = block % s->column_blocks * s->columns;
    int64_t last = bk_min(column + s->columns, p->n);
    for (; column < last; column += s->panel_columns) {
      int64_t columns = bk_min(s->panel_columns, last - column);
      float *tile = s->buffered ? buffer : p->c + row * p->n + column;
      int64_t stride = s->buffered ? columns : p->n;
      if (linear && !empty) bk_epilogue_begin(&p->epilogue, p->c, row, rows, column, columns);
      int add = linear && !empty;
      if (s->packs) {
        multiply_packed(j, panel, row, rows, column, columns, tile, stride, add);
      } else {
        multiply(j, panel, row, rows, column, columns, tile, stride, add ? 1 : 0);
      }
      if (!linear) bk_epilogue_finish(&p->epilogue, tile, stride, p->c, row, rows, column, columns);
    }
  }
}

void bk_product_run(const bk_product *product, const bk_call *call, void *scratch) {
  job j = {product, make_plan(product, call->workers), scratch};
  bk_parallel(call, j.plan.row_blocks * j.plan.column_blocks, run_blocks, &j);
}
