/* Compressed files of every kind as they come from outside, against a small bound. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/unpack.h"

#define PLAIN_MAX ((size_t)1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errbuf err = {0};
    char *bytes = xmalloc(size + 1);
    size_t len = size;
    if (size > 0)
        memcpy(bytes, data, size);
    int rc = unpack(&bytes, &len, PLAIN_MAX, &err);
    if (rc != 0)
        REQUIRE(err.code == rc && err.message[0]);
    else if (unpack_kind(data, size) == NULL)
        REQUIRE(len == size && (size == 0 || memcmp(bytes, data, size) == 0));
    else
        REQUIRE(len <= PLAIN_MAX);
    bytes[rc == 0 ? len : 0] = '\0'; /* there is room for one more */
    free(bytes);
    return 0;
}
