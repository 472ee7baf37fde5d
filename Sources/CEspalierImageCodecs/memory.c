#include "memory.h"

#include <stdlib.h>
#include <string.h>

void espalier_image_free(espalier_image *image) {
  free(image->samples);
  free(image->exif);
  image->samples = NULL;
  image->exif = NULL;
}

void espalier_bytes_free(espalier_bytes *bytes) {
  free(bytes->data);
  bytes->data = NULL;
}

int32_t espalier_image_allocate(espalier_image *image, espalier_image_limits limits) {
  const uint64_t pixels = (uint64_t)image->width * image->height;
  if (image->width > limits.side || image->height > limits.side || pixels > limits.pixels) {
    return ESPALIER_IMAGE_TOO_LARGE;
  }
  image->sample_bytes = (size_t)(pixels * image->channels * (image->bit_depth / 8));
  image->samples = malloc(image->sample_bytes > 0 ? image->sample_bytes : 1);
  return image->samples ? ESPALIER_IMAGE_OK : ESPALIER_IMAGE_NO_MEMORY;
}

void espalier_image_keep_exif(espalier_image *image, const uint8_t *data, size_t count) {
  if (image->exif || count == 0) return;
  image->exif = malloc(count);
  if (!image->exif) return;
  memcpy(image->exif, data, count);
  image->exif_bytes = count;
}

int espalier_bytes_append(espalier_bytes *bytes, const void *data, size_t count) {
  if (count > bytes->capacity - bytes->count) {
    if (bytes->capacity > SIZE_MAX / 4 || count > SIZE_MAX / 4) return 0;
    const size_t capacity = 2 * bytes->capacity + count + 4096;
    uint8_t *larger = realloc(bytes->data, capacity);
    if (!larger) return 0;
    bytes->data = larger;
    bytes->capacity = capacity;
  }
  memcpy(bytes->data + bytes->count, data, count);
  bytes->count += count;
  return 1;
}
