/* Any bytes as YAML: an error that says where, or no more JSON than was asked for, which is read
 * back but for its depth; and the same again from the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/yaml_input.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define MOST 65536 /* aliases make much of little */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool is_blank(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] != '\n')
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct buf first = {0}, again = {0};
    struct errbuf err = {0}, other = {0};
    int rc = yaml_to_json((const char *)bytes, len, MOST, &first, &err);

    REQUIRE(rc == yaml_to_json((const char *)bytes, len, MOST, &again, &other));
    REQUIRE(first.len == again.len);
    REQUIRE(first.len == 0 || memcmp(first.data, again.data, first.len) == 0);
    if (rc != 0) {
        REQUIRE(err.code == rc && strstr(err.message, "line ") != NULL);
    } else if (!is_blank(&first)) {
        struct json *root = json_parse(first.data, first.len, &err);
        REQUIRE(first.len <= MOST && (root || err.code == ERR_LIMIT));
        json_destroy(root);
    }
    buf_finish(&first);
    buf_finish(&again);
    return 0;
}
