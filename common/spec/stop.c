/* "early_terminate": which rule may stop runs, and where. */
#include "sweep/stop.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/field.h"
#include "common/spec/part.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define LAG_MAX 1000
#define ETA_MIN 1.1
#define ETA_MAX 1000
#define RUNGS_MAX 1000
#define HERE "$.early_terminate"
/* Of a search in stages that says nothing else. */
#define BY_STAGE_LEAST 9 /* epochs: the rung at a third of them is at 3 */
#define BY_STAGE_TWO 18  /* from so many on there is one at a ninth too, at 2 */

static const char *const names[] = {
    [STOP_NONE] = "none",
#define X(id, name, traits, doc) [STOP_##id] = #name,
    STOP_MAP(X)
#undef X
};

const char *stop_name(enum stop_rule_id r)
{
    REQUIRE((unsigned)r < STOP_RULE_COUNT);
    return names[r];
}

unsigned stop_traits(enum stop_rule_id r)
{
    static const unsigned all[] = {
        [STOP_NONE] = 0,
#define X(id, name, traits, doc) [STOP_##id] = traits,
        STOP_MAP(X)
#undef X
    };
    REQUIRE((unsigned)r < STOP_RULE_COUNT);
    return all[r];
}

/* --- keys ------------------------------------------------------------------------------------ */

enum stop_key {
    KEY_TYPE,
    KEY_MIN_ITER,
    KEY_EVERY,
    KEY_ETA,
    KEY_MAX_ITER,
    KEY_S,
    KEY_STRICT,
    KEY_STARTUP,
    KEY_LAG,
    KEY_PERCENTILE,
    KEY_BRACKETS,
    KEY_PROMOTE,
    KEY_BY_STAGE,
    KEY_THRESHOLD,
    KEY_AUDIT,
    KEY_COUNT
};

/* traits: of the rules that have the key; 0: all have it. */
static const struct {
    const char *name;
    unsigned traits;
} keys[] = {
    [KEY_TYPE] = {"type", 0},
    [KEY_MIN_ITER] = {"min_iter", 0},
    [KEY_EVERY] = {"every", 0},
    [KEY_ETA] = {"eta", 0},
    [KEY_MAX_ITER] = {"max_iter", 0},
    [KEY_S] = {"s", 0},
    [KEY_STRICT] = {"strict", STOP_HALVES},
    [KEY_STARTUP] = {"startup", 0},
    [KEY_LAG] = {"lag", 0},
    [KEY_PERCENTILE] = {"percentile", STOP_PERCENTILES},
    [KEY_BRACKETS] = {"brackets", STOP_BRACKETS},
    [KEY_PROMOTE] = {"promote", STOP_HALVES},
    [KEY_BY_STAGE] = {"by_stage", STOP_HALVES},
    [KEY_THRESHOLD] = {"threshold", STOP_EXTRAPOLATES},
    [KEY_AUDIT] = {"audit", 0},
};

static const struct json *member(const struct json *v, enum stop_key k)
{
    return json_get(v, keys[k].name);
}

static void key_path(char out[FIELD_PATH_MAX], enum stop_key k)
{
    field_path(out, HERE, keys[k].name);
}

static int refuse(struct errbuf *err, const struct json *v, enum stop_key k, const char *allowed)
{
    char path[FIELD_PATH_MAX];
    key_path(path, k);
    return field_refuse(err, ERR_VALUE, path, member(v, k), "%s", allowed);
}

static int check_names(const struct json *v, struct errbuf *err)
{
    const char *known[KEY_COUNT];
    for (int k = 0; k < KEY_COUNT; k++)
        known[k] = keys[k].name;
    return field_object(v, HERE, known, KEY_COUNT, err);
}

/* "nothing with rule median; successive_halving, hyperband have it" */
static int refuse_foreign(struct errbuf *err, const struct json *v, enum stop_key k,
                          enum stop_rule_id rule)
{
    char text[200];
    size_t len = (size_t)snprintf(text, sizeof(text), "nothing with rule %s; it is of ",
                                  names[rule]);
    const char *comma = "";
    for (int r = 1; r < STOP_RULE_COUNT && len < sizeof(text); r++) {
        if (!(stop_traits((enum stop_rule_id)r) & keys[k].traits))
            continue;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", comma, names[r]);
        comma = ", ";
    }
    return refuse(err, v, k, text);
}

static int check_foreign(const struct json *v, enum stop_rule_id rule, struct errbuf *err)
{
    for (int k = 0; k < KEY_COUNT; k++)
        if (keys[k].traits != 0 && !(keys[k].traits & stop_traits(rule)) &&
            member(v, (enum stop_key)k))
            return refuse_foreign(err, v, (enum stop_key)k, rule);
    return 0;
}

/* --- numbers --------------------------------------------------------------------------------- */

static int parse_integers(const struct json *v, struct stop_settings *s, struct errbuf *err)
{
    const struct {
        enum stop_key key;
        int64_t min, max, *to;
    } rows[] = {
        {KEY_MIN_ITER, 1, SPEC_MAX_EPOCHS, &s->min_iter},
        {KEY_EVERY, 1, SPEC_MAX_EPOCHS, &s->every},
        {KEY_MAX_ITER, 2, SPEC_MAX_EPOCHS, &s->max_iter},
        {KEY_S, 1, RUNGS_MAX, &s->rungs},
        {KEY_STARTUP, 1, SPEC_MAX_RUNS, &s->startup},
        {KEY_LAG, 1, LAG_MAX, &s->lag},
        {KEY_BRACKETS, 1, RUNGS_MAX, &s->brackets},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct json *n = member(v, rows[i].key);
        char path[FIELD_PATH_MAX];
        key_path(path, rows[i].key);
        int rc = n ? field_integer(n, path, rows[i].min, rows[i].max, rows[i].to, err) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

/* Above `low` or from it, up to `high`, as `allowed` says. */
static int parse_real(const struct json *v, enum stop_key k, double low, double high,
                      const char *allowed, double *to, struct errbuf *err)
{
    const struct json *n = member(v, k);
    double x;

    if (!n)
        return 0;
    if (json_real(n, &x) != 0 || !(x >= low && x <= high))
        return refuse(err, v, k, allowed);
    *to = x;
    return 0;
}

static int parse_reals(const struct json *v, struct stop_settings *s, struct errbuf *err)
{
    int rc = parse_real(v, KEY_ETA, ETA_MIN, ETA_MAX, "a number from 1.1 to 1000", &s->eta, err);
    if (!rc)
        rc = parse_real(v, KEY_PERCENTILE, 0, 100, "a number from 0 to 100: 25 lets the best "
                        "quarter go on", &s->percentile, err);
    if (!rc)
        rc = parse_real(v, KEY_THRESHOLD, 0, 1, "a chance from 0 to 1", &s->threshold, err);
    if (!rc)
        rc = parse_real(v, KEY_AUDIT, 0, 1, "a share from 0 to 1: 0.05 lets one in twenty of the "
                        "runs that would be stopped go on, to learn what that costs", &s->audit,
                        err);
    return rc;
}

/* Without a lag who comes first decides: the same sweep would not be the same twice. */
static int check_lag(const struct json *v, struct errbuf *err)
{
    int64_t lag;
    const struct json *n = member(v, KEY_LAG);

    if (!n || json_int64(n, &lag) != 0 || lag != 0)
        return 0;
    return refuse(err, v, KEY_LAG, "an integer from 1 to 1000: with 0 it would be decided by which "
                  "worker comes first, and the same sweep would not stop the same runs twice; with "
                  "1 no worker waits unless there are others");
}

/* --- rungs ----------------------------------------------------------------------------------- */

static int check_rungs(const struct json *v, const struct stop_settings *s, struct errbuf *err)
{
    bool halves = stop_traits(s->rule) & STOP_HALVES;
    if (member(v, KEY_MAX_ITER) && member(v, KEY_MIN_ITER))
        return refuse(err, v, KEY_MAX_ITER, "either min_iter or max_iter: rungs are counted up "
                      "from the one, or down from the other");
    if (member(v, KEY_EVERY) && member(v, KEY_MAX_ITER))
        return refuse(err, v, KEY_EVERY, "nothing with max_iter: its rungs are max_iter / eta, …");
    if (member(v, KEY_EVERY) && stop_traits(s->rule) & STOP_BRACKETS)
        return refuse(err, v, KEY_EVERY, "nothing with rule hyperband: rungs lie at min_iter, "
                      "min_iter x eta, …");
    if (member(v, KEY_EVERY) && member(v, KEY_ETA) && !halves)
        return refuse(err, v, KEY_EVERY, "either every or eta: rungs at equal steps, or each eta "
                      "times as far as the one before");
    if (member(v, KEY_S) && !member(v, KEY_MAX_ITER))
        return refuse(err, v, KEY_S, "nothing without max_iter, from which so many rungs are "
                      "counted down");
    return 0;
}

/* Geometric where eta, or what needs it, is given; a rule that halves has it anyway, and so has a
 * task whose runs begin anew at each rung. */
static void choose_rungs(const struct json *v, bool anew, struct stop_settings *s)
{
    bool halves = stop_traits(s->rule) & STOP_HALVES;
    bool by_eta = halves || anew || member(v, KEY_ETA) || member(v, KEY_MAX_ITER);
    if (by_eta && !member(v, KEY_EVERY))
        s->every = 0;
    if (halves && !member(v, KEY_STARTUP))
        s->startup = (int64_t)fmax(1, ceil(s->eta) - 1);
}

static int parse_switch(const struct json *v, enum stop_key k, bool *to, struct errbuf *err)
{
    const struct json *b = member(v, k);
    if (b && json_type(b) != JSON_BOOL)
        return refuse(err, v, k, "true or false");
    *to = b && json_bool(b);
    return 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int parse_rule(const struct json *v, const struct spec *s, enum stop_rule_id *rule,
                      struct errbuf *err)
{
    const struct json *type = member(v, KEY_TYPE);
    int index = STOP_NONE;
    int rc = type ? 0
                  : field_missing(err, HERE, "type", "the name of a rule: median, or another, or "
                                                     "none");
    if (!rc)
        rc = field_name(type, HERE ".type", names, STOP_RULE_COUNT, &index, err);
    if (!rc && index != STOP_NONE && !task_of(s)->has_checkpoints)
        rc = field_refuse(err, ERR_VALUE, HERE, v,
                          "nothing with task %s: its runs cannot pause at a rung",
                          task_of(s)->name);
    *rule = (enum stop_rule_id)index;
    return rc;
}

static const struct stop_settings defaults = {.min_iter = 1,
                                              .every = STOP_EVERY,
                                              .startup = STOP_STARTUP,
                                              .lag = STOP_LAG,
                                              .eta = STOP_ETA,
                                              .percentile = STOP_BEST_PERCENTAGE,
                                              .threshold = STOP_CHANCE};

/* A search in stages has rungs of its own where its runs can go on from them, and are ranked by one
 * metric. */
static bool halves_by_stage(const struct spec *s)
{
    return (method_traits(s->method) & METHOD_STAGES) && s->epochs >= BY_STAGE_LEAST &&
           s->objectives.count == 0 && task_of(s)->has_checkpoints && task_resumes(s);
}

/* Where nothing is said: none, but with a method that learns from runs of different length. */
static int parse_nothing(struct spec *s)
{
    bool by_stage = halves_by_stage(s);
    if (!(method_traits(s->method) & METHOD_BUDGETS) && !by_stage)
        return 0;
    s->stop = defaults;
    s->stop.rule = by_stage ? STOP_SUCCESSIVE_HALVING : STOP_HYPERBAND;
    choose_rungs(NULL, false, &s->stop);
    if (by_stage) {
        s->stop.promote = s->stop.by_stage = true;
        s->stop.max_iter = s->epochs;
        s->stop.rungs = s->epochs >= BY_STAGE_TWO ? 2 : 1;
    }
    return 0;
}

static int check_by_stage(const struct json *v, const struct spec *s,
                          const struct stop_settings *stop, struct errbuf *err)
{
    if (!stop->by_stage)
        return 0;
    if (!(method_traits(s->method) & METHOD_STAGES))
        return refuse(err, v, KEY_BY_STAGE, "false: only method coarse_to_fine has stages");
    if (!stop->promote)
        return refuse(err, v, KEY_BY_STAGE, "false, or \"promote\": true with it");
    return 0;
}

int spec_stop_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "early_terminate");
    struct stop_settings stop = defaults;
    bool strict = false;

    if (!v)
        return parse_nothing(s);
    int rc = field_like(v, HERE, "{\"type\": %s}", err);
    if (!rc)
        rc = check_names(v, err);
    if (!rc)
        rc = parse_rule(v, s, &stop.rule, err);
    if (!rc && stop.rule != STOP_NONE)
        rc = check_foreign(v, stop.rule, err);
    if (!rc)
        rc = check_lag(v, err);
    if (!rc)
        rc = parse_integers(v, &stop, err);
    if (!rc)
        rc = parse_reals(v, &stop, err);
    if (!rc)
        rc = parse_switch(v, KEY_PROMOTE, &stop.promote, err);
    if (!rc)
        rc = parse_switch(v, KEY_BY_STAGE, &stop.by_stage, err);
    if (!rc)
        rc = check_by_stage(v, s, &stop, err);
    if (!rc) /* runs pause exactly at their rungs: they are as W&B's strict has them anyway */
        rc = parse_switch(v, KEY_STRICT, &strict, err);
    if (!rc)
        rc = check_rungs(v, &stop, err);
    if (rc || stop.rule == STOP_NONE)
        return rc;
    choose_rungs(v, task_of(s)->has_checkpoints && !task_resumes(s), &stop);
    if (stop.max_iter > 0 && (double)stop.max_iter < stop.eta)
        return refuse(err, v, KEY_MAX_ITER, "eta or more: its rungs are max_iter / eta, …");
    s->stop = stop;
    return 0;
}

static void write_rungs(const struct stop_settings *s, struct json_writer *w)
{
    if (s->max_iter == 0)
        jw_kv_int(w, keys[KEY_MIN_ITER].name, s->min_iter);
    if (s->every > 0)
        jw_kv_int(w, keys[KEY_EVERY].name, s->every);
    if (s->every == 0 || stop_traits(s->rule) & STOP_HALVES)
        jw_kv_real(w, keys[KEY_ETA].name, s->eta);
    if (s->max_iter > 0)
        jw_kv_int(w, keys[KEY_MAX_ITER].name, s->max_iter);
    if (s->rungs > 0)
        jw_kv_int(w, keys[KEY_S].name, s->rungs);
}

void spec_stop_write(const struct spec *s, struct json_writer *w)
{
    const struct stop_settings *stop = &s->stop;
    unsigned traits = stop_traits(stop->rule);

    bool usual = !(method_traits(s->method) & METHOD_BUDGETS) && !halves_by_stage(s);
    if (stop->rule == STOP_NONE && usual)
        return;
    jw_key(w, "early_terminate");
    jw_begin_object(w);
    jw_kv_string(w, keys[KEY_TYPE].name, stop_name(stop->rule));
    if (stop->rule == STOP_NONE) {
        jw_end_object(w);
        return;
    }
    write_rungs(stop, w);
    jw_kv_int(w, keys[KEY_STARTUP].name, stop->startup);
    jw_kv_int(w, keys[KEY_LAG].name, stop->lag);
    if (traits & STOP_PERCENTILES)
        jw_kv_real(w, keys[KEY_PERCENTILE].name, stop->percentile);
    if (stop->brackets > 0)
        jw_kv_int(w, keys[KEY_BRACKETS].name, stop->brackets);
    if (stop->promote)
        jw_kv_bool(w, keys[KEY_PROMOTE].name, true);
    if (stop->by_stage)
        jw_kv_bool(w, keys[KEY_BY_STAGE].name, true);
    if (traits & STOP_EXTRAPOLATES)
        jw_kv_real(w, keys[KEY_THRESHOLD].name, stop->threshold);
    if (stop->audit > 0)
        jw_kv_real(w, keys[KEY_AUDIT].name, stop->audit);
    jw_end_object(w);
}
