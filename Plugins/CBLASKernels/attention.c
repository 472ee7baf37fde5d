/* ATTENTION: tiles of queries and keys with the online softmax of FlashAttention (Dao et al. 2022), so that
 * the scores of one tile are all that is ever stored. */
#include "attention.h"

#include "kernel_list.h"
#include "vector_math.h"

#include <math.h>

enum { key_budget = 16384 };

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
  return (s->key_tile * (s->width + s->padded) + QUERY_TILE * (s->key_tile + s->padded + 2) + 15) / 16 * 16;
}

static forward_space worker_space(const forward_job *job, uint32_t worker) {
  const attention_shape *s = &job->shape;
  forward_space space = {.keys = job->space + (int64_t)worker * job->space_floats};
  space.values = space.keys + s->key_tile * s->width;
  space.scores = space.values + s->key_tile * s->padded;
  space.sum = space.scores + QUERY_TILE * s->key_tile;
  space.maximum = space.sum + QUERY_TILE * s->padded;
  space.total = space.maximum + QUERY_TILE;
  return space;
}

/* Turns a row of `count` scores (a multiple of 16) into exp(scale·score − maximum) and gives their sum;
 * `maximum` grows to cover the row. */
BK_CLONES static float exponentials(float *restrict row, int64_t count, float scale, float *maximum) {
  float lanes[32];
  for (int j = 0; j < 32; j++) lanes[j] = -INFINITY;
  int64_t k = 0;
  for (; k + 32 <= count; k += 32)
    for (int j = 0; j < 32; j++) lanes[j] = row[k + j] > lanes[j] ? row[k + j] : lanes[j];
  for (; k < count; k++) lanes[k % 32] = row[k] > lanes[k % 32] ? row[k] : lanes[k % 32];
  float largest = lanes[0];
  for (int j = 1; j < 32; j++) largest = lanes[j] > largest ? lanes[j] : largest;
  largest *= scale;
  const float top = largest > *maximum ? largest : *maximum;
  *maximum = top;
  float sum = 0;
  {
#pragma clang fp reassociate(on)
    for (k = 0; k < count; k++) {
      row[k] = bk_exp(scale * row[k] - top);
      sum += row[k];
    }
  }
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
  for (int64_t i = 0; i < queries; i++) {
    float *row = space->scores + i * s->key_tile;
    int64_t visible = keys;
    if (s->causal) visible = bk_max(0, bk_min(keys, first_query + i + 1 - first_key));
    const float hidden = s->scale < 0 ? INFINITY : -INFINITY;
    for (int64_t k = visible; k < columns; k++) row[k] = hidden;
    if (visible == 0) {
      for (int64_t k = 0; k < columns; k++) row[k] = 0;
      continue;
    }
    const float before = space->maximum[i];
    const float sum = exponentials(row, columns, s->scale, &space->maximum[i]);
    const float shrink = first_key == 0 ? 0.0f : bk_exp(before - space->maximum[i]);
    space->total[i] = first_key == 0 ? sum : space->total[i] * shrink + sum;
    if (first_key > 0 && shrink != 1.0f) scale_row(space->sum + i * s->padded, s->padded, shrink);
  }
  bk_tile_multiply(queries, s->padded, keys, space->scores, s->key_tile, space->values, space->sum, s->padded,
                   first_key > 0);
}

static void forward_tile(const forward_job *job, const forward_space *space, int64_t sample, int64_t head,
                         int64_t tile) {
  const attention_shape *s = &job->shape;
  const int64_t first_query = tile * QUERY_TILE, queries = bk_min(QUERY_TILE, s->queries - first_query);
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
          space->maximum[i] + logf(space->total[i]);
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
  const attention_shape s = bk_attention_shape(call, bk_input(call, 0), bk_input(call, 1), key_budget);
  return (uint64_t)(space_floats(&s) * 4) * call->workers;
}

static void forward_run(const bk_call *call) {
  forward_job job = {
      .q = bk_floats(bk_input(call, 0)),
      .k = bk_floats(bk_input(call, 1)),
      .v = bk_floats(bk_input(call, 2)),
      .o = bk_floats(bk_output(call, 0)),
      .lse = bk_floats(bk_output(call, 1)),
      .shape = bk_attention_shape(call, bk_input(call, 0), bk_input(call, 1), key_budget),
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
