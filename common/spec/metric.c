/* The "metric" object, which a spec and a worker's configuration share. */
#include "common/spec/part.h"

#include <string.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const char *const goal_names[] = {"minimize", "maximize"};

const char *spec_metric_name(const struct spec *s)
{
    return s->metric == METRIC_NAMED ? s->metric_name : metric_name(s->metric);
}

bool spec_metric_default_maximize(enum metric metric)
{
    return metric != METRIC_VAL_LOSS && metric != METRIC_TRAIN_LOSS;
}

/* A name that is no known column's is the program's own; whether more of it is better, only the
 * spec can say. */
static int parse_own(const struct json *v, char own[SPEC_NAME_MAX], struct errbuf *err)
{
    int rc = field_string(json_get(v, "name"), "$.metric.name", own, SPEC_NAME_MAX, err);

    if (!rc && !json_get(v, "goal"))
        rc = field_missing(err, "$.metric", "goal",
                           "minimize or maximize: what is better of a metric of the program's own");
    return rc;
}

static int find_metric(const struct json *name)
{
    for (int i = 0; json_type(name) == JSON_STRING && i < METRIC_COUNT; i++)
        if (strcmp(json_string(name), metric_name((enum metric)i)) == 0)
            return i;
    return METRIC_NAMED;
}

int spec_metric_parse(const struct json *v, enum metric *metric, char own[SPEC_NAME_MAX],
                      bool *maximize, struct errbuf *err)
{
    static const char *const keys[] = {"name", "goal"};
    static const char *const names[] = {
#define X(id, name, column) [METRIC_##id] = name,
        METRIC_MAP(X)
#undef X
    };
    int index = METRIC_VAL_LOSS, goal;
    int rc = field_object(v, "$.metric", keys, ARRAY_LEN(keys), err);

    if (!rc && own && json_get(v, "name") && find_metric(json_get(v, "name")) == METRIC_NAMED)
        index = METRIC_NAMED, rc = parse_own(v, own, err);
    else if (!rc && json_get(v, "name"))
        rc = field_name(json_get(v, "name"), "$.metric.name", names, ARRAY_LEN(names), &index, err);
    goal = spec_metric_default_maximize((enum metric)index);
    if (!rc && json_get(v, "goal"))
        rc = field_name(json_get(v, "goal"), "$.metric.goal", goal_names, ARRAY_LEN(goal_names),
                        &goal, err);
    if (rc)
        return rc;
    *metric = (enum metric)index;
    *maximize = goal;
    return 0;
}

void spec_metric_write(const char *name, bool maximize, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "name", name);
    jw_kv_string(w, "goal", goal_names[maximize]);
    jw_end_object(w);
}
