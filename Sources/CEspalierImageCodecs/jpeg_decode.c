#include "memory.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
/* After jpeglib.h, which it needs. */
#include <jerror.h>

/* More scans than any encoder writes; a small file could otherwise keep the decoder busy. */
#define MOST_SCANS 1000

typedef struct reader {
  struct jpeg_error_mgr errors; /* first, so that cinfo->err is a reader */
  struct jpeg_decompress_struct cinfo;
  struct jpeg_progress_mgr progress;
  jmp_buf jump;
  espalier_image_limits limits;
  espalier_image *image;
  uint8_t *row;
} reader;

static void on_error(j_common_ptr cinfo) {
  reader *r = (reader *)cinfo->err;
  char text[JMSG_LENGTH_MAX];
  cinfo->err->format_message(cinfo, text);
  snprintf(r->image->message, sizeof r->image->message, "%s", text);
  longjmp(r->jump, 1);
}

/* A warning that means lost pixels is an error; others, as of odd markers, are not shown. */
static void on_message(j_common_ptr cinfo, int level) {
  if (level >= 0) return;
  switch (cinfo->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      on_error(cinfo);
      break;
    default: break;
  }
}

static void on_progress(j_common_ptr cinfo) {
  reader *r = (reader *)cinfo->err;
  if (r->cinfo.input_scan_number <= MOST_SCANS) return;
  snprintf(r->image->message, sizeof r->image->message, "more than %d scans", MOST_SCANS);
  longjmp(r->jump, 1);
}

static void keep_exif(reader *r) {
  static const uint8_t mark[6] = {'E', 'x', 'i', 'f', 0, 0};
  for (jpeg_saved_marker_ptr m = r->cinfo.marker_list; m; m = m->next) {
    if (m->marker == JPEG_APP0 + 1 && m->data_length > sizeof mark &&
        memcmp(m->data, mark, sizeof mark) == 0) {
      espalier_image_keep_exif(r->image, m->data + sizeof mark, m->data_length - sizeof mark);
    }
  }
}

/* a·b/255, rounded. */
static inline int scaled(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/* Adobe stores the inks inverted; without a colour profile the inks are taken to be ideal. */
static void cmyk_to_rgb(const uint8_t *from, uint8_t *to, uint32_t width) {
  for (uint32_t x = 0; x < width; x++, from += 4, to += 3) {
    for (int c = 0; c < 3; c++) {
      const int value = from[3] - scaled(255 - from[c], from[3]);
      to[c] = (uint8_t)(value < 0 ? 0 : value);
    }
  }
}

static int32_t decode(reader *r, const uint8_t *data, size_t count) {
  if (setjmp(r->jump)) return ESPALIER_IMAGE_DAMAGED;
  struct jpeg_decompress_struct *cinfo = &r->cinfo;
  espalier_image *image = r->image;
  jpeg_create_decompress(cinfo);
  r->progress.progress_monitor = on_progress;
  cinfo->progress = &r->progress;
  jpeg_mem_src(cinfo, data, count);
  jpeg_save_markers(cinfo, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(cinfo, TRUE);
  keep_exif(r);
  const int inks = cinfo->num_components == 4;
  if (cinfo->num_components != 1 && cinfo->num_components != 3 && !inks) {
    snprintf(image->message, sizeof image->message, "%d components", cinfo->num_components);
    return ESPALIER_IMAGE_DAMAGED;
  }
  cinfo->out_color_space =
    inks ? JCS_CMYK : (cinfo->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB);
  image->width = cinfo->image_width;
  image->height = cinfo->image_height;
  image->channels = cinfo->num_components == 1 ? 1 : 3;
  image->bit_depth = 8;
  const int32_t result = espalier_image_allocate(image, r->limits);
  if (result != ESPALIER_IMAGE_OK) return result;
  if (inks) {
    r->row = malloc((size_t)image->width * 4);
    if (!r->row) return ESPALIER_IMAGE_NO_MEMORY;
  }
  jpeg_start_decompress(cinfo);
  const size_t stride = (size_t)image->width * image->channels;
  while (cinfo->output_scanline < cinfo->output_height) {
    uint8_t *target = image->samples + cinfo->output_scanline * stride;
    uint8_t *row = inks ? r->row : target;
    if (jpeg_read_scanlines(cinfo, &row, 1) == 1 && inks) cmyk_to_rgb(row, target, image->width);
  }
  jpeg_finish_decompress(cinfo);
  return ESPALIER_IMAGE_OK;
}

int32_t espalier_jpeg_decode(
  const uint8_t *data, size_t count, espalier_image_limits limits, espalier_image *out
) {
  memset(out, 0, sizeof *out);
  /* Some hundred bytes, but not a local that setjmp could clobber. */
  reader *r = calloc(1, sizeof *r);
  if (!r) return ESPALIER_IMAGE_NO_MEMORY;
  r->cinfo.err = jpeg_std_error(&r->errors);
  r->errors.error_exit = on_error;
  r->errors.emit_message = on_message;
  r->limits = limits;
  r->image = out;
  const int32_t result = decode(r, data, count);
  jpeg_destroy_decompress(&r->cinfo);
  free(r->row);
  free(r);
  return result;
}
