/* CSV and TSV files, plain and gzip. The first byte says how they are read; a NUL stands between a
 * training file and one that follows it. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/columns.h"

#include "table_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bits 0 format, 1 and 2 header, 3 task, 4 target: '@' is a CSV file with every default. */
static void choose(uint8_t how, struct spec_data *d)
{
    static const enum header headers[] = {HEADER_AUTO, HEADER_YES, HEADER_NO, HEADER_AUTO};
    d->format = how & 1 ? FORMAT_TSV : FORMAT_CSV;
    d->header = headers[how >> 1 & 3];
    d->task = how & 8 ? TASK_REGRESSION : TASK_AUTO;
    str_copy(d->target, sizeof d->target, how & 16 ? "y" : "");
}

static int decode(const uint8_t *bytes, size_t len, const struct spec_data *d,
                  struct table_columns **columns, struct table *out)
{
    struct errbuf err = {0};
    struct text text;
    int rc = text_decode("f", bytes, len, &text, &err);
    if (rc == 0) {
        text.values_max_bytes = TABLE_CHECK_BYTES;
        rc = csv_decode(&text, d, columns, out, &err);
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
    struct spec_data d = {.format = FORMAT_CSV};
    struct table_columns *columns = NULL;
    struct table train, again, next;
    if (size < 1)
        return 0;
    choose(data[0], &d);
    data++;
    size--;
    const uint8_t *nul = size > 0 && data[0] != 0x1f ? memchr(data, 0, size) : NULL;
    size_t first = nul ? (size_t)(nul - data) : size;
    if (decode(data, first, &d, &columns, &train) != 0) {
        REQUIRE(!columns);
        return 0;
    }
    /* A file follows itself. */
    REQUIRE(decode(data, first, &d, &columns, &again) == 0);
    table_check_same(&train, &again);
    if (nul && decode(nul + 1, size - first - 1, &d, &columns, &next) == 0) {
        REQUIRE(next.shape.dim[0] == train.shape.dim[0] && next.class_names == train.class_names);
        table_finish(&next);
    }
    table_finish(&again);
    table_finish(&train);
    table_columns_destroy(columns);
    return 0;
}
