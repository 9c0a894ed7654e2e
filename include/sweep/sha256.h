/* SHA-256 (FIPS 180-4): what data, checkpoints and weights are known by, and names in the cache. */
#ifndef SWEEP_SHA256_H
#define SWEEP_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_STATE_BYTES 128

struct sha256 {
    _Alignas(uint64_t) unsigned char state[SHA256_STATE_BYTES];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
/* Lower-case hex, NUL-terminated. */
void sha256_hex(struct sha256 *s, char out[65]);

#endif
