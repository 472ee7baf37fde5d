#include "memory.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct writer {
  espalier_bytes *bytes;
  png_structp png;
  png_infop info;
  png_text *text;
} writer;

static void on_error(png_structp png, png_const_charp message) {
  writer *w = png_get_error_ptr(png);
  snprintf(w->bytes->message, sizeof w->bytes->message, "%s", message);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void on_write(png_structp png, png_bytep data, png_size_t count) {
  writer *w = png_get_io_ptr(png);
  if (!espalier_bytes_append(w->bytes, data, count)) png_error(png, "out of memory");
}

static void on_flush(png_structp png) { (void)png; }

static int color_type(uint32_t channels) {
  switch (channels) {
    case 1: return PNG_COLOR_TYPE_GRAY;
    case 2: return PNG_COLOR_TYPE_GRAY_ALPHA;
    case 3: return PNG_COLOR_TYPE_RGB;
    default: return PNG_COLOR_TYPE_RGB_ALPHA;
  }
}

static void set_text(writer *w, const espalier_png_text *text, size_t count) {
  if (count == 0) return;
  w->text = calloc(count, sizeof *w->text);
  if (!w->text) png_error(w->png, "out of memory");
  for (size_t k = 0; k < count; k++) {
    w->text[k].compression = text[k].utf8 ? PNG_ITXT_COMPRESSION_NONE : PNG_TEXT_COMPRESSION_NONE;
    w->text[k].key = (png_charp)text[k].key;
    w->text[k].text = (png_charp)text[k].value;
    if (text[k].utf8) {
      w->text[k].itxt_length = text[k].value_bytes;
    } else {
      w->text[k].text_length = text[k].value_bytes;
    }
  }
  png_set_text(w->png, w->info, w->text, (int)count);
}

static int32_t encode(
  writer *w, const uint8_t *samples, uint32_t width, uint32_t height, uint32_t channels,
  uint32_t bit_depth, const espalier_png_text *text, size_t text_count
) {
  if (setjmp(png_jmpbuf(w->png))) return ESPALIER_IMAGE_DAMAGED;
  png_set_write_fn(w->png, w, on_write, on_flush);
  png_set_user_limits(w->png, 0x7fffffff, 0x7fffffff);
  png_set_IHDR(
    w->png, w->info, width, height, (int)bit_depth, color_type(channels), PNG_INTERLACE_NONE,
    PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  set_text(w, text, text_count);
  png_write_info(w->png, w->info);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (bit_depth == 16) png_set_swap(w->png);
#endif
  const size_t stride = (size_t)width * channels * (bit_depth / 8);
  for (uint32_t y = 0; y < height; y++) png_write_row(w->png, samples + y * stride);
  png_write_end(w->png, w->info);
  return ESPALIER_IMAGE_OK;
}

int32_t espalier_png_encode(
  const void *samples, uint32_t width, uint32_t height, uint32_t channels, uint32_t bit_depth,
  const espalier_png_text *text, size_t text_count, espalier_bytes *out
) {
  memset(out, 0, sizeof *out);
  writer w = {.bytes = out};
  int32_t result = ESPALIER_IMAGE_NO_MEMORY;
  w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w, on_error, on_warning);
  if (w.png) w.info = png_create_info_struct(w.png);
  if (w.info) result = encode(&w, samples, width, height, channels, bit_depth, text, text_count);
  free(w.text);
  png_destroy_write_struct(&w.png, &w.info);
  return result;
}
