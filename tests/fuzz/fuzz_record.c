/* A line of run.jsonl, which any program may have written: refused with a reason, or accepted
 * such that writing and reading it again changes nothing. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/record.h"
#include "sweep/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct errbuf err = {0};
    struct buf line = {0}, same = {0};
    struct record r, again;

    if (record_parse((const char *)bytes, len, &r, &err)) {
        REQUIRE(err.code < 0 && err.message[0]);
        return 0;
    }
    record_write(&r, &line);
    REQUIRE(line.data[line.len - 1] == '\n' && line.len - 1 <= RECORD_LINE_MAX);
    REQUIRE(record_parse(line.data, line.len - 1, &again, &err) == 0);
    record_write(&again, &same);
    REQUIRE(line.len == same.len && memcmp(line.data, same.data, same.len) == 0);
    buf_finish(&same);
    buf_finish(&line);
    record_finish(&again);
    record_finish(&r);
    return 0;
}
