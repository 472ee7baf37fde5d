/* One call of the single-threaded BLAS, with 64-bit sizes. Row-major: C[m,n] = op(A)·op(B) + beta·C. */
#ifndef GEMM_H
#define GEMM_H

#include <cblas.h>
#include <stdint.h>

#define BK_AS_STORED CblasNoTrans
#define BK_TRANSPOSED CblasTrans

/* Sizes and strides fit in an int: kernels check axes, and cut products of axes into pieces. */
static inline void bk_gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int64_t m, int64_t n, int64_t k, const float *a,
                           int64_t a_stride, const float *b, int64_t b_stride, float beta, float *c,
                           int64_t c_stride) {
  if (m < 1 || n < 1 || k < 1) return;
  cblas_sgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1.0f, a, (blasint)a_stride, b,
              (blasint)b_stride, beta, c, (blasint)c_stride);
}

#endif
