/* The key warm_start: earlier sweeps whose runs are known from the start. */
#include "common/spec/part.h"

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define ID_MAX ((int64_t)JSON_MAX_SAFE_INTEGER)

/* {"sweep": 12, "alike": true} */
static int read_entry(const struct json *v, const char *path, int64_t *id, bool *alike,
                      struct errbuf *err)
{
    static const char *const keys[] = {"sweep", "alike"};
    const struct json *sweep = json_get(v, "sweep"), *said = json_get(v, "alike");
    char own[FIELD_PATH_MAX];

    int rc = field_object(v, path, keys, ARRAY_LEN(keys), err);
    if (!rc && !sweep)
        rc = field_missing(err, path, "sweep", "the id of an earlier sweep");
    field_path(own, path, "sweep");
    if (!rc)
        rc = field_integer(sweep, own, 1, ID_MAX, id, err);
    field_path(own, path, "alike");
    if (!rc && said && json_type(said) != JSON_BOOL)
        rc = field_refuse(err, ERR_TYPE, own, said, "true or false");
    if (!rc)
        *alike = said && json_bool(said);
    return rc;
}

static int read_id(const struct json *v, size_t index, struct spec *s, struct errbuf *err)
{
    char path[FIELD_PATH_MAX];
    int64_t id = 0;
    bool alike = false;

    field_path_index(path, "$.warm_start", index);
    int rc = json_type(v) == JSON_OBJECT ? read_entry(v, path, &id, &alike, err)
                                         : field_integer(v, path, 1, ID_MAX, &id, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < s->warm_count; i++)
        if (s->warm_start[i] == id)
            return field_refuse(err, ERR_VALUE, path, v, "each sweep once");
    s->warm_alike[s->warm_count] = alike;
    s->warm_start[s->warm_count++] = id;
    return 0;
}

int spec_warm_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "warm_start");
    size_t count = v && json_type(v) == JSON_ARRAY ? json_count(v) : 0, i = 0;
    int rc = 0;

    if (!v)
        return 0;
    if (!(method_traits(s->method) & METHOD_WARM))
        return field_refuse(err, ERR_VALUE, "$.warm_start", v,
                            "nothing with method %s: it goes by no earlier runs. auto, tpe, gp, "
                            "cmaes, bohb and coarse_to_fine do",
                            method_name(s->method));
    if (count < 1 || count > SPEC_WARM_MAX)
        return field_refuse(err, json_type(v) == JSON_ARRAY ? ERR_LIMIT : ERR_TYPE, "$.warm_start",
                            v, "a list of 1 to %d ids of earlier sweeps: [12]", SPEC_WARM_MAX);
    for (const struct json *m = json_first(v); m && !rc; m = json_next(m))
        rc = read_id(m, i++, s, err);
    return rc;
}

void spec_warm_write(const struct spec *s, struct json_writer *w)
{
    if (!s->warm_count)
        return;
    jw_key(w, "warm_start");
    jw_begin_array(w);
    for (size_t i = 0; i < s->warm_count; i++) {
        if (!s->warm_alike[i]) {
            jw_int(w, s->warm_start[i]);
            continue;
        }
        jw_begin_object(w);
        jw_kv_int(w, "sweep", s->warm_start[i]);
        jw_kv_bool(w, "alike", true);
        jw_end_object(w);
    }
    jw_end_array(w);
}
