/* Products of few rows: each weight is read once, where it lies, and used for all rows. */
#include "product_ways.h"

#include "lines.h"
#include "widen.h"

/* Rows and columns whose sums stay in registers, columns of one piece of work, multiplications that are not worth a
 * second worker. */
enum { group_rows = 3, group_columns = 2, block_columns = 64, serial_limit = 1 << 18 };

BK_INLINE float sum_of(const bk_floats16 *v) {
  float lanes[bk_line];
  memcpy(lanes, v, sizeof lanes);
  BK_UNROLL for (int width = bk_line / 2; width > 0; width /= 2) {
    BK_UNROLL for (int k = 0; k < width; k++) lanes[k] += lanes[k + width];
  }
  return lanes[0];
}

/* to[r · to_stride + j] = a[r, …] · b[j, …]; `rows`, `columns` and `dtype` are constants where this is inlined. */
BK_INLINE void dots(int rows, int columns, int32_t dtype, const float *a, int64_t a_stride, const void *b,
                    int64_t b_stride, int64_t depth, float *to, int64_t to_stride) {
#pragma clang fp contract(fast)
  bk_floats16 sums[group_rows * group_columns];
  BK_UNROLL for (int s = 0; s < rows * columns; s++) sums[s] = (bk_floats16){0};
  int64_t k = 0;
  for (; k + bk_line <= depth; k += bk_line) {
    bk_floats16 line[group_columns];
    BK_UNROLL for (int j = 0; j < columns; j++) {
      bk_widen_line(b, dtype, j * b_stride + k, line + j);
      __builtin_prefetch((const uint16_t *)b + (j + columns) * b_stride + k, 0, 2);
    }
    BK_UNROLL for (int r = 0; r < rows; r++) {
      bk_floats16 left = *(const bk_floats16 *)(a + r * a_stride + k);
      BK_UNROLL for (int j = 0; j < columns; j++) sums[r * columns + j] += left * line[j];
    }
  }
  BK_UNROLL for (int r = 0; r < rows; r++) {
    BK_UNROLL for (int j = 0; j < columns; j++) {
      float sum = sum_of(sums + r * columns + j);
      for (int64_t rest = k; rest < depth; rest++) {
        sum += a[r * a_stride + rest] * bk_widen_one(b, dtype, j * b_stride + rest);
      }
      to[r * to_stride + j] = sum;
    }
  }
}

/* Up to 64 columns of all rows to a tile. */
BK_INLINE void multiply(int32_t dtype, const bk_product *p, int64_t column, int64_t columns, float *tile) {
  for (int64_t j = 0; j < columns; j += group_columns) {
    const void *b = bk_element(p->b, dtype, (column + j) * p->b_stride);
    for (int64_t r = 0; r < p->m; r += group_rows) {
      const float *a = p->a + r * p->a_stride;
      float *to = tile + r * block_columns + j;
      int64_t rows = bk_min(group_rows, p->m - r), width = bk_min(group_columns, columns - j);
      switch (rows * group_columns + width) {
        case 3: dots(1, 1, dtype, a, p->a_stride, b, p->b_stride, p->k, to, block_columns); break;
        case 4: dots(1, 2, dtype, a, p->a_stride, b, p->b_stride, p->k, to, block_columns); break;
        case 5: dots(2, 1, dtype, a, p->a_stride, b, p->b_stride, p->k, to, block_columns); break;
        case 6: dots(2, 2, dtype, a, p->a_stride, b, p->b_stride, p->k, to, block_columns); break;
        case 7: dots(3, 1, dtype, a, p->a_stride, b, p->b_stride, p->k, to, block_columns); break;
        default: dots(3, 2, dtype, a, p->a_stride, b, p->b_stride, p->k, to, block_columns); break;
      }
    }
  }
}

BK_CLONES static void multiply_f16(const bk_product *p, int64_t column, int64_t columns, float *tile) {
  multiply(ESP_DTYPE_F16, p, column, columns, tile);
}

BK_CLONES static void multiply_bf16(const bk_product *p, int64_t column, int64_t columns, float *tile) {
  multiply(ESP_DTYPE_BF16, p, column, columns, tile);
}

static void run_blocks(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const bk_product *p = argument;
  float tile[bk_dots_rows * block_columns];
  for (int64_t block = begin; block < end; block++) {
    int64_t column = block * block_columns, columns = bk_min(block_columns, p->n - column);
    (p->b_dtype == ESP_DTYPE_F16 ? multiply_f16 : multiply_bf16)(p, column, columns, tile);
    bk_epilogue_finish(&p->epilogue, tile, block_columns, p->c, 0, p->m, column, columns);
  }
}

void bk_product_dots_run(const bk_product *product, const bk_call *call) {
  if (product->m * product->n * product->k < serial_limit) {
    run_blocks((void *)product, 0, bk_blocks(product->n, block_columns), 0);
    return;
  }
  bk_parallel(call, bk_blocks(product->n, block_columns), run_blocks, (void *)product);
}
