#include "convolution.h"

static int is_map(const bk_tensor *tensor) {
  return tensor && tensor->rank == 4 && bk_is_f32(tensor) && bk_sizes_fit(tensor);
}

static int64_t outputs_along(int64_t length, int64_t before, int64_t after, int64_t kernel, int64_t stride) {
  int64_t span = length + before + after - kernel;
  return span < 0 ? 0 : span / stride + 1;
}

const char *bk_convolution_check(const bk_call *call, const bk_tensor *x, const bk_tensor *w, const bk_tensor *y) {
  if (!is_map(x) || !is_map(y)) return "feature maps must be f32 [batch, height, width, channels]";
  if (!w || w->rank != 4 || !bk_sizes_fit(w)) return "weights must be [outputs, channels, height, width]";
  if (!bk_is_floating(w)) return "weights must be f32, f16 or bf16";
  const int64_t *i = call->i;
  if (i[1] < 1 || i[1] > INT32_MAX) return "the stride must be positive";
  for (int side = 2; side < 6; side++) {
    if (i[side] < 0 || i[side] > INT32_MAX) return "padding must not be negative";
  }
  if (x->dims[0] != y->dims[0]) return "input and output have different batch sizes";
  if (w->dims[0] != y->dims[3] || w->dims[1] != x->dims[3]) return "the weights do not match the channels";
  if (y->dims[1] != outputs_along(x->dims[1], i[2], i[4], w->dims[2], i[1]) ||
      y->dims[2] != outputs_along(x->dims[2], i[3], i[5], w->dims[3], i[1]))
    return "the output's size does not follow from input, padding, kernel and stride";
  int64_t window = w->dims[2] * w->dims[3];
  if (window > INT32_MAX / x->dims[3] || window > INT32_MAX / y->dims[3]) return "the kernel's window is too large";
  return 0;
}

bk_convolution bk_convolution_of(const bk_call *call, const bk_tensor *x, const bk_tensor *w, const bk_tensor *y) {
  bk_convolution s = {
      .batch = x->dims[0], .height = x->dims[1], .width = x->dims[2], .channels = x->dims[3],
      .out_height = y->dims[1], .out_width = y->dims[2], .out_channels = y->dims[3],
      .kernel_height = w->dims[2], .kernel_width = w->dims[3],
      .stride = call->i[1], .top = call->i[2], .left = call->i[3],
  };
  return s;
}
