#include "epilogue.h"

#include "activation.h"
#include "clones.h"

#include <string.h>

int bk_epilogue_is_linear(const bk_epilogue *epilogue) {
  return epilogue->activation == ESP_ACT_NONE;
}

int bk_epilogue_is_empty(const bk_epilogue *epilogue) {
  return bk_epilogue_is_linear(epilogue) && !epilogue->bias && !epilogue->channel && !epilogue->residual;
}

BK_CLONES static void add_into(float *restrict to, const float *restrict from, int64_t count) {
  for (int64_t k = 0; k < count; k++) to[k] += from[k];
}

/* Inlined with a constant activation, so that each gets a loop of its own. */
static inline void activate_with(float *row, int64_t count, int32_t activation) {
#pragma clang fp contract(fast)
  for (int64_t k = 0; k < count; k++) row[k] = bk_activate(row[k], activation);
}

static inline void activate_row(float *row, int64_t count, int32_t activation) {
  switch (activation) {
  case ESP_ACT_SILU: activate_with(row, count, ESP_ACT_SILU); break;
  case ESP_ACT_RELU: activate_with(row, count, ESP_ACT_RELU); break;
  case ESP_ACT_GELU: activate_with(row, count, ESP_ACT_GELU); break;
  case ESP_ACT_QUICK_GELU: activate_with(row, count, ESP_ACT_QUICK_GELU); break;
  case ESP_ACT_SIGMOID: activate_with(row, count, ESP_ACT_SIGMOID); break;
  default: break;
  }
}

static const float *channel_row(const bk_epilogue *epilogue, int64_t row, int64_t column) {
  return epilogue->channel +
         (row + epilogue->row_offset) / epilogue->rows_per_sample * epilogue->columns + column;
}

void bk_epilogue_begin(const bk_epilogue *epilogue, float *output, int64_t row, int64_t rows, int64_t column,
                       int64_t count) {
  for (int64_t r = row; r < row + rows; r++) {
    float *to = output + r * epilogue->columns + column;
    const float *bias = epilogue->bias ? epilogue->bias + column : 0;
    if (epilogue->residual) {
      const float *from = epilogue->residual + r * epilogue->columns + column;
      if (from != to) memcpy(to, from, (size_t)count * sizeof(float));
      if (bias) add_into(to, bias, count);
    } else if (bias) {
      memcpy(to, bias, (size_t)count * sizeof(float));
    } else {
      memset(to, 0, (size_t)count * sizeof(float));
    }
    if (epilogue->channel) add_into(to, channel_row(epilogue, r, column), count);
  }
}

/* Pieces short enough for the first cache and the stack. */
enum { piece_length = 256 };

BK_CLONES void bk_epilogue_finish(const bk_epilogue *epilogue, const float *tile, int64_t tile_stride, float *output,
                                  int64_t row, int64_t rows, int64_t column, int64_t count) {
  float piece[piece_length];
  for (int64_t r = row; r < row + rows; r++) {
    const float *from = tile + (r - row) * tile_stride;
    const float *channel = epilogue->channel ? channel_row(epilogue, r, column) : 0;
    for (int64_t start = 0; start < count; start += piece_length) {
      int64_t length = count - start < piece_length ? count - start : piece_length;
      float *to = output + r * epilogue->columns + column + start;
      const float *bias = epilogue->bias ? epilogue->bias + column + start : 0;
      const float *residual =
          epilogue->residual ? epilogue->residual + r * epilogue->columns + column + start : 0;
      for (int64_t k = 0; k < length; k++) piece[k] = from[start + k];
      for (int64_t k = 0; bias && k < length; k++) piece[k] += bias[k];
      for (int64_t k = 0; channel && k < length; k++) piece[k] += channel[start + k];
      activate_row(piece, length, epilogue->activation);
      for (int64_t k = 0; residual && k < length; k++) piece[k] += residual[k];
      for (int64_t k = 0; k < length; k++) to[k] = piece[k];
    }
  }
}
