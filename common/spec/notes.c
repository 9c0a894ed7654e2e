/* What was read as something else than it says, for whoever submits it. */
#include "sweep/spec.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/field.h"
#include "common/run/objective.h"
#include "common/spec/part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

struct notes {
    const struct spec *s;
    spec_note *each;
    void *arg;
};

static void note_name(const struct notes *n, const char *path, const char *name, bool nested)
{
    char text[2 * FIELD_PATH_MAX + 160];
    int id = -1;

    if (!task_of(n->s)->has_settings) {
        snprintf(text, sizeof(text), "%s is the parameter %s", path, name);
        if (nested)
            n->each(n->arg, text);
        return;
    }
    if (setting_find(name) < 0)
        id = trainer_setting_alias(name);
    if (id < 0)
        return;
    const struct setting *t = setting_get((enum setting_id)id);
    snprintf(text, sizeof(text), "%s is read as %s: %s", path, setting_label((enum setting_id)id),
             t->doc);
    n->each(n->arg, text);
}

/* Ends that were worked out: of exponents, and of bells and betas that have none. */
static void note_ends(const struct notes *n, const struct json *member, const char *path,
                      const char *name)
{
    const struct json *given = json_get(member, "distribution");
    const char *word = given && json_type(given) == JSON_STRING ? json_string(given) : "";
    const struct dimension *d = spec_dimension_called(n->s, name);
    enum spelled_ends ends = spec_spelled_ends(word);
    bool curve = d && distribution_shape(d->distribution) != SHAPE_EVEN;
    char text[FIELD_PATH_MAX + 160];

    if (d && (ends == ENDS_EXPONENTS || ends == ENDS_INVERSE)) {
        snprintf(text, sizeof(text),
                 "%s: min and max of %s are exponents of %s, so from %.3g to %.3g (values: "
                 "log_uniform_values)",
                 path, word, ends == ENDS_INVERSE ? "1/e" : "e", d->min, d->max);
        n->each(n->arg, text);
    } else if (curve && !(json_get(member, "min") && json_get(member, "max"))) {
        snprintf(text, sizeof(text), "%s: %s, cut to what lies from %.3g to %.3g (min, max)", path,
                 distribution_name(d->distribution), d->min, d->max);
        n->each(n->arg, text);
    }
}

static void note_members(const struct notes *n, const struct json *list, const char *path,
                         const char *outer)
{
    char at[FIELD_PATH_MAX], inner[FIELD_PATH_MAX], name[FIELD_PATH_MAX];

    for (const struct json *m = json_first(list); m; m = json_next(m)) {
        bool nested = spec_is_nested(m);
        field_path(at, path, json_key(m));
        field_path(inner, at, "parameters");
        snprintf(name, sizeof(name), "%s%s%s", outer, json_key(m), nested ? "." : "");
        if (nested) {
            note_members(n, json_get(m, "parameters"), inner, name);
        } else {
            note_name(n, at, name, *outer != '\0');
            note_ends(n, m, at, name);
        }
    }
}

/* A program's metric is what it says; its name is a hint. */
static void note_goal(const struct notes *n)
{
    const char *name = spec_metric_name(n->s);
    int better = metric_hint(name);
    char text[METRIC_NAME_MAX + 160];

    if (better < 0 || better == n->s->maximize)
        return;
    snprintf(text, sizeof(text), "the best run is the one with the %s %s: is goal \"%s\" meant?",
             better ? "smallest" : "largest", name, better ? "minimize" : "maximize");
    n->each(n->arg, text);
}

/* A default that others do not have. */
static void note_scale(const struct notes *n)
{
    if (n->s->trainer.given[SETTING_SCALE] || spec_dimension(n->s, SETTING_SCALE) ||
        n->s->trainer.fixed.v[SETTING_SCALE] == SCALE_NONE)
        return;
    n->each(n->arg, "each column is scaled to mean 0 and deviation 1 over the training part, as of "
                    "every table (data.scale standard; data.scale none: as it is)");
}

/* "early_terminate" whose first rung is at the last epoch or behind it. */
static void note_rungs(const struct notes *n)
{
    const struct stop_settings *s = &n->s->stop;
    char text[160];

    if (s->rule == STOP_NONE || stop_next_rung(s, 0, 0, n->s->epochs) > 0)
        return;
    if (stop_brackets(s, n->s->epochs) > 1) /* another run's bracket has a rung */
        return;
    snprintf(text, sizeof(text),
             "$.early_terminate: no rung lies before the last epoch, %" PRId64
             ": no run is stopped", n->s->epochs);
    n->each(n->arg, text);
}

static void note_method(const struct notes *n, const struct json *given)
{
    char text[SPEC_PICKED_MAX + 64];

    if (!n->s->picked[0] ||
        (given && strcmp(json_string(given), method_name(n->s->method)) == 0))
        return;
    snprintf(text, sizeof(text), "$.method: %s is picked (%s)", method_name(n->s->method),
             n->s->picked);
    n->each(n->arg, text);
}

/* Nothing but the data was given. */
static void note_usual(const struct notes *n, const struct json *root)
{
    char text[512];
    int len = snprintf(text, sizeof(text), "$.parameters: none named, so these are swept: ");

    for (size_t i = 0; i < n->s->space.count && len < (int)sizeof(text); i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s", i ? ", " : "",
                        n->s->space.dimensions[i].name);
    if (!json_get(root, "run_cap") && !spec_ends_by_time(root, n->s) && len < (int)sizeof(text))
        snprintf(text + len, sizeof(text) - (size_t)len, "; in %" PRId64 " runs (run_cap)",
                 n->s->run_cap);
    n->each(n->arg, text);
}

/* As many as fit: what is planned shrinks to that when the first runs were measured. */
static void note_time(const struct notes *n, const struct json *root)
{
    char text[160];

    if (json_get(root, "run_cap") || !spec_ends_by_time(root, n->s) ||
        (method_traits(n->s->method) & METHOD_COUNTS))
        return;
    snprintf(text, sizeof(text), "$.run_cap: none given, so as many runs as there is time for, at "
             "most %" PRId64, n->s->run_cap);
    n->each(n->arg, text);
}

void spec_notes(const struct json *root, const struct spec *s, spec_note *each, void *arg)
{
    const struct notes n = {s, each, arg};
    const struct json *parameters = json_get(root, "parameters");

    if (parameters)
        note_members(&n, parameters, "$.parameters", "");
    else if (spec_is_usual(root, s))
        note_usual(&n, root);
    if (!task_of(s)->has_settings)
        note_goal(&n);
    else
        note_scale(&n);
    note_rungs(&n);
    note_time(&n, root);
    spec_objectives_notes(root, s, each, arg);
    note_method(&n, json_get(root, "method"));
}

/* Exponents of e that look as if values were meant: 0.0001 … 0.1 would be 1.0001 … 1.105. */
static int question_exponents(const struct json *list, const char *path, struct errbuf *err)
{
    char at[FIELD_PATH_MAX], inner[FIELD_PATH_MAX];
    int rc = 0;

    for (const struct json *m = json_first(list); m && !rc; m = json_next(m)) {
        const struct json *given = json_get(m, "distribution"), *min = json_get(m, "min");
        const struct json *max = json_get(m, "max");
        bool word = given && json_type(given) == JSON_STRING && min && max &&
                    spec_spelled_ends(json_string(given)) == ENDS_EXPONENTS;
        field_path(at, path, json_key(m));
        field_path(inner, at, "parameters");
        if (spec_is_nested(m))
            rc = question_exponents(json_get(m, "parameters"), inner, err);
        field_path(inner, at, "distribution");
        if (word && json_number(min) > 0 && (json_number(min) < 1 || json_number(max) > 10))
            rc = field_refuse(err, ERR_VALUE, inner, given,
                              "log_uniform_values, or q_log_uniform_values: of log_uniform min and "
                              "max are exponents, so values from %.4g to %.4g",
                              exp(json_number(min)), exp(json_number(max)));
    }
    return rc;
}

int spec_question(const struct json *root, const struct spec *s, struct errbuf *err)
{
    int rc = question_exponents(json_get(root, "parameters"), "$.parameters", err);

    if (rc)
        return rc;
    const char *name = spec_metric_name(s);
    const struct json *goal = json_get(json_get(root, "metric"), "goal");
    int better = metric_hint(name);

    if (!goal || !task_of(s)->has_settings || better < 0 || better == s->maximize)
        return 0;
    return field_refuse(err, ERR_VALUE, "$.metric.goal", goal,
                        "\"%s\", or no goal: a %s %s is better, and the worst run would be called "
                        "the best",
                        better ? "maximize" : "minimize", better ? "larger" : "smaller", name);
}
