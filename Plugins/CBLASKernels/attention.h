/* What both directions of attention share: the shapes and the split into tiles. */
#ifndef ATTENTION_H
#define ATTENTION_H

#include "attention_tiles.h"

typedef struct attention_shape {
  int64_t batch, heads, queries, keys;
  int64_t width;       /* of one head */
  int64_t padded;      /* width, rounded up to whole panels */
  int64_t stride;      /* heads · width: the step between tokens */
  int64_t query_tile;  /* queries per tile, a multiple of 6: they share packed keys */
  int64_t query_block; /* queries whose scores exist at a time, a multiple of 6 */
  int64_t key_tile;    /* keys per tile, whole panels */
  int64_t key_group;   /* keys that are packed at a time, whole tiles */
  int64_t query_tiles, key_tiles;
  bool causal;
  float scale;
} attention_shape;

/* What a worker's cache holds of one head. */
typedef struct attention_budget {
  int64_t query_tile;   /* the most queries of a tile */
  int64_t query_block;  /* the most queries whose scores exist at a time */
  int64_t key_floats;   /* of a packed tile of keys */
  int64_t group_floats; /* of all packed keys */
} attention_budget;

/* `count` in equal parts of at most `most`, each whole rows of registers. */
static inline int64_t bk_part(int64_t count, int64_t most) {
  return bk_blocks(bk_blocks(count, bk_blocks(count, most)), TILE_ROWS) * TILE_ROWS;
}

static inline attention_shape bk_attention_shape(const bk_call *call, const bk_tensor *q, const bk_tensor *k,
                                                 attention_budget budget) {
  attention_shape s = {
      .batch = q->dims[0],
      .heads = call->i[0],
      .queries = bk_middle(q),
      .keys = bk_middle(k),
      .stride = bk_last(q),
      .causal = call->i[1] != 0,
      .scale = (float)call->f[0],
  };
  s.width = s.stride / s.heads;
  s.padded = bk_round16(s.width);
  s.key_tile = bk_min(bk_round16(bk_min(bk_max(budget.key_floats / s.padded, 32), 256)), bk_round16(s.keys));
  const int64_t tiles = bk_max(budget.group_floats / (s.key_tile * s.padded), 1);
  s.key_group = bk_min(tiles, bk_blocks(s.keys, s.key_tile)) * s.key_tile;
  s.query_tile = bk_part(s.queries, budget.query_tile);
  s.query_block = bk_part(s.query_tile, budget.query_block);
  s.query_tiles = bk_blocks(s.queries, s.query_tile);
  s.key_tiles = bk_blocks(s.keys, s.key_tile);
  return s;
}

/* Null if q, k and v fit each other. */
static inline const char *bk_attention_check(const bk_call *call, const bk_tensor *q, const bk_tensor *k,
                                             const bk_tensor *v) {
  BK_REQUIRE(bk_is_f32(q) && bk_is_f32(k) && bk_is_f32(v), "needs f32 q, k and v");
  BK_REQUIRE(q->rank >= 3 && k->rank >= 3 && v->rank >= 3, "q, k and v are not [B,…,h·d]");
  BK_REQUIRE(q->dims[0] == k->dims[0] && bk_last(q) == bk_last(k), "q and k differ in batch or features");
  BK_REQUIRE(bk_count(k) == bk_count(v) && k->dims[0] == v->dims[0] && bk_last(k) == bk_last(v), "k and v differ");
  BK_REQUIRE(call->i[0] >= 1 && bk_last(q) % call->i[0] == 0, "heads do not divide the features");
  return 0;
}

static inline int64_t bk_token(const attention_shape *s, int64_t sample, int64_t tokens, int64_t token,
                               int64_t head) {
  return (sample * tokens + token) * s->stride + head * s->width;
}

#endif
