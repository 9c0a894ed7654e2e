/* Members of an object that must be there and of one type; a refusal quotes what was given. */
#include <stdbool.h>
#include <stdint.h>

#include "sweep/err.h"
#include "sweep/json.h"

static const struct json *require_member(const struct json *obj, const char *key,
                                         const char *allowed, struct errbuf *err)
{
    const struct json *v = json_get(obj, key);

    if (!v)
        err_bad(err, ERR_MISSING, key, "nothing", "%s", allowed);
    return v;
}

static int refuse_member(const struct json *v, int code, const char *key, const char *allowed,
                         struct errbuf *err)
{
    char given[96];

    json_excerpt(v, given, sizeof(given));
    return err_bad(err, code, key, given, "%s", allowed);
}

int json_get_string(const struct json *obj, const char *key, const char **out, struct errbuf *err)
{
    const struct json *v = require_member(obj, key, "a string", err);

    if (!v)
        return ERR_MISSING;
    if (json_type(v) != JSON_STRING)
        return refuse_member(v, ERR_TYPE, key, "a string", err);
    *out = json_string(v);
    return 0;
}

int json_get_int64(const struct json *obj, const char *key, int64_t *out, struct errbuf *err)
{
    static const char allowed[] = "an integer from -2^53 to 2^53";
    const struct json *v = require_member(obj, key, allowed, err);
    int rc = v ? json_int64(v, out) : ERR_MISSING;

    return v && rc != 0 ? refuse_member(v, rc, key, allowed, err) : rc;
}

int json_get_uint64(const struct json *obj, const char *key, uint64_t *out, struct errbuf *err)
{
    static const char allowed[] = "an integer from 0 to 2^53, or a decimal string up to 2^64-1";
    const struct json *v = require_member(obj, key, allowed, err);
    int rc = v ? json_uint64(v, out) : ERR_MISSING;

    return v && rc != 0 ? refuse_member(v, rc, key, allowed, err) : rc;
}

int json_get_real(const struct json *obj, const char *key, double *out, struct errbuf *err)
{
    static const char allowed[] = "a number, \"nan\", \"+inf\" or \"-inf\"";
    const struct json *v = require_member(obj, key, allowed, err);
    int rc = v ? json_real(v, out) : ERR_MISSING;

    return v && rc != 0 ? refuse_member(v, rc, key, allowed, err) : rc;
}

int json_get_bool(const struct json *obj, const char *key, bool *out, struct errbuf *err)
{
    const struct json *v = require_member(obj, key, "true or false", err);

    if (!v)
        return ERR_MISSING;
    if (json_type(v) != JSON_BOOL)
        return refuse_member(v, ERR_TYPE, key, "true or false", err);
    *out = json_bool(v);
    return 0;
}
