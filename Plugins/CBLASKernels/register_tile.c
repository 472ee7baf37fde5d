#include "register_tile.h"

#include "clones.h"

#include <string.h>

typedef bk_floats16 line;

/* One step of the depth, with the left operand's element of row r. */
#define STEP(element)                                                                                     \
  do {                                                                                                    \
    line right[2];                                                                                        \
    BK_UNROLL for (int j = 0; j < lines; j++) right[j] = *(const line *)(b + j * bk_line);                \
    BK_UNROLL for (int r = 0; r < rows; r++) {                                                            \
      BK_UNROLL for (int j = 0; j < lines; j++) sum[r * lines + j] += right[j] * (element);               \
    }                                                                                                     \
    b += b_step;                                                                                          \
  } while (0)

/* `rows`, `lines` (of 16 columns) and `deep` are constants where these are inlined, so that the loops over them
 * unroll and `sum` lives in registers. Rows are addressed in fours, which needs five registers for twelve. */
BK_INLINE void accumulate(int rows, int lines, int deep, int64_t depth, const float *a, int64_t a_step, const float *b,
                          int64_t b_step, line *sum) {
#pragma clang fp contract(fast)
  if (deep) {
    for (int64_t k = 0; k < depth; k++, a += a_step) STEP(a[r]);
    return;
  }
  const float *four[3] = {a, a + 4 * a_step, a + 8 * a_step};
  for (; rows == bk_tile_rows && depth >= bk_line; depth -= bk_line) {
    BK_UNROLL for (int part = 0; part < 4; part++) {
      /* A line of the next tile's rows. */
      BK_UNROLL for (int j = 0; j < 3; j++) __builtin_prefetch(four[j] + (bk_tile_rows + part) * a_step, 0, 2);
      BK_UNROLL for (int k = 0; k < 4; k++) STEP(four[r / 4][r % 4 * a_step + k]);
      BK_UNROLL for (int j = 0; j < 3; j++) four[j] += 4;
    }
  }
  for (; depth >= 4; depth -= 4) {
    BK_UNROLL for (int k = 0; k < 4; k++) STEP(four[r / 4][r % 4 * a_step + k]);
    BK_UNROLL for (int j = 0; j < 3; j++) four[j] += 4;
  }
  for (int64_t k = 0; k < depth; k++) STEP(four[r / 4][r % 4 * a_step + k]);
}

/* The sums to the result where columns are missing in the last line. */
BK_INLINE void store_some(int rows, int lines, int64_t columns, const line *sum, const bk_tile_result *t) {
  BK_UNROLL for (int r = 0; r < rows; r++) {
    float row[2 * bk_line];
    memcpy(row, sum + r * lines, sizeof(line) * (size_t)lines);
    float *to = t->c + r * t->step;
    for (int64_t j = 0; t->bias && j < columns; j++) row[j] += t->bias[j];
    for (int64_t j = 0; t->from && j < columns; j++) row[j] += t->from[r * t->step + j];
    for (int64_t j = 0; j < columns; j++) to[j] = row[j];
  }
}

BK_INLINE void tile(int rows, int lines, int deep, const bk_tile_operands *o, int64_t b_step,
                    const bk_tile_result *t) {
  line sum[bk_tile_rows * 2];
  const int whole = o->columns == lines * bk_line;
  BK_UNROLL for (int j = 0; j < lines; j++) {
    line first = whole && t->bias ? *(const line *)(t->bias + j * bk_line) : (line){0};
    BK_UNROLL for (int r = 0; r < rows; r++) sum[r * lines + j] = first;
  }
  BK_UNROLL for (int r = 0; r < rows; r++) {
    BK_UNROLL for (int j = 0; j < lines; j++) __builtin_prefetch(t->c + r * t->step + j * bk_line, 1);
  }
  accumulate(rows, lines, deep, o->depth, o->a, o->a_step, o->b, b_step, sum);
  if (!whole) {
    store_some(rows, lines, o->columns, sum, t);
    return;
  }
  BK_UNROLL for (int r = 0; r < rows; r++) {
    BK_UNROLL for (int j = 0; j < lines; j++) {
      int64_t at = r * t->step + j * bk_line;
      line value = sum[r * lines + j];
      *(line *)(t->c + at) = t->from ? *(const line *)(t->from + at) + value : value;
    }
  }
}

/* As many rows as make tiles of nearly the same size of what is left. */
BK_INLINE int64_t even_part(int64_t rows, int64_t limit) {
  int64_t tiles = (rows + limit - 1) / limit;
  return (rows + tiles - 1) / tiles;
}

/* To the rows below those that were multiplied. */
BK_INLINE void move_down(bk_tile_operands *o, bk_tile_result *t, int deep) {
  o->a += o->rows * (deep ? 1 : o->a_step);
  t->c += o->rows * t->step;
  if (t->from) t->from += o->rows * t->step;
}

#define EACH_ROWS(CASE) CASE(6) CASE(5) CASE(4) CASE(3) CASE(2) CASE(1)

#if defined(__x86_64__)

/* 512-bit registers: 24 sums, two lines of columns and an element fill them. */
#define BK_WIDE __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#define EACH_WIDE_ROWS(CASE) CASE(12) CASE(11) CASE(10) CASE(9) CASE(8) CASE(7) EACH_ROWS(CASE)
#define CASE_WIDE(n) case n: tile(n, lines, deep, o, lines * bk_line, t); break;

BK_WIDE BK_INLINE void wide_tiles(int lines, int deep, const bk_tile_operands *all, const bk_tile_result *result) {
  bk_tile_operands one = *all, *o = &one;
  bk_tile_result to = *result, *t = &to;
  for (int64_t rest = all->rows; rest > 0; rest -= o->rows) {
    o->rows = even_part(rest, bk_tile_rows);
    switch (o->rows) { EACH_WIDE_ROWS(CASE_WIDE) }
    move_down(o, t, deep);
  }
}

BK_WIDE static void wide_rows(const bk_tile_operands *o, const bk_tile_result *t) { wide_tiles(2, 0, o, t); }
BK_WIDE static void wide_narrow_rows(const bk_tile_operands *o, const bk_tile_result *t) { wide_tiles(1, 0, o, t); }
BK_WIDE static void wide_deep(const bk_tile_operands *o, const bk_tile_result *t) { wide_tiles(2, 1, o, t); }
BK_WIDE static void wide_narrow_deep(const bk_tile_operands *o, const bk_tile_result *t) { wide_tiles(1, 1, o, t); }

static int is_wide(void) { return __builtin_cpu_supports("x86-64-v4"); }

#else

static int is_wide(void) { return 0; }
#define wide_rows small_rows
#define wide_narrow_rows small_rows
#define wide_deep small_deep
#define wide_narrow_deep small_deep

#endif

/* 256-bit registers: 6 rows by 16 columns fill them. */
enum { small_rows_limit = 6 };
#define CASE_SMALL(n) case n: tile(n, 1, deep, &o, b_step, &t); break;

BK_INLINE void small_tiles(int deep, const bk_tile_operands *all, const bk_tile_result *result) {
  const int64_t b_step = all->narrow ? bk_line : 2 * bk_line;
  for (int64_t column = 0; column < all->columns; column += bk_line) {
    bk_tile_operands o = *all;
    bk_tile_result t = *result;
    o.columns = all->columns - column < bk_line ? all->columns - column : bk_line;
    o.b += column;
    t.c += column;
    if (t.from) t.from += column;
    if (t.bias) t.bias += column;
    for (int64_t rest = all->rows; rest > 0; rest -= o.rows) {
      o.rows = even_part(rest, small_rows_limit);
      switch (o.rows) { EACH_ROWS(CASE_SMALL) }
      move_down(&o, &t, deep);
    }
  }
}

BK_CLONES static void small_rows(const bk_tile_operands *o, const bk_tile_result *t) { small_tiles(0, o, t); }
BK_CLONES static void small_deep(const bk_tile_operands *o, const bk_tile_result *t) { small_tiles(1, o, t); }

int64_t bk_panel_width(void) { return is_wide() ? bk_tile_columns : bk_line; }

int64_t bk_tile_group(void) { return is_wide() ? bk_tile_rows : 8 * bk_tile_rows; }

void bk_tile_rows_by_panel(const bk_tile_operands *o, const bk_tile_result *t) {
  (is_wide() ? o->narrow ? wide_narrow_rows : wide_rows : small_rows)(o, t);
}

void bk_tile_deep_by_panel(const bk_tile_operands *o, const bk_tile_result *t) {
  (is_wide() ? o->narrow ? wide_narrow_deep : wide_deep : small_deep)(o, t);
}
