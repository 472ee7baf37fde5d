/* What happens to a product on its way to memory: act(product + bias + channel) + residual. */
#ifndef EPILOGUE_H
#define EPILOGUE_H

#include <stdint.h>

typedef struct bk_epilogue {
  const float *bias;       /* [n] or null */
  const float *channel;    /* [samples, n] or null */
  const float *residual;   /* rows as the output, or null; may be the output itself */
  int64_t rows_per_sample; /* of `channel` */
  int64_t row_offset;      /* which row of all samples the output's first row is */
  int64_t columns;         /* n: the row stride of channel, residual and output */
  int32_t activation;
} bk_epilogue;

/* The activation keeps the product from accumulating onto the other terms. */
int bk_epilogue_is_linear(const bk_epilogue *epilogue);
int bk_epilogue_is_empty(const bk_epilogue *epilogue);

/* output[row, column …] = bias + channel + residual, for a product that is then added. Linear ones only. */
void bk_epilogue_begin(const bk_epilogue *epilogue, float *output, int64_t row, int64_t rows, int64_t column,
                       int64_t count);

/* output[row, column …] = act(tile + bias + channel) + residual; `tile` may be that part of the output,
 * unless the residual is too. */
void bk_epilogue_finish(const bk_epilogue *epilogue, const float *tile, int64_t tile_stride, float *output,
                        int64_t row, int64_t rows, int64_t column, int64_t count);

#endif
