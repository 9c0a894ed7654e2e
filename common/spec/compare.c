/* Whether two specifications are the same, and if not, where. Both as canonical JSON: so what one
 * leaves to its default and the other says is the same. */
#include "sweep/spec.h"

#include <string.h>

#include "common/base/field.h"
#include "common/spec/part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

struct json *spec_canonical(const struct spec *s)
{
    struct errbuf err;
    struct buf text = {0};
    struct json_writer w;

    jw_init(&w, &text);
    spec_write(s, &w);
    struct json *v = json_parse(text.data, text.len, &err);
    REQUIRE(v != NULL);
    buf_finish(&text);
    return v;
}

bool spec_same_json(const struct json *a, const struct json *b)
{
    struct buf text[2] = {{0}};
    struct json_writer w;

    jw_init(&w, &text[0]);
    jw_value(&w, a);
    jw_init(&w, &text[1]);
    jw_value(&w, b);
    bool same = strcmp(text[0].data, text[1].data) == 0;
    buf_finish(&text[0]);
    buf_finish(&text[1]);
    return same;
}

static int other(const char *path, const struct json *stored, const struct json *given,
                 struct errbuf *err)
{
    char excerpt[128] = "nothing";

    if (stored)
        json_excerpt(stored, excerpt, sizeof(excerpt));
    return field_refuse(err, ERR_VALUE, path, given, "%s, as it was submitted under this id",
                        excerpt);
}

static int compare(const char *path, const struct json *stored, const struct json *given,
                   struct errbuf *err)
{
    char inner[FIELD_PATH_MAX];
    int rc = 0;

    if (!stored || !given || json_type(stored) != JSON_OBJECT || json_type(given) != JSON_OBJECT)
        return stored && given && spec_same_json(stored, given)
                   ? 0
                   : other(path, stored, given, err);
    for (const struct json *m = json_first(given); m && rc == 0; m = json_next(m)) {
        field_path(inner, path, json_key(m));
        rc = compare(inner, json_get(stored, json_key(m)), m, err);
    }
    for (const struct json *m = json_first(stored); m && rc == 0; m = json_next(m)) {
        field_path(inner, path, json_key(m));
        rc = json_get(given, json_key(m)) ? 0 : other(inner, m, NULL, err);
    }
    /* The members are the same, but not their order: parameters are drawn in the spec's. */
    return rc == 0 && !spec_same_json(stored, given) ? other(path, stored, given, err) : rc;
}

int spec_compare(const struct spec *stored, const struct spec *given, struct errbuf *err)
{
    struct json *a = spec_canonical(stored), *b = spec_canonical(given);
    int rc = compare("$", a, b, err);

    json_destroy(a);
    json_destroy(b);
    return rc;
}
