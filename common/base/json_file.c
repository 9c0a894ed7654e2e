#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

int json_read_file(const char *path, size_t max, struct json **out, struct errbuf *err)
{
    struct buf text = {0};
    int rc = buf_read_file(&text, path, max, err);

    if (!rc) {
        *out = json_parse(text.data, text.len, err);
        rc = *out ? 0 : ERR_PARSE;
    }
    buf_finish(&text);
    return rc;
}
