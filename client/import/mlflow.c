/* An experiment of MLflow's database (SQLite): runs that have ended, their parameters and the
 * history of their metrics. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/database.h"
#include "client/import/source.h"
#include "sweep/curve_title.h"
#include "sweep/err.h"

#define ID_MAX 64

struct experiment_reading {
    const struct import_wish *wish;
    struct history *h;
    struct buf names; /* of experiments or metrics, for a message */
    size_t experiments, metrics, left_out;
    int64_t experiment; /* -1: none yet */
    char (*ids)[ID_MAX]; /* of h->runs */
    size_t id_cap, last;
    bool found;
    int64_t low_step, high_step;
    double count; /* points of one metric of one run so far, … */
    char counted[ID_MAX + 300]; /* … of this one */
};

static bool is_mlflow(const char *path)
{
    struct errbuf why;
    struct foreign_database *d = foreign_database_open(path, &why);
    bool is = d != NULL && foreign_database_has(d, "experiments") &&
              foreign_database_has(d, "latest_metrics");
    foreign_database_close(d);
    return is;
}

static void list_name(struct experiment_reading *r, const char *name)
{
    if (r->names.len < 600)
        buf_printf(&r->names, "%s%.100s", r->names.len > 0 ? ", " : "", name);
}

/* --- the experiment -------------------------------------------------------------------------- */

static int take_experiment(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct experiment_reading *r = arg;
    (void)err;
    r->experiments++;
    list_name(r, c[1].text);
    if (r->wish->study != NULL && strcmp(r->wish->study, c[1].text) != 0)
        return 0;
    r->experiment = c[0].integer;
    free(r->h->name);
    r->h->name = xstrdup(c[1].text);
    return 0;
}

/* Those with runs. */
static int choose_experiment(struct foreign_database *d, struct experiment_reading *r,
                             struct errbuf *err)
{
    const struct foreign_query q = {
        "SELECT e.experiment_id, e.name FROM experiments AS e WHERE EXISTS (SELECT 1 FROM runs AS "
        "r WHERE r.experiment_id = e.experiment_id) ORDER BY e.experiment_id", 0, NULL};
    r->experiment = -1;
    int rc = foreign_database_each(d, &q, take_experiment, r, err);
    if (rc != 0)
        return rc;
    if (r->wish->study == NULL && r->experiments > 1)
        return err_set(err, ERR_MISSING, "%s holds %zu experiments: --study names one of %s",
                       r->wish->path, r->experiments, r->names.data);
    if (r->experiment < 0)
        return err_bad(err, ERR_VALUE, "--study", r->wish->study != NULL ? r->wish->study : "",
                       "one of %s", r->names.len > 0 ? r->names.data : "none: no run is there");
    return 0;
}

/* --- the metric ------------------------------------------------------------------------------ */

static int take_metric_name(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct experiment_reading *r = arg;
    enum curve_column column;
    int rank;
    const char *name = c[0].text, *wish = r->wish->metric;
    (void)err;
    r->metrics++;
    list_name(r, name);
    bool fits = wish != NULL ? strcmp(wish, name) == 0
                             : curve_title_column(name, &column, &rank) &&
                                   column == CURVE_VAL_LOSS && !r->found;
    if (!fits && !(wish == NULL && r->h->metric == NULL))
        return 0;
    r->found = r->found || fits;
    free(r->h->metric);
    r->h->metric = xstrdup(name);
    return 0;
}

static int choose_metric(struct foreign_database *d, struct experiment_reading *r,
                         struct errbuf *err)
{
    const struct foreign_query q = {
        "SELECT DISTINCT m.\"key\" FROM metrics AS m JOIN runs AS r ON r.run_uuid = m.run_uuid "
        "WHERE r.experiment_id = ?1 ORDER BY 1", r->experiment, NULL};
    buf_clear(&r->names);
    int rc = foreign_database_each(d, &q, take_metric_name, r, err);
    if (rc != 0)
        return rc;
    if (r->metrics == 0)
        return err_set(err, ERR_DATA, "%s: experiment %s has no metrics", r->wish->path,
                       r->h->name);
    if (r->wish->metric != NULL && !r->found)
        return err_bad(err, ERR_VALUE, "--metric", r->wish->metric, "one of %s", r->names.data);
    if (r->wish->metric == NULL && !r->found && r->metrics > 1)
        return err_set(err, ERR_MISSING, "which metric is searched for: --metric names one of %s",
                       r->names.data);
    if (r->wish->metric == NULL && r->metrics > 1)
        history_note(r->h, "ranked by %s (--metric says otherwise)", r->h->metric);
    return import_goal(r->wish, r->h, err);
}

/* --- runs ------------------------------------------------------------------------------------ */

static int take_run(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct experiment_reading *r = arg;
    const char *status = c[1].text;
    bool finished = strcmp(status, "FINISHED") == 0, killed = strcmp(status, "KILLED") == 0;
    if (!finished && !killed && strcmp(status, "FAILED") != 0) {
        r->left_out++;
        return 0;
    }
    struct history_run *run = history_add_run(r->h);
    size_t at = r->h->run_count - 1;
    r->ids = array_room(r->ids, &r->id_cap, at, sizeof *r->ids);
    str_copy(r->ids[at], ID_MAX, c[0].text);
    run->status = finished ? RUN_COMPLETED : killed ? RUN_STOPPED : RUN_FAILED;
    run->reason = xasprintf("run %.40s of experiment %.80s", c[0].text, r->h->name);
    run->text = finished ? NULL : xstrdup(killed ? "killed in MLflow" : "failed in MLflow");
    run->started = c[2].type == FOREIGN_INTEGER && c[2].integer > 0 &&
                           c[2].integer < INT64_C(4102444800000)
                       ? c[2].integer * 1000
                       : 0;
    run->ended = c[3].type == FOREIGN_INTEGER && c[3].integer > 0 &&
                         c[3].integer < INT64_C(4102444800000)
                     ? c[3].integer * 1000
                     : 0;
    return history_check(r->h, r->wish->path, err);
}

static struct history_run *run_of(struct experiment_reading *r, const char *id)
{
    size_t n = r->h->run_count;
    for (size_t i = 0; i < n; i++) {
        size_t at = (r->last + i) % n;
        if (strcmp(r->ids[at], id) != 0)
            continue;
        r->last = at;
        return &r->h->runs[at];
    }
    return NULL;
}

static int take_param(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct experiment_reading *r = arg;
    struct history_run *run = run_of(r, c[0].text);
    if (run != NULL)
        history_set(run, history_parameter(r->h, c[1].text), history_read(c[2].text));
    return history_check(r->h, r->wish->path, err);
}

static int take_steps(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct experiment_reading *r = arg;
    (void)err;
    r->low_step = c[0].integer;
    r->high_step = c[1].integer;
    return 0;
}

/* Steps from 0 are epochs from 1; where nobody counted, in the order of time. */
static double epoch_of(struct experiment_reading *r, const struct foreign_cell *c)
{
    char which[sizeof r->counted];
    if (r->high_step > r->low_step)
        return (double)c[2].integer + (r->low_step < 1 ? 1 - (double)r->low_step : 0);
    str_copy(which, ID_MAX, c[0].text);
    str_copy(which + strlen(which), 300, c[1].text);
    if (strcmp(which, r->counted) != 0)
        r->count = 0;
    str_copy(r->counted, sizeof r->counted, which);
    return ++r->count;
}

static int take_measurement(void *arg, const struct foreign_cell *c, struct errbuf *err)
{
    struct experiment_reading *r = arg;
    struct history_run *run = run_of(r, c[0].text);
    bool number = c[3].type == FOREIGN_REAL || c[3].type == FOREIGN_INTEGER;
    double value = c[4].integer != 0 ? NAN : c[3].number;
    (void)err;
    if (run == NULL || (!number && c[4].integer == 0))
        return 0;
    if (fabs(value) >= 1.7976931348623157e308) /* how it writes an infinity */
        value = value > 0 ? INFINITY : -INFINITY;
    history_add_point(r->h, run, epoch_of(r, c), c[1].text, value);
    return 0;
}

#define OF_RUNS "JOIN runs AS r ON r.run_uuid = m.run_uuid WHERE r.experiment_id = ?1 "

static int read_runs(struct foreign_database *d, struct experiment_reading *r, struct errbuf *err)
{
    static const struct foreign_step steps[] = {
        {"SELECT run_uuid, status, start_time, end_time FROM runs WHERE experiment_id = ?1 AND "
         "lifecycle_stage = 'active' ORDER BY start_time, run_uuid", take_run},
        {"SELECT m.run_uuid, m.\"key\", m.value FROM params AS m " OF_RUNS
         "ORDER BY r.start_time, m.run_uuid, m.\"key\"", take_param},
        {"SELECT min(m.step), max(m.step) FROM metrics AS m " OF_RUNS, take_steps},
        {"SELECT m.run_uuid, m.\"key\", m.step, m.value, m.is_nan FROM metrics AS m " OF_RUNS
         "ORDER BY r.start_time, m.run_uuid, m.\"key\", m.step, m.timestamp, m.value",
         take_measurement},
    };
    return foreign_database_steps(d, steps, sizeof steps / sizeof steps[0], r->experiment, r, err);
}

static int read_mlflow(const struct import_wish *wish, struct history *out, struct errbuf *err)
{
    struct experiment_reading r = {.wish = wish, .h = out};
    struct foreign_database *d = foreign_database_open(wish->path, err);
    if (d == NULL)
        return ERR_IO;
    int rc = choose_experiment(d, &r, err);
    if (rc == 0)
        rc = choose_metric(d, &r, err);
    if (rc == 0) {
        out->source = xasprintf("MLflow: %s, experiment %.100s", wish->path, out->name);
        rc = read_runs(d, &r, err);
    }
    if (rc == 0 && r.left_out > 0)
        history_note(out, "%zu runs that have not ended are left out", r.left_out);
    foreign_database_close(d);
    buf_finish(&r.names);
    free(r.ids);
    return rc;
}

const struct import_source import_source_mlflow = {is_mlflow, read_mlflow};
