/* The "metric" object, which a spec and a worker's configuration share. */
#include "common/run/objective.h"

#include "common/base/field.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const char *const goal_names[] = {"minimize", "maximize"};

static bool default_maximize(enum metric metric)
{
    return metric != METRIC_VAL_LOSS && metric != METRIC_TRAIN_LOSS;
}

/* A name that is no known column's is the program's own; whether more of it is better, only the
 * spec can say. */
static int parse_own(const struct json *v, char own[METRIC_NAME_MAX], struct errbuf *err)
{
    int rc = field_string(json_get(v, "name"), "$.metric.name", own, METRIC_NAME_MAX, err);

    if (!rc && !json_get(v, "goal"))
        rc = field_missing(err, "$.metric", "goal",
                           "minimize or maximize: what is better of a metric of the program's own");
    return rc;
}

static bool is_known(const struct json *name)
{
    return json_type(name) == JSON_STRING && metric_find(json_string(name)) != METRIC_NAMED;
}

int objective_parse(const struct json *v, enum metric *metric, char own[METRIC_NAME_MAX],
                    bool *maximize, struct errbuf *err)
{
    static const char *const keys[] = {"name", "goal"};
    static const char *const names[] = {
#define X(id, name, column) [METRIC_##id] = name,
        METRIC_MAP(X)
#undef X
    };
    const struct json *name = json_get(v, "name");
    int index = METRIC_VAL_LOSS, goal;
    int rc = field_like(v, "$.metric", "{\"name\": %s}", err);

    if (!rc)
        rc = field_object(v, "$.metric", keys, ARRAY_LEN(keys), err);

    if (!rc && own && name && !is_known(name))
        index = METRIC_NAMED, rc = parse_own(v, own, err);
    else if (!rc && name)
        rc = field_name(name, "$.metric.name", names, ARRAY_LEN(names), &index, err);
    goal = default_maximize((enum metric)index);
    if (!rc && json_get(v, "goal"))
        rc = field_name(json_get(v, "goal"), "$.metric.goal", goal_names, ARRAY_LEN(goal_names),
                        &goal, err);
    if (rc)
        return rc;
    *metric = (enum metric)index;
    *maximize = goal;
    return 0;
}

void objective_write(const char *name, bool maximize, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "name", name);
    jw_kv_string(w, "goal", goal_names[maximize]);
    jw_end_object(w);
}
