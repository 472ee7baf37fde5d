/* The table of all kernels; each file of kernels declares its own in a list header. */
#include "blas_kernels.h"
#include "kernel_list.h"
#include "kernel_list_matmul.h"

#include <cblas.h>

static const bk_kernel *const kernels[] = {
    &bk_linear,
    &bk_linear_dx,
    &bk_linear_dw,
    &bk_conv2d,
    &bk_conv2d_dx,
    &bk_conv2d_dw,
    &bk_sum_to,
    &bk_group_norm,
    &bk_group_norm_backward,
    &bk_layer_norm,
    &bk_layer_norm_backward,
    &bk_attention,
    &bk_attention_backward,
    &bk_geglu,
    &bk_geglu_backward,
    &bk_unary,
    &bk_unary_backward,
    &bk_add,
    &bk_mul,
    &bk_scale,
    &bk_concat,
    &bk_slice,
    &bk_upsample_nearest,
    &bk_upsample_nearest_backward,
    &bk_avg_pool2d,
    &bk_avg_pool2d_backward,
    &bk_pixel_unshuffle,
    &bk_cast,
    &bk_embedding,
    &bk_gather_rows,
    &bk_weighted_mse,
    &bk_weighted_mse_backward,
    &bk_sum_squares,
    &bk_adamw,
};

const bk_kernel *bk_find_kernel(int32_t op) {
  for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
    if (kernels[k]->op == op) return kernels[k];
  return 0;
}

void bk_set_up(void) { openblas_set_num_threads(1); }

const char *bk_blas_version(void) { return openblas_get_config(); }

const char *bk_blas_core(void) { return openblas_get_corename(); }

const char *bk_instructions(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("x86-64-v4") ? "AVX-512" : __builtin_cpu_supports("x86-64-v3") ? "AVX2" : "x86-64";
#else
  return "the compiler's target";
#endif
}
