#include "espalier_plugin_jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

typedef struct failure {
  struct jpeg_error_mgr manager; /* first: libjpeg hands out its address */
  jmp_buf back;
  char *message;
} failure;

static void on_error(j_common_ptr info) {
  failure *f = (failure *)info->err;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  snprintf(f->message, ESPALIER_PLUGIN_JPEG_MESSAGE_SIZE, "%s", text);
  longjmp(f->back, 1);
}

static void on_message(j_common_ptr info) { (void)info; }

/* Fills `file`; returns 0 if libjpeg refused. */
static int encode(
  struct jpeg_compress_struct *info, failure *f, const uint8_t *rgb, uint32_t width, uint32_t height, int quality,
  unsigned char **file, unsigned long *size
) {
  if (setjmp(f->back)) return 0;
  jpeg_create_compress(info);
  jpeg_mem_dest(info, file, size);
  info->image_width = width;
  info->image_height = height;
  info->input_components = 3;
  info->in_color_space = JCS_RGB;
  jpeg_set_defaults(info);
  jpeg_set_quality(info, quality, TRUE);
  info->comp_info[0].h_samp_factor = 1;
  info->comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(info, TRUE);
  while (info->next_scanline < info->image_height) {
    JSAMPROW row = (JSAMPROW)(rgb + (size_t)info->next_scanline * width * 3);
    jpeg_write_scanlines(info, &row, 1);
  }
  jpeg_finish_compress(info);
  return 1;
}

uint8_t *espalier_plugin_jpeg_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, int quality, size_t *size, char *message
) {
  struct jpeg_compress_struct info = {0};
  failure f = {.message = message};
  unsigned char *file = NULL;
  unsigned long count = 0;
  info.err = jpeg_std_error(&f.manager);
  f.manager.error_exit = on_error;
  f.manager.output_message = on_message;
  const int ok = encode(&info, &f, rgb, width, height, quality, &file, &count);
  jpeg_destroy_compress(&info);
  if (!ok) {
    free(file);
    return NULL;
  }
  *size = count;
  return file;
}
