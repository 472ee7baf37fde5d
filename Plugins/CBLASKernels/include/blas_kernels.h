/* The CPU kernels of the blas backend: one per operation, all with one signature.
 *
 * A kernel gets its operands with shapes, runs in parallel over the host's pool and returns. It allocates
 * nothing: scratch comes from the plan, as many bytes as its `workspace` function asked for. OpenBLAS is
 * single-threaded here; kernels split the work themselves, always in the same way, so that results repeat
 * bit for bit for one worker count.
 */
#ifndef BLAS_KERNELS_H
#define BLAS_KERNELS_H

#include "espalier_plugin.h"

/* One operand. `data` is null where a kernel is only asked for its workspace. */
typedef struct bk_tensor {
  void *_Nullable data;
  int32_t dtype; /* ESP_DTYPE_… */
  int32_t role;  /* ESP_ROLE_… */
  int32_t rank;
  int32_t reserved;
  int64_t dims[ESP_MAX_RANK];
} bk_tensor;

/* One node, ready to run. Absent operands are null pointers in `inputs` and `outputs`. */
typedef struct bk_call {
  const esp_host *_Nonnull host;
  int32_t op;
  uint32_t input_count;
  uint32_t output_count;
  uint32_t workers; /* host->worker_count(), fixed when the graph was compiled */
  const bk_tensor *_Nullable const *_Nullable inputs;
  const bk_tensor *_Nullable const *_Nullable outputs;
  const int64_t *_Nonnull i;
  const double *_Nonnull f;
  void *_Nullable workspace; /* 64-byte aligned */
  uint64_t workspace_bytes;
  const void *_Nullable copy; /* what `make_copy` filled, 64-byte aligned; null: none is kept */
} bk_call;

/* A weight in the order in which a kernel multiplies by it, kept between executions. */
typedef struct bk_copy_offer {
  uint64_t bytes; /* 0: none that would help */
  uint32_t operand; /* the weight among the inputs */
  uint32_t form;    /* copies of one weight with equal forms and sizes are equal */
  double saved_ns;  /* by one execution, about */
  double making_ns; /* once, about */
} bk_copy_offer;

/* What the backend knows of one operation. */
typedef struct bk_kernel {
  int32_t op;
  int32_t inplace; /* bit k: output 0 may take the place of input k (same size, read at the same index only) */
  /* Null if the call can run, else why not (a constant string): unsupported dtype, rank, shape. */
  const char *_Nullable (*_Nonnull check)(const bk_call *_Nonnull call);
  uint64_t (*_Nullable workspace)(const bk_call *_Nonnull call); /* bytes of scratch; null: none */
  void (*_Nonnull run)(const bk_call *_Nonnull call);
  /* Null: the kernel has no use for a copy. `run` gives the same bits with it and without. */
  bk_copy_offer (*_Nullable copy)(const bk_call *_Nonnull call);
  void (*_Nullable make_copy)(const bk_call *_Nonnull call, void *_Nonnull target);
} bk_kernel;

/* Once, before the first kernel: OpenBLAS leaves the threads to the host's pool. */
void bk_set_up(void);

/* For people: OpenBLAS with its version and build options, the processor that it has chosen kernels for,
 * and the instruction set of the kernels here (clones.h). */
const char *_Nonnull bk_blas_version(void);
const char *_Nonnull bk_blas_core(void);
const char *_Nonnull bk_instructions(void);

/* The kernel of an operation, or null. */
const bk_kernel *_Nullable bk_find_kernel(int32_t op);

#endif
