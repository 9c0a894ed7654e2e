/* A sweep as a study of Optuna: a database that it and its dashboard open. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/export/distribution.h"
#include "client/export/form.h"
#include "client/export/tables.h"
#include "client/new_file.h"
#include "sweep/curve.h"
#include "sweep/require.h"

#define NAME_MAX_BYTES 512 /* of a study */

static const char *const states[EXPORTED_STATE_COUNT] = {
    [EXPORTED_WAITING] = "WAITING", [EXPORTED_RUNNING] = "RUNNING",
    [EXPORTED_COMPLETE] = "COMPLETE", [EXPORTED_PRUNED] = "PRUNED", [EXPORTED_FAILED] = "FAIL",
};

struct study_file {
    struct exported *e;
    struct tables *tables;
    struct optuna_parameter *parameters; /* one of each dimension */
    char **distributions;                /* their texts */
    int64_t trial;                       /* in hand */
    int rc;
};

/* The first failure stays. */
static void insert(struct study_file *f, enum tables_insert i, const struct tables_value *values)
{
    if (f->rc == 0)
        f->rc = tables_insert(f->tables, i, values, &f->e->err);
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
static void see_values(struct study_file *f)
{
    const struct space *s = &f->e->spec.space;
    f->parameters = xcalloc(s->count + 1, sizeof *f->parameters);
    f->distributions = xcalloc(s->count + 1, sizeof *f->distributions);
    for (size_t i = 0; i < s->count; i++) {
        struct buf text = {0};
        optuna_parameter_init(&f->parameters[i], &s->dimensions[i]);
        for (size_t k = 0; k < f->e->run_count; k++) {
            double value = value_of(&s->dimensions[i], f->e->runs[k]);
            if (!isnan(value))
                optuna_parameter_see(&f->parameters[i], value);
        }
        optuna_parameter_write(&f->parameters[i], &text);
        f->distributions[i] = buf_take(&text);
    }
}

/* --- the study ------------------------------------------------------------------------------- */

/* A member as it is, where it is something. The caller frees. */
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

static void study_attribute(struct study_file *f, enum tables_insert table, const char *key,
                            const char *json)
{
    insert(f, table, (struct tables_value[]){tables_text(key), tables_text(json)});
}

static size_t objective_count(const struct exported *e)
{
    return e->spec.objectives.count > 0 ? e->spec.objectives.count : 1;
}

static bool is_maximized(const struct exported *e, size_t objective)
{
    return e->spec.objectives.count > 0 ? e->spec.objectives.items[objective].maximize
                                        : e->spec.maximize;
}

/* The metrics' names, as the dashboard shows them. */
static void name_metric(struct study_file *f)
{
    struct buf out = {0};
    struct json_writer w;
    jw_init(&w, &out);
    jw_begin_array(&w);
    for (size_t i = 0; i < objective_count(f->e); i++)
        jw_string(&w, i == 0 ? f->e->metric : f->e->spec.objectives.items[i].name);
    jw_end_array(&w);
    study_attribute(f, TABLES_STUDY_SYSTEM, "study:metric_names", out.data);
    buf_finish(&out);
}

static void add_study(struct study_file *f)
{
    static const char *const kept[] = {"id",      "status", "reason", "method",
                                       "run_cap", "epochs", "spec"};
    const struct exported *e = f->e;
    char name[NAME_MAX_BYTES];
    str_copy(name, sizeof name, e->name);
    insert(f, TABLES_STUDY, (struct tables_value[]){tables_integer(1), tables_text(name)});
    for (size_t i = 0; i < objective_count(e); i++)
        insert(f, TABLES_DIRECTION,
               (struct tables_value[]){tables_text(is_maximized(e, i) ? "MAXIMIZE" : "MINIMIZE"),
                                       tables_integer(1), tables_integer((int64_t)i)});
    study_attribute(f, TABLES_STUDY_USER, "exported_by", "\"sweepd " SWEEPD_VERSION "\"");
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        char *json = member_json(e->sweep, kept[i]);
        if (json != NULL)
            study_attribute(f, TABLES_STUDY_USER, kept[i], json);
        free(json);
    }
    name_metric(f);
}

/* --- trials ---------------------------------------------------------------------------------- */

/* "2026-01-31 22:05:09.123" with the six digits that are read there; NULL: none. The caller frees.
 */
static char *time_of(const struct json *run, const char *key)
{
    const char *text = member_string(run, key, "");
    return strlen(text) == strlen("2026-01-31 22:05:09.123") ? xasprintf("%s000", text) : NULL;
}

static void add_attributes(struct study_file *f, const struct json *run)
{
    for (size_t i = 0; i < exported_attribute_count; i++) {
        char *json = member_json(run, exported_attributes[i].key);
        if (json != NULL)
            insert(f, TABLES_TRIAL_USER,
                   (struct tables_value[]){tables_integer(f->trial),
                                           tables_text(exported_attributes[i].name),
                                           tables_text(json)});
        free(json);
    }
}

static void add_params(struct study_file *f, const struct json *run)
{
    const struct space *s = &f->e->spec.space;
    for (size_t i = 0; i < s->count; i++) {
        double value = value_of(&s->dimensions[i], run);
        if (isnan(value) || s->dimensions[i].distribution == DISTRIBUTION_CONSTANT)
            continue;
        insert(f, TABLES_PARAM,
               (struct tables_value[]){
                   tables_integer(f->trial), tables_text(s->dimensions[i].name),
                   tables_real(optuna_parameter_value(&f->parameters[i], value)),
                   tables_text(f->distributions[i])});
    }
}

/* Of each constraint of the specification a number: at most 0, as they have it, where it holds. */
static void add_constraints(struct study_file *f, const struct json *run)
{
    const struct space *s = &f->e->spec.space;
    struct assignment a = {0};
    struct buf out = {0};
    struct json_writer w;
    if (s->constraint_count == 0)
        return;
    for (size_t i = 0; i < s->count; i++)
        a.v[i] = value_of(&s->dimensions[i], run);
    jw_init(&w, &out);
    jw_begin_array(&w);
    for (size_t i = 0; i < s->constraint_count; i++)
        jw_real(&w, space_constraint_holds(s, i, &a) ? 0 : 1);
    jw_end_array(&w);
    insert(f, TABLES_TRIAL_SYSTEM,
           (struct tables_value[]){tables_integer(f->trial), tables_text("constraints"),
                                   tables_text(out.data)});
    buf_finish(&out);
}

/* The metric at each point. Its step is the number of the point: epochs may be fractions. */
static void add_point(void *arg, const struct exported_point *p)
{
    struct study_file *f = arg;
    for (size_t i = 0; i < p->count; i++) {
        double value = p->values[i].value;
        if (strcmp(p->values[i].name, f->e->metric) != 0)
            continue;
        const char *type = isnan(value)      ? "NAN"
                           : isfinite(value) ? "FINITE"
                           : value > 0       ? "INF_POS"
                                             : "INF_NEG";
        insert(f, TABLES_INTERMEDIATE,
               (struct tables_value[]){tables_integer(f->trial), tables_integer(p->point),
                                       tables_real(isfinite(value) ? value : NAN),
                                       tables_text(type)});
        f->e->values++;
        return;
    }
}

/* A complete trial has a value of each: what is not known is the worst there is. */
static void add_objectives(struct study_file *f, const struct json *run)
{
    const struct json *values = json_get(run, "objectives");
    for (size_t i = 0; i < objective_count(f->e); i++) {
        double value = i == 0 ? member_real(run, "metric_value", NAN)
                              : member_real(values, f->e->spec.objectives.items[i].name, NAN);
        const char *type = isfinite(value)          ? "FINITE"
                           : is_maximized(f->e, i) ? "INF_NEG"
                                                   : "INF_POS";
        insert(f, TABLES_VALUE,
               (struct tables_value[]){tables_integer(f->trial), tables_integer((int64_t)i),
                                       tables_real(isfinite(value) ? value : NAN),
                                       tables_text(type)});
    }
}

static int add_trial(struct study_file *f, size_t i)
{
    const struct json *run = f->e->runs[i];
    enum exported_state state = exported_state_of(f->e, run);
    char *start = time_of(run, "started_at"), *end = time_of(run, "ended_at");
    bool over = state != EXPORTED_RUNNING && state != EXPORTED_WAITING;
    f->trial = (int64_t)i + 1;
    insert(f, TABLES_TRIAL,
           (struct tables_value[]){tables_integer(f->trial), tables_integer((int64_t)i),
                                   tables_text(states[state]), tables_text(start),
                                   tables_text(over ? end : NULL)});
    free(start);
    free(end);
    add_params(f, run);
    add_constraints(f, run);
    if (state == EXPORTED_COMPLETE || state == EXPORTED_PRUNED)
        add_objectives(f, run);
    add_attributes(f, run);
    return exported_points(f->e, run, add_point, f);
}

/* --- the file -------------------------------------------------------------------------------- */

static int write_file(struct study_file *f, const char *path)
{
    struct client *c = f->e->client;
    struct new_file file;
    struct buf bytes = {0};
    int rc = f->rc != 0 ? f->rc : tables_bytes(f->tables, &bytes, &f->e->err);
    new_file_init(&file, path, opts_has(&c->opts, OPTION_FORCE));
    if (rc == 0)
        rc = new_file_write(&file, bytes.data, bytes.len, &f->e->err);
    if (rc == 0)
        rc = new_file_commit(&file, &f->e->err);
    new_file_abandon(&file);
    buf_finish(&bytes);
    return rc != 0 ? client_fail(c, CLIENT_REFUSED, &f->e->err) : CLIENT_DONE;
}

static void study_file_finish(struct study_file *f)
{
    for (size_t i = 0; i < f->e->spec.space.count; i++) {
        optuna_parameter_finish(&f->parameters[i]);
        free(f->distributions[i]);
    }
    free(f->parameters);
    free(f->distributions);
    tables_destroy(f->tables);
}

static int write_optuna(struct exported *e, const char *path)
{
    struct study_file f = {.e = e, .tables = tables_create(&e->err)};
    int status = CLIENT_DONE;
    if (f.tables == NULL)
        return client_fail(e->client, CLIENT_REFUSED, &e->err);
    see_values(&f);
    add_study(&f);
    for (size_t i = 0; i < e->run_count && status == CLIENT_DONE && f.rc == 0; i++)
        status = add_trial(&f, i);
    if (status == CLIENT_DONE)
        status = write_file(&f, path);
    study_file_finish(&f);
    return status;
}

const struct export_form export_form_optuna = {"a study of Optuna", write_optuna};
