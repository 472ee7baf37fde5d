/* The kernels that are matrix products at heart. */
#ifndef KERNEL_LIST_MATMUL_H
#define KERNEL_LIST_MATMUL_H

#include "blas_kernels.h"

extern const bk_kernel bk_linear;
extern const bk_kernel bk_linear_dx;
extern const bk_kernel bk_linear_dw;
extern const bk_kernel bk_conv2d;
extern const bk_kernel bk_conv2d_dx;
extern const bk_kernel bk_conv2d_dw;

#endif
