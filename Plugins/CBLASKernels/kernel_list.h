/* Every kernel but those of linear layers and convolutions (kernel_list_matmul.h). */
#ifndef KERNEL_LIST_H
#define KERNEL_LIST_H

#include "blas_kernels.h"

extern const bk_kernel bk_sum_to;
extern const bk_kernel bk_group_norm, bk_group_norm_backward;
extern const bk_kernel bk_layer_norm, bk_layer_norm_backward;
extern const bk_kernel bk_attention, bk_attention_backward;
extern const bk_kernel bk_geglu, bk_geglu_backward;
extern const bk_kernel bk_unary, bk_unary_backward, bk_scale;
extern const bk_kernel bk_add, bk_mul;
extern const bk_kernel bk_concat, bk_slice, bk_pixel_unshuffle;
extern const bk_kernel bk_upsample_nearest, bk_upsample_nearest_backward;
extern const bk_kernel bk_avg_pool2d, bk_avg_pool2d_backward;
extern const bk_kernel bk_cast;
extern const bk_kernel bk_embedding, bk_gather_rows;
extern const bk_kernel bk_weighted_mse, bk_weighted_mse_backward, bk_sum_squares;
extern const bk_kernel bk_adamw;

#endif
