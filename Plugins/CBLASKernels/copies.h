/* Copies of weights that are kept between executions: their forms, and what they cost to make. */
#ifndef COPIES_H
#define COPIES_H

#include "tensor_access.h"

/* How a copy is laid out; see bk_copy_offer. */
enum {
  bk_form_turned = 1, /* panels of a matrix that is stored as [columns, depth] */
  bk_form_widened,    /* panels of a matrix that is stored as [depth, columns] */
  bk_form_winograd,   /* transformed kernels; three more follow, see winograd.c */
};

/* Measured with two workers: 0.1 to 0.4 ns for each byte, most of it the system's, which zeroes new memory. */
static inline double bk_copy_making_ns(uint64_t bytes, uint32_t workers) {
  return 0.7 * (double)bytes / workers;
}

#endif
