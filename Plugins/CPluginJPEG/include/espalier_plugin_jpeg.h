/* JPEG files in memory by libjpeg-turbo, for plugins that keep small pictures. */
#ifndef ESPALIER_PLUGIN_JPEG_H
#define ESPALIER_PLUGIN_JPEG_H

#include <stddef.h>
#include <stdint.h>

#define ESPALIER_PLUGIN_JPEG_MESSAGE_SIZE 200

/* Writes 8-bit RGB rows without gaps as a JPEG file with colours at full resolution. `quality`: 1 to 100.
 * Returns memory to release with free and its size in `size`, or NULL and a text in `message`. */
uint8_t *_Nullable espalier_plugin_jpeg_encode(
  const uint8_t *_Nonnull rgb, uint32_t width, uint32_t height, int quality, size_t *_Nonnull size,
  char *_Nonnull message);

#endif
