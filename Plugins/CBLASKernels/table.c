/* The table of all kernels; each file of kernels declares its own in `kernel_list.h`. */
#include "blas_kernels.h"

const bk_kernel *bk_find_kernel(int32_t op) {
  (void)op;
  return 0;
}
