#include "espalier_plugin_png.h"

#include <png.h>
#include <stdio.h>
#include <string.h>

static png_image description(uint32_t width, uint32_t height) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = PNG_FORMAT_RGB;
  return image;
}

size_t espalier_plugin_png_bound(uint32_t width, uint32_t height) {
  const uint32_t longest = PNG_UINT_31_MAX / 3;
  if (width == 0 || height == 0 || width > longest || height > longest) return 0;
  const png_image image = description(width, height);
  return PNG_IMAGE_PNG_SIZE_MAX(image);
}

size_t espalier_plugin_png_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t *out, size_t capacity,
  char message[ESPALIER_PLUGIN_PNG_MESSAGE_SIZE]
) {
  png_image image = description(width, height);
  png_alloc_size_t count = capacity;
  const int done = png_image_write_to_memory(&image, out, &count, 0, rgb, 0, NULL);
  if (!done) snprintf(message, ESPALIER_PLUGIN_PNG_MESSAGE_SIZE, "%s", image.message);
  png_image_free(&image);
  return done ? count : 0;
}
