#include "client/optuna/optuna.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/new_file.h"
#include "client/optuna/distribution.h"
#include "client/optuna/tables.h"
#include "sweep/curve.h"
#include "sweep/require.h"
#include "sweep/run.h"
#include "sweep/spec.h"

#define NAME_MAX_BYTES 512 /* of a study */

struct exported {
    struct client *client;
    struct tables *tables;
    const struct json *sweep; /* the row of `show` */
    struct spec spec;
    struct optuna_parameter *parameters; /* one of each dimension */
    char **distributions;                /* their texts */
    struct json **runs;                  /* rows of `runs`, in their order */
    size_t run_count, run_cap;
    size_t points, states[3]; /* counted: intermediate values; COMPLETE, PRUNED, FAIL */
    int rc;
    struct errbuf *err;
};

/* The first failure stays. */
static void insert(struct exported *e, enum tables_insert i, const struct tables_value *values)
{
    if (e->rc == 0)
        e->rc = tables_insert(e->tables, i, values, e->err);
}

/* --- what is asked for ---------------------------------------------------------------------------
 */

static void keep_run(void *arg, const struct json *run)
{
    struct exported *e = arg;
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_value(&w, run);
    e->runs = array_room(e->runs, &e->run_cap, e->run_count, sizeof *e->runs);
    e->runs[e->run_count] = json_parse(text.data, text.len, NULL);
    e->run_count += e->runs[e->run_count] != NULL;
    buf_finish(&text);
}

/* NAN: absent. */
static double value_of(const struct dimension *d, const struct json *run)
{
    const struct json *v = json_get(json_get(run, "params"), d->name);
    struct errbuf why;
    double value;
    return v != NULL && dimension_from_json(d, v, "$", &value, &why) == 0 ? value : NAN;
}

/* Over all runs first: every trial says the same distributions. */
static void see_values(struct exported *e)
{
    const struct space *s = &e->spec.space;
    e->parameters = xcalloc(s->count + 1, sizeof *e->parameters);
    e->distributions = xcalloc(s->count + 1, sizeof *e->distributions);
    for (size_t i = 0; i < s->count; i++) {
        struct buf text = {0};
        optuna_parameter_init(&e->parameters[i], &s->dimensions[i]);
        for (size_t k = 0; k < e->run_count; k++) {
            double value = value_of(&s->dimensions[i], e->runs[k]);
            if (!isnan(value))
                optuna_parameter_see(&e->parameters[i], value);
        }
        optuna_parameter_write(&e->parameters[i], &text);
        e->distributions[i] = buf_take(&text);
    }
}

/* --- the study -----------------------------------------------------------------------------------
 */

/* A text as JSON; the caller frees. */
static char *json_text(const char *text)
{
    struct buf out = {0};
    struct json_writer w;
    jw_init(&w, &out);
    jw_string(&w, text);
    return buf_take(&out);
}

static void study_attribute(struct exported *e, enum tables_insert table, const char *key,
                            const char *json)
{
    insert(e, table, (struct tables_value[]){tables_text(key), tables_text(json)});
}

/* A member as it is, where it is something. */
static char *member_json(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    struct buf out = {0};
    struct json_writer w;
    if (v == NULL || json_type(v) == JSON_NULL)
        return NULL;
    jw_init(&w, &out);
    jw_value(&w, v);
    return buf_take(&out);
}

static void add_study(struct exported *e)
{
    static const char *const kept[] = {"id",      "status", "reason", "method",
                                       "run_cap", "epochs", "spec"};
    char name[NAME_MAX_BYTES];
    const char *given = member_string(e->sweep, "name", "");
    char *fallback = xasprintf("sweep %lld", (long long)member_int(e->sweep, "id", 0));
    str_copy(name, sizeof name, *given != '\0' ? given : fallback);
    insert(e, TABLES_STUDY, (struct tables_value[]){tables_integer(1), tables_text(name)});
    insert(e, TABLES_DIRECTION,
           (struct tables_value[]){tables_text(e->spec.maximize ? "MAXIMIZE" : "MINIMIZE"),
                                   tables_integer(1)});
    study_attribute(e, TABLES_STUDY_USER, "exported_by", "\"sweepd " SWEEPD_VERSION "\"");
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        char *json = member_json(e->sweep, kept[i]);
        if (json != NULL)
            study_attribute(e, TABLES_STUDY_USER, kept[i], json);
        free(json);
    }
    char *metric = json_text(spec_metric_name(&e->spec));
    char *names = xasprintf("[%s]", metric);
    study_attribute(e, TABLES_STUDY_SYSTEM, "study:metric_names", names);
    free(names);
    free(metric);
    free(fallback);
}

/* --- trials --------------------------------------------------------------------------------------
 */

/* One that a rule stopped is pruned; but the sweep's best is complete, for among those Optuna looks
 * for its own. One that ended without a number has failed there. */
static const char *state_of(struct exported *e, const struct json *run)
{
    int status = run_status_find(member_string(run, "status", ""));
    bool has_value = isfinite(member_real(run, "metric_value", NAN));
    bool best = member_int(run, "run_id", 0) == member_int(e->sweep, "best_run", -1);
    if (status == RUN_QUEUED)
        return "WAITING";
    if (status == RUN_RUNNING || status == RUN_PAUSED)
        return "RUNNING";
    if (has_value && (status == RUN_COMPLETED || (status == RUN_STOPPED && best))) {
        e->states[0]++;
        return "COMPLETE";
    }
    if (status == RUN_STOPPED && has_value) {
        e->states[1]++;
        return "PRUNED";
    }
    e->states[2]++;
    return "FAIL";
}

/* "2026-01-31 22:05:09.123" with the six digits that are read there; NULL: none. The caller frees.
 */
static char *time_of(const struct json *run, const char *key)
{
    const char *text = member_string(run, key, "");
    return strlen(text) == strlen("2026-01-31 22:05:09.123") ? xasprintf("%s000", text) : NULL;
}

static void add_attributes(struct exported *e, int64_t trial, const struct json *run)
{
    static const struct {
        const char *key, *name;
    } kept[] = {
        {"run_id", "run_id"},
        {"label", "label"},
        {"cause", "cause"},
        {"confidence", "confidence"},
        {"remedy", "remedy"},
        {"status", "status"},
        {"kind", "kind"},
        {"stage", "stage"},
        {"reason", "reason"},
        {"stop_reason", "stop_reason"},
        {"error_class", "error"},
        {"error_text", "error_text"},
        {"parent_id", "parent_run"},
        {"treated_with", "treated_with"},
        {"cured", "cured"},
        {"change", "change"},
        {"best_epoch", "best_epoch"},
        {"epochs_done", "epochs_done"},
        {"seconds", "seconds"},
        {"val_loss", "val_loss"},
        {"val_acc", "val_acc"},
        {"test_loss", "test_loss"},
        {"test_acc", "test_acc"},
        {"metric_value", "metric_value"},
    };
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        char *json = member_json(run, kept[i].key);
        if (json != NULL)
            insert(e, TABLES_TRIAL_USER,
                   (struct tables_value[]){tables_integer(trial), tables_text(kept[i].name),
                                           tables_text(json)});
        free(json);
    }
}

static void add_params(struct exported *e, int64_t trial, const struct json *run)
{
    const struct space *s = &e->spec.space;
    for (size_t i = 0; i < s->count; i++) {
        double value = value_of(&s->dimensions[i], run);
        if (isnan(value) || s->dimensions[i].distribution == DISTRIBUTION_CONSTANT)
            continue;
        insert(
            e, TABLES_PARAM,
            (struct tables_value[]){tables_integer(trial), tables_text(s->dimensions[i].name),
                                    tables_real(optuna_parameter_value(&e->parameters[i], value)),
                                    tables_text(e->distributions[i])});
    }
}

struct series {
    struct exported *e;
    int64_t trial;
    const char *column;
};

/* Its step is the number of the point: epochs may be fractions. */
static void add_point(void *arg, const struct json *point)
{
    struct series *s = arg;
    const struct json *v = json_get(point, s->column);
    double value;
    if (v == NULL || json_real(v, &value) != 0)
        return;
    const char *type = isnan(value)      ? "NAN"
                       : isfinite(value) ? "FINITE"
                       : value > 0       ? "INF_POS"
                                         : "INF_NEG";
    insert(s->e, TABLES_INTERMEDIATE,
           (struct tables_value[]){tables_integer(s->trial),
                                   tables_integer(member_int(point, "point", 0)),
                                   tables_real(isfinite(value) ? value : NAN), tables_text(type)});
    s->e->points++;
}

/* The metric at each point; of one that a program named itself, its validation loss. */
static int add_curve(struct exported *e, int64_t trial, int64_t run)
{
    struct series s = {e, trial,
                       curve_column_name(e->spec.metric == METRIC_NAMED
                                             ? CURVE_VAL_LOSS
                                             : metric_column(e->spec.metric))};
    char *params = xasprintf("\"run\":%lld", (long long)run);
    int status =
        client_pages(e->client, &(struct client_paged){"curve", params, "points"}, add_point, &s);
    free(params);
    return status;
}

static int add_trial(struct exported *e, size_t i)
{
    const struct json *run = e->runs[i];
    int64_t trial = (int64_t)i + 1;
    const char *state = state_of(e, run);
    char *start = time_of(run, "started_at"), *end = time_of(run, "ended_at");
    bool over = strcmp(state, "RUNNING") != 0 && strcmp(state, "WAITING") != 0;
    insert(e, TABLES_TRIAL,
           (struct tables_value[]){tables_integer(trial), tables_integer((int64_t)i),
                                   tables_text(state), tables_text(start),
                                   tables_text(over ? end : NULL)});
    free(start);
    free(end);
    add_params(e, trial, run);
    if (strcmp(state, "COMPLETE") == 0 || strcmp(state, "PRUNED") == 0)
        insert(e, TABLES_VALUE,
               (struct tables_value[]){tables_integer(trial),
                                       tables_real(member_real(run, "metric_value", NAN))});
    add_attributes(e, trial, run);
    return add_curve(e, trial, member_int(run, "run_id", 0));
}

/* --- the file ------------------------------------------------------------------------------------
 */

static int write_file(struct exported *e, const char *path)
{
    struct new_file file;
    struct buf bytes = {0};
    struct client *c = e->client;
    int rc = e->rc != 0 ? e->rc : tables_bytes(e->tables, &bytes, e->err);
    new_file_init(&file, path, opts_has(&c->opts, OPTION_FORCE));
    if (rc == 0)
        rc = new_file_write(&file, bytes.data, bytes.len, e->err);
    if (rc == 0)
        rc = new_file_commit(&file, e->err);
    new_file_abandon(&file);
    buf_finish(&bytes);
    if (rc != 0)
        return client_fail(c, CLIENT_REFUSED, e->err);
    fprintf(c->out,
            "study of sweep %lld: %zu trials (%zu complete, %zu pruned, %zu failed), %zu "
            "intermediate values in %s\n",
            (long long)member_int(e->sweep, "id", 0), e->run_count, e->states[0], e->states[1],
            e->states[2], e->points, path);
    return CLIENT_DONE;
}

static int fill(struct exported *e)
{
    char *params = xasprintf("\"sweep\":%lld", (long long)member_int(e->sweep, "id", 0));
    int status =
        client_pages(e->client, &(struct client_paged){"runs", params, "runs"}, keep_run, e);
    free(params);
    if (status != CLIENT_DONE)
        return status;
    see_values(e);
    add_study(e);
    for (size_t i = 0; i < e->run_count && status == CLIENT_DONE && e->rc == 0; i++)
        status = add_trial(e, i);
    return status;
}

static void exported_finish(struct exported *e)
{
    for (size_t i = 0; i < e->spec.space.count && e->parameters != NULL; i++) {
        optuna_parameter_finish(&e->parameters[i]);
        free(e->distributions[i]);
    }
    for (size_t i = 0; i < e->run_count; i++)
        json_destroy(e->runs[i]);
    free(e->parameters);
    free(e->distributions);
    free(e->runs);
    spec_finish(&e->spec);
    tables_destroy(e->tables);
    free(e);
}

int optuna_export(struct client *c, int64_t sweep, const char *path)
{
    struct rpc_reply show;
    struct errbuf err;
    struct exported *e = xcalloc(1, sizeof *e);
    int status = client_call_id(c, "show", "sweep", sweep, &show);
    if (status != CLIENT_DONE) {
        free(e);
        return status;
    }
    e->client = c;
    e->err = &err;
    e->sweep = json_get(show.result, "sweep");
    int rc = spec_parse(json_get(e->sweep, "spec"), &e->spec, &err);
    if (rc == 0 && (e->tables = tables_create(&err)) == NULL)
        rc = err.code;
    status = rc != 0 ? client_fail(c, CLIENT_REFUSED, &err) : fill(e);
    if (status == CLIENT_DONE)
        status = write_file(e, path);
    rpc_reply_finish(&show);
    exported_finish(e);
    return status;
}
