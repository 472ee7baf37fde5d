/* Memory that both codecs fill. */
#ifndef ESPALIER_IMAGE_MEMORY_H
#define ESPALIER_IMAGE_MEMORY_H

#include "espalier_image_codecs.h"

/* Checks the size against the limits and allocates the samples. */
int32_t espalier_image_allocate(espalier_image *image, espalier_image_limits limits);

/* Keeps a copy of the first EXIF block; without memory the image is read without it. */
void espalier_image_keep_exif(espalier_image *image, const uint8_t *data, size_t count);

/* Returns 0 without memory. */
int espalier_bytes_append(espalier_bytes *bytes, const void *data, size_t count);

#endif
