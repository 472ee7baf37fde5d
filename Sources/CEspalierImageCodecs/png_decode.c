#include "memory.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must survive a longjmp lives here, not in locals of the function that calls setjmp. */
typedef struct reader {
  const uint8_t *data;
  size_t count;
  size_t position;
  espalier_image_limits limits;
  espalier_image *image;
  png_structp png;
  png_infop info;
  png_bytep *rows;
} reader;

static void on_error(png_structp png, png_const_charp message) {
  reader *r = png_get_error_ptr(png);
  snprintf(r->image->message, sizeof r->image->message, "%s", message);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void on_read(png_structp png, png_bytep target, png_size_t count) {
  reader *r = png_get_io_ptr(png);
  if (count > r->count - r->position) png_error(png, "the file is cut off");
  memcpy(target, r->data + r->position, count);
  r->position += count;
}

static int open_reader(reader *r) {
  r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
  if (!r->png) return 0;
  r->info = png_create_info_struct(r->png);
  return r->info != NULL;
}

static void close_reader(reader *r) {
  free(r->rows);
  png_destroy_read_struct(&r->png, &r->info, NULL);
}

/* Every kind of PNG as 8- or 16-bit gray or RGB, with alpha where the file has any. */
static void set_transformations(reader *r) {
  const png_byte color = png_get_color_type(r->png, r->info);
  const png_byte depth = png_get_bit_depth(r->png, r->info);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(r->png);
  if (color == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(r->png);
  if (png_get_valid(r->png, r->info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(r->png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (depth == 16) png_set_swap(r->png);
#endif
  png_set_interlace_handling(r->png);
  png_read_update_info(r->png, r->info);
}

static int32_t decode(reader *r) {
  if (setjmp(png_jmpbuf(r->png))) return ESPALIER_IMAGE_DAMAGED;
  espalier_image *image = r->image;
  png_set_read_fn(r->png, r, on_read);
  /* Our own limits are checked below, where the size is known for the message. */
  png_set_user_limits(r->png, 0x7fffffff, 0x7fffffff);
  png_read_info(r->png, r->info);
  image->width = png_get_image_width(r->png, r->info);
  image->height = png_get_image_height(r->png, r->info);
  set_transformations(r);
  image->channels = png_get_channels(r->png, r->info);
  image->bit_depth = png_get_bit_depth(r->png, r->info);
  const int32_t result = espalier_image_allocate(image, r->limits);
  if (result != ESPALIER_IMAGE_OK) return result;
  const size_t stride = image->sample_bytes / image->height;
  if (png_get_rowbytes(r->png, r->info) != stride) png_error(r->png, "rows of unexpected size");
  r->rows = malloc(sizeof *r->rows * image->height);
  if (!r->rows) return ESPALIER_IMAGE_NO_MEMORY;
  for (uint32_t y = 0; y < image->height; y++) r->rows[y] = image->samples + y * stride;
  png_read_image(r->png, r->rows);
  png_read_end(r->png, r->info);
#ifdef PNG_eXIf_SUPPORTED
  png_bytep exif = NULL;
  png_uint_32 exif_bytes = 0;
  if (png_get_eXIf_1(r->png, r->info, &exif_bytes, &exif) && exif) {
    espalier_image_keep_exif(image, exif, exif_bytes);
  }
#endif
  return ESPALIER_IMAGE_OK;
}

int32_t espalier_png_decode(
  const uint8_t *data, size_t count, espalier_image_limits limits, espalier_image *out
) {
  memset(out, 0, sizeof *out);
  reader r = {.data = data, .count = count, .limits = limits, .image = out};
  const int32_t result = open_reader(&r) ? decode(&r) : ESPALIER_IMAGE_NO_MEMORY;
  close_reader(&r);
  return result;
}

/* Chunks may stand after the pixels, so the pixels are read too, into one row of memory. */
static int32_t read_text(reader *r) {
  if (setjmp(png_jmpbuf(r->png))) return ESPALIER_IMAGE_DAMAGED;
  png_set_read_fn(r->png, r, on_read);
  png_set_user_limits(r->png, 0x7fffffff, 0x7fffffff);
  png_read_info(r->png, r->info);
  r->image->width = png_get_image_width(r->png, r->info);
  r->image->height = png_get_image_height(r->png, r->info);
  if (r->image->width > r->limits.side || r->image->height > r->limits.side) {
    return ESPALIER_IMAGE_TOO_LARGE;
  }
  const size_t stride = png_get_rowbytes(r->png, r->info);
  const int passes = png_set_interlace_handling(r->png);
  png_start_read_image(r->png);
  r->image->samples = malloc(stride > 0 ? stride : 1);
  if (!r->image->samples) return ESPALIER_IMAGE_NO_MEMORY;
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t y = 0; y < r->image->height; y++) png_read_row(r->png, r->image->samples, NULL);
  }
  png_read_end(r->png, r->info);
  return ESPALIER_IMAGE_OK;
}

int32_t espalier_png_read_text(
  const uint8_t *data, size_t count, espalier_image_limits limits, void *context,
  void (*visit)(void *context, const espalier_png_text *text), espalier_image *out
) {
  memset(out, 0, sizeof *out);
  reader r = {.data = data, .count = count, .limits = limits, .image = out};
  const int32_t result = open_reader(&r) ? read_text(&r) : ESPALIER_IMAGE_NO_MEMORY;
  if (result == ESPALIER_IMAGE_OK) {
    png_textp text = NULL;
    const int texts = png_get_text(r.png, r.info, &text, NULL);
    for (int k = 0; k < texts; k++) {
      const int utf8 = text[k].compression >= PNG_ITXT_COMPRESSION_NONE;
      const espalier_png_text chunk = {
        .key = text[k].key, .value = text[k].text ? text[k].text : "",
        .value_bytes = text[k].text ? strlen(text[k].text) : 0, .utf8 = utf8};
      visit(context, &chunk);
    }
  }
  close_reader(&r);
  return result;
}
