/* ATTENTION: tiles of queries and keys with the online softmax of FlashAttention (Dao et al. 2022), so that
 * the scores of one tile are all that is ever stored. */
#include "attention.h"

#include "attention_rows.h"
#include "kernel_list.h"

#include <math.h>

/* Exponentials are taken to base 2. */
static const float log2_e = 1.44269504f;

/* A block of queries with its sums, and a tile of keys and values, stay in the second cache; the packed keys and values
 * of a group and the queries of a tile may lie in the third. There are enough tiles for all workers. */
static attention_shape forward_shape(const bk_call *call) {
  const bk_tensor *q = bk_input(call, 0);
  const int64_t rows = q->dims[0] * call->i[0] * bk_middle(q);
  const attention_budget budget = {
      .query_tile = bk_max(48, bk_min(768, rows / (4 * (int64_t)call->workers))),
      .query_block = 48,
      .key_floats = 16384,
      .group_floats = 262144,
  };
  return bk_attention_shape(call, q, bk_input(call, 1), budget);
}

typedef struct forward_job {
  const float *q, *k, *v;
  float *o, *lse; /* lse [B,h,Nq], may be null */
  attention_shape shape;
  float *space; /* one scratch per worker */
  int64_t space_floats;
} forward_job;

/* The scratch of one worker. */
typedef struct forward_space {
  float *queries, *keys, *values, *scores, *sum, *maximum, *total;
} forward_space;

static int64_t space_floats(const attention_shape *s) {
  return (s->key_group * (s->width + s->padded) + s->query_block * s->key_tile +
          s->query_tile * (s->width + s->padded + 2) + 15) /
         16 * 16;
}

static forward_space worker_space(const forward_job *job, uint32_t worker) {
  const attention_shape *s = &job->shape;
  forward_space space = {.queries = job->space + (int64_t)worker * job->space_floats};
  space.keys = space.queries + s->query_tile * s->width;
  space.values = space.keys + s->key_group * s->width;
  space.scores = space.values + s->key_group * s->padded;
  space.sum = space.scores + s->query_block * s->key_tile;
  space.maximum = space.sum + s->query_tile * s->padded;
  space.total = space.maximum + s->query_tile;
  return space;
}

/* The tile's queries, side by side, scaled so that products with keys are base-2 logarithms. */
BK_CLONES static void scale_queries(const float *restrict q, int64_t stride, int64_t rows, int64_t width, float factor,
                                    float *restrict target) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = 0; k < width; k++) target[i * width + k] = factor * q[i * stride + k];
}

BK_CLONES static void write_row(const float *restrict row, float *restrict target, int64_t count, float factor) {
  for (int64_t k = 0; k < count; k++) target[k] = factor * row[k];
}

/* A block of a tile's queries, the first of which is number `begin` there. */
typedef struct query_block {
  int64_t sample, head;
  int64_t first_query; /* of the tile */
  int64_t begin, count;
} query_block;

/* One tile of keys for a block of queries: updates their sums, maxima and totals. */
static void update_block(const forward_job *job, const forward_space *space, const query_block *block,
                         int64_t first_key, int64_t keys, const float *packed_keys, const float *packed_values) {
  const attention_shape *s = &job->shape;
  const int64_t begin = block->begin;
  const bool first = first_key == 0;
  const score_tile tile = {
      .scores = space->scores,
      .stride = s->key_tile,
      .rows = block->count,
      .keys = keys,
      .columns = bk_round16(keys),
      .causal = s->causal,
      .diagonal = block->first_query + begin + 1 - first_key,
  };
  float *sum = space->sum + begin * s->padded;
  bk_tile_multiply(tile.rows, tile.columns, s->width, space->queries + begin * s->width, s->width, packed_keys,
                   space->scores, s->key_tile, false);
  bk_online_softmax(&tile, first, space->maximum + begin, space->total + begin, sum, s->padded);
  bk_tile_multiply(tile.rows, s->padded, keys, space->scores, s->key_tile, packed_values, sum, s->padded, !first);
}

/* The packed keys from `first` to `end` for a block of queries. */
static void update_group(const forward_job *job, const forward_space *space, const query_block *block, int64_t first,
                         int64_t end) {
  const attention_shape *s = &job->shape;
  for (int64_t key = first; key < end; key += s->key_tile) {
    if (s->causal && key >= block->first_query + block->begin + block->count) break;
    update_block(job, space, block, key, bk_min(s->key_tile, end - key), space->keys + (key - first) * s->width,
                 space->values + (key - first) * s->padded);
  }
}

static void pack_group(const forward_job *job, const forward_space *space, int64_t sample, int64_t head, int64_t first,
                       int64_t end) {
  const attention_shape *s = &job->shape;
  for (int64_t key = first; key < end; key += s->key_tile) {
    const int64_t keys = bk_min(s->key_tile, end - key), at = bk_token(s, sample, s->keys, key, head);
    bk_tile_pack_transposed(job->k + at, s->stride, keys, s->width, space->keys + (key - first) * s->width);
    bk_tile_pack(job->v + at, s->stride, keys, s->width, 1.0f, space->values + (key - first) * s->padded);
  }
}

static void forward_tile(const forward_job *job, const forward_space *space, int64_t sample, int64_t head,
                         int64_t tile) {
  const attention_shape *s = &job->shape;
  const int64_t first_query = tile * s->query_tile, queries = bk_min(s->query_tile, s->queries - first_query);
  scale_queries(job->q + bk_token(s, sample, s->queries, first_query, head), s->stride, queries, s->width,
                s->scale * log2_e, space->queries);
  for (int64_t first = 0; first < s->keys; first += s->key_group) {
    if (s->causal && first >= first_query + queries) break;
    const int64_t end = bk_min(first + s->key_group, s->keys);
    pack_group(job, space, sample, head, first, end);
    for (int64_t begin = 0; begin < queries; begin += s->query_block) {
      const query_block block = {sample, head, first_query, begin, bk_min(s->query_block, queries - begin)};
      update_group(job, space, &block, first, end);
    }
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
    if (s->key_tiles == 1) { /* keys are soon packed: the heads of one tile of queries share its pages */
      const int64_t tile = item / s->heads;
      forward_tile(job, &space, tile / s->query_tiles, item % s->heads, tile % s->query_tiles);
    } else {
      const int64_t pair = item / s->query_tiles;
      forward_tile(job, &space, pair / s->heads, pair % s->heads, item % s->query_tiles);
    }
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
  const attention_shape s = forward_shape(call);
  return (uint64_t)(space_floats(&s) * 4) * call->workers;
}

static void forward_run(const bk_call *call) {
  forward_job job = {
      .q = bk_floats(bk_input(call, 0)),
      .k = bk_floats(bk_input(call, 1)),
      .v = bk_floats(bk_input(call, 2)),
      .o = bk_floats(bk_output(call, 0)),
      .lse = bk_floats(bk_output(call, 1)),
      .shape = forward_shape(call),
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
