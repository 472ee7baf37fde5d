#include "widen.h"

#include "blas_kernels.h"
#include "clones.h"

#include <string.h>

BK_CLONES static void widen_f16(const _Float16 *restrict source, float *restrict target, int64_t count) {
  for (int64_t k = 0; k < count; k++) target[k] = (float)source[k];
}

BK_CLONES static void widen_bf16(const uint16_t *restrict source, uint32_t *restrict target, int64_t count) {
  for (int64_t k = 0; k < count; k++) target[k] = (uint32_t)source[k] << 16;
}

const void *bk_element(const void *source, int32_t dtype, int64_t index) {
  return (const char *)source + index * (dtype == ESP_DTYPE_F32 ? 4 : 2);
}

void bk_widen(const void *source, int32_t dtype, int64_t source_stride, float *target, int64_t target_stride,
              int64_t rows, int64_t columns) {
  if (source_stride == columns && target_stride == columns) {
    columns *= rows;
    rows = 1;
  }
  for (int64_t row = 0; row < rows; row++) {
    const void *from = bk_element(source, dtype, row * source_stride);
    float *to = target + row * target_stride;
    if (dtype == ESP_DTYPE_F16) {
      widen_f16(from, to, columns);
    } else if (dtype == ESP_DTYPE_BF16) {
      widen_bf16(from, (uint32_t *)to, columns);
    } else {
      memcpy(to, from, (size_t)columns * sizeof(float));
    }
  }
}

const float *bk_widened(const void *source, int32_t dtype, float *target, int64_t count) {
  if (!source || dtype == ESP_DTYPE_F32) return source;
  bk_widen(source, dtype, count, target, count, 1, count);
  return target;
}
