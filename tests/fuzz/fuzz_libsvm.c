/* LIBSVM files, plain and gzip; a NUL stands between a training file and one that follows it. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/columns.h"

#include "table_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decode(const uint8_t *bytes, size_t len, struct table_columns **columns,
                  struct table *out)
{
    struct errbuf err = {0};
    struct text text;
    int rc = text_decode("f", bytes, len, &text, &err);
    if (rc == 0) {
        text.values_max_bytes = TABLE_CHECK_BYTES;
        rc = libsvm_decode(&text, columns, out, &err);
        text_finish(&text);
    }
    if (rc == 0)
        table_check(out);
    else
        REQUIRE(rc < 0 && err.code == rc && err.message[0]);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table_columns *columns = NULL;
    struct table train, again, next;
    const uint8_t *nul = size > 0 && data[0] != 0x1f ? memchr(data, 0, size) : NULL;
    size_t first = nul ? (size_t)(nul - data) : size;
    if (decode(data, first, &columns, &train) != 0) {
        REQUIRE(!columns);
        return 0;
    }
    /* A file follows itself. */
    REQUIRE(decode(data, first, &columns, &again) == 0);
    table_check_same(&train, &again);
    if (nul && decode(nul + 1, size - first - 1, &columns, &next) == 0) {
        REQUIRE(next.shape.dim[0] == train.shape.dim[0]);
        table_finish(&next);
    }
    table_finish(&again);
    table_finish(&train);
    table_columns_destroy(columns);
    return 0;
}
