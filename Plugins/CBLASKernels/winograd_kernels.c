#include "winograd_kernels.h"

#include "clones.h"
#include "panels.h"
#include "widen.h"
#include "winograd_transform.h"

/* Channels whose kernels are taken at a time. */
enum { block = 16, taps = 9 };

/* Where the 16 kernels of one channel lie in `raw`: `lane` apart from output to output. */
typedef struct source {
  float raw[bk_panel_width * block * taps];
  int64_t lane, channel;
} source;

/* Kernels of channels [first, first + count) and outputs [output, output + width), as f32. */
static void load(const bk_winograd *w, int64_t first, int64_t count, int64_t output, int64_t width, source *s) {
  if (w->rotated) {
    s->lane = taps;
    s->channel = bk_panel_width * taps;
    const void *from = bk_element(w->weights, w->dtype, (first * w->out_channels + output) * taps);
    bk_widen(from, w->dtype, w->out_channels * taps, s->raw, s->channel, count, width * taps);
  } else {
    s->lane = block * taps;
    s->channel = taps;
    const void *from = bk_element(w->weights, w->dtype, (output * w->channels + first) * taps);
    bk_widen(from, w->dtype, w->channels * taps, s->raw, s->lane, width, count * taps);
  }
}

/* g[9][16] of one channel. */
BK_CLONES static void pick(const float *restrict raw, int64_t lane, int64_t width, int rotated, float *restrict g) {
  for (int tap = 0; tap < taps; tap++) {
    const float *from = raw + (rotated ? taps - 1 - tap : tap);
    if (width == bk_panel_width) {
      for (int o = 0; o < bk_panel_width; o++) g[tap * bk_panel_width + o] = from[o * lane];
    } else {
      for (int o = 0; o < bk_panel_width; o++) g[tap * bk_panel_width + o] = o < width ? from[o * lane] : 0;
    }
  }
}

void bk_winograd_panel(const bk_winograd *conv, int64_t panel, float *u, int64_t point_stride) {
  source s;
  float g[taps * bk_panel_width];
  int64_t output = panel * bk_panel_width;
  int64_t width = bk_min(bk_panel_width, conv->out_channels - output);
  for (int64_t first = 0; first < conv->channels; first += block) {
    int64_t count = bk_min(block, conv->channels - first);
    load(conv, first, count, output, width, &s);
    for (int64_t c = 0; c < count; c++) {
      pick(s.raw + c * s.channel, s.lane, width, conv->rotated, g);
      bk_winograd_kernel(g, u + (first + c) * bk_panel_width, point_stride);
    }
  }
}
