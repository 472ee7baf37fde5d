#include "blas_kernels.h"
