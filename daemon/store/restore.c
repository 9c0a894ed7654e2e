/* The rows the engine starts from. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/store/store.h"
#include "daemon/store/columns.h"
#include "daemon/store/point_row.h"
#include "daemon/store/sql.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const char *column_text(sqlite3_stmt *st, int c)
{
    return (const char *)sqlite3_column_text(st, c);
}

static char *column_copy(sqlite3_stmt *st, int c)
{
    const char *text = column_text(st, c);
    return text ? xstrdup(text) : NULL;
}

static void column_into(sqlite3_stmt *st, int c, char *out, size_t size)
{
    const char *text = column_text(st, c);
    str_copy(out, size, text ? text : "");
}

/* false where it was not measured (NULL). */
static bool column_maybe(sqlite3_stmt *st, int c, double *out)
{
    int type = sqlite3_column_type(st, c);
    *out = type == SQLITE_FLOAT ? sqlite3_column_double(st, c) : NAN;
    return type != SQLITE_NULL;
}

/* What an older daemon did not write is made of what it did. */
static void read_data_facts(sqlite3_stmt *st, struct sweep_row *r)
{
    const char *text = column_text(st, SWEEP_data_facts_column);
    struct errbuf why = {0};
    struct json *v = text ? json_parse(text, strlen(text), &why) : NULL;

    if (!v || data_facts_parse(v, &r->data, &why) != 0)
        r->data = (struct data_facts){.train_samples = r->data_samples,
                                      .features = r->data_features,
                                      .classes = r->data_classes};
    json_destroy(v);
}

static int read_sweep(sqlite3_stmt *st, struct sweep_row *r, struct errbuf *err)
{
    int status = sweep_status_find(column_text(st, SWEEP_status_column));
    int method = method_find(column_text(st, SWEEP_method_column));

    r->id = sqlite3_column_int64(st, SWEEP_id_column);
    if (status < 0 || method < 0)
        return err_set(err, ERR_DATA, "sweep %lld: its status or method is unknown",
                       (long long)r->id);
    r->status = (enum sweep_status)status;
    r->method = (enum method)method;
    r->metric = column_copy(st, SWEEP_metric_column);
    r->name = column_copy(st, SWEEP_name_column);
    r->reason = column_copy(st, SWEEP_reason_column);
    r->maximize = strcmp(column_text(st, SWEEP_goal_column), "maximize") == 0;
    r->spec_json = column_copy(st, SWEEP_spec_column);
    r->seed = strtoull(column_text(st, SWEEP_seed_column), NULL, 10);
    r->run_cap = sqlite3_column_int64(st, SWEEP_run_cap_column);
    r->epochs = sqlite3_column_int64(st, SWEEP_epochs_column);
    r->priority = sqlite3_column_int64(st, SWEEP_priority_column);
    r->after = sqlite3_column_int64(st, SWEEP_after_sweep_column);
    r->data_hash = column_copy(st, SWEEP_data_hash_column);
    r->data_samples = sqlite3_column_int64(st, SWEEP_data_samples_column);
    r->data_features = sqlite3_column_int64(st, SWEEP_data_features_column);
    r->data_classes = sqlite3_column_int64(st, SWEEP_data_classes_column);
    read_data_facts(st, r);
    r->remedy_prior = column_copy(st, SWEEP_remedy_prior_column);
    r->data_accepted = sqlite3_column_int64(st, SWEEP_data_accepted_column);
    r->submit_id = column_copy(st, SWEEP_submit_id_column);
    r->data_target = column_copy(st, SWEEP_data_target_column);
    r->data_notes = column_copy(st, SWEEP_data_notes_column);
    r->importances = column_copy(st, SWEEP_importances_column);
    r->deadline = store_time_parse(column_text(st, SWEEP_deadline_at_column));
    r->fits = column_copy(st, SWEEP_fits_column);
    r->warm = column_copy(st, SWEEP_warm_start_column);
    r->created = store_time_parse(column_text(st, SWEEP_created_at_column));
    r->started = store_time_parse(column_text(st, SWEEP_started_at_column));
    r->ended = store_time_parse(column_text(st, SWEEP_ended_at_column));
    return 0;
}

/* Names that this version does not know are none. */
static void read_treatment(sqlite3_stmt *st, struct run_row *r)
{
    const char *remedy = column_text(st, RUN_remedy_column);
    const char *pattern = column_text(st, RUN_treats_pattern_column);
    const char *cause = column_text(st, RUN_treats_cause_column);
    int found_remedy = remedy ? remedy_find(remedy) : -1;
    int found_cause = cause ? cause_find(cause) : -1;

    r->remedy = found_remedy < 0 ? (enum remedy)0 : (enum remedy)found_remedy;
    r->treats_pattern = pattern ? (enum pattern)pattern_find(pattern) : PATTERN_NONE;
    r->treats_cause = found_cause < 0 ? CAUSE_UNKNOWN : (enum cause_id)found_cause;
    r->has_outcome = sqlite3_column_type(st, RUN_cured_column) != SQLITE_NULL;
    r->cured = sqlite3_column_int(st, RUN_cured_column) != 0;
    column_maybe(st, RUN_change_column, &r->change);
    r->has_parent_metric = column_maybe(st, RUN_parent_metric_column, &r->parent_metric);
}

/* A name that this version does not know is a person's. */
static enum run_pauser read_pauser(sqlite3_stmt *st)
{
    const char *name = column_text(st, RUN_paused_by_column);
    int found = name ? run_pauser_find(name) : -1;

    return found < 0 ? RUN_PAUSER_NONE : (enum run_pauser)found;
}

/* A word that this version does not know is no reason to refuse the run: it waits for nothing. */
static void read_wait(sqlite3_stmt *st, struct run_row *r)
{
    const char *name = column_text(st, RUN_retry_for_column);
    int error = name ? run_error_find(name) : -1;
    if (error < 0)
        return;
    r->retry_for = (enum run_error)error;
    r->retry_failures = (unsigned)sqlite3_column_int(st, RUN_retry_failures_column);
    r->retry_at = store_time_parse(column_text(st, RUN_retry_at_column));
}

static int read_run(sqlite3_stmt *st, struct run_settings_reader *settings, struct run_row *r,
                    struct errbuf *err)
{
    const char *error = column_text(st, RUN_error_class_column);
    int kind = run_kind_find(column_text(st, RUN_kind_column));
    int status = run_status_find(column_text(st, RUN_status_column));
    int error_class = error ? run_error_find(error) : RUN_ERROR_NONE;
    struct errbuf why = {0};

    r->id = sqlite3_column_int64(st, RUN_id_column);
    if (kind < 0 || status < 0 || error_class < 0)
        return err_set(err, ERR_DATA, "run %lld: kind, status or error_class is unknown",
                       (long long)r->id);
    if (run_settings_read(settings, r, column_text(st, RUN_settings_column), &why) < 0)
        return err_set(err, ERR_DATA, "run %lld: settings: %s", (long long)r->id, why.message);
    r->kind = (enum run_kind)kind;
    r->status = (enum run_status)status;
    r->error = (enum run_error)error_class;
    r->sweep_id = sqlite3_column_int64(st, RUN_sweep_id_column);
    r->number = sqlite3_column_int64(st, RUN_number_column);
    column_into(st, RUN_stage_column, r->stage, sizeof(r->stage));
    r->reason = column_copy(st, RUN_reason_column);
    r->stop_reason = column_copy(st, RUN_stop_reason_column);
    r->parent_id = sqlite3_column_int64(st, RUN_parent_id_column);
    read_treatment(st, r);
    r->params_json = column_copy(st, RUN_params_column);
    r->objectives = column_copy(st, RUN_objectives_column);
    r->seed = strtoull(column_text(st, RUN_seed_column), NULL, 10);
    r->epochs = sqlite3_column_int64(st, RUN_epochs_column);
    r->until_epoch = sqlite3_column_int64(st, RUN_until_epoch_column);
    r->paused_by = read_pauser(st);
    r->attempts = sqlite3_column_int64(st, RUN_attempts_column);
    r->handle = column_copy(st, RUN_handle_column);
    r->has_metric = column_maybe(st, RUN_metric_value_column, &r->metric_value);
    column_maybe(st, RUN_best_epoch_column, &r->best_epoch);
    r->has_val_loss = column_maybe(st, RUN_val_loss_column, &r->val_loss);
    r->has_val_acc = column_maybe(st, RUN_val_acc_column, &r->val_acc);
    r->has_test_loss = column_maybe(st, RUN_test_loss_column, &r->test_loss);
    r->has_test_acc = column_maybe(st, RUN_test_acc_column, &r->test_acc);
    r->error_text = column_copy(st, RUN_error_text_column);
    r->signal = sqlite3_column_int(st, RUN_signal_column);
    r->stderr_tail = column_copy(st, RUN_stderr_tail_column);
    r->core = column_copy(st, RUN_core_type_column);
    r->blas = column_copy(st, RUN_blas_version_column);
    r->flop = sqlite3_column_int64(st, RUN_flop_column);
    r->created = store_time_parse(column_text(st, RUN_created_at_column));
    r->started = store_time_parse(column_text(st, RUN_started_at_column));
    r->ended = store_time_parse(column_text(st, RUN_ended_at_column));
    r->joules = sqlite3_column_double(st, RUN_joules_column);
    r->seconds = sqlite3_column_double(st, RUN_seconds_column);
    read_wait(st, r);
    return 0;
}

static int append_sweep(sqlite3_stmt *st, struct store_restored *out, struct errbuf *err)
{
    out->sweeps =
        array_room(out->sweeps, &out->sweep_cap, out->sweep_count, sizeof(*out->sweeps));
    struct sweep_row *r = &out->sweeps[out->sweep_count++];
    memset(r, 0, sizeof(*r));
    return read_sweep(st, r, err);
}

static int append_run(sqlite3_stmt *st, struct store_restored *out, struct errbuf *err)
{
    out->runs = array_room(out->runs, &out->run_cap, out->run_count, sizeof(*out->runs));
    struct run_row *r = &out->runs[out->run_count++];
    memset(r, 0, sizeof(*r));
    return read_run(st, &out->settings, r, err);
}

/* Facts that cannot be read are none: the run is never treated. */
static int append_label(sqlite3_stmt *st, struct store_restored *out, struct errbuf *err)
{
    const char *text = column_text(st, 1), *cause = column_text(st, 2);
    struct stored_label l = {.run_id = sqlite3_column_int64(st, 0), .cause = CAUSE_COUNT};
    struct errbuf why = {0};
    struct json *facts = json_parse(text, strlen(text), &why);
    int found = cause ? cause_find(cause) : -1;

    (void)err;
    if (facts && run_facts_parse(facts, &l.facts, &why) == 0) {
        out->labels =
            array_room(out->labels, &out->label_cap, out->label_count, sizeof(*out->labels));
        int pattern = pattern_find(column_text(st, 3));
        l.facts.pattern = pattern < 0 ? PATTERN_NONE : (enum pattern)pattern;
        l.facts.confidence = sqlite3_column_double(st, 4);
        l.facts.tags = diagnosis_tags_parse(column_text(st, 5));
        l.cause = found >= 0 ? (enum cause_id)found : CAUSE_COUNT;
        out->labels[out->label_count++] = l;
    }
    json_destroy(facts);
    return 0;
}

static int append_rung(sqlite3_stmt *st, struct store_restored *out, struct errbuf *err)
{
    struct stored_rung r;
    enum decision_kind kind = (enum decision_kind)0;

    (void)err;
    while (kind < DECISION_KIND_COUNT && strcmp(decision_name(kind), column_text(st, 2)) != 0)
        kind++;
    if (kind < DECISION_KIND_COUNT &&
        stored_rung_read(sqlite3_column_int64(st, 0), kind, column_text(st, 1), &r)) {
        out->rungs = array_room(out->rungs, &out->rung_cap, out->rung_count, sizeof(*out->rungs));
        r.sweep_id = sqlite3_column_int64(st, 3);
        out->rungs[out->rung_count++] = r;
    }
    return 0;
}

static int append_extension(sqlite3_stmt *st, struct store_restored *out, struct errbuf *err)
{
    struct stored_extension x;

    (void)err;
    if (!stored_extension_read(sqlite3_column_int64(st, 0), column_text(st, 1), &x))
        return 0;
    out->extensions = array_room(out->extensions, &out->extension_cap, out->extension_count,
                                 sizeof(*out->extensions));
    out->extensions[out->extension_count++] = x;
    return 0;
}

static int append_point(sqlite3_stmt *st, struct store_restored *out, struct errbuf *err)
{
    (void)err;
    out->points = array_room(out->points, &out->point_cap, out->point_count, sizeof(*out->points));
    struct stored_point *p = &out->points[out->point_count++];
    p->run_id = sqlite3_column_int64(st, 0);
    point_row_read(st, &p->point);
    return 0;
}

static int append_metric(sqlite3_stmt *st, struct store_restored *out, struct errbuf *err)
{
    (void)err;
    out->metrics =
        array_room(out->metrics, &out->metric_cap, out->metric_count, sizeof(*out->metrics));
    struct stored_metric *m = &out->metrics[out->metric_count++];
    m->run_id = sqlite3_column_int64(st, 0);
    m->point = sqlite3_column_int64(st, 1);
    m->epoch = sqlite3_column_double(st, 2);
    column_into(st, 3, m->metric.name, sizeof(m->metric.name));
    m->metric.value = store_sql_real(st, 4);
    return 0;
}

static int append_last_id(sqlite3_stmt *st, struct store_restored *out, struct errbuf *err)
{
    bool sweeps = strcmp(column_text(st, 0), "sweeps") == 0;
    *(sweeps ? &out->last_sweep_id : &out->last_run_id) = sqlite3_column_int64(st, 1);
    return 0;
}

static int read_identity(sqlite3_stmt *st, struct store_restored *out, struct errbuf *err)
{
    (void)err;
    column_into(st, 0, out->database, sizeof(out->database));
    return 0;
}

static int append_unmarked(sqlite3_stmt *st, struct store_restored *out, struct errbuf *err)
{
    (void)err;
    out->unmarked =
        array_room(out->unmarked, &out->unmarked_cap, out->unmarked_count, sizeof(*out->unmarked));
    out->unmarked[out->unmarked_count++] = sqlite3_column_int64(st, 0);
    return 0;
}

#define OPEN_SWEEPS "status NOT IN ('completed', 'cancelled')"
#define ONE_SWEEP "id = ?1"

/* From the sweeps (the open ones: index sweeps_open) to what hangs on them, however much hangs on
 * the others: CROSS JOIN keeps that order. */
#define SWEEPS_SQL(which) \
    "SELECT id" SWEEP_COLUMNS(COLUMN_NAME) " FROM sweeps WHERE " which " ORDER BY id"
#define RUNS_SQL(which) \
    "SELECT id" RUN_COLUMNS(COLUMN_NAME) " FROM runs WHERE sweep_id IN " \
    "(SELECT id FROM sweeps WHERE " which ") ORDER BY sweep_id, number"
#define LABELS_SQL(which) \
    "SELECT l.run_id, l.facts, l.cause, l.pattern, l.confidence, l.tags FROM sweeps AS s " \
    "CROSS JOIN runs AS r ON r.sweep_id = s.id CROSS JOIN labels AS l ON l.run_id = r.id " \
    "WHERE s." which " AND l.facts IS NOT NULL " \
    "AND r.status IN ('completed', 'stopped', 'failed', 'cancelled') ORDER BY l.run_id"
#define RUNGS_SQL(which) \
    "SELECT d.run_id, d.detail, d.kind, d.sweep_id FROM sweeps AS s " \
    "CROSS JOIN decisions AS d ON d.sweep_id = s.id WHERE s." which \
    " AND d.kind IN ('paused', 'audited', 'promoted', 'stopped') AND d.run_id IS NOT NULL " \
    "AND d.detail IS NOT NULL ORDER BY d.id"
#define EXTENSIONS_SQL(which) \
    "SELECT d.sweep_id, d.detail FROM sweeps AS s " \
    "CROSS JOIN decisions AS d ON d.sweep_id = s.id WHERE s." which \
    " AND d.kind = 'extended' AND d.detail IS NOT NULL ORDER BY d.id"

struct restoring {
    const char *sql;
    int (*append)(sqlite3_stmt *, struct store_restored *, struct errbuf *);
};

static const struct restoring of_open[] = {
    /* sqlite_sequence remembers the ids of rows that were deleted. */
    {"SELECT name, seq FROM sqlite_sequence WHERE name IN ('sweeps', 'runs')", append_last_id},
    {SWEEPS_SQL(OPEN_SWEEPS), append_sweep},
    {RUNS_SQL(OPEN_SWEEPS), append_run},
    {LABELS_SQL(OPEN_SWEEPS), append_label},
    {RUNGS_SQL(OPEN_SWEEPS), append_rung},
    {EXTENSIONS_SQL(OPEN_SWEEPS), append_extension},
    {"SELECT run_id" POINT_COLUMNS " FROM curves WHERE run_id IN (SELECT r.id FROM sweeps AS s "
     "CROSS JOIN runs AS r ON r.sweep_id = s.id WHERE s." OPEN_SWEEPS " AND r.handle GLOB "
     "'lease:*' AND r.status IN ('queued', 'running', 'paused')) ORDER BY run_id, point",
     append_point},
    {"SELECT m.run_id, m.point, c.epoch, m.name, m.value FROM metrics AS m JOIN curves AS c "
     "ON c.run_id = m.run_id AND c.point = m.point WHERE m.run_id IN (SELECT r.id FROM sweeps AS s "
     "CROSS JOIN runs AS r ON r.sweep_id = s.id WHERE s." OPEN_SWEEPS " AND r.handle GLOB "
     "'lease:*' AND r.status IN ('queued', 'running', 'paused') "
     "AND iif(json_valid(s.spec), s.spec ->> '$.objectives', NULL) IS NOT NULL) "
     "ORDER BY m.run_id, m.point",
     append_metric},
    {"SELECT uuid FROM identity", read_identity},
    {"SELECT run_id FROM unmarked_runs ORDER BY run_id", append_unmarked},
};

static const struct restoring of_one[] = {
    {SWEEPS_SQL(ONE_SWEEP), append_sweep},
    {RUNS_SQL(ONE_SWEEP), append_run},
    {LABELS_SQL(ONE_SWEEP), append_label},
    {RUNGS_SQL(ONE_SWEEP), append_rung},
    {EXTENSIONS_SQL(ONE_SWEEP), append_extension},
};

/* sweep_id is for a statement that asks for one. */
static int restore_part(struct sqlite3 *db, const struct restoring *part, int64_t sweep_id,
                        struct store_restored *r, struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    int code = 0, rc = sqlite3_prepare_v2(db, part->sql, -1, &st, NULL);

    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(st) > 0)
        sqlite3_bind_int64(st, 1, sweep_id);
    while (rc == SQLITE_OK && code == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        code = part->append(st, r, err);
        rc = SQLITE_OK;
    }
    if (code == 0 && rc != SQLITE_DONE)
        code = err_set(err, ERR_IO, "the database cannot be read: %s", sqlite3_errmsg(db));
    sqlite3_finalize(st);
    return code;
}

static int restore_parts(struct sqlite3 *db, const struct restoring *parts, size_t count,
                         int64_t sweep_id, struct store_restored *out, struct errbuf *err)
{
    struct store_restored r = {0};
    int code = 0;

    for (size_t i = 0; i < count && code == 0; i++)
        code = restore_part(db, &parts[i], sweep_id, &r, err);
    if (code == 0)
        *out = r;
    else
        store_restored_finish(&r);
    return code;
}

int store_sql_restore(struct sqlite3 *db, struct store_restored *out, struct errbuf *err)
{
    return restore_parts(db, of_open, ARRAY_LEN(of_open), 0, out, err);
}

int store_sql_restore_sweep(struct sqlite3 *db, int64_t sweep_id, struct store_restored *out,
                            struct errbuf *err)
{
    return restore_parts(db, of_one, ARRAY_LEN(of_one), sweep_id, out, err);
}

/* All of one state of the database: a commit may come between two of them. */
int store_sql_restore_ended(struct sqlite3 *db, int64_t sweep_id, struct store_restored *out,
                            struct errbuf *err)
{
    if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        return err_set(err, ERR_IO, "the database cannot be read: %s", sqlite3_errmsg(db));
    int code = store_sql_restore_sweep(db, sweep_id, out, err);
    (void)sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return code;
}

void store_restored_finish(struct store_restored *r)
{
    for (size_t i = 0; i < r->sweep_count; i++)
        sweep_row_finish(&r->sweeps[i]);
    for (size_t i = 0; i < r->run_count; i++)
        run_row_finish(&r->runs[i]);
    run_settings_reader_finish(&r->settings);
    free(r->sweeps);
    free(r->runs);
    free(r->labels);
    free(r->rungs);
    free(r->points);
    free(r->metrics);
    free(r->extensions);
    free(r->unmarked);
    *r = (struct store_restored){0};
}
