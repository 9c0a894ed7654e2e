/* The hash that our safetensors files carry in their own header, as the first of their metadata:
 *
 *   8 bytes length | {"__metadata__":{"sha256":"64 hex digits",…},…} | numbers
 *
 * It is the SHA-256 of the whole file with 64 zeros ('0') in its place. */
#ifndef SWEEP_WEIGHTS_HASH_H
#define SWEEP_WEIGHTS_HASH_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/sha256.h"

#define WEIGHTS_HASH_KEY "sha256"
#define WEIGHTS_HASH_ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* Where its digits stand in bytes[0..len), the beginning of a file; 0: it has none, as files of
 * other programs. */
size_t weights_hash_place(const char *bytes, size_t len);
/* The whole file is what was written; true also where nobody can know (no hash). */
bool weights_hash_fits(const char *bytes, size_t len);

#endif
