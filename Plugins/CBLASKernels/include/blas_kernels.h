#ifndef BLAS_KERNELS_H
#define BLAS_KERNELS_H
#endif
