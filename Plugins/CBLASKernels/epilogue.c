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

/* One loop per activation: the constant argument folds the switch away. */
#define BK_ACTIVATION_ROW(name, activation)                                                      \
  BK_CLONES static void name(float *row, int64_t count) {                                        \
    _Pragma("clang fp contract(fast)")                                                           \
    for (int64_t k = 0; k < count; k++) row[k] = bk_activate(row[k], activation);                \
  }
BK_ACTIVATION_ROW(silu_row, ESP_ACT_SILU)
BK_ACTIVATION_ROW(relu_row, ESP_ACT_RELU)
BK_ACTIVATION_ROW(gelu_row, ESP_ACT_GELU)
BK_ACTIVATION_ROW(quick_gelu_row, ESP_ACT_QUICK_GELU)
BK_ACTIVATION_ROW(sigmoid_row, ESP_ACT_SIGMOID)

static void activate_row(float *row, int64_t count, int32_t activation) {
  switch (activation) {
  case ESP_ACT_SILU: silu_row(row, count); break;
  case ESP_ACT_RELU: relu_row(row, count); break;
  case ESP_ACT_GELU: gelu_row(row, count); break;
  case ESP_ACT_QUICK_GELU: quick_gelu_row(row, count); break;
  case ESP_ACT_SIGMOID: sigmoid_row(row, count); break;
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
#define PIECE 256

void bk_epilogue_finish(const bk_epilogue *epilogue, const float *tile, int64_t tile_stride, float *output,
                        int64_t row, int64_t rows, int64_t column, int64_t count) {
  float piece[PIECE];
  for (int64_t r = row; r < row + rows; r++) {
    const float *from = tile + (r - row) * tile_stride;
    for (int64_t start = 0; start < count; start += PIECE) {
      int64_t length = count - start < PIECE ? count - start : PIECE;
      int64_t at = column + start;
      float *to = output + r * epilogue->columns + at;
      memcpy(piece, from + start, (size_t)length * sizeof(float));
      if (epilogue->bias) add_into(piece, epilogue->bias + at, length);
      if (epilogue->channel) add_into(piece, channel_row(epilogue, r, at), length);
      activate_row(piece, length, epilogue->activation);
      if (epilogue->residual) add_into(piece, epilogue->residual + r * epilogue->columns + at, length);
      memcpy(to, piece, (size_t)length * sizeof(float));
    }
  }
}
