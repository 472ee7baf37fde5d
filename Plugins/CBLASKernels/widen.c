#include "widen.h"

#include "half_precision.h"

void bk_widen(const void *source, int32_t dtype, int64_t source_stride, float *target, int64_t target_stride,
              int64_t rows, int64_t columns) {
  if (source_stride == columns && target_stride == columns) {
    columns *= rows;
    rows = 1;
  }
  for (int64_t row = 0; row < rows; row++) {
    const void *from = bk_element(source, dtype, row * source_stride);
    float *to = target + row * target_stride;
    bk_to_floats(from, dtype, to, columns);
  }
}

const float *bk_widened(const void *source, int32_t dtype, float *target, int64_t count) {
  if (!source || dtype == ESP_DTYPE_F32) return source;
  bk_widen(source, dtype, count, target, count, 1, count);
  return target;
}
