/* Any bytes as a request or a reply: whatever comes, the answer is one line of valid JSON-RPC. */
#include <string.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require_one_line(const struct buf *out)
{
    struct json *v;

    REQUIRE(out->len > 0 && memchr(out->data, '\n', out->len) == out->data + out->len - 1);
    v = json_parse(out->data, out->len, NULL);
    REQUIRE(v);
    REQUIRE(json_get(v, "id"));
    json_destroy(v);
}

static void try_request(const char *line, size_t len)
{
    struct rpc_request r;
    struct errbuf err;
    struct buf out = {0};

    if (rpc_request_parse(line, len, &r, &err) == 0) {
        REQUIRE(*r.method);
        REQUIRE(!r.params || json_type(r.params) == JSON_OBJECT);
        rpc_write_result(&out, &r.id, "{}");
    } else {
        REQUIRE(r.id.present && !r.root && err.code < 0 && *err.message);
        REQUIRE(err.code != ERR_INTERNAL);
        rpc_write_error(&out, &r.id, &err);
    }
    require_one_line(&out);
    rpc_request_finish(&r);
    buf_finish(&out);
}

static void try_reply(const char *line, size_t len)
{
    struct rpc_reply r;
    struct errbuf err;

    if (rpc_reply_parse(line, len, &r, &err) == 0) {
        REQUIRE(r.notification || !r.result == (r.error.code != 0));
        rpc_reply_finish(&r);
    } else {
        REQUIRE(err.code < 0 && *err.message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_request((const char *)data, size);
    try_reply((const char *)data, size);
    return 0;
}
