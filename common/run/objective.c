/* The "metric" object, which a spec and a worker's configuration share. */
#include "common/run/objective.h"

#include <string.h>

#include "common/base/field.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const char *const goal_names[] = {"minimize", "maximize"};

/* Is more of it better, by its name? -1: that does not say. */
int metric_hint(const char *name)
{
    static const struct {
        const char *part;
        int better;
    } parts[] = {{"loss", 0}, {"error", 0}, {"perplexity", 0}, {"rmse", 0}, {"mse", 0},
                 {"mae", 0},  {"acc", 1},   {"f1", 1},         {"auc", 1},  {"r2", 1}};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (strcasestr(name, parts[i].part))
            return parts[i].better;
    return -1;
}

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

/* What is spent is to be little. */
int objective_usual_goal(const char *name)
{
    static const char *const costs[] = {"seconds", "latency", "duration", "runtime",   "elapsed",
                                        "flop",    "memory",  "bytes",    "parameters", "params",
                                        "epochs",  "energy",  "cost"};
    enum metric known = metric_find(name);

    if (known != METRIC_NAMED)
        return default_maximize(known);
    for (size_t i = 0; i < ARRAY_LEN(costs); i++)
        if (strcasestr(name, costs[i]))
            return 0;
    return metric_hint(name);
}
