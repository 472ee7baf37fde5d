/* Shapes of operands, checks and parallel loops: what every file of kernels needs. */
#ifndef TENSOR_ACCESS_H
#define TENSOR_ACCESS_H

#include "blas_kernels.h"
#include "clones.h"

#include <stdbool.h>

/* The iterations of the next loop are independent, also where an output stands in an input's place. */
#define BK_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")

/* Elements that one slice of an elementwise loop takes. Slices never depend on the number of workers. */
#define BK_BLOCK ((int64_t)16384)

/* In a `check` function: gives the reason why the call cannot run unless the condition holds. */
#define BK_REQUIRE(condition, reason) \
  do {                                \
    if (!(condition)) return reason;  \
  } while (0)

static inline int64_t bk_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t bk_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t bk_blocks(int64_t count, int64_t block) { return (count + block - 1) / block; }
static inline uint64_t bk_round64(uint64_t bytes) { return (bytes + 63) & ~(uint64_t)63; }

/* The operand, or null where it is absent. */
static inline const bk_tensor *bk_input(const bk_call *call, uint32_t k) {
  return k < call->input_count ? call->inputs[k] : 0;
}

static inline const bk_tensor *bk_output(const bk_call *call, uint32_t k) {
  return k < call->output_count ? call->outputs[k] : 0;
}

/* The operand's floats, or null where it is absent. */
static inline float *bk_floats(const bk_tensor *t) { return t ? (float *)t->data : 0; }

static inline int64_t bk_count(const bk_tensor *t) {
  int64_t n = 1;
  for (int32_t k = 0; k < t->rank; k++) n *= t->dims[k];
  return n;
}

/* The size of the last axis, 1 for a scalar. */
static inline int64_t bk_last(const bk_tensor *t) { return t->rank > 0 ? t->dims[t->rank - 1] : 1; }

/* The product of all axes but the last. */
static inline int64_t bk_rows(const bk_tensor *t) { return bk_count(t) / bk_last(t); }

/* The product of the axes between the first and the last. */
static inline int64_t bk_middle(const bk_tensor *t) {
  int64_t n = 1;
  for (int32_t k = 1; k < t->rank - 1; k++) n *= t->dims[k];
  return n;
}

static inline bool bk_same_shape(const bk_tensor *a, const bk_tensor *b) {
  if (a->rank != b->rank) return false;
  for (int32_t k = 0; k < a->rank; k++)
    if (a->dims[k] != b->dims[k]) return false;
  return true;
}

/* True if the first `axes` axes of both agree. */
static inline bool bk_same_leading(const bk_tensor *a, const bk_tensor *b, int32_t axes) {
  if (a->rank < axes || b->rank < axes) return false;
  for (int32_t k = 0; k < axes; k++)
    if (a->dims[k] != b->dims[k]) return false;
  return true;
}

static inline bool bk_is_f32(const bk_tensor *t) { return t && t->dtype == ESP_DTYPE_F32; }

/* f32, or half precision as a checkpoint stores it. */
static inline bool bk_is_floating(const bk_tensor *t) {
  return t && (t->dtype == ESP_DTYPE_F32 || t->dtype == ESP_DTYPE_F16 || t->dtype == ESP_DTYPE_BF16);
}

static inline int64_t bk_element_bytes(int32_t dtype) {
  return dtype == ESP_DTYPE_F16 || dtype == ESP_DTYPE_BF16 ? 2 : 4;
}

/* An absent operand passes. */
static inline bool bk_optional_f32(const bk_tensor *t) { return !t || t->dtype == ESP_DTYPE_F32; }

/* A parameter [C] in any storage type. */
static inline bool bk_is_vector(const bk_tensor *t, int64_t count) {
  return bk_is_floating(t) && t->rank == 1 && t->dims[0] == count;
}

/* An optional f32 vector [C]. */
static inline bool bk_optional_vector(const bk_tensor *t, int64_t count) {
  return !t || (t->dtype == ESP_DTYPE_F32 && t->rank == 1 && t->dims[0] == count);
}

/* The host's parallel loop over `count` pieces of work. */
static inline void bk_parallel(const bk_call *call, int64_t count, esp_parallel_body body, void *argument) {
  if (count == 1)
    body(argument, 0, 1, 0);
  else if (count > 1)
    call->host->parallel_for(call->host->context, count, 1, body, argument);
}

#endif
