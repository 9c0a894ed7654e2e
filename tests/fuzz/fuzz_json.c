/* Any bytes: refused with a place, or a value that survives being written and read again. */
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Calls every reader on every value; returns how deep it went. */
static int walk(const struct json *v)
{
    int deepest = 0;
    int64_t i;
    uint64_t u;
    double r;
    char text[32];

    json_excerpt(v, text, sizeof(text));
    REQUIRE(strlen(text) < sizeof(text));
    if (json_int64(v, &i) == 0)
        REQUIRE((double)i <= JSON_MAX_SAFE_INTEGER && (double)i >= -JSON_MAX_SAFE_INTEGER);
    json_uint64(v, &u);
    json_real(v, &r);
    if (json_type(v) != JSON_ARRAY && json_type(v) != JSON_OBJECT)
        return 0;
    for (const struct json *child = json_first(v); child; child = json_next(child)) {
        int depth = walk(child);

        if (json_type(v) == JSON_OBJECT)
            REQUIRE(json_get(v, json_key(child)) == child);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

static char *write(const struct json *v)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    jw_value(&w, v);
    return buf_take(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errbuf err;
    struct json *v = json_parse((const char *)data, size, &err), *again;
    char *first, *second;

    if (!v) {
        /* ERR_INTERNAL would mean that the tree's parser refuses what the grammar allows. */
        REQUIRE(err.code == ERR_PARSE);
        REQUIRE(strncmp(err.key, "line ", 5) == 0);
        return 0;
    }
    REQUIRE(walk(v) <= JSON_MAX_DEPTH);
    first = write(v);
    json_destroy(v);
    REQUIRE(!strchr(first, '\n'));
    again = json_parse(first, strlen(first), &err);
    REQUIRE(again);
    second = write(again);
    REQUIRE(strcmp(first, second) == 0);
    json_destroy(again);
    free(first);
    free(second);
    return 0;
}
