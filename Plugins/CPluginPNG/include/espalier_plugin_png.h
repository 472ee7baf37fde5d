/* PNG files in memory by libpng, for plugins that keep or send pictures. */
#ifndef ESPALIER_PLUGIN_PNG_H
#define ESPALIER_PLUGIN_PNG_H

#include <stddef.h>
#include <stdint.h>

#define ESPALIER_PLUGIN_PNG_MESSAGE_SIZE 64

/* The most bytes that a file of this size can take; 0 if a side is 0 or the picture too large for PNG. */
size_t espalier_plugin_png_bound(uint32_t width, uint32_t height);

/* Writes 8-bit RGB rows without gaps as a PNG file into `out`, which holds `capacity` bytes.
 * Returns the file's size, or 0 and a text in `message`. */
size_t espalier_plugin_png_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t *out, size_t capacity,
  char message[ESPALIER_PLUGIN_PNG_MESSAGE_SIZE]);

#endif
