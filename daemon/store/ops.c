/* One write of the engine as statements: a table of what each kind of op does. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/store/bind.h"
#include "daemon/store/columns.h"
#include "daemon/store/metrics.h"
#include "daemon/store/sql.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#define LOG_MODULE "store"
#include "sweep/log.h"
#include "sweep/require.h"

/* A word about a treatment; none of another run. */
static const char *treatment(const struct run_row *r, const char *word)
{
    return r->kind == RUN_KIND_TREATMENT ? word : NULL;
}

/* --- ops: each gives an SQLite result code --------------------------------------------------- */

static int put_sweep(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_PUT_SWEEP];
    const struct sweep_row *r = op->u.sweep;

    bind_int(st, SWEEP_id_column + 1, r->id);
#define X(column, kind, value) bind_##kind(st, SWEEP_##column##_column + 1, value);
    SWEEP_COLUMNS(X)
#undef X
    return store_sql_run(st);
}

/* The parent's sweep may be deleted while the treatment goes on. */
static bool parent_gone(struct store_sql *q, int64_t parent_id)
{
    sqlite3_stmt *st = q->statements[STATEMENT_FIND_RUN];

    bind_int(st, 1, parent_id);
    bool gone = sqlite3_step(st) == SQLITE_DONE;
    sqlite3_reset(st);
    return gone;
}

static int put_run(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_PUT_RUN];
    const struct run_row *r = op->u.run;

    bind_int(st, RUN_id_column + 1, r->id);
#define X(column, kind, value) bind_##kind(st, RUN_##column##_column + 1, value);
    RUN_COLUMNS(X)
#undef X
    if (r->parent_id > 0 && parent_gone(q, r->parent_id))
        bind_count(st, RUN_parent_id_column + 1, 0);
    return store_sql_run(st);
}

static int get_point(struct store_sql *q, int64_t run_id, int64_t number, struct point *out)
{
    sqlite3_stmt *st = q->statements[STATEMENT_GET_POINT];

    *out = (struct point){.point = number};
    bind_int(st, 1, run_id);
    bind_int(st, 2, number);
    if (sqlite3_step(st) == SQLITE_ROW) {
        out->epoch = sqlite3_column_double(st, 0);
        for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
            if (sqlite3_column_type(st, 1 + c) != SQLITE_NULL)
                point_set(out, (enum curve_column)c, store_sql_real(st, 1 + c));
        }
    }
    return sqlite3_reset(st);
}

static void point_text(const struct point *p, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_begin_object(&w);
    point_write(p, &w);
    jw_end_object(&w);
}

/* A point that is there already must be the same to the bit: it was trained twice. */
static int compare_point(struct store_sql *q, int64_t run_id, const struct point *p, bool *differs)
{
    struct point stored;
    struct buf text = {0};
    int rc = get_point(q, run_id, p->point, &stored);

    if (rc != SQLITE_OK || *differs || point_same(&stored, p))
        return rc;
    *differs = true;
    buf_puts(&text, "stored: ");
    point_text(&stored, &text);
    buf_puts(&text, "; delivered again: ");
    point_text(p, &text);
    log_warn("run %lld: point %lld was delivered twice with different values",
             (long long)run_id, (long long)p->point);
    rc = store_sql_event(q, &(struct event_row){.run_id = run_id,
                                             .kind = "nondeterminism",
                                             .detail = text.data,
                                             .created = store_clock()});
    buf_finish(&text);
    return rc;
}

static int add_points(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_ADD_POINT];
    const struct points_rows *rows = op->u.points;
    bool differs = false; /* one event for all points of the op */
    int rc = SQLITE_OK;

    bind_int(st, 1, rows->run_id);
    for (size_t i = 0; i < rows->count && rc == SQLITE_OK; i++) {
        const struct point *p = &rows->points[i];
        bind_int(st, 2, p->point);
        bind_real(st, 3, p->epoch);
        for (int c = 0; c < CURVE_COLUMN_COUNT; c++)
            bind_maybe(st, 4 + c, maybe(point_has(p, (enum curve_column)c), p->v[c]));
        rc = store_sql_run(st);
        if (rc == SQLITE_OK && sqlite3_changes(q->db) == 0)
            rc = compare_point(q, rows->run_id, p, &differs);
    }
    return rc;
}

static void bind_layer(sqlite3_stmt *st, const struct layer_stat *l)
{
    bind_text(st, 4, l->name);
#define X(member, doc)                                                                   \
    bind_maybe(st, 5 + LAYER_STAT_##member,                                              \
               maybe(!isnan(l->member) || l->not_a_number >> LAYER_STAT_##member & 1, l->member));
    LAYER_STAT_MAP(X)
#undef X
}

static int put_layers(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_PUT_LAYER];
    const struct layers_rows *rows = op->u.layers;
    int rc = SQLITE_OK;

    bind_int(st, 1, rows->run_id);
    bind_int(st, 2, rows->point);
    for (size_t i = 0; i < rows->count && rc == SQLITE_OK; i++) {
        bind_int(st, 3, (int64_t)i + 1);
        bind_layer(st, &rows->layers[i]);
        rc = store_sql_run(st);
    }
    return rc;
}

static void bind_advice(sqlite3_stmt *st, int remedy, int remedies, const struct advice *a)
{
    char text[ADVICE_TEXT_MAX] = "";
    char *names = advice_names(a);
    if (a->count > 0)
        advice_text(a->items[0], text);
    sqlite3_bind_text(st, remedy, text[0] ? text : NULL, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(st, remedies, names, -1, SQLITE_TRANSIENT);
    free(names);
}

static void bind_label(sqlite3_stmt *st, const struct label_row *l)
{
    bind_int(st, 1, l->run_id);
    bind_word(st, 2, pattern_name(l->pattern));
    bind_word(st, 3, pattern_name(l->runner_up));
    sqlite3_bind_double(st, 4, l->confidence);
    bind_text(st, 5, l->tags ? l->tags : "");
    bind_text(st, 6, l->evidence_json ? l->evidence_json : "{}");
    bind_int(st, 7, DIAGNOSIS_VERSION);
    bind_time(st, 8, l->created);
    bind_causes(st, 9, 10, &l->causes);
    bind_word(st, 11, l->facts_json);
    bind_advice(st, 12, 13, &l->advice);
}

static int put_label(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_PUT_LABEL];
    bind_label(st, op->u.label);
    return store_sql_run(st);
}

static int relabel(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_RELABEL];
    const struct relabelled_row *r = op->u.relabelled;
    bind_label(st, r->label);
    bind_int(st, 14, r->old_version);
    bind_text(st, 15, r->old_created_at);
    return store_sql_run(st);
}

static int put_outcome(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_PUT_OUTCOME];
    bind_int(st, 1, op->u.outcome.run_id);
    bind_flag(st, 2, op->u.outcome.cured);
    return store_sql_run(st);
}

static int put_causes(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_PUT_CAUSES];
    bind_int(st, 1, op->u.causes->run_id);
    bind_causes(st, 2, 3, &op->u.causes->causes);
    bind_advice(st, 4, 5, &op->u.causes->advice);
    return store_sql_run(st);
}

static int put_edit(struct store_sql *q, int64_t sweep_id, size_t position,
                    const struct edit_row *e)
{
    sqlite3_stmt *st = q->statements[STATEMENT_PUT_EDIT];
    bind_int(st, 1, sweep_id);
    bind_int(st, 2, (int64_t)position);
    bind_text(st, 3, e->kind);
    bind_text(st, 4, e->setting);
    bind_word(st, 5, e->from_json);
    bind_word(st, 6, e->to_json);
    bind_text(st, 7, e->runs_json ? e->runs_json : "[]");
    bind_word(st, 8, e->guide_ref);
    bind_text(st, 9, e->sentence);
    return store_sql_run(st);
}

static int put_edits(struct store_sql *q, const struct store_op *op)
{
    const struct edits_row *rows = op->u.edits;
    bind_int(q->statements[STATEMENT_CLEAR_EDITS], 1, rows->sweep_id);
    int rc = store_sql_run(q->statements[STATEMENT_CLEAR_EDITS]);
    for (size_t i = 0; i < rows->count && rc == SQLITE_OK; i++)
        rc = put_edit(q, rows->sweep_id, i + 1, &rows->edits[i]);
    return rc;
}

static int add_event(struct store_sql *q, const struct store_op *op)
{
    return store_sql_event(q, op->u.event);
}

static int add_finding(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_ADD_FINDING];
    const struct record_finding *f = &op->u.finding->finding;
    bind_int(st, 1, op->u.finding->sweep_id);
    bind_text(st, 2, f->kind);
    bind_count(st, 3, f->row);
    bind_count(st, 4, f->column);
    bind_int(st, 5, f->count);
    bind_text(st, 6, f->text);
    return store_sql_run(st);
}

static int add_decision(struct store_sql *q, const struct store_op *op)
{
    sqlite3_stmt *st = q->statements[STATEMENT_ADD_DECISION];
    const struct decision_row *d = op->u.decision;
    bind_int(st, 1, d->sweep_id);
    bind_count(st, 2, d->run_id);
    bind_text(st, 3, decision_name(d->kind));
    bind_text(st, 4, d->reason);
    bind_word(st, 5, d->detail_json);
    return store_sql_run(st);
}

static int clear_test(struct store_sql *q, const struct store_op *op)
{
    bind_int(q->statements[STATEMENT_CLEAR_TEST], 1, op->u.clear_test_run_id);
    return store_sql_run(q->statements[STATEMENT_CLEAR_TEST]);
}

/* Statements about one id, to the first that fails. */
static int run_each(struct store_sql *q, const enum store_statement *each, size_t count,
                    int64_t id)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        bind_int(q->statements[each[i]], 1, id);
        rc = store_sql_run(q->statements[each[i]]);
    }
    return rc;
}

static int clear_points(struct store_sql *q, const struct store_op *op)
{
    static const enum store_statement all[] = {STATEMENT_CLEAR_CURVE, STATEMENT_CLEAR_METRICS,
                                               STATEMENT_CLEAR_LAYERS};

    return run_each(q, all, ARRAY_LEN(all), op->u.clear_points_run_id);
}

static int delete_sweep(struct store_sql *q, const struct store_op *op)
{
    static const enum store_statement both[] = {STATEMENT_DELETE_SWEEP, STATEMENT_DELETE_EVENTS};

    return run_each(q, both, ARRAY_LEN(both), op->u.delete_sweep_id);
}

static int (*const appliers[STORE_OP_COUNT])(struct store_sql *, const struct store_op *) = {
    [STORE_PUT_SWEEP] = put_sweep,   [STORE_PUT_RUN] = put_run,
    [STORE_ADD_POINTS] = add_points, [STORE_PUT_LABEL] = put_label,
    [STORE_ADD_EVENT] = add_event,   [STORE_ADD_FINDING] = add_finding,
    [STORE_CLEAR_TEST] = clear_test, [STORE_DELETE_SWEEP] = delete_sweep,
    [STORE_PUT_LAYERS] = put_layers, [STORE_PUT_CAUSES] = put_causes,
    [STORE_PUT_EDITS] = put_edits,   [STORE_ADD_DECISION] = add_decision,
    [STORE_RELABEL] = relabel,       [STORE_PUT_OUTCOME] = put_outcome,
    [STORE_PUT_METRICS] = store_metrics_put, [STORE_CLEAR_POINTS] = clear_points,
};

/* Refused for what it says, whenever it is tried. */
static bool refused_for_ever(int rc)
{
    rc &= 0xff;
    return rc == SQLITE_CONSTRAINT || rc == SQLITE_MISMATCH || rc == SQLITE_TOOBIG;
}

static int64_t op_run_id(const struct store_op *op)
{
    if (op->type == STORE_PUT_RUN)
        return op->u.run->id;
    if (op->type == STORE_ADD_POINTS)
        return op->u.points->run_id;
    if (op->type == STORE_PUT_LAYERS)
        return op->u.layers->run_id;
    if (op->type == STORE_PUT_METRICS)
        return op->u.metrics->run_id;
    if (op->type == STORE_CLEAR_TEST)
        return op->u.clear_test_run_id;
    if (op->type == STORE_CLEAR_POINTS)
        return op->u.clear_points_run_id;
    if (op->type == STORE_PUT_CAUSES)
        return op->u.causes->run_id;
    if (op->type == STORE_RELABEL)
        return op->u.relabelled->label->run_id;
    if (op->type == STORE_PUT_OUTCOME)
        return op->u.outcome.run_id;
    return op->type == STORE_PUT_LABEL ? op->u.label->run_id : 0;
}

int store_sql_apply(struct store_sql *q, const struct store_op *op)
{
    int rc = appliers[op->type](q, op);
    if (!refused_for_ever(rc))
        return rc;

    char *detail = xasprintf("%s: %s", store_op_name(op->type), sqlite3_errmsg(q->db));
    int64_t run_id = op_run_id(op);
    log_error("a write was refused (run %lld): %s", (long long)run_id, detail);
    rc = store_sql_event(q, &(struct event_row){.run_id = run_id,
                                             .kind = "refused",
                                             .detail = detail,
                                             .created = store_clock()});
    free(detail);
    return rc;
}
