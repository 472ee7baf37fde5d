#include "espalier_crc32.h"

#include <zlib.h>

uint32_t espalier_crc32(const uint8_t *bytes, size_t count) {
  return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, count);
}
