/* Words of a command line that the daemon knows. */
#include "client/complete.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/human.h"
#include "sweep/json.h"
#include "sweep/remedy.h"
#include "sweep/require.h"
#include "sweep/run.h"
#include "sweep/setting.h"

#define IDS_MAX 200 /* the newest: more is no list to choose from */

/* A row's id, and what is said of it. */
struct entry {
    int64_t id;
    char *says;
};

struct entries {
    const struct completion *completion;
    struct entry ring[IDS_MAX];
    size_t count; /* that were put in; the last IDS_MAX of them are there */
};

static void keep(struct entries *e, int64_t id, char *says)
{
    struct entry *place = &e->ring[e->count++ % IDS_MAX];
    free(place->says);
    *place = (struct entry){id, says};
}

/* The newest first. */
static void put_entries(struct completion *k, struct entries *e)
{
    size_t there = e->count < IDS_MAX ? e->count : IDS_MAX;
    for (size_t i = 1; i <= there; i++) {
        struct entry *entry = &e->ring[(e->count - i) % IDS_MAX];
        char *id = xasprintf("%lld", (long long)entry->id);
        complete_put(k, id, entry->says);
        free(entry->says);
        free(id);
    }
}

/* --- sweeps and runs -------------------------------------------------------------------------- */

#define BIT(status) (1u << (status))
#define OPEN_SWEEPS (BIT(SWEEP_QUEUED) | BIT(SWEEP_RUNNING) | BIT(SWEEP_PAUSED) | BIT(SWEEP_HELD))
#define OPEN_RUNS (BIT(RUN_QUEUED) | BIT(RUN_RUNNING) | BIT(RUN_PAUSED))
#define ANY (~0u)

/* What a verb can be done to. A verb without a row: to all. */
static const struct {
    enum verb_id verb;
    unsigned sweeps, runs;
} subjects[] = {
    {VERB_wait, OPEN_SWEEPS, ANY},
    {VERB_pause, BIT(SWEEP_QUEUED) | BIT(SWEEP_RUNNING), ANY},
    {VERB_resume, BIT(SWEEP_PAUSED) | BIT(SWEEP_HELD), ANY},
    {VERB_cancel, OPEN_SWEEPS, OPEN_RUNS},
    {VERB_enqueue, OPEN_SWEEPS, ANY},
    {VERB_delete, ~OPEN_SWEEPS, ANY},
    {VERB_relabel, ~OPEN_SWEEPS, ANY},
    {VERB_treat, ANY, ~OPEN_RUNS},
    {VERB_predict, ANY, ~OPEN_RUNS},
    {VERB_replay, ANY, ~OPEN_RUNS},
};

static bool may_be(const struct completion *k, bool run, int status)
{
    const struct verb *v = k->client->opts.verb;
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
        if (v == &client_verbs[subjects[i].verb] && status >= 0)
            return ((run ? subjects[i].runs : subjects[i].sweeps) >> status) & 1;
    return true;
}

static void keep_sweep(void *arg, const struct json *row)
{
    struct entries *e = arg;
    const char *status = member_string(row, "status", "");
    if (may_be(e->completion, false, sweep_status_find(status)))
        keep(e, member_int(row, "id", 0),
             xasprintf("%s, %s, %lld of %lld", member_string(row, "name", ""), status,
                       (long long)member_int(row, "done", 0),
                       (long long)member_int(row, "run_cap", 0)));
}

void complete_sweeps(struct completion *k)
{
    struct entries e = {.completion = k};
    client_pages(k->client, &(struct client_paged){"list", "", "sweeps"}, keep_sweep, &e);
    put_entries(k, &e);
}

static void keep_run(void *arg, const struct json *row)
{
    struct entries *e = arg;
    const char *status = member_string(row, "status", ""), *label = member_string(row, "label", "");
    double value = member_real(row, "metric_value", NAN);
    char number[HUMAN_MAX];
    if (!may_be(e->completion, true, run_status_find(status)))
        return;
    keep(e, member_int(row, "run_id", 0),
         xasprintf("#%lld %s%s%s%s%s", (long long)member_int(row, "number", 0), status,
                   *label ? " " : "", label, isnan(value) ? "" : " ",
                   isnan(value) ? "" : human_loss(value, number)));
}

/* The sweep that is named, as a member of the request; "" for the newest. The caller frees. */
static char *sweep_member(const struct completion *k)
{
    int64_t id;
    const char *named = complete_argument(k, "SWEEP");
    return named != NULL && opts_positive(named, &id) == 0
               ? xasprintf("\"sweep\":%lld", (long long)id) : xstrdup("");
}

void complete_runs(struct completion *k)
{
    struct entries e = {.completion = k};
    char *params = sweep_member(k);
    client_pages(k->client, &(struct client_paged){"runs", params, "runs"}, keep_run, &e);
    free(params);
    put_entries(k, &e);
}

/* --- parameters and their values -------------------------------------------------------------- */

/* Those of the sweep that is named or the newest; NULL: not known. reply is the caller's to
 * release where there are some. */
static const struct json *ask_parameters(struct completion *k, struct rpc_reply *reply)
{
    char *member = sweep_member(k), *params = xasprintf("{%s}", member);
    int status = client_call(k->client, "show", params, reply);
    free(params);
    free(member);
    if (status != CLIENT_DONE)
        return NULL;
    const struct json *sweep = json_get(reply->result, "sweep");
    const struct json *parameters = json_get(json_get(sweep, "spec"), "parameters");
    if (parameters == NULL)
        rpc_reply_finish(reply);
    return parameters;
}

static void put_parameter(struct completion *k, const struct json *parameter, const char *behind)
{
    char says[120], *word = xasprintf("%s%s", json_key(parameter), behind);
    json_excerpt(parameter, says, sizeof says);
    complete_put(k, word, says);
    free(word);
}

static void put_objectives(struct completion *k, const struct json *show)
{
    const struct json *sweep = json_get(show, "sweep");
    const struct json *v = json_first(json_get(json_get(sweep, "spec"), "objectives"));
    for (; v != NULL; v = json_next(v))
        complete_put(k, member_string(v, "name", ""), member_string(v, "goal", ""));
}

void complete_parameters(struct completion *k)
{
    struct rpc_reply reply;
    const struct json *parameters = ask_parameters(k, &reply);
    const char *kind = complete_argument(k, "KIND");
    if (parameters == NULL)
        return;
    if (kind != NULL && strcmp(kind, "pareto") == 0) /* its axes are objectives */
        put_objectives(k, reply.result);
    else
        for (const struct json *v = json_first(parameters); v != NULL; v = json_next(v))
            put_parameter(k, v, "");
    rpc_reply_finish(&reply);
}

static bool is_given(const struct completion *k, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < k->argument_count; i++)
        if (strncmp(k->arguments[i], name, len) == 0 && k->arguments[i][len] == '=')
            return true;
    return false;
}

static void put_value(struct completion *k, const char *name, const struct json *value)
{
    char text[64];
    bool is_text = json_type(value) == JSON_STRING;
    if (!is_text)
        json_excerpt(value, text, sizeof text);
    char *word = xasprintf("%s=%s", name, is_text ? json_string(value) : text);
    complete_put(k, word, "");
    free(word);
}

/* Those that a choice of the trainer's could have beside the listed ones. */
static void put_choices(struct completion *k, const char *name, const struct json *listed)
{
    int id = setting_find(name);
    char choice[32];
    if (id < 0 || setting_get((enum setting_id)id)->type != SETTING_CHOICE)
        return;
    for (int i = 0; *setting_choice_name((enum setting_id)id, i, choice) != '\0'; i++) {
        bool there = false;
        for (const struct json *v = json_first(listed); v != NULL; v = json_next(v))
            there |= json_type(v) == JSON_STRING && strcmp(json_string(v), choice) == 0;
        char *word = xasprintf("%s=%s", name, choice);
        if (!there)
            complete_put(k, word, "");
        free(word);
    }
}

static void put_values_of(struct completion *k, const struct json *parameter)
{
    const struct json *listed = json_get(parameter, "values");
    const char *name = json_key(parameter);
    if (k->client->opts.verb == &client_verbs[VERB_extend]) {
        put_choices(k, name, listed);
        return;
    }
    for (const struct json *v = listed != NULL ? json_first(listed) : NULL; v != NULL;
         v = json_next(v))
        put_value(k, name, v);
}

void complete_values(struct completion *k)
{
    struct rpc_reply reply;
    const struct json *parameters = ask_parameters(k, &reply);
    size_t len = strcspn(k->prefix, "=");
    if (parameters == NULL)
        return;
    for (const struct json *v = json_first(parameters); v != NULL; v = json_next(v)) {
        const char *name = json_key(v);
        if (k->prefix[len] == '\0' && !is_given(k, name))
            put_parameter(k, v, "=");
        else if (strlen(name) == len && strncmp(name, k->prefix, len) == 0)
            put_values_of(k, v);
    }
    rpc_reply_finish(&reply);
}

/* --- remedies --------------------------------------------------------------------------------- */

static const struct {
    const char *name, *does;
} remedies[] = {
#define X(id, name, guide_ref, does) {name, does},
    REMEDY_MAP(X)
#undef X
};

/* What is advised for the run, the best first. */
static bool put_advice(struct completion *k, int64_t run)
{
    struct rpc_reply reply;
    if (client_call_id(k->client, "explain", "run", run, &reply) != CLIENT_DONE)
        return false;
    const struct json *list = json_get(reply.result, "remedies");
    bool some = list != NULL && json_first(list) != NULL;
    for (const struct json *v = some ? json_first(list) : NULL; v != NULL; v = json_next(v))
        complete_put(k, member_string(v, "remedy", ""), member_string(v, "does", ""));
    rpc_reply_finish(&reply);
    return some;
}

void complete_remedies(struct completion *k)
{
    int64_t run;
    const char *named = complete_argument(k, "RUN");
    if (named != NULL && opts_positive(named, &run) == 0 && put_advice(k, run))
        return;
    for (size_t i = 0; i < ARRAY_LEN(remedies); i++)
        complete_put(k, remedies[i].name, remedies[i].does);
}
