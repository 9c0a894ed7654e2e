/* Members of a record's line, which comes from a file that any program may have written. */
#include <string.h>

#include "common/base/field.h"
#include "common/run/record_part.h"
#include "sweep/buf.h"
#include "sweep/json.h"

/* Free text: cut where too long. Absent: "". */
int record_get_text(const struct json *v, const char *key, char *out, size_t size,
                    struct errbuf *err)
{
    const char *s = "";
    int rc = json_get(v, key) ? json_get_string(v, key, &s, err) : 0;

    if (!rc)
        str_copy(out, size, s);
    return rc;
}

/* A name or path: whole or refused. */
int record_get_exact(const struct json *v, const char *key, char *out, size_t size,
                     struct errbuf *err)
{
    const char *s;
    int rc = json_get_string(v, key, &s, err);

    if (rc)
        return rc;
    if (!*s || strlen(s) >= size)
        return field_refuse(err, ERR_VALUE, key, json_get(v, key), "1 to %zu bytes", size - 1);
    str_copy(out, size, s);
    return 0;
}

int record_get_count(const struct json *v, const char *key, int64_t *out, struct errbuf *err)
{
    int64_t n;
    int rc = json_get_int64(v, key, &n, err);

    if (rc)
        return rc;
    if (n < 0)
        return field_refuse(err, ERR_VALUE, key, json_get(v, key), "0 or more");
    *out = n;
    return 0;
}

/* A member that younger writers add; without it *out stays as it is. */
int record_get_optional(const struct json *v, const char *key, int64_t *out, struct errbuf *err)
{
    return json_get(v, key) ? record_get_count(v, key, out, err) : 0;
}
