/* A study of Optuna's database (SQLite, schema version 12): trials that have ended, their
 * parameters, values and intermediate values. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/database.h"
#include "client/import/source.h"
#include "sweep/err.h"
#include "sweep/json.h"

struct study_reading {
    const struct import_wish *wish;
    struct history *h;
    struct buf names; /* of studies, for a message */
    size_t studies, directions, left_out;
    int64_t study;    /* -1: none yet */
    int64_t *trials;  /* ids of h->runs, ascending where they are numbered so */
    size_t trial_cap, last;
    int64_t first_step; /* the lowest of all steps */
};

static bool is_optuna(const char *path)
{
    struct errbuf why;
    struct foreign_database *d = foreign_database_open(path, &why);
    bool is = d != NULL && foreign_database_has(d, "studies") &&
              foreign_database_has(d, "trial_params");
    foreign_database_close(d);
    return is;
}

/* --- the study ------------------------------------------------------------------------------- */

static int take_study(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct study_reading *r = arg;
    (void)err;
    r->studies++;
    if (r->names.len < 400)
        buf_printf(&r->names, "%s%.100s", r->names.len > 0 ? ", " : "", c[1].text);
    if (r->wish->study != NULL && strcmp(r->wish->study, c[1].text) != 0)
        return 0;
    r->study = c[0].integer;
    free(r->h->name);
    r->h->name = xstrdup(c[1].text);
    return 0;
}

static int choose_study(struct foreign_database *d, struct study_reading *r, struct errbuf *err)
{
    const struct foreign_query q = {"SELECT study_id, study_name FROM studies ORDER BY study_id", 0,
                                    NULL};
    r->study = -1;
    int rc = foreign_database_each(d, &q, take_study, r, err);
    if (rc != 0)
        return rc;
    if (r->wish->study == NULL && r->studies > 1)
        return err_set(err, ERR_MISSING, "%s holds %zu studies: --study names one of %s",
                       r->wish->path, r->studies, r->names.data);
    if (r->study < 0)
        return err_bad(err, ERR_VALUE, "--study", r->wish->study != NULL ? r->wish->study : "",
                       "one of %s", r->names.len > 0 ? r->names.data : "none: there is no study");
    return 0;
}

static int take_direction(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct study_reading *r = arg;
    (void)err;
    r->directions++;
    r->h->maximize = strcmp(c[0].text, "MAXIMIZE") == 0;
    return 0;
}

static int take_metric_names(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct study_reading *r = arg;
    struct json *names = json_parse(c[0].text, strlen(c[0].text), NULL);
    const struct json *first = names != NULL && json_type(names) == JSON_ARRAY ? json_first(names)
                                                                              : NULL;
    (void)err;
    if (first != NULL && json_type(first) == JSON_STRING && *json_string(first) != '\0') {
        free(r->h->metric);
        r->h->metric = xstrdup(json_string(first));
    }
    json_destroy(names);
    return 0;
}

static int read_study(struct foreign_database *d, struct study_reading *r, struct errbuf *err)
{
    const struct foreign_query directions = {
        "SELECT direction FROM study_directions WHERE study_id = ?1 ORDER BY objective", r->study,
        NULL};
    const struct foreign_query names = {"SELECT value_json FROM study_system_attributes WHERE "
                                        "study_id = ?1 AND \"key\" = 'study:metric_names'",
                                        r->study, NULL};
    r->h->metric = xstrdup("value");
    int rc = foreign_database_each(d, &directions, take_direction, r, err);
    if (rc == 0 && r->directions != 1)
        return err_set(err, ERR_VALUE, "study %s has %zu objectives; one is imported", r->h->name,
                       r->directions);
    if (rc == 0)
        rc = foreign_database_each(d, &names, take_metric_names, r, err);
    if (rc == 0 && r->wish->metric != NULL) {
        free(r->h->metric);
        r->h->metric = xstrdup(r->wish->metric);
    }
    return rc == 0 && r->wish->goal != NULL ? import_goal(r->wish, r->h, err) : rc;
}

/* --- trials ---------------------------------------------------------------------------------- */

static int take_trial(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct study_reading *r = arg;
    const char *state = c[2].text;
    bool complete = strcmp(state, "COMPLETE") == 0, pruned = strcmp(state, "PRUNED") == 0;
    if (!complete && !pruned && strcmp(state, "FAIL") != 0) {
        r->left_out++;
        return 0;
    }
    struct history_run *run = history_add_run(r->h);
    r->trials = array_room(r->trials, &r->trial_cap, r->h->run_count - 1, sizeof *r->trials);
    r->trials[r->h->run_count - 1] = c[0].integer;
    run->status = complete ? RUN_COMPLETED : pruned ? RUN_STOPPED : RUN_FAILED;
    run->reason = xasprintf("trial %" PRId64 " of study %.100s", c[1].integer, r->h->name);
    run->text = pruned ? xstrdup("pruned by Optuna")
                       : complete ? NULL : xstrdup("failed in Optuna");
    run->started = import_time(c[3].text);
    run->ended = import_time(c[4].text);
    return history_check(r->h, r->wish->path, err);
}

/* Rows come by trial: mostly the one of the row before, or the next. NULL: it is left out. */
static struct history_run *run_of(struct study_reading *r, int64_t trial)
{
    size_t n = r->h->run_count;
    for (size_t i = 0; i < n; i++) {
        size_t at = (r->last + i) % n;
        if (r->trials[at] != trial)
            continue;
        r->last = at;
        return &r->h->runs[at];
    }
    return NULL;
}

/* The place of a choice in its list. */
static struct history_value choice(const struct json *choices, double place)
{
    size_t i = 0;
    const struct json *v = json_first(choices);
    for (; v != NULL && (double)i < place; i++)
        v = json_next(v);
    double number;
    if (v != NULL && json_type(v) == JSON_BOOL)
        return (struct history_value){HISTORY_SWITCH, json_bool(v), NULL};
    if (v != NULL && json_type(v) == JSON_NUMBER && json_real(v, &number) == 0)
        return (struct history_value){HISTORY_NUMBER, number, NULL};
    if (v != NULL && json_type(v) == JSON_STRING)
        return (struct history_value){HISTORY_TEXT, 0, xstrdup(json_string(v))};
    return (struct history_value){HISTORY_TEXT, 0, xstrdup("null")};
}

static void see_range(struct history_parameter *p, const struct json *attributes)
{
    const struct json *low = json_get(attributes, "low"), *high = json_get(attributes, "high");
    const struct json *log = json_get(attributes, "log");
    double a, b;
    if (low == NULL || high == NULL || json_real(low, &a) != 0 || json_real(high, &b) != 0 ||
        !isfinite(a) || !isfinite(b) || a > b)
        return;
    p->low = p->has_range ? fmin(p->low, a) : a;
    p->high = p->has_range ? fmax(p->high, b) : b;
    p->has_range = true;
    p->logarithmic = log != NULL && json_type(log) == JSON_BOOL && json_bool(log);
}

static int take_param(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct study_reading *r = arg;
    struct history_run *run = run_of(r, c[0].integer);
    struct json *distribution = json_parse(c[3].text, strlen(c[3].text), NULL);
    const struct json *attributes = json_get(distribution, "attributes");
    const struct json *choices = json_get(attributes, "choices");
    bool number = c[2].type == FOREIGN_REAL || c[2].type == FOREIGN_INTEGER;
    if (run != NULL && number && isfinite(c[2].number)) {
        size_t at = history_parameter(r->h, c[1].text);
        bool listed = choices != NULL && json_type(choices) == JSON_ARRAY;
        if (!listed)
            see_range(&r->h->parameters[at], attributes);
        history_set(run, at,
                    listed ? choice(choices, c[2].number)
                           : (struct history_value){HISTORY_NUMBER, c[2].number, NULL});
    }
    json_destroy(distribution);
    return history_check(r->h, r->wish->path, err);
}

/* FINITE, INF_POS, INF_NEG or NAN. */
static bool number_of(const struct foreign_cell *value, const char *type, double *out)
{
    bool number = value->type == FOREIGN_REAL || value->type == FOREIGN_INTEGER;
    if (strcmp(type, "INF_POS") == 0)
        *out = INFINITY;
    else if (strcmp(type, "INF_NEG") == 0)
        *out = -INFINITY;
    else if (strcmp(type, "NAN") == 0)
        *out = NAN;
    else if (number)
        *out = value->number;
    else
        return false;
    return true;
}

static int take_value(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct study_reading *r = arg;
    struct history_run *run = run_of(r, c[0].integer);
    (void)err;
    if (run != NULL)
        run->has_final = number_of(&c[1], c[2].text, &run->final);
    return 0;
}

static int take_first_step(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct study_reading *r = arg;
    (void)err;
    r->first_step = c[0].type == FOREIGN_INTEGER ? c[0].integer : 1;
    return 0;
}

/* Epochs count from 1. */
static int take_intermediate(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct study_reading *r = arg;
    struct history_run *run = run_of(r, c[0].integer);
    double value, shift = r->first_step < 1 ? 1 - (double)r->first_step : 0;
    (void)err;
    if (run != NULL && number_of(&c[2], c[3].text, &value))
        history_add_point(r->h, run, (double)c[1].integer + shift, r->h->metric, value);
    return 0;
}

#define TRIALS "FROM trials AS t JOIN "
#define OF_STUDY " WHERE t.study_id = ?1 ORDER BY t.number"

static int read_trials(struct foreign_database *d, struct study_reading *r, struct errbuf *err)
{
    static const struct foreign_step steps[] = {
        {"SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials AS t"
         OF_STUDY, take_trial},
        {"SELECT t.trial_id, p.param_name, p.param_value, p.distribution_json " TRIALS
         "trial_params AS p ON p.trial_id = t.trial_id" OF_STUDY, take_param},
        {"SELECT t.trial_id, v.value, v.value_type " TRIALS
         "trial_values AS v ON v.trial_id = t.trial_id AND v.objective = 0" OF_STUDY, take_value},
        {"SELECT min(i.step) " TRIALS
         "trial_intermediate_values AS i ON i.trial_id = t.trial_id WHERE t.study_id = ?1",
         take_first_step},
        {"SELECT t.trial_id, i.step, i.intermediate_value, i.intermediate_value_type " TRIALS
         "trial_intermediate_values AS i ON i.trial_id = t.trial_id" OF_STUDY, take_intermediate},
    };
    return foreign_database_steps(d, steps, sizeof steps / sizeof steps[0], r->study, r, err);
}

static int read_optuna(const struct import_wish *wish, struct history *out, struct errbuf *err)
{
    struct study_reading r = {.wish = wish, .h = out};
    struct foreign_database *d = foreign_database_open(wish->path, err);
    if (d == NULL)
        return ERR_IO;
    int rc = choose_study(d, &r, err);
    if (rc == 0)
        rc = read_study(d, &r, err);
    if (rc == 0) {
        out->source = xasprintf("Optuna: %s, study %.100s", wish->path, out->name);
        rc = read_trials(d, &r, err);
    }
    if (rc == 0 && r.left_out > 0)
        history_note(out, "%zu trials that wait or run are left out", r.left_out);
    if (rc == 0 && r.first_step < 1 && out->point_count > 0)
        history_note(out, "steps from %" PRId64 " on are epochs from 1 on", r.first_step);
    foreign_database_close(d);
    buf_finish(&r.names);
    free(r.trials);
    return rc;
}

const struct import_source import_source_optuna = {is_optuna, read_optuna};
