/* SHA-256 by libcrypto, which picks the processor's instructions. Of its interfaces the old one,
 * linked statically: it draws in 20 KB and costs a start nothing, where EVP initialises the whole
 * library (docs/decisions/0004-speed.md). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sweep/sha256.h"

#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= SHA256_STATE_BYTES, "room for the state");

void sha256_init(struct sha256 *s)
{
    SHA256_Init((SHA256_CTX *)s->state);
}

void sha256_add(struct sha256 *s, const void *data, size_t len)
{
    SHA256_Update((SHA256_CTX *)s->state, data, len);
}

void sha256_hex(struct sha256 *s, char out[65])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[SHA256_DIGEST_LENGTH];
    SHA256_Final(bytes, (SHA256_CTX *)s->state);
    for (int i = 0; i < 64; i++)
        out[i] = digits[bytes[i / 2] >> (4 - 4 * (i % 2)) & 15];
    out[64] = '\0';
}
