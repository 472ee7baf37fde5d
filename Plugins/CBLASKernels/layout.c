/* CONCAT, SLICE and PIXEL_UNSHUFFLE: they only move elements. */
#include "kernel_list.h"
#include "tensor_access.h"

#include <string.h>

/* Rows that one slice of the loop takes, so that it moves about 64 KiB. */
static int64_t rows_per_slice(int64_t row_bytes) { return bk_max(1, 4 * BK_BLOCK / bk_max(1, row_bytes)); }

/* ---- CONCAT ------------------------------------------------------------------------------------- */

typedef struct concat_job {
  const bk_call *call;
  int64_t rows, row_bytes, element, block;
} concat_job;

static void concat_rows(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const concat_job *job = argument;
  char *target = bk_output(job->call, 0)->data;
  int64_t offset = 0;
  for (uint32_t k = 0; k < job->call->input_count; k++) {
    const bk_tensor *x = bk_input(job->call, k);
    const int64_t bytes = bk_last(x) * job->element;
    const char *source = x->data;
    for (int64_t row = begin * job->block; row < bk_min(end * job->block, job->rows); row++)
      memcpy(target + row * job->row_bytes + offset, source + row * bytes, (size_t)bytes);
    offset += bytes;
  }
}

static const char *concat_check(const bk_call *call) {
  const bk_tensor *y = bk_output(call, 0);
  BK_REQUIRE(y && y->rank >= 1 && call->input_count >= 1, "needs inputs and an output");
  int64_t total = 0;
  for (uint32_t k = 0; k < call->input_count; k++) {
    const bk_tensor *x = bk_input(call, k);
    BK_REQUIRE(x && x->dtype == y->dtype, "operands differ in type");
    BK_REQUIRE(x->rank == y->rank && bk_same_leading(x, y, y->rank - 1), "operands differ in leading axes");
    total += bk_last(x);
  }
  BK_REQUIRE(total == bk_last(y), "the inputs do not add up to the output");
  return 0;
}

static void concat_run(const bk_call *call) {
  const bk_tensor *y = bk_output(call, 0);
  concat_job job = {.call = call, .rows = bk_rows(y), .element = bk_element_bytes(y->dtype)};
  job.row_bytes = bk_last(y) * job.element;
  job.block = rows_per_slice(job.row_bytes);
  bk_parallel(call, bk_blocks(job.rows, job.block), concat_rows, &job);
}

/* ---- SLICE -------------------------------------------------------------------------------------- */

typedef struct slice_job {
  const char *source;
  char *target;
  int64_t rows, step, bytes, block;
} slice_job;

static void slice_rows(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const slice_job *job = argument;
  for (int64_t row = begin * job->block; row < bk_min(end * job->block, job->rows); row++)
    memcpy(job->target + row * job->bytes, job->source + row * job->step, (size_t)job->bytes);
}

static const char *slice_check(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  BK_REQUIRE(x && y && x->dtype == y->dtype, "needs x and an output of one type");
  BK_REQUIRE(x->rank >= 1 && x->rank == y->rank && bk_same_leading(x, y, x->rank - 1), "leading axes differ");
  BK_REQUIRE(call->i[0] >= 0 && call->i[0] <= bk_last(x) && bk_last(y) <= bk_last(x) - call->i[0],
             "the slice leaves the axis");
  return 0;
}

static void slice_run(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  const int64_t element = bk_element_bytes(x->dtype);
  slice_job job = {
      .source = (const char *)x->data + call->i[0] * element,
      .target = y->data,
      .rows = bk_rows(y),
      .step = bk_last(x) * element,
      .bytes = bk_last(y) * element,
  };
  job.block = rows_per_slice(job.bytes);
  bk_parallel(call, bk_blocks(job.rows, job.block), slice_rows, &job);
}

/* ---- PIXEL_UNSHUFFLE ---------------------------------------------------------------------------- */

typedef struct unshuffle_job {
  const float *x;
  float *y;
  int64_t height, width, channels, r; /* of x */
} unshuffle_job;

/* One output row of pixels per index. */
static void unshuffle_rows(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const unshuffle_job *job = argument;
  const int64_t r = job->r, c = job->channels, width = job->width / r, height = job->height / r;
  for (int64_t row = begin; row < end; row++) {
    const float *source = job->x + (row / height * job->height + row % height * r) * job->width * c;
    float *target = job->y + row * width * c * r * r;
    for (int64_t column = 0; column < width; column++) {
      for (int64_t k = 0; k < c; k++)
        for (int64_t dy = 0; dy < r; dy++)
          for (int64_t dx = 0; dx < r; dx++)
            *target++ = source[(dy * job->width + column * r + dx) * c + k];
    }
  }
}

static const char *unshuffle_check(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  BK_REQUIRE(bk_is_f32(x) && bk_is_f32(y), "needs f32 operands");
  BK_REQUIRE(x->rank == 4 && y->rank == 4, "operands are not [B,H,W,C]");
  const int64_t r = call->i[0];
  BK_REQUIRE(r >= 1 && x->dims[1] % r == 0 && x->dims[2] % r == 0, "r does not divide height and width");
  BK_REQUIRE(y->dims[0] == x->dims[0] && y->dims[1] == x->dims[1] / r && y->dims[2] == x->dims[2] / r,
             "the output is not [B,H/r,W/r,C·r²]");
  BK_REQUIRE(bk_count(x) == bk_count(y), "the output is not [B,H/r,W/r,C·r²]");
  return 0;
}

static void unshuffle_run(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0);
  unshuffle_job job = {x->data, bk_floats(bk_output(call, 0)), x->dims[1], x->dims[2], x->dims[3], call->i[0]};
  bk_parallel(call, x->dims[0] * (job.height / job.r), unshuffle_rows, &job);
}

const bk_kernel bk_concat = {.op = ESP_OP_CONCAT, .check = concat_check, .run = concat_run};
const bk_kernel bk_slice = {.op = ESP_OP_SLICE, .check = slice_check, .run = slice_run};
const bk_kernel bk_pixel_unshuffle = {
    .op = ESP_OP_PIXEL_UNSHUFFLE, .check = unshuffle_check, .run = unshuffle_run};
