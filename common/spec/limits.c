/* "limits": what a run may take, and how many failures alike hold the sweep. */
#include "sweep/limits.h"

#include "common/base/field.h"
#include "common/spec/part.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

static int parse_seconds(const struct json *v, const char *key, double *out, struct errbuf *err)
{
    const struct json *n = json_get(v, key);
    char path[FIELD_PATH_MAX];
    double seconds = 0;

    if (!n)
        return 0;
    field_path(path, "$.limits", key);
    if (json_real(n, &seconds) < 0 || !(seconds > 0 && seconds <= LIMITS_SECONDS_MAX))
        return field_refuse(err, ERR_VALUE, path, n, "a number of seconds above 0, at most %.0f",
                            LIMITS_SECONDS_MAX);
    *out = seconds;
    return 0;
}

int spec_limits_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    static const char *const keys[] = {"memory_mib", "seconds", "idle_seconds", "failures"};
    const struct json *v = json_get(root, "limits");
    const struct json *memory = json_get(v, "memory_mib"), *failures = json_get(v, "failures");
    struct spec_limits l = {.has_failures = failures != NULL};

    if (!v)
        return 0;
    int rc = field_object(v, "$.limits", keys, ARRAY_LEN(keys), err);
    if (!rc && memory)
        rc = field_integer(memory, "$.limits.memory_mib", 1, LIMITS_MEMORY_MIB_MAX,
                           &l.run.memory_mib, err);
    if (!rc)
        rc = parse_seconds(v, "seconds", &l.run.seconds, err);
    if (!rc)
        rc = parse_seconds(v, "idle_seconds", &l.run.idle_seconds, err);
    if (!rc && failures)
        rc = field_integer(failures, "$.limits.failures", 0, LIMITS_FAILURES_MAX, &l.failures, err);
    if (!rc)
        s->limits = l;
    return rc;
}

/* Only what was said: the rest is the daemon's. */
void spec_limits_write(const struct spec *s, struct json_writer *w)
{
    const struct spec_limits *l = &s->limits;

    if (!l->run.memory_mib && !l->run.seconds && !l->run.idle_seconds && !l->has_failures)
        return;
    jw_key(w, "limits");
    jw_begin_object(w);
    if (l->run.memory_mib)
        jw_kv_int(w, "memory_mib", l->run.memory_mib);
    if (l->run.seconds > 0)
        jw_kv_real(w, "seconds", l->run.seconds);
    if (l->run.idle_seconds > 0)
        jw_kv_real(w, "idle_seconds", l->run.idle_seconds);
    if (l->has_failures)
        jw_kv_int(w, "failures", l->failures);
    jw_end_object(w);
}
