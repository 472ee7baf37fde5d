/* Products of f32 weights: OpenBLAS, one call for each worker's part of the result. */
#include "gemm.h"
#include "product_ways.h"

/* Rows that one worker multiplies at a time, and columns: a tile that the epilogue finds in the cache. */
enum { row_limit = 1024, column_limit = 512 };

typedef struct plan {
  int64_t row_blocks, rows;       /* of the output, `rows` in each but the last */
  int64_t column_blocks, columns; /* likewise */
  int64_t tile_columns;
  int32_t buffered; /* the product goes to scratch first: the residual may be the output */
  uint64_t tile_bytes;
} plan;

static plan make_plan(const bk_product *p, uint32_t workers) {
  plan s = {0};
  s.buffered = p->epilogue.residual && !bk_epilogue_is_linear(&p->epilogue);
  int64_t threads = (double)p->m * (double)p->n * (double)p->k < 32e3 ? 1 : (int64_t)workers;
  int64_t row_blocks = bk_blocks(p->m, row_limit);
  int64_t column_blocks = 1;
  if (row_blocks < 4 * threads) {
    /* Each worker packs all of the operand that is not split: split the dearer one. */
    if (p->n >= p->m && p->n >= 32 * threads) {
      column_blocks = threads;
    } else {
      row_blocks = bk_round_up(row_blocks, threads);
    }
  }
  s.rows = bk_round_up(bk_blocks(p->m, row_blocks), 4);
  s.row_blocks = bk_blocks(p->m, s.rows);
  s.columns = bk_round_up(bk_blocks(p->n, column_blocks), 16);
  s.column_blocks = bk_blocks(p->n, s.columns);
  s.tile_columns = bk_round_up(bk_blocks(s.columns, bk_blocks(s.columns, column_limit)), 16);
  if (s.buffered) s.tile_bytes = (uint64_t)bk_round_up(s.rows * s.tile_columns * 4, 64);
  return s;
}

uint64_t bk_product_blas_scratch(const bk_product *product, uint32_t workers) {
  return make_plan(product, workers).tile_bytes * workers;
}

typedef struct job {
  const bk_product *product;
  plan plan;
  char *scratch;
} job;

static void multiply(const bk_product *p, int64_t row, int64_t rows, int64_t column, int64_t columns, float beta,
                     float *tile, int64_t tile_stride) {
  const float *weights = (const float *)p->b + (p->b_transposed ? column * p->b_stride : column);
  bk_gemm(BK_AS_STORED, p->b_transposed ? BK_TRANSPOSED : BK_AS_STORED, rows, columns, p->k,
          p->a + row * p->a_stride, p->a_stride, weights, p->b_stride, beta, tile, tile_stride);
}

static void run_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const job *j = argument;
  const bk_product *p = j->product;
  const plan *s = &j->plan;
  float *buffer = (float *)(j->scratch + worker * s->tile_bytes);
  int linear = bk_epilogue_is_linear(&p->epilogue);
  int begins = linear && !bk_epilogue_is_empty(&p->epilogue);
  for (int64_t block = begin; block < end; block++) {
    int64_t row = block / s->column_blocks * s->rows;
    int64_t rows = bk_min(s->rows, p->m - row);
    int64_t column = block % s->column_blocks * s->columns;
    int64_t last = bk_min(column + s->columns, p->n);
    for (; column < last; column += s->tile_columns) {
      int64_t columns = bk_min(s->tile_columns, last - column);
      float *tile = s->buffered ? buffer : p->c + row * p->n + column;
      int64_t stride = s->buffered ? columns : p->n;
      if (begins) bk_epilogue_begin(&p->epilogue, p->c, row, rows, column, columns);
      multiply(p, row, rows, column, columns, begins ? 1 : 0, tile, stride);
      if (!linear) bk_epilogue_finish(&p->epilogue, tile, stride, p->c, row, rows, column, columns);
    }
  }
}

void bk_product_blas_run(const bk_product *product, const bk_call *call, void *scratch) {
  job j = {product, make_plan(product, call->workers), scratch};
  bk_parallel(call, j.plan.row_blocks * j.plan.column_blocks, run_blocks, &j);
}
