/* ATTENTION_BACKWARD: with P = exp(scale·q·kᵀ − lse) recomputed tile by tile,
 * dv = Pᵀ·do, dS = P ∘ (do·vᵀ − Σ do∘o), dq = scale·dS·k, dk = scale·dSᵀ·q.
 *
 * Nothing is added by two workers: a slice is a head, or a tile of queries that sums its dq over all keys, or
 * a tile of keys that sums its dk and dv over all queries. */
#include "attention.h"

#include "attention_rows.h"
#include "kernel_list.h"

#include <string.h>

static attention_shape backward_shape(const bk_call *call) {
  const attention_budget budget = {.query_tile = 96, .query_block = 96, .key_floats = 8192, .group_floats = 0};
  return bk_attention_shape(call, bk_input(call, 1), bk_input(call, 2), budget);
}

/* Exponentials are taken to base 2. */
static const float log2_e = 1.44269504f;

typedef struct backward_job {
  const float *d_o, *q, *k, *v, *o, *lse;
  float *dq, *dk, *dv;
  float *delta; /* Σ do∘o [B,h,Nq] */
  attention_shape shape;
  float *space; /* one scratch per worker */
  int64_t space_floats;
} backward_job;

typedef struct backward_space {
  float *keys, *values;               /* transposed panels of the key tile */
  float *plain_keys;                  /* scale·k, panels */
  float *queries, *cotangents;        /* scale·q and do, panels of the query tile */
  float *scores, *slopes;             /* P and dS [queries, keys] */
  float *dk, *dv;                     /* [keys, padded] */
} backward_space;

/* A part of one head's work. */
typedef struct backward_part {
  int64_t sample, head;
  int64_t first_query, end_query; /* in tiles */
  int64_t first_key, end_key;
  bool dq, dk, dv;
} backward_part;

static int64_t space_floats(const attention_shape *s) {
  return s->key_tile * (2 * s->width + 3 * s->padded) + 2 * s->query_tile * (s->padded + s->key_tile);
}

static backward_space worker_space(const backward_job *job, uint32_t worker) {
  const attention_shape *s = &job->shape;
  backward_space space = {.keys = job->space + (int64_t)worker * job->space_floats};
  space.values = space.keys + s->key_tile * s->width;
  space.plain_keys = space.values + s->key_tile * s->width;
  space.dk = space.plain_keys + s->key_tile * s->padded;
  space.dv = space.dk + s->key_tile * s->padded;
  space.queries = space.dv + s->key_tile * s->padded;
  space.cotangents = space.queries + s->query_tile * s->padded;
  space.scores = space.cotangents + s->query_tile * s->padded;
  space.slopes = space.scores + s->query_tile * s->key_tile;
  return space;
}

/* One tile of queries against the packed tile of keys. */
static void backward_tile(const backward_job *job, const backward_space *space, const backward_part *part,
                          int64_t query_tile, int64_t first_key, int64_t keys) {
  const attention_shape *s = &job->shape;
  const int64_t first = query_tile * s->query_tile, queries = bk_min(s->query_tile, s->queries - first);
  if (s->causal && first_key >= first + queries) return;
  const int64_t at = bk_token(s, part->sample, s->queries, first, part->head);
  const int64_t row_at = (part->sample * s->heads + part->head) * s->queries + first;
  const int64_t columns = bk_round16(keys), lds = s->key_tile;
  bk_tile_multiply(queries, columns, s->width, job->q + at, s->stride, space->keys, space->scores, lds, false);
  bk_tile_multiply(queries, columns, s->width, job->d_o + at, s->stride, space->values, space->slopes, lds, false);
  const score_tile tile = {
      .scores = space->scores,
      .stride = lds,
      .rows = queries,
      .keys = keys,
      .columns = columns,
      .causal = s->causal,
      .diagonal = first + 1 - first_key,
  };
  bk_attention_slopes(&tile, space->slopes, s->scale * log2_e, job->lse + row_at, job->delta + row_at);
  if (part->dv) {
    bk_tile_pack(job->d_o + at, s->stride, queries, s->width, 1.0f, space->cotangents);
    bk_tile_multiply_transposed(keys, s->padded, queries, space->scores, lds, space->cotangents, space->dv,
                                s->padded, true);
  }
  if (part->dk) {
    bk_tile_pack(job->q + at, s->stride, queries, s->width, s->scale, space->queries);
    bk_tile_multiply_transposed(keys, s->padded, queries, space->slopes, lds, space->queries, space->dk, s->padded,
                                true);
  }
  if (part->dq)
    bk_tile_multiply(queries, s->width, keys, space->slopes, lds, space->plain_keys, job->dq + at, s->stride,
                     first_key > 0);
}

static void write_tile(const float *tile, int64_t padded, float *target, int64_t stride, int64_t rows,
                       int64_t width) {
  for (int64_t r = 0; r < rows; r++) memcpy(target + r * stride, tile + r * padded, (size_t)width * 4);
}

static void backward_range(const backward_job *job, const backward_space *space, const backward_part *part) {
  const attention_shape *s = &job->shape;
  for (int64_t tile = part->first_key; tile < part->end_key; tile++) {
    const int64_t first_key = tile * s->key_tile, keys = bk_min(s->key_tile, s->keys - first_key);
    const int64_t at = bk_token(s, part->sample, s->keys, first_key, part->head);
    bk_tile_pack_transposed(job->k + at, s->stride, keys, s->width, space->keys);
    bk_tile_pack_transposed(job->v + at, s->stride, keys, s->width, space->values);
    if (part->dq) bk_tile_pack(job->k + at, s->stride, keys, s->width, s->scale, space->plain_keys);
    if (part->dk) memset(space->dk, 0, (size_t)(keys * s->padded) * 4);
    if (part->dv) memset(space->dv, 0, (size_t)(keys * s->padded) * 4);
    for (int64_t query = part->first_query; query < part->end_query; query++)
      backward_tile(job, space, part, query, first_key, keys);
    if (part->dk) write_tile(space->dk, s->padded, job->dk + at, s->stride, keys, s->width);
    if (part->dv) write_tile(space->dv, s->padded, job->dv + at, s->stride, keys, s->width);
  }
}

/* ---- Slices ------------------------------------------------------------------------------------- */

BK_CLONES static float dot(const float *a, const float *b, int64_t count) {
  float sum = 0;
  {
#pragma clang fp reassociate(on)
    for (int64_t k = 0; k < count; k++) sum += a[k] * b[k];
  }
  return sum;
}

static void delta_rows(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const backward_job *job = argument;
  const attention_shape *s = &job->shape;
  for (int64_t item = begin; item < end; item++) {
    const int64_t sample = item / s->query_tiles, tile = item % s->query_tiles;
    for (int64_t i = tile * s->query_tile; i < bk_min((tile + 1) * s->query_tile, s->queries); i++) {
      for (int64_t head = 0; head < s->heads; head++) {
        const int64_t at = bk_token(s, sample, s->queries, i, head);
        job->delta[(sample * s->heads + head) * s->queries + i] = dot(job->d_o + at, job->o + at, s->width);
      }
    }
  }
}

static backward_part whole_head(const backward_job *job, int64_t pair) {
  const attention_shape *s = &job->shape;
  return (backward_part){
      .sample = pair / s->heads,
      .head = pair % s->heads,
      .end_query = s->query_tiles,
      .end_key = s->key_tiles,
      .dq = job->dq != 0,
      .dk = job->dk != 0,
      .dv = job->dv != 0,
  };
}

static void head_slices(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const backward_job *job = argument;
  const backward_space space = worker_space(job, worker);
  for (int64_t pair = begin; pair < end; pair++) {
    const backward_part part = whole_head(job, pair);
    backward_range(job, &space, &part);
  }
}

static void query_slices(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const backward_job *job = argument;
  const backward_space space = worker_space(job, worker);
  for (int64_t item = begin; item < end; item++) {
    backward_part part = whole_head(job, item / job->shape.query_tiles);
    part.first_query = item % job->shape.query_tiles;
    part.end_query = part.first_query + 1;
    part.dk = part.dv = false;
    backward_range(job, &space, &part);
  }
}

static void key_slices(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  const backward_job *job = argument;
  const backward_space space = worker_space(job, worker);
  for (int64_t item = begin; item < end; item++) {
    backward_part part = whole_head(job, item / job->shape.key_tiles);
    part.first_key = item % job->shape.key_tiles;
    part.end_key = part.first_key + 1;
    part.dq = false;
    backward_range(job, &space, &part);
  }
}

/* True if whole heads are done sooner than tiles of queries and then tiles of keys, which compute the scores
 * twice: products of tiles that the busiest worker does. */
static bool by_head(const backward_job *job, int64_t workers) {
  const attention_shape *s = &job->shape;
  const int64_t pairs = s->batch * s->heads;
  const bool keys = job->dk || job->dv;
  const double key_products = 2 + (job->dk != 0) + (job->dv != 0), query_products = job->dq ? 3 : 0;
  const double whole = (double)bk_blocks(pairs, workers) * ((keys ? key_products : 2) + (job->dq ? 1 : 0));
  const double queries = (double)bk_blocks(pairs * s->query_tiles, workers) / (double)s->query_tiles;
  const double tiles = (double)bk_blocks(pairs * s->key_tiles, workers) / (double)s->key_tiles;
  return whole <= queries * query_products + (keys ? tiles * key_products : 0);
}

static const char *backward_check(const bk_call *call) {
  const bk_tensor *d_o = bk_input(call, 0), *q = bk_input(call, 1), *k = bk_input(call, 2);
  const bk_tensor *o = bk_input(call, 4), *lse = bk_input(call, 5);
  const char *reason = bk_attention_check(call, q, k, bk_input(call, 3));
  if (reason) return reason;
  BK_REQUIRE(bk_is_f32(d_o) && bk_is_f32(o), "needs f32 do and o");
  BK_REQUIRE(bk_count(d_o) == bk_count(q) && bk_count(o) == bk_count(q), "do or o differs from q");
  BK_REQUIRE(bk_is_f32(lse) && bk_count(lse) == q->dims[0] * call->i[0] * bk_middle(q), "lse is not [B,h,Nq]");
  for (uint32_t n = 0; n < 3; n++) {
    const bk_tensor *t = bk_output(call, n);
    BK_REQUIRE(!t || (bk_is_f32(t) && bk_count(t) == bk_count(n == 0 ? q : k)), "a gradient differs from its tensor");
  }
  return 0;
}

static uint64_t delta_bytes(const attention_shape *s) {
  return bk_round64((uint64_t)(s->batch * s->heads * s->queries) * 4);
}

static uint64_t backward_workspace(const bk_call *call) {
  const attention_shape s = backward_shape(call);
  return delta_bytes(&s) + bk_round64((uint64_t)(space_floats(&s) * 4)) * call->workers;
}

static void backward_run(const bk_call *call) {
  backward_job job = {
      .d_o = bk_floats(bk_input(call, 0)),
      .q = bk_floats(bk_input(call, 1)),
      .k = bk_floats(bk_input(call, 2)),
      .v = bk_floats(bk_input(call, 3)),
      .o = bk_floats(bk_input(call, 4)),
      .lse = bk_floats(bk_input(call, 5)),
      .dq = bk_floats(bk_output(call, 0)),
      .dk = bk_floats(bk_output(call, 1)),
      .dv = bk_floats(bk_output(call, 2)),
      .delta = call->workspace,
      .shape = backward_shape(call),
  };
  const attention_shape *s = &job.shape;
  job.space = (float *)((char *)call->workspace + delta_bytes(s));
  job.space_floats = (int64_t)bk_round64((uint64_t)space_floats(s) * 4) / 4;
  const int64_t pairs = s->batch * s->heads;
  bk_parallel(call, s->batch * s->query_tiles, delta_rows, &job);
  if (by_head(&job, call->workers)) {
    bk_parallel(call, pairs, head_slices, &job);
    return;
  }
  if (job.dq) bk_parallel(call, pairs * s->query_tiles, query_slices, &job);
  if (job.dk || job.dv) bk_parallel(call, pairs * s->key_tiles, key_slices, &job);
}

const bk_kernel bk_attention_backward = {
    .op = ESP_OP_ATTENTION_BACKWARD,
    .check = backward_check,
    .workspace = backward_workspace,
    .run = backward_run,
};
