/* Cyclic redundancy checks of 32 bits. */
#ifndef SWEEP_CRC32_H
#define SWEEP_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Of polynomial 0x04C11DB7 (IEEE 802.3, zlib) and 0x1EDC6F41 (Castagnoli). crc: of the bytes
 * before, 0 at first. */
uint32_t crc32_ieee(uint32_t crc, const void *bytes, size_t len);
uint32_t crc32_castagnoli(uint32_t crc, const void *bytes, size_t len);
/* As LevelDB and TensorFlow store it, so that bytes that hold a check can be checked. */
uint32_t crc32_masked(uint32_t crc);

#endif
