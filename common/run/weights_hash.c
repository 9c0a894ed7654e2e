#include "sweep/weights_hash.h"

#include <string.h>

#define LENGTH_BYTES 8
#define BEFORE "{\"__metadata__\":{\"" WEIGHTS_HASH_KEY "\":\""
#define DIGITS (sizeof(WEIGHTS_HASH_ZEROS) - 1)

size_t weights_hash_place(const char *bytes, size_t len)
{
    size_t place = LENGTH_BYTES + sizeof(BEFORE) - 1;
    bool has =
        len >= place + DIGITS && memcmp(bytes + LENGTH_BYTES, BEFORE, sizeof(BEFORE) - 1) == 0;
    return has ? place : 0;
}

bool weights_hash_fits(const char *bytes, size_t len)
{
    size_t place = weights_hash_place(bytes, len);
    struct sha256 sum;
    char hash[DIGITS + 1];
    if (place == 0)
        return true;
    sha256_init(&sum);
    sha256_add(&sum, bytes, place);
    sha256_add(&sum, WEIGHTS_HASH_ZEROS, DIGITS);
    sha256_add(&sum, bytes + place + DIGITS, len - place - DIGITS);
    sha256_hex(&sum, hash);
    return memcmp(hash, bytes + place, DIGITS) == 0;
}
