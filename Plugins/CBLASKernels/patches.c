#include "patches.h"

#include "clones.h"

#include <string.h>

typedef struct job {
  const bk_windows *windows;
  int64_t first;
  float *rows;
} job;

/* Part of one window row: taps [begin, end) lie inside the map, the others are zero. `offset` is where tap 0
 * would lie, which may be outside. */
static void copy_run(const bk_windows *w, int64_t offset, int64_t begin, int64_t end, float *to) {
  size_t texel = (size_t)w->channels * sizeof(float);
  memset(to, 0, (size_t)begin * texel);
  if (end > begin) {
    memcpy(to + begin * w->channels, w->source + (offset + begin * w->channels), (size_t)(end - begin) * texel);
  }
  memset(to + end * w->channels, 0, (size_t)(w->taps_x - end) * texel);
}

BK_CLONES static void spread(const float *restrict from, float *restrict to, int64_t count, int64_t stride) {
  for (int64_t k = 0; k < count; k++) to[k * stride] = from[k];
}

/* The same with taps innermost. */
static void spread_run(const bk_windows *w, int64_t offset, int64_t begin, int64_t end, float *to) {
  int64_t taps = w->taps_y * w->taps_x;
  for (int64_t tap = 0; tap < w->taps_x; tap++) {
    if (tap >= begin && tap < end) {
      spread(w->source + (offset + tap * w->channels), to + tap, w->channels, taps);
    } else {
      for (int64_t c = 0; c < w->channels; c++) to[c * taps + tap] = 0;
    }
  }
}

static void gather(const job *j, int order, int64_t begin, int64_t end) {
  const bk_windows *w = j->windows;
  int64_t area = w->grid_height * w->grid_width;
  int64_t depth = w->taps_y * w->taps_x * w->channels;
  int64_t line = w->taps_x * (order == BK_CHANNELS_FIRST ? 1 : w->channels);
  for (int64_t point = begin; point < end; point++) {
    int64_t sample = (j->first + point) / area, at = (j->first + point) % area;
    int64_t y = at / w->grid_width * w->step - w->top, x = at % w->grid_width * w->step - w->left;
    int64_t inside_begin = bk_min(bk_max(0, -x), w->taps_x);
    int64_t inside_end = bk_max(inside_begin, bk_min(w->taps_x, w->width - x));
    float *to = j->rows + point * depth;
    for (int64_t ty = 0; ty < w->taps_y; ty++, to += line) {
      int inside = y + ty >= 0 && y + ty < w->height;
      int64_t first = inside ? inside_begin : 0, last = inside ? inside_end : 0;
      int64_t offset = ((sample * w->height + y + ty) * w->width + x) * w->channels;
      if (order == BK_CHANNELS_FIRST) {
        spread_run(w, offset, first, last, to);
      } else {
        copy_run(w, offset, first, last, to);
      }
    }
  }
}

static void gather_taps_first(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  gather(argument, BK_TAPS_FIRST, begin, end);
}

static void gather_channels_first(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  gather(argument, BK_CHANNELS_FIRST, begin, end);
}

void bk_gather(const bk_windows *windows, int order, int64_t first, int64_t count, float *rows, const bk_call *call) {
  job j = {windows, first, rows};
  call->host->parallel_for(call->host->context, count, 16,
                           order == BK_CHANNELS_FIRST ? gather_channels_first : gather_taps_first, &j);
}
