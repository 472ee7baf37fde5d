/* EMBEDDING and GATHER_ROWS. An index outside the table gives a row of NaN, never a read outside it. */
#include "half_precision.h"
#include "kernel_list.h"

#include <string.h>

static void fill_nan(float *target, int64_t count) {
  for (int64_t k = 0; k < count; k++) target[k] = __builtin_nanf("");
}

typedef struct embedding_job {
  const int32_t *ids;
  const bk_tensor *table;
  float *y;
  int64_t count, width, block;
} embedding_job;

static void embedding_rows(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const embedding_job *job = argument;
  const int64_t bytes = job->width * bk_element_bytes(job->table->dtype);
  for (int64_t k = begin * job->block; k < bk_min(end * job->block, job->count); k++) {
    const int64_t id = job->ids[k];
    float *target = job->y + k * job->width;
    if (id < 0 || id >= job->table->dims[0])
      fill_nan(target, job->width);
    else
      bk_to_floats((const char *)job->table->data + id * bytes, job->table->dtype, target, job->width);
  }
}

static const char *embedding_check(const bk_call *call) {
  const bk_tensor *ids = bk_input(call, 0), *table = bk_input(call, 1), *y = bk_output(call, 0);
  BK_REQUIRE(ids && ids->dtype == ESP_DTYPE_I32, "ids are not i32");
  BK_REQUIRE(bk_is_floating(table) && table->rank == 2, "the table is not a floating [V,D]");
  BK_REQUIRE(bk_is_f32(y) && y->rank >= 1 && bk_last(y) == table->dims[1], "the output is not f32 [B,L,D]");
  BK_REQUIRE(bk_rows(y) == bk_count(ids), "the output does not have one row per id");
  return 0;
}

static void embedding_run(const bk_call *call) {
  const bk_tensor *ids = bk_input(call, 0), *table = bk_input(call, 1);
  embedding_job job = {
      .ids = ids->data,
      .table = table,
      .y = bk_floats(bk_output(call, 0)),
      .count = bk_count(ids),
      .width = table->dims[1],
  };
  job.block = bk_max(1, BK_BLOCK / job.width);
  bk_parallel(call, bk_blocks(job.count, job.block), embedding_rows, &job);
}

static const char *gather_check(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *index = bk_input(call, 1), *y = bk_output(call, 0);
  BK_REQUIRE(bk_is_f32(x) && bk_is_f32(y), "needs f32 x and output");
  BK_REQUIRE(index && index->dtype == ESP_DTYPE_I32, "the index is not i32");
  BK_REQUIRE(x->rank == 3 && bk_count(index) == x->dims[0], "not x[B,L,D] with index[B]");
  BK_REQUIRE(bk_count(y) == x->dims[0] * x->dims[2] && bk_last(y) == x->dims[2], "the output is not [B,D]");
  return 0;
}

static void gather_run(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0);
  const int32_t *index = bk_input(call, 1)->data;
  float *y = bk_floats(bk_output(call, 0));
  const int64_t tokens = x->dims[1], width = x->dims[2];
  for (int64_t b = 0; b < x->dims[0]; b++) {
    if (index[b] < 0 || index[b] >= tokens)
      fill_nan(y + b * width, width);
    else
      memcpy(y + b * width, (const float *)x->data + (b * tokens + index[b]) * width, (size_t)width * 4);
  }
}

const bk_kernel bk_embedding = {.op = ESP_OP_EMBEDDING, .check = embedding_check, .run = embedding_run};
const bk_kernel bk_gather_rows = {.op = ESP_OP_GATHER_ROWS, .check = gather_check, .run = gather_run};
