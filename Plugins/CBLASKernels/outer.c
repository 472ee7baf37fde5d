#include "gemm.h"
#include "product.h"

#include "clones.h"

/* Rows of one BLAS call, and the largest result of which each worker may hold a partial sum. */
enum { chunk_rows = 1 << 16, partial_limit = 1 << 17, partial_rows = 256 };

typedef struct plan {
  int64_t parts, rows; /* partial sums over `rows` rows each; 1 part: the result is split instead */
  int64_t blocks, width;
  int32_t split_k; /* the result's columns are split, not its rows */
} plan;

static plan make_plan(const bk_outer *o, uint32_t workers) {
  plan s = {1, o->m, 1, 0, o->k > o->n};
  int64_t threads = (double)o->m * (double)o->n * (double)o->k < 32e3 ? 1 : (int64_t)workers;
  if (o->n * o->k <= partial_limit) {
    int64_t parts = bk_max(1, bk_min(threads, o->m / partial_rows));
    s.rows = bk_round_up(bk_blocks(o->m, parts), 4);
    s.parts = bk_blocks(o->m, s.rows);
  }
  int64_t side = s.split_k ? o->k : o->n;
  int64_t blocks = s.parts > 1 ? 1 : bk_min(threads, bk_blocks(side, 16));
  s.width = bk_round_up(bk_blocks(side, blocks), 16);
  s.blocks = bk_blocks(side, s.width);
  return s;
}

typedef struct job {
  const bk_outer *outer;
  plan plan;
  float *partials; /* [parts − 1, n, k]: the first part goes to the result itself */
} job;

static void product_of_rows(const bk_outer *o, int64_t row, int64_t end, int64_t first, int64_t width,
                            int32_t split_k, float *c, float beta) {
  int64_t n = split_k ? o->n : width;
  int64_t k = split_k ? width : o->k;
  const float *a = o->a + (split_k ? 0 : first);
  const float *b = o->b + (split_k ? first : 0);
  float *to = c + (split_k ? first : first * o->k);
  for (; row < end; row += chunk_rows) {
    int64_t rows = bk_min(chunk_rows, end - row);
    bk_gemm(BK_TRANSPOSED, BK_AS_STORED, n, k, rows, a + row * o->n, o->n, b + row * o->k, o->k, beta, to, o->k);
    beta = 1;
  }
}

static void run_parts(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const job *j = argument;
  const bk_outer *o = j->outer;
  int64_t side = j->plan.split_k ? o->k : o->n;
  for (int64_t piece = begin; piece < end; piece++) {
    int64_t part = piece / j->plan.blocks;
    int64_t first = piece % j->plan.blocks * j->plan.width;
    int64_t row = part * j->plan.rows;
    float *c = part == 0 ? o->c : j->partials + (part - 1) * o->n * o->k;
    product_of_rows(o, row, bk_min(row + j->plan.rows, o->m), first, bk_min(j->plan.width, side - first),
                    j->plan.split_k, c, part == 0 && o->accumulate ? 1 : 0);
  }
}

BK_CLONES static void add_parts(float *restrict to, const float *restrict parts, int64_t count, int64_t stride,
                                int64_t number) {
  for (int64_t part = 0; part < number; part++) {
    for (int64_t k = 0; k < count; k++) to[k] += parts[part * stride + k];
  }
}

uint64_t bk_outer_scratch(const bk_outer *outer, uint32_t workers) {
  plan s = make_plan(outer, workers);
  return (uint64_t)((s.parts - 1) * outer->n * outer->k) * sizeof(float);
}

void bk_outer_run(const bk_outer *outer, const bk_call *call, void *scratch) {
  job j = {outer, make_plan(outer, call->workers), scratch};
  bk_parallel(call, j.plan.parts * j.plan.blocks, run_parts, &j);
  int64_t size = outer->n * outer->k;
  if (j.plan.parts > 1) add_parts(outer->c, j.partials, size, size, j.plan.parts - 1);
}
