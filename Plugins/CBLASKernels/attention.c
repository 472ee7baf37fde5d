/* ATTENTION: tiles of queries and keys with the online softmax of FlashAttention (Dao et al. 2022), so that
 * the scores of one tile are all that is ever stored. */
#include "attention.h"

#include "kernel_list.h"
#include "vector_math.h"

#include <math.h>

enum { most_queries = 192, key_budget = 8192 };

/* Exponentials are taken to base 2. */
static const float log2_e = 1.44269504f;

typedef struct forward_job {
  const float *q, *k, *v;
  float *o, *lse; /* lse [B,h,Nq], may be null */
  attention_shape shape;
  float *space; /* one scratch per worker */
  int64_t space_floats;
} forward_job;

/* The scratch of one worker. */
typedef struct forward_space {
  float *keys, *values, *scores, *sum, *maximum, *total;
} forward_space;

static int64_t space_floats(const attention_shape *s) {
  return (s->key_tile * (s->width + s->padded) + s->query_tile * (s->key_tile + s->padded + 2) + 15) / 16 * 16;
}

static forward_space worker_space(const forward_job *job, uint32_t worker) {
  const attention_shape *s = &job->shape;
  forward_space space = {.keys = job->space + (int64_t)worker * job->space_floats};
  space.values = space.keys + s->key_tile * s->width;
  space.scores = space.values + s->key_tile * s->padded;
  space.sum = space.scores + s->query_tile * s->key_tile;
  space.maximum = space.sum + s->query_tile * s->padded;
  space.total = space.maximum + s->query_tile;
  return space;
}

/* Turns a row's `visible` scores into 2^(scale·score − maximum), the rest of its `count` into 0, and gives
 * their sum; `maximum` grows to cover the row. */
BK_CLONES static float exponentials(float *restrict row, int64_t visible, int64_t count, float scale,
                                    float *maximum) {
  float lanes[32];
  for (int j = 0; j < 32; j++) lanes[j] = scale * row[0];
  int64_t k = 0;
  for (; k + 32 <= visible; k += 32) {
    for (int j = 0; j < 32; j++) {
      const float score = scale * row[k + j];
      lanes[j] = score > lanes[j] ? score : lanes[j];
    }
  }
  for (; k < visible; k++) lanes[0] = scale * row[k] > lanes[0] ? scale * row[k] : lanes[0];
  float top = *maximum;
  for (int j = 0; j < 32; j++) top = lanes[j] > top ? lanes[j] : top;
  *maximum = top;
  float sum = 0;
  {
#pragma clang fp reassociate(on)
    for (k = 0; k < visible; k++) {
      row[k] = bk_exp2(scale * row[k] - top);
      sum += row[k];
    }
  }
  for (k = visible; k < count; k++) row[k] = 0;
  return sum;
}

BK_CLONES static void scale_row(float *restrict row, int64_t count, float factor) {
  for (int64_t k = 0; k < count; k++) row[k] *= factor;
}

BK_CLONES static void write_row(const float *restrict row, float *restrict target, int64_t count, float factor) {
  for (int64_t k = 0; k < count; k++) target[k] = factor * row[k];
}

/* One tile of keys for one tile of queries: updates the sums, the maxima and the totals. */
static void update_tile(const forward_job *job, const forward_space *space, const float *q, int64_t first_query,
                        int64_t queries, int64_t first_key, int64_t keys) {
  const attention_shape *s = &job->shape;
  const int64_t columns = bk_round16(keys);
  bk_tile_multiply(queries, columns, s->width, q, s->stride, space->keys, space->scores, s->key_tile, false);
  const float scale = s->scale * log2_e;
  for (int64_t i = 0; i < queries; i++) {
    float *row = space->scores + i * s->key_tile;
    const int64_t visible = s->causal ? bk_max(0, bk_min(keys, first_query + i + 1 - first_key)) : keys;
    const float before = space->maximum[i];
    const float sum = exponentials(row, visible, keys, scale, &space->maximum[i]);
    if (first_key == 0) {
      space->total[i] = sum;
      continue;
    }
    const float shrink = bk_exp2(before - space->maximum[i]);
    space->total[i] = space->total[i] * shrink + sum;
    if (shrink != 1.0f) scale_row(space->sum + i * s->padded, s->padded, shrink);
  }
  bk_tile_multiply(queries, s->padded, keys, space->scores, s->key_tile, space->values, space->sum, s->padded,
                   first_key > 0);
}

static void forward_tile(const forward_job *job, const forward_space *space, int64_t sample, int64_t head,
                         int64_t tile) {
  const attention_shape *s = &job->shape;
  const int64_t first_query = tile * s->query_tile, queries = bk_min(s->query_tile, s->queries - first_query);
  const float *q = job->q + bk_token(s, sample, s->queries, first_query, head);
  for (int64_t i = 0; i < queries; i++) space->maximum[i] = -INFINITY;
  for (int64_t first_key = 0; first_key < s->keys; first_key += s->key_tile) {
    if (s->causal && first_key >= first_query + queries) break;
    const int64_t keys = bk_min(s->key_tile, s->keys - first_key);
    const int64_t at = bk_token(s, sample, s->keys, first_key, head);
    bk_tile_pack_transposed(job->k + at, s->stride, keys, s->width, space->keys);
    bk_tile_pack(job->v + at, s->stride, keys, s->width, 1.0f, space->values);
    update_tile(job, space, q, first_query, queries, first_key, keys);
  }
  float *o = job->o + bk_token(s, sample, s->queries, first_query, head);
  for (int64_t i = 0; i < queries; i++) {
    write_row(space->sum + i * s->padded, o + i * s->stride, s->width, 1.0f / space->total[i]);
    if (job->lse)
      job->lse[(sample * s->heads + head) * s->queries + first_query + i] =
          (space->maximum[i] + log2f(space->total[i])) / log2_e;
  }
}

static void forward_tiles(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const forward_job *job = argument;
  const attention_shape *s = &job->shape;
  const forward_space space = worker_space(job, worker);
  for (int64_t item = begin; item < end; item++) {
    const int64_t pair = item / s->query_tiles;
    forward_tile(job, &space, pair / s->heads, pair % s->heads, item % s->query_tiles);
  }
}

static const char *forward_check(const bk_call *call) {
  const bk_tensor *q = bk_input(call, 0), *o = bk_output(call, 0), *lse = bk_output(call, 1);
  const char *reason = bk_attention_check(call, q, bk_input(call, 1), bk_input(call, 2));
  if (reason) return reason;
  BK_REQUIRE(bk_is_f32(o) && bk_count(o) == bk_count(q), "o differs from q");
  BK_REQUIRE(!lse || (bk_is_f32(lse) && bk_count(lse) == q->dims[0] * call->i[0] * bk_middle(q)),
             "lse is not [B,h,Nq]");
  return 0;
}

static uint64_t forward_workspace(const bk_call *call) {
  const attention_shape s = bk_attention_shape(call, bk_input(call, 0), bk_input(call, 1), most_queries, key_budget);
  return (uint64_t)(space_floats(&s) * 4) * call->workers;
}

static void forward_run(const bk_call *call) {
  forward_job job = {
      .q = bk_floats(bk_input(call, 0)),
      .k = bk_floats(bk_input(call, 1)),
      .v = bk_floats(bk_input(call, 2)),
      .o = bk_floats(bk_output(call, 0)),
      .lse = bk_floats(bk_output(call, 1)),
      .shape = bk_attention_shape(call, bk_input(call, 0), bk_input(call, 1), most_queries, key_budget),
      .space = call->workspace,
  };
  const attention_shape *s = &job.shape;
  job.space_floats = space_floats(s);
  bk_parallel(call, s->batch * s->heads * s->query_tiles, forward_tiles, &job);
}

const bk_kernel bk_attention = {
    .op = ESP_OP_ATTENTION,
    .inplace = 1,
    .check = forward_check,
    .workspace = forward_workspace,
    .run = forward_run,
};
