/* "early_terminate": which rule may stop runs, and where. */
#include "sweep/stop.h"

#include "common/base/field.h"
#include "common/spec/part.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define LAG_MAX 1000

static const char *const names[] = {
    [STOP_NONE] = "none",
#define X(id, name, doc) [STOP_##id] = #name,
    STOP_MAP(X)
#undef X
};

const char *stop_name(enum stop_rule_id r)
{
    REQUIRE((unsigned)r < STOP_RULE_COUNT);
    return names[r];
}

int64_t stop_next_rung(const struct stop_settings *s, int64_t epoch, int64_t epochs)
{
    int64_t rung = s->min_iter;
    if (s->rule == STOP_NONE)
        return 0;
    if (epoch >= rung)
        rung += ((epoch - rung) / s->every + 1) * s->every;
    return rung < epochs ? rung : 0;
}

static int parse_numbers(const struct json *v, struct stop_settings *s, struct errbuf *err)
{
    static const struct {
        const char *key, *path;
        int64_t min, max;
    } rows[] = {
        {"min_iter", "$.early_terminate.min_iter", 1, SPEC_MAX_EPOCHS},
        {"every", "$.early_terminate.every", 1, SPEC_MAX_EPOCHS},
        {"startup", "$.early_terminate.startup", 1, SPEC_MAX_RUNS},
        {"lag", "$.early_terminate.lag", 1, LAG_MAX},
    };
    int64_t *const members[] = {&s->min_iter, &s->every, &s->startup, &s->lag};
    int rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows) && !rc; i++) {
        const struct json *n = json_get(v, rows[i].key);
        if (n)
            rc = field_integer(n, rows[i].path, rows[i].min, rows[i].max, members[i], err);
    }
    return rc;
}

int spec_stop_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    static const char *const keys[] = {"type", "min_iter", "every", "startup", "lag"};
    const struct json *v = json_get(root, "early_terminate"), *type = json_get(v, "type");
    struct stop_settings stop = {
        .min_iter = 1, .every = STOP_EVERY, .startup = STOP_STARTUP, .lag = STOP_LAG};
    int index = STOP_NONE;

    if (!v)
        return 0;
    int rc = field_like(v, "$.early_terminate", "{\"type\": %s}", err);
    if (!rc)
        rc = field_object(v, "$.early_terminate", keys, ARRAY_LEN(keys), err);
    if (!rc && !type)
        rc = field_missing(err, "$.early_terminate", "type", "the name of a rule: median, or none");
    if (!rc)
        rc = field_name(type, "$.early_terminate.type", names, STOP_RULE_COUNT, &index, err);
    if (!rc && index != STOP_NONE && !task_of(s)->has_checkpoints)
        rc = field_refuse(err, ERR_VALUE, "$.early_terminate", v,
                          "nothing with task %s: its runs cannot pause at a rung",
                          task_of(s)->name);
    if (!rc)
        rc = parse_numbers(v, &stop, err);
    stop.rule = (enum stop_rule_id)index;
    if (!rc && index != STOP_NONE)
        s->stop = stop;
    return rc;
}

void spec_stop_write(const struct spec *s, struct json_writer *w)
{
    if (s->stop.rule == STOP_NONE)
        return;
    jw_key(w, "early_terminate");
    jw_begin_object(w);
    jw_kv_string(w, "type", stop_name(s->stop.rule));
    jw_kv_int(w, "min_iter", s->stop.min_iter);
    jw_kv_int(w, "every", s->stop.every);
    jw_kv_int(w, "startup", s->stop.startup);
    jw_kv_int(w, "lag", s->stop.lag);
    jw_end_object(w);
}
