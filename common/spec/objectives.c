/* The key objectives: several things that a run is judged by at once. The first is the metric. */
#include "common/spec/part.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/run/objective.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/metrics.h"
#include "sweep/require.h"

#define HERE "$.objectives"

static const struct {
    const char *name;
    bool measured;
} sources[] = {
    [OBJECTIVE_REPORTED] = {"", false},
#define X(id, name, measured, doc) [OBJECTIVE_##id] = {name, measured},
    OBJECTIVE_SOURCE_MAP(X)
#undef X
};

enum objective_source objective_source_find(const char *name)
{
    for (int i = OBJECTIVE_REPORTED + 1; i < OBJECTIVE_SOURCE_COUNT; i++)
        if (strcmp(sources[i].name, name) == 0)
            return (enum objective_source)i;
    return OBJECTIVE_REPORTED;
}

bool objectives_measured(const struct objectives *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (sources[o->items[i].source].measured)
            return true;
    return false;
}

void objectives_read(const struct objectives *o, const char *stored, double out[OBJECTIVES_MAX])
{
    struct errbuf why;
    struct json *list = stored != NULL ? json_parse(stored, strlen(stored), &why) : NULL;
    const struct json *v = list != NULL && json_type(list) == JSON_ARRAY ? json_first(list) : NULL;
    for (size_t i = 0; i < o->count; i++, v = v != NULL ? json_next(v) : NULL)
        if (v == NULL || json_real(v, &out[i]) != 0)
            out[i] = NAN;
    json_destroy(list);
}

/* --- one of them ----------------------------------------------------------------------------- */

/* As it is given: a name alone, or an object; and its place. */
struct given {
    const struct json *name, *goal;
    char at[FIELD_PATH_MAX], name_at[FIELD_PATH_MAX], goal_at[FIELD_PATH_MAX];
};

static int read_given(const struct json *v, size_t index, struct given *out, struct errbuf *err)
{
    static const char *const keys[] = {"name", "metric", "goal"};

    field_path_index(out->at, HERE, index);
    str_copy(out->name_at, sizeof(out->name_at), out->at);
    field_path(out->goal_at, out->at, "goal");
    out->name = v;
    out->goal = NULL;
    if (json_type(v) == JSON_STRING)
        return 0;
    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, out->at, v,
                            "a name, or an object: {\"name\": \"val_acc\", \"goal\": "
                            "\"maximize\"}");
    int rc = field_object(v, out->at, keys, ARRAY_LEN(keys), err);
    if (rc)
        return rc;
    const char *key = json_get(v, "name") ? "name" : "metric";
    if (json_get(v, "name") && json_get(v, "metric")) {
        field_path(out->name_at, out->at, "metric");
        return field_refuse(err, ERR_KEY, out->name_at, json_get(v, "metric"),
                            "nothing beside name: they are the same");
    }
    out->name = json_get(v, key);
    out->goal = json_get(v, "goal");
    field_path(out->name_at, out->at, key);
    return out->name ? 0 : field_missing(err, out->at, "name", "what the run is judged by");
}

/* Of the trainer: what its runs have. The first is reported while a run trains. */
static int read_known(const struct given *g, bool first, struct objective *out, struct errbuf *err)
{
    const char *names[METRIC_COUNT + OBJECTIVE_SOURCE_COUNT];
    size_t count = 0;
    int index;

    for (int i = 0; i < METRIC_COUNT; i++)
        names[count++] = metric_name((enum metric)i);
    for (int i = OBJECTIVE_REPORTED + 1; i < OBJECTIVE_SOURCE_COUNT && !first; i++)
        names[count++] = sources[i].name;
    int rc = field_name(g->name, g->name_at, names, count, &index, err);
    if (rc == 0)
        str_copy(out->name, sizeof(out->name), names[index]);
    return rc;
}

static int read_goal(const struct given *g, struct objective *out, struct errbuf *err)
{
    static const char *const goals[] = {"minimize", "maximize"};
    int goal = objective_usual_goal(out->name);

    if (!g->goal && goal < 0)
        return field_missing(err, g->at, "goal",
                             "minimize or maximize: what is better of a metric of the program's "
                             "own, whose name does not say it");
    if (g->goal) {
        int rc = field_name(g->goal, g->goal_at, goals, ARRAY_LEN(goals), &goal, err);
        if (rc)
            return rc;
    }
    out->maximize = goal == 1;
    return 0;
}

static int read_one(const struct json *v, struct spec *s, struct errbuf *err)
{
    struct objectives *o = &s->objectives;
    struct objective *out = &o->items[o->count];
    struct given g;
    bool own = !task_of(s)->has_settings;
    int rc = read_given(v, o->count, &g, err);

    if (!rc)
        rc = own ? field_string(g.name, g.name_at, out->name, sizeof(out->name), err)
                 : read_known(&g, o->count == 0, out, err);
    for (size_t i = 0; i < o->count && !rc; i++)
        if (strcmp(o->items[i].name, out->name) == 0)
            rc = field_refuse(err, ERR_VALUE, g.name_at, g.name,
                              "each objective once: objectives[%zu] is %s already", i, out->name);
    if (!rc)
        rc = read_goal(&g, out, err);
    if (rc)
        return rc;
    out->source = o->count > 0 ? objective_source_find(out->name) : OBJECTIVE_REPORTED;
    o->count++;
    return 0;
}

/* --- the list -------------------------------------------------------------------------------- */

/* "metric", if it is said too, is the first. */
static int take_metric(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct objective *first = &s->objectives.items[0];
    const struct json *metric = json_get(root, "metric"), *goal = json_get(metric, "goal");

    if (metric && json_get(metric, "name") && strcmp(spec_metric_name(s), first->name) != 0)
        return field_refuse(err, ERR_VALUE, "$.metric.name", json_get(metric, "name"),
                            "%s: the first objective is the sweep's metric", first->name);
    if (goal && s->maximize != first->maximize)
        return field_refuse(err, ERR_VALUE, "$.metric.goal", goal,
                            "%s, as objectives[0] of %s says",
                            first->maximize ? "maximize" : "minimize", first->name);
    s->metric = metric_find(first->name);
    s->maximize = first->maximize;
    str_copy(s->metric_name, sizeof(s->metric_name),
             s->metric == METRIC_NAMED ? first->name : "");
    return 0;
}

int spec_objectives_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "objectives");
    int rc = 0;

    if (!v)
        return 0;
    if (json_type(v) != JSON_ARRAY)
        return field_refuse(err, ERR_TYPE, HERE, v,
                            "a list, the metric first: [\"val_loss\", \"seconds\"]");
    if (json_count(v) < 1 || json_count(v) > OBJECTIVES_MAX)
        return field_refuse(err, ERR_LIMIT, HERE, v, "1 to %d objectives, the metric first",
                            OBJECTIVES_MAX);
    for (const struct json *m = json_first(v); m && !rc; m = json_next(m))
        rc = read_one(m, s, err);
    if (!rc)
        rc = take_metric(root, s, err);
    if (rc)
        return rc;
    if (s->objectives.count == 1)
        s->objectives = (struct objectives){0}; /* that is the metric alone */
    else if (!json_get(root, "method")) /* the usual one follows the metric alone */
        str_copy(s->picked, sizeof(s->picked), SPEC_METHOD_AUTO);
    return 0;
}

/* --- what cannot go with them ----------------------------------------------------------------- */

int spec_objectives_method(const struct json *root, struct spec *s, struct errbuf *err)
{
    if (s->objectives.count == 0 || !(method_traits(s->method) & METHOD_ONE))
        return 0;
    return field_refuse(err, ERR_VALUE, "$.method", json_get(root, "method"),
                        "auto, tpe, gp, random, sobol, grid or coarse_to_fine with several "
                        "objectives: %s ranks its runs by one metric", method_name(s->method));
}

int spec_objectives_check(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *stop = json_get(root, "early_terminate");

    if (s->objectives.count == 0)
        return 0;
    if (stop_traits(s->stop.rule) & STOP_EXTRAPOLATES)
        return field_refuse(err, ERR_VALUE, "$.early_terminate.type", json_get(stop, "type"),
                            "another rule with several objectives: %s carries on the curve of one "
                            "metric", stop_name(s->stop.rule));
    return 0;
}

/* --- and back -------------------------------------------------------------------------------- */

void spec_objectives_write(const struct spec *s, struct json_writer *w)
{
    if (s->objectives.count == 0)
        return;
    jw_key(w, "objectives");
    jw_begin_array(w);
    for (size_t i = 0; i < s->objectives.count; i++)
        objective_write(s->objectives.items[i].name, s->objectives.items[i].maximize, w);
    jw_end_array(w);
}

/* Of one whose goal was not said: what its name says. */
static bool says_goal(const struct json *v)
{
    return json_type(v) == JSON_OBJECT && json_get(v, "goal");
}

void spec_objectives_notes(const struct json *root, const struct spec *s, spec_note *each,
                           void *arg)
{
    const struct json *v = json_first(json_get(root, "objectives"));
    char text[METRIC_NAME_MAX + 320];

    for (size_t i = 0; i < s->objectives.count && v; i++, v = json_next(v)) {
        const struct objective *o = &s->objectives.items[i];
        if (says_goal(v) || (i == 0 && json_get(json_get(root, "metric"), "goal")))
            continue;
        snprintf(text, sizeof(text), HERE "[%zu]: a %s %s is better, as its name says (goal)", i,
                 o->maximize ? "larger" : "smaller", o->name);
        each(arg, text);
    }
    if (s->objectives.count > 0 && s->method == METHOD_COARSE_TO_FINE) {
        snprintf(text, sizeof(text),
                 "$.method: coarse_to_fine goes by %s alone; the others are stored, and the front "
                 "is shown (auto, tpe and gp look for it)", s->objectives.items[0].name);
        each(arg, text);
    }
    if (objectives_measured(&s->objectives))
        each(arg, "$.objectives: seconds and joules are measured, so the sweep is not the same a "
                  "second time, nor at another number of workers; what was decided is stored, and "
                  "replay makes it again");
}
