/* PNG by libpng and JPEG by libjpeg-turbo, behind functions that return instead of jumping. */
#ifndef ESPALIER_IMAGE_CODECS_H
#define ESPALIER_IMAGE_CODECS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#define ESPALIER_NULLABLE _Nullable
#else
#define ESPALIER_NULLABLE
#endif

/* Results of every function below. */
#define ESPALIER_IMAGE_OK 0
/* The data are damaged, cut off, or of a kind that is not read; `message` says what. */
#define ESPALIER_IMAGE_DAMAGED 1
/* Width, height or their product exceed the limits; both are set in the result. */
#define ESPALIER_IMAGE_TOO_LARGE 2
/* No memory left. */
#define ESPALIER_IMAGE_NO_MEMORY 3

#define ESPALIER_IMAGE_MESSAGE_SIZE 200

/* The largest image that is read. */
typedef struct espalier_image_limits {
  uint32_t side;
  uint64_t pixels;
} espalier_image_limits;

/* An image in memory; release it with espalier_image_free whatever the function returned. */
typedef struct espalier_image {
  uint32_t width;
  uint32_t height;
  uint32_t channels;  /* 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha */
  uint32_t bit_depth; /* 8, or 16 in the machine's byte order */
  uint8_t *ESPALIER_NULLABLE samples; /* rows from the top, interleaved, without gaps */
  size_t sample_bytes;
  uint8_t *ESPALIER_NULLABLE exif; /* TIFF structure, without the "Exif" mark; NULL if none */
  size_t exif_bytes;
  char message[ESPALIER_IMAGE_MESSAGE_SIZE];
} espalier_image;

/* One text chunk of a PNG file: Latin-1 if `utf8` is 0. */
typedef struct espalier_png_text {
  const char *key; /* 1 to 79 Latin-1 characters */
  const char *value;
  size_t value_bytes;
  int32_t utf8;
} espalier_png_text;

/* Growing memory that an encoder fills; release it with espalier_bytes_free. */
typedef struct espalier_bytes {
  uint8_t *ESPALIER_NULLABLE data;
  size_t count;
  size_t capacity;
  char message[ESPALIER_IMAGE_MESSAGE_SIZE];
} espalier_bytes;

int32_t espalier_png_decode(
  const uint8_t *data, size_t count, espalier_image_limits limits, espalier_image *out);

/* Calls `visit` for each text chunk, of the whole file. */
int32_t espalier_png_read_text(
  const uint8_t *data, size_t count, espalier_image_limits limits, void *context,
  void (*visit)(void *context, const espalier_png_text *text), espalier_image *out);

/* `samples` has rows without gaps, 16-bit samples in the machine's byte order. */
int32_t espalier_png_encode(
  const void *samples, uint32_t width, uint32_t height, uint32_t channels, uint32_t bit_depth,
  const espalier_png_text *ESPALIER_NULLABLE text, size_t text_count, espalier_bytes *out);

/* Gray or RGB; CMYK and YCCK become RGB. */
int32_t espalier_jpeg_decode(
  const uint8_t *data, size_t count, espalier_image_limits limits, espalier_image *out);

void espalier_image_free(espalier_image *image);
void espalier_bytes_free(espalier_bytes *bytes);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
