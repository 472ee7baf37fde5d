/* Checksums by zlib. */
#ifndef ESPALIER_CRC32_H
#define ESPALIER_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 as in PNG and Ethernet. */
uint32_t espalier_crc32(const uint8_t *bytes, size_t count);

#endif
