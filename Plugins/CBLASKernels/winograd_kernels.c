#include "winograd_kernels.h"

#include "packing.h"
#include "widen.h"

#include <string.h>

/* Channels whose kernels are taken at a time, and values of a line of kernels. */
enum { block = 16, taps = 9, line_taps = bk_line * taps };

/* How far ahead turned kernels are fetched: those of each channel are a short piece of another page. */
enum { channels_ahead = 8 };

/* g[count][9][16] of the kernels as they are stored: 16 outputs with their channels next to each other. */
static void load(const bk_winograd *w, int64_t first, int64_t count, int64_t output, int64_t width, float *g) {
  const void *from = bk_element(w->weights, w->dtype, (output * w->channels + first) * taps);
  bk_pack_panels(from, w->dtype, w->channels * taps, count * taps, width, 1, g);
}

/* The same of turned and transposed kernels: channels with their 16 outputs next to each other. */
static void load_rotated(const bk_winograd *w, int64_t first, int64_t count, int64_t output, int64_t width, float *g) {
  float raw[line_taps + bk_line], turned[bk_line * bk_line];
  memset(raw + width * taps, 0, (size_t)(line_taps + bk_line - width * taps) * sizeof(float));
  for (int64_t c = 0; c < count; c++) {
    const void *from = bk_element(w->weights, w->dtype, ((first + c) * w->out_channels + output) * taps);
    const char *ahead = bk_element(from, w->dtype, channels_ahead * w->out_channels * taps);
    for (int64_t byte = 0; byte < line_taps * 4; byte += 64) __builtin_prefetch(ahead + byte);
    bk_widen(from, w->dtype, width * taps, raw, width * taps, 1, width * taps);
    bk_transpose_square(raw, taps, turned);
    for (int tap = 0; tap < taps; tap++) {
      memcpy(g + c * line_taps + tap * bk_line, turned + (taps - 1 - tap) * bk_line, bk_line * sizeof(float));
    }
  }
}

/* One line of outputs, `row` floats from channel to channel. */
static void transform(const bk_winograd *w, int64_t first, int64_t count, int64_t output, int64_t width, float *u,
                      int64_t row, int64_t point_stride) {
  float g[block * line_taps];
  for (int64_t done = 0; done < count; done += block) {
    int64_t now = bk_min(block, count - done);
    (w->rotated ? load_rotated : load)(w, first + done, now, output, width, g);
    for (int64_t c = 0; c < now; c++) bk_winograd_kernel(w->form, g + c * line_taps, u + (done + c) * row, point_stride);
  }
}

void bk_winograd_panel(const bk_winograd *conv, int64_t panel, int64_t first, int64_t count, float *u,
                       int64_t point_stride) {
  int64_t output = panel * bk_panel_width(), outputs = bk_min(bk_panel_width(), conv->out_channels - output);
  int64_t row = bk_panel_is_narrow(outputs) ? bk_line : bk_panel_width();
  for (int64_t line = 0; line < outputs; line += bk_line) {
    transform(conv, first, count, output + line, bk_min(bk_line, outputs - line), u + line, row, point_stride);
  }
}
