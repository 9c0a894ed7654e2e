/* The store against a real loop, thread and file. */
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "sweep/require.h"
#include "sweep/buf.h"
#include "sweep/json.h"

static void open_with_run(struct fixture *f)
{
    struct store_batch b = {0};
    assert_int_equal(fixture_open(f), 0);
    store_batch_put_sweep(&b, new_sweep(1, false));
    store_batch_put_run(&b, new_run(1, 1, 0));
    fixture_commit(f, &b);
}

static void commit_points(struct fixture *f, int64_t run_id, const struct point *p, size_t n)
{
    struct store_batch b = {0};
    store_batch_add_points(&b, run_id, p, n);
    fixture_commit(f, &b);
}

/* --- rows come back ------------------------------------------------------------------------- */

static void test_new_database(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    char folder[80];

    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.sweep_count + f->restored.run_count, 0);
    assert_int_equal(f->restored.last_sweep_id, 0);
    assert_string_equal(store_trouble(f->store), "");
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(folder, sizeof(folder), "%s/state", f->folder);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_string_equal(sql(f, "PRAGMA journal_mode"), "wal");
}

static struct run_row *full_run(void)
{
    struct run_row *r = new_ranked_run(7, 1, 0, 0.1 + 0.2);
    r->kind = RUN_KIND_TREATMENT;
    r->remedy = REMEDY_BATCH_NORM;
    r->treats_pattern = PATTERN_BOTTLENECK;
    r->treats_cause = CAUSE_TOO_DEEP;
    r->has_outcome = r->cured = true;
    r->change = -1.0 / 3.0;
    r->config->start_from = 3;
    struct layer_list *layers = r->config->layers = xcalloc(1, sizeof(*layers));
    layers->count = 1;
    layers->entries[0] = (struct layer_entry){.kind = LAYER_FLATTEN, .repeat = 1};
    for (int o = 0; o < LAYER_OPTION_COUNT; o++)
        layers->entries[0].value[o] = NAN;
    r->has_parent_metric = true;
    r->parent_metric = -0.5;
    r->status = RUN_FAILED;
    r->stop_reason = xstrdup("flat");
    r->config->settings.v[SETTING_OPTIMIZER] = OPTIMIZER_RMSPROP;
    r->config->settings.v[SETTING_ACTIVATION] = ACTIVATION_ELU;
    r->config->settings.v[SETTING_LEARNING_RATE] = 1.0 / 3.0;
    r->attempts = 2;
    r->retry_failures = 3;
    r->retry_at = 1700000000000000;
    r->retry_for = RUN_ERROR_DATA_MISSING;
    r->until_epoch = 2;
    r->handle = xstrdup("4711");
    r->has_val_acc = true;
    r->val_acc = NAN;
    r->has_test_loss = r->has_test_acc = true;
    r->test_loss = INFINITY;
    r->test_acc = 0.875;
    r->config->settings.v[SETTING_VALIDATION] = 17;
    r->config->settings.v[SETTING_SCALE] = SCALE_STANDARD;
    r->error = RUN_ERROR_CRASHED;
    r->error_text = xstrdup("signal 11");
    r->signal = 11;
    r->stderr_tail = xstrdup("boom");
    r->core = xstrdup("Haswell");
    r->blas = xstrdup("OpenBLAS 0.3.21");
    r->flop = INT64_C(1) << 40;
    r->joules = 0.1 + 0.2;
    r->started = r->created + 1000;
    r->ended = r->created + 2000;
    r->seconds = 0.125;
    return r;
}

static void assert_same_run(const struct run_row *a, const struct run_row *b)
{
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->sweep_id, b->sweep_id);
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->kind, b->kind);
    assert_string_equal(a->stage, b->stage);
    assert_int_equal(a->flop, b->flop);
    assert_true(a->joules == b->joules);
    assert_string_equal(a->reason, b->reason);
    assert_int_equal(a->status, b->status);
    assert_string_equal(a->stop_reason, b->stop_reason);
    assert_string_equal(a->params_json, b->params_json);
    assert_memory_equal(&a->config->settings, &b->config->settings, sizeof(a->config->settings));
    assert_true(a->remedy == b->remedy && a->treats_pattern == b->treats_pattern &&
                a->treats_cause == b->treats_cause);
    assert_true(a->has_outcome && a->cured == b->cured && a->change == b->change);
    assert_true(a->has_parent_metric && a->parent_metric == b->parent_metric);
    assert_int_equal(a->config->start_from, b->config->start_from);
    assert_true(layer_list_same(a->config->layers, b->config->layers));
    assert_true(a->seed == b->seed);
    assert_int_equal(a->attempts, b->attempts);
    assert_int_equal(a->retry_failures, 0); /* it has ended: it waits for nothing */
    assert_int_equal(a->until_epoch, b->until_epoch);
    assert_int_equal(a->paused_by, b->paused_by);
    assert_string_equal(a->handle, b->handle);
    assert_true(a->has_metric == b->has_metric && a->metric_value == b->metric_value);
    assert_true(a->best_epoch == b->best_epoch);
    assert_true(a->has_val_loss == b->has_val_loss && a->has_val_acc == b->has_val_acc);
    assert_true(isnan(a->val_acc) && isnan(b->val_acc));
    assert_true(a->has_test_loss == b->has_test_loss && a->test_loss == b->test_loss);
    assert_true(a->has_test_acc == b->has_test_acc && a->test_acc == b->test_acc);
    assert_int_equal(a->error, b->error);
    assert_string_equal(a->error_text, b->error_text);
    assert_int_equal(a->signal, b->signal);
    assert_string_equal(a->stderr_tail, b->stderr_tail);
    assert_string_equal(a->core, b->core);
    assert_string_equal(a->blas, b->blas);
    assert_int_equal(a->created, b->created);
    assert_int_equal(a->started, b->started);
    assert_int_equal(a->ended, b->ended);
    assert_true(a->seconds == b->seconds);
}

static void put_judged(struct store_batch *b, int64_t run_id, const char *facts)
{
    struct label_row *l = new_label(run_id, PATTERN_BOTTLENECK);
    l->facts_json = xstrdup(facts);
    store_batch_put_label(b, l);
    struct causes c = {.count = 1, .items = {{.id = CAUSE_TOO_DEEP, .weight = 0.5}}};
    store_batch_put_causes(b, run_id, &c, &(struct advice){0});
}

static void test_reopen_restores_open_sweeps(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct run_row *run = full_run();
    struct run_row *expected = run_row_copy(run);
    struct sweep_row *open = new_sweep(1, false), *closed = new_sweep(2, false);

    assert_int_equal(fixture_open(f), 0);
    open->data.steps = 300;
    open->data.has_nan = true;
    open->remedy_prior = xstrdup("[]");
    open->data_accepted = 1;
    store_batch_put_sweep(&b, open);
    closed->status = SWEEP_COMPLETED;
    store_batch_put_sweep(&b, closed);
    store_batch_put_run(&b, new_run(8, 1, 1));
    store_batch_put_run(&b, run);
    store_batch_put_run(&b, new_run(9, 2, 0));
    put_judged(&b, 7, "{\"spread\":0.25}");
    put_judged(&b, 9, "{}");
    fixture_commit(f, &b);
    fixture_close(f);

    assert_int_equal(fixture_open(f), 0);
    const struct store_restored *r = &f->restored;
    assert_int_equal(r->sweep_count, 1);
    assert_int_equal(r->sweeps[0].id, 1);
    assert_string_equal(r->sweeps[0].name, "night");
    assert_int_equal(r->sweeps[0].status, SWEEP_RUNNING);
    assert_int_equal(r->sweeps[0].method, METHOD_RANDOM);
    assert_true(r->sweeps[0].seed == UINT64_MAX);
    assert_null(r->sweeps[0].reason);
    assert_int_equal(r->run_count, 2);
    assert_same_run(&r->runs[0], expected);
    assert_int_equal(r->runs[1].id, 8);
    assert_false(r->runs[1].has_metric);
    assert_int_equal(r->last_sweep_id, 2);
    assert_int_equal(r->last_run_id, 9);
    assert_true(r->sweeps[0].data.steps == 300 && r->sweeps[0].data.has_nan);
    assert_string_equal(r->sweeps[0].remedy_prior, "[]");
    assert_int_equal(r->sweeps[0].data_accepted, 1);
    assert_int_equal(r->label_count, 1); /* of the open sweep */
    assert_int_equal(r->labels[0].run_id, 7);
    assert_int_equal(r->labels[0].cause, CAUSE_TOO_DEEP);
    assert_true(r->labels[0].facts.spread == 0.25 && isnan(r->labels[0].facts.dead));
    assert_int_equal(r->labels[0].facts.pattern, PATTERN_BOTTLENECK);
    run_row_destroy(expected);
}

/* Who paused it, and how far it may go, hold through a restart; without a budget there is NULL. */
static void test_paused_runs_are_restored(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};

    assert_int_equal(fixture_open(f), 0);
    store_batch_put_sweep(&b, new_sweep(1, false));
    for (int p = 0; p < RUN_PAUSER_COUNT; p++) {
        struct run_row *r = new_run(p + 1, 1, p);
        r->status = RUN_PAUSED;
        r->paused_by = (enum run_pauser)p;
        r->until_epoch = p;
        r->retry_failures = (unsigned)p;
        r->retry_at = 1700000000000000;
        r->retry_for = p > 0 ? RUN_ERROR_DATA_MISSING : RUN_ERROR_NONE;
        store_batch_put_run(&b, r);
    }
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT group_concat(coalesce(until_epoch, '-') || ' ' || "
                               "coalesce(paused_by, '-')) FROM runs"), "- -,1 person,2 rung");
    fixture_close(f);
    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.run_count, RUN_PAUSER_COUNT);
    for (int p = 0; p < RUN_PAUSER_COUNT; p++) {
        assert_int_equal(f->restored.runs[p].paused_by, p);
        assert_int_equal(f->restored.runs[p].retry_failures, p);
        assert_int_equal(f->restored.runs[p].retry_at, p > 0 ? 1700000000000000 : 0);
        assert_int_equal(f->restored.runs[p].retry_for,
                         p > 0 ? RUN_ERROR_DATA_MISSING : RUN_ERROR_NONE);
        assert_int_equal(f->restored.runs[p].until_epoch, p);
    }
    assert_false(sql_works(f->path, "UPDATE runs SET until_epoch = 4"));
    assert_false(sql_works(f->path, "UPDATE runs SET paused_by = 'nobody'"));
    assert_false(sql_works(f->path, "UPDATE runs SET status = 'queued' WHERE id = 3"));
}

static void test_put_overwrites(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct run_row *run = new_run(1, 1, 0);
    struct point p = new_point(1, 1, 1);

    open_with_run(f);
    commit_points(f, 1, &p, 1);
    run->status = RUN_RUNNING;
    run->handle = xstrdup("12");
    store_batch_put_run(&b, run);
    store_batch_put_sweep(&b, new_sweep(1, true));
    store_batch_put_label(&b, new_label(1, PATTERN_LEARNING));
    store_batch_put_label(&b, new_label(1, PATTERN_CONVERGED));
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT status || handle FROM runs"), "running12");
    assert_string_equal(sql(f, "SELECT goal FROM sweeps"), "maximize");
    assert_string_equal(sql(f, "SELECT group_concat(pattern) FROM labels"), "converged");
    assert_string_equal(sql(f, "SELECT count(*) FROM curves"), "1");
}

static void test_scores_are_cleared(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct run_row *run = full_run();

    assert_int_equal(fixture_open(f), 0);
    store_batch_put_sweep(&b, new_sweep(1, false));
    store_batch_put_run(&b, run);
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT test_acc FROM runs"), "0.875");
    store_batch_clear_test(&b, 7);
    store_batch_clear_test(&b, 99); /* a run that is gone */
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT coalesce(test_loss, test_acc) FROM runs"), "NULL");
    assert_string_equal(sql(f, "SELECT count(*) FROM events"), "0");
}

/* A run of another program: no settings, and none of their columns. The metric has any name. */
static void test_run_without_settings(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct sweep_row *sweep = new_sweep(1, false);
    struct run_row *run = new_run(1, 1, 0);

    assert_int_equal(fixture_open(f), 0);
    free(sweep->metric);
    sweep->metric = xstrdup("minutes to \"done\"");
    trainer_config_release(run->config);
    run->config = NULL;
    store_batch_put_sweep(&b, sweep);
    store_batch_put_run(&b, run);
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT coalesce(learning_rate, batch_size, optimizer, depth, width,"
                               " activation) FROM runs"), "NULL");
    assert_string_equal(sql(f, "SELECT settings FROM runs"), "{}");
    fixture_close(f);
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(f->restored.sweeps[0].metric, "minutes to \"done\"");
    assert_null(f->restored.runs[0].config);
    assert_false(f->restored.runs[0].has_parent_metric);
    assert_string_equal(f->restored.runs[0].params_json, "{\"learning_rate\":0.1}");
}

/* --- decisions ------------------------------------------------------------------------------ */

static void decide(struct store_batch *b, int64_t run_id, enum decision_kind kind,
                   const char *detail)
{
    struct decision_row d = {.sweep_id = 1, .run_id = run_id, .kind = kind};
    d.detail_json = detail ? xstrdup(detail) : NULL;
    store_batch_add_decision(b, &d, "%s of %d", decision_name(kind), 3);
}

/* Each says which event it could see last: the store knows, nobody else. */
static void test_decisions(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};

    open_with_run(f);
    decide(&b, 1, DECISION_PROPOSED, NULL); /* before any event */
    fixture_commit(f, &b);
    store_batch_add_event(&b, 1, 0, "stage_planned", 1, "one");
    store_batch_put_run(&b, new_run(2, 1, 1));
    decide(&b, 2, DECISION_ENQUEUED, "{\"metric\":0.5}");
    store_batch_add_event(&b, 1, 2, "run_started", 1, "two");
    decide(&b, 0, DECISION_STOPPED, NULL);
    fixture_commit(f, &b);
    char *rows = sql_all(f->path, "SELECT d.id, run_id, kind, reason, detail, seen_event = "
                                  "(SELECT id FROM events WHERE kind = CASE d.id WHEN 2 THEN "
                                  "'stage_planned' ELSE 'run_started' END), seen_event IS NULL "
                                  "FROM decisions AS d ORDER BY d.id");
    assert_string_equal(rows, "1|1|proposed|proposed of 3|||1\n"
                              "2|2|enqueued|enqueued of 3|{\"metric\":0.5}|1|0\n"
                              "3||stopped|stopped of 3||1|0\n");
    free(rows);
    decide(&b, 2, DECISION_TREATED, "no JSON"); /* refused, and nothing else with it */
    decide(&b, 2, DECISION_TREATED, NULL);
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT count(*) || max(id) FROM decisions"), "44");
    assert_string_equal(sql(f, "SELECT count(*) FROM events WHERE kind = 'refused'"), "1");
    store_batch_delete_sweep(&b, 1);
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT count(*) FROM decisions"), "0");
}

/* --- points --------------------------------------------------------------------------------- */

static void test_nan_inf_and_not_measured(void **state)
{
    struct fixture *f = *state;
    struct point p = {.point = 1, .epoch = 0.5};

    open_with_run(f);
    point_set(&p, CURVE_TRAIN_LOSS, NAN);
    point_set(&p, CURVE_VAL_LOSS, INFINITY);
    point_set(&p, CURVE_TRAIN_ACC, -INFINITY);
    commit_points(f, 1, &p, 1);
    assert_string_equal(sql(f, "SELECT train_loss FROM curves"), "nan");
    assert_string_equal(sql(f, "SELECT typeof(val_loss) || (val_loss = 9e999) FROM curves"),
                        "real1");
    assert_string_equal(sql(f, "SELECT train_acc = -9e999 FROM curves"), "1");
    assert_string_equal(sql(f, "SELECT val_acc FROM curves"), "NULL");
    assert_string_equal(sql(f, "SELECT epoch FROM curves"), "0.5");
}

static void test_nondeterminism_is_an_event(void **state)
{
    struct fixture *f = *state;
    struct point p[3] = {new_point(1, NAN, 0.1), new_point(2, INFINITY, 0.2), new_point(3, 1, 2)};

    open_with_run(f);
    point_set(&p[0], CURVE_SECONDS, 1);
    commit_points(f, 1, p, 2);
    point_set(&p[0], CURVE_SECONDS, 2); /* not canonical: may differ */
    p[0].v[CURVE_TRAIN_LOSS] = -NAN;    /* all NaNs are equal */
    commit_points(f, 1, p, 3);
    assert_string_equal(sql(f, "SELECT count(*) FROM events"), "0");
    assert_string_equal(sql(f, "SELECT count(*) FROM curves"), "3");

    p[1].v[CURVE_VAL_LOSS] = nextafter(0.2, 1);
    p[2].measured &= ~(1u << CURVE_VAL_LOSS); /* not measured is not the same as 2 */
    commit_points(f, 1, p, 2);
    assert_string_equal(sql(f, "SELECT kind || sweep_id || run_id FROM events"),
                        "nondeterminism11");
    assert_string_equal(sql(f, "SELECT detail LIKE 'stored: {%%0.20000000000000004%%' FROM events"),
                        "1");
    commit_points(f, 1, p + 2, 1);
    assert_string_equal(sql(f, "SELECT count(*) FROM events"), "2");
    assert_string_equal(sql(f, "SELECT val_loss FROM curves WHERE point = 2"), "0.2");
}

/* m[0], m[1] of points 1 and 2, each of one value. */
static void commit_metrics(struct fixture *f, const double values[2])
{
    struct store_batch b = {0};
    struct point_metrics *m[2];

    for (int i = 0; i < 2; i++) {
        m[i] = metrics_create(&(struct point){.point = i + 1, .epoch = i + 1}, 1);
        str_copy(m[i]->values[0].name, METRIC_NAME_MAX, "val/loss");
        m[i]->values[0].value = values[i];
    }
    store_batch_put_metrics(&b, 1, m, 2);
    fixture_commit(f, &b);
    free(m[0]);
    free(m[1]);
}

static void test_metrics_of_any_name(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};

    open_with_run(f);
    commit_metrics(f, (double[]){NAN, -INFINITY});
    commit_metrics(f, (double[]){-NAN, -INFINITY});
    assert_string_equal(sql(f, "SELECT count(*) FROM events"), "0");
    assert_string_equal(sql(f, "SELECT value FROM metrics WHERE point = 1"), "nan");
    assert_string_equal(sql(f, "SELECT value = -9e999 FROM metrics WHERE point = 2"), "1");
    commit_metrics(f, (double[]){0.5, 0.25}); /* one event for what came together */
    assert_string_equal(sql(f, "SELECT kind || run_id || ' ' || detail FROM events"),
                        "nondeterminism1 stored: point 1, val/loss = nan; delivered again: 0.5");
    assert_string_equal(sql(f, "SELECT count(*) FROM events"), "1");
    assert_string_equal(sql(f, "SELECT group_concat(value) FROM metrics"), "nan,-Inf");
    store_batch_put_metrics(&b, 1, NULL, 0);
    assert_int_equal(b.count, 0);
    store_batch_delete_sweep(&b, 1);
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT count(*) FROM metrics"), "0");
}

/* A run that begins anew may come to other bits; other runs keep theirs. */
static void test_points_are_cleared(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct point p[] = {new_point(1, 1, 1), new_point(2, 2, 2)};
    struct layer_stats s = {.point = 1, .count = 1, .layers = {{.name = "0"}}};

    open_with_run(f);
    store_batch_put_run(&b, new_run(2, 1, 1));
    fixture_commit(f, &b);
    commit_points(f, 1, p, 2);
    commit_points(f, 2, p, 1);
    commit_metrics(f, (double[]){1, 2});
    store_batch_put_layers(&b, 1, &s);
    fixture_commit(f, &b);
    p[0].v[CURVE_VAL_LOSS] = 5;
    store_batch_clear_points(&b, 1);
    store_batch_clear_points(&b, 99); /* a run that is gone */
    store_batch_add_points(&b, 1, p, 1);
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT group_concat(run_id || ':' || val_loss) FROM "
                               "(SELECT * FROM curves ORDER BY run_id)"), "1:5.0,2:1.0");
    assert_string_equal(sql(f, "SELECT count(*) FROM metrics"), "0");
    assert_string_equal(sql(f, "SELECT count(*) FROM layer_stats"), "0");
    assert_string_equal(sql(f, "SELECT count(*) FROM events"), "0");
}

/* What the schema will never accept must not stop what comes behind it. */
static void test_refused_write_does_not_block(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct point p = new_point(1, 1, 1);

    open_with_run(f);
    store_batch_add_points(&b, 99, &p, 1);
    store_batch_add_points(&b, 1, &p, 1);
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT count(*) FROM curves"), "1");
    assert_string_equal(sql(f, "SELECT kind || run_id FROM events"), "refused99");
    assert_string_equal(store_trouble(f->store), "");
}

/* --- deleting ------------------------------------------------------------------------------- */

static void test_delete_takes_all_and_ids_stay_used(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct point p = new_point(1, 1, 1);
    struct record_finding finding = {.kind = "nan_in_input", .row = 3, .count = 1};
    struct run_row *child = new_run(5, 1, 1);

    open_with_run(f);
    child->parent_id = 1;
    store_batch_put_sweep(&b, new_sweep(4, false));
    store_batch_put_run(&b, child);
    store_batch_put_run(&b, new_run(9, 4, 0));
    store_batch_add_points(&b, 5, &p, 1);
    store_batch_put_label(&b, new_label(5, PATTERN_LEARNING));
    store_batch_add_finding(&b, 1, &finding);
    store_batch_add_event(&b, 1, 5, "submitted", 1795481458123000, "%d runs", 2);
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT row FROM findings WHERE column IS NULL"), "3");
    assert_string_equal(sql(f, "SELECT detail || ' ' || created_at FROM events"),
                        "2 runs 2026-11-24 00:50:58.123");

    store_batch_delete_sweep(&b, 1);
    store_batch_delete_sweep(&b, 4);
    fixture_commit(f, &b);
    assert_string_equal(sql(f, "SELECT (SELECT count(*) FROM sweeps) + (SELECT count(*) FROM runs)"
                               " + (SELECT count(*) FROM curves) + (SELECT count(*) FROM labels)"
                               " + (SELECT count(*) FROM findings)"
                               " + (SELECT count(*) FROM events)"), "0");
    fixture_close(f);
    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.last_sweep_id, 4);
    assert_int_equal(f->restored.last_run_id, 9);
}

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

/* --- order, queries, failures ---------------------------------------------------------------- */

struct trace {
    size_t called, answered; /* batches whose callback has run; answers */
};
#define TRACED 200

static void trace_batch(void *arg)
{
    struct trace *t = arg;
    t->called++;
}

static void trace_query(void *arg, const struct table *table, const struct errbuf *err)
{
    struct trace *t = arg;

    assert_null(err);
    assert_true(table->rows >= t->called);
    t->answered++;
}

/* Callbacks come in the order of the queue, and no answer is older than what was called back before
 * it, though another thread reads than writes. */
static void test_no_answer_is_older_than_what_was_told(void **state)
{
    struct fixture *f = *state;
    struct trace t = {0};
    bool last = false;
    int64_t all[] = {1, 0, 1000};

    open_with_run(f);
    for (int i = 1; i <= TRACED; i++) {
        struct store_batch b = {0};
        struct point p = new_point(i, 1, 1);
        store_batch_add_points(&b, 1, &p, 1);
        store_submit(f->store, &b, trace_batch, &t);
        store_query(f->store,
                    &(struct store_named_query){.id = STORE_QUERY_CURVE, .args = all, .count = 3},
                    trace_query, &t);
    }
    assert_int_equal(store_queue_length(f->store), TRACED);
    struct store_batch empty = {0};
    store_submit(f->store, &empty, set_flag, &last);
    assert_true(fixture_wait(f, &last, PATIENCE_SECONDS));
    assert_int_equal(t.called, TRACED);
    assert_int_equal(store_queue_length(f->store), 0);
    fixture_close(f); /* what was asked is answered before the end */
    assert_int_equal(t.answered, TRACED);
}

struct answer {
    char *json;
    bool done;
};

static void take_answer(void *arg, const struct table *t, const struct errbuf *err)
{
    struct answer *a = arg;
    struct buf out = {0};
    struct json_writer w;

    assert_null(err);
    jw_init(&w, &out);
    jw_begin_array(&w);
    for (size_t i = 0; i < t->rows; i++)
        table_row_write(t, i, &w);
    jw_end_array(&w);
    a->json = buf_take(&out);
    a->done = true;
}

static char *query_json(struct fixture *f, enum store_query_id id, const int64_t *args, size_t n)
{
    struct answer a = {0};
    store_query(f->store, &(struct store_named_query){.id = id, .args = args, .count = n},
                take_answer, &a);
    assert_true(fixture_wait(f, &a.done, PATIENCE_SECONDS));
    return a.json;
}

static void put_edit(struct store_batch *b)
{
    struct edit_row *e = xcalloc(1, sizeof(*e));
    *e = (struct edit_row){.kind = "cut_above", .setting = "learning_rate"};
    e->from_json = xstrdup("0.1");
    e->to_json = xstrdup("0.01");
    e->runs_json = xstrdup("[1,2,3]");
    store_batch_put_edits(b, 1, e, 1);
}

/* An ended sweep 2 with a treatment of run 1. */
static void put_treated_sweep(struct store_batch *b)
{
    struct sweep_row *sweep = new_sweep(2, false);
    struct run_row *run = new_run(2, 2, 0);
    run->kind = RUN_KIND_TREATMENT;
    run->parent_id = 1;
    run->remedy = REMEDY_L2;
    run->treats_pattern = PATTERN_OVERFITTING;
    run->treats_cause = CAUSE_OVERCAPACITY;
    run->has_outcome = run->cured = true;
    run->change = -0.25;
    store_batch_put_sweep(b, sweep);
    store_batch_put_run(b, run);
}

static void test_every_query_answers_json(void **state)
{
    static const struct {
        enum store_query_id id;
        size_t args;
        int64_t arg[4];
        const char *has;
    } cases[] = {
        {STORE_QUERY_SWEEPS, 2, {0, 1}, "\"best\":\"nan\""},
        {STORE_QUERY_SWEEP, 1, {1}, "\"spec\":{\"name\":\"night\"}"},
        {STORE_QUERY_SWEEP_STAGES, 1, {1}, "[{\"stage\":\"random\",\"runs\":1,\"done\":1,"},
        {STORE_QUERY_RUNS, 3, {1, -1, 10}, "\"params\":{\"learning_rate\":0.1}"},
        {STORE_QUERY_BEST, 3, {1, 0, 10}, "\"label\":\"bottleneck\""},
        {STORE_QUERY_LABEL_COUNTS, 1, {1}, "\"guide_ref\":\"G4.4\",\"runs\":1"},
        {STORE_QUERY_CAUSE_COUNTS, 1, {2}, "\"cause\":\"too_deep\""},
        {STORE_QUERY_RUN, 1, {1}, "\"seed\":\"18446744073709551614\""},
        {STORE_QUERY_LABEL, 1, {1}, "\"evidence\":{\"gap\":0.5}"},
        {STORE_QUERY_CURVE, 3, {1, 0, 10}, "\"train_loss\":\"nan\",\"val_loss\":\"+inf\""},
        {STORE_QUERY_METRICS, 3, {1, 1, 1}, "[{\"point\":2,\"name\":\"val/loss\",\"value\":\"-inf\"}]"},
        {STORE_QUERY_FINDINGS, 1, {1}, "\"kind\":\"inf_in_input\""},
        {STORE_QUERY_EVENTS, 4, {1, 0, 1, 0}, "\"detail\":\"100%\""},
        {STORE_QUERY_RUN_EVENTS, 4, {1, 0, 10, 2000000}, "\"detail\":\"of the run\""},
        {STORE_QUERY_ALL_EVENTS, 3, {0, 10, 3000000}, "\"detail\":\"late\""},
        {STORE_QUERY_LAST_SWEEP, 0, {0}, "[{\"id\":2}]"},
        {STORE_QUERY_DECISIONS, 3, {1, 0, 10}, "\"kind\":\"proposed\",\"reason\":\"because\""},
        {STORE_QUERY_RUN_DECISIONS, 3, {1, 0, 10}, "\"detail\":{\"epoch\":1}"},
        {STORE_QUERY_RUN_RATES, 0, {0}, "\"samples\":100,\"flop\":6000"},
        {STORE_QUERY_EDITS, 1, {1}, "\"to\":0.01,\"runs\":[1,2,3]"},
        {STORE_QUERY_SWEEP_TREATMENTS, 1, {2}, "\"parent_id\":1"},
        {STORE_QUERY_TREATED, 1, {1}, "\"pattern\":\"bottleneck\",\"cause\":null"},
        {STORE_QUERY_TREATMENTS, 1, {1}, "\"remedy\":\"l2\",\"guide_ref\":null"},
        {STORE_QUERY_OPEN_LABELS, 1, {0}, "[{\"runs\":1}]"},
        {STORE_QUERY_REMEDY_EFFECTS, 0, {0}, "\"tried\":1,\"cured\":1,\"median_change\":-0.25"},
        {STORE_QUERY_BETTERED, 1, {1}, "\"judged\":"},
    };
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct point p = new_point(1, NAN, INFINITY);
    struct record_finding finding = {.kind = "inf_in_input", .count = 2};

    /* and test_unended_runs, test_submitted_ids; best_configurations needs seeds, stopping_audit
     * runs that a rule has spared: test_views.c; pareto_front needs objectives: test_objectives.py */
    assert_int_equal(ARRAY_LEN(cases), STORE_QUERY_COUNT - 5);
    open_with_run(f);
    store_batch_put_run(&b, new_ranked_run(1, 1, 0, NAN));
    store_batch_add_points(&b, 1, &p, 1);
    store_batch_put_label(&b, new_label(1, PATTERN_BOTTLENECK));
    store_batch_add_finding(&b, 1, &finding);
    store_batch_add_event(&b, 1, 0, "note", 1, "100%%");
    store_batch_add_event(&b, 1, 1, "note", 1000000, "too early");
    store_batch_add_event(&b, 1, 1, "note", 2000000, "of the run");
    store_batch_add_event(&b, 0, 0, "note", 3000000, "late");
    put_treated_sweep(&b);
    put_judged(&b, 2, "{}");
    put_edit(&b);
    store_batch_add_decision(&b,
                             &(struct decision_row){.sweep_id = 1,
                                                    .run_id = 1,
                                                    .kind = DECISION_PROPOSED,
                                                    .detail_json = xstrdup("{\"epoch\":1}")},
                             "because");
    fixture_commit(f, &b);
    commit_metrics(f, (double[]){NAN, -INFINITY});
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct errbuf err = {0};
        char *text = query_json(f, cases[i].id, cases[i].arg, cases[i].args);
        struct json *parsed = json_parse(text, strlen(text), &err);
        if (!parsed || !strstr(text, cases[i].has))
            fail_msg("query %d: %s not in %s (%s)", (int)cases[i].id, cases[i].has, text,
                     err.message);
        assert_int_equal(json_count(parsed), 1);
        json_destroy(parsed);
        free(text);
    }
}

/* Cancelled runs keep their handle until their worker was seen to end. */
static void test_unended_runs(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    open_with_run(f);
    for (int64_t id = 2; id <= 3; id++) {
        struct run_row *r = new_run(id, 1, id - 1);
        r->status = RUN_CANCELLED;
        r->handle = id == 2 ? xstrdup("4711") : NULL;
        store_batch_put_run(&b, r);
    }
    fixture_commit(f, &b);
    char *text = query_json(f, STORE_QUERY_UNENDED, NULL, 0);
    assert_string_equal(text, "[{\"run_id\":2,\"handle\":\"4711\"}]");
    free(text);
}

static void test_submitted_ids(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct sweep_row *sweep = new_sweep(7, false);
    struct answer a = {0}, none = {0};
    struct store_named_query q = {.id = STORE_QUERY_SUBMITTED, .text = "night's 1"};

    open_with_run(f);
    sweep->submit_id = xstrdup(q.text);
    store_batch_put_sweep(&b, sweep);
    fixture_commit(f, &b);
    store_query(f->store, &q, take_answer, &a);
    q.text = "night";
    store_query(f->store, &q, take_answer, &none);
    assert_true(fixture_wait(f, &none.done, PATIENCE_SECONDS));
    assert_string_equal(a.json, "[{\"id\":7,\"spec\":\"{\\\"name\\\":\\\"night\\\"}\"}]");
    assert_string_equal(none.json, "[]");
    free(a.json);
    free(none.json);
    fixture_close(f);
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(f->restored.sweeps[1].submit_id, "night's 1");
    assert_false(sql_works(f->path, "UPDATE sweeps SET submit_id = 'night''s 1'"));
}

static void test_table_cells(void **state)
{
    struct cell cells[] = {{.type = CELL_INTEGER, .integer = 3, .real = 3},
                           {.type = CELL_NULL}};
    const char *names[] = {"a", "b"};
    struct table t = {.columns = 2, .rows = 1, .names = names, .cells = cells};
    assert_int_equal(table_cell(&t, 0, "a")->integer, 3);
    assert_int_equal(table_cell(&t, 0, "b")->type, CELL_NULL);
    assert_true(table_number(&t, 0, "a") == 3 && table_number(&t, 0, "b") == 0);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk is full for a while: nothing is acknowledged, lost or reordered. */
static void test_full_disk_and_recovery(void **state)
{
    struct fixture *f = *state;
    struct point many[2000];
    bool first = false, second = false, never = false;
    struct store_batch b = {0};

    open_with_run(f);
    for (int i = 0; i < 2000; i++)
        many[i] = new_point(i + 1, i, i);
    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(64 * 1024);
    store_batch_add_points(&b, 1, many, 2000);
    store_submit(f->store, &b, set_flag, &first);
    store_batch_add_event(&b, 1, 1, "behind", 1, "it");
    store_submit(f->store, &b, set_flag, &second);
    while (!*store_trouble(f->store))
        fixture_wait(f, &never, 0);
    assert_false(first || second);
    assert_non_null(strstr(store_trouble(f->store), "cannot write to"));
    assert_int_equal(store_queue_length(f->store), 2);
    assert_string_equal(sql(f, "SELECT count(*) FROM curves"), "0");

    limit_file_size(RLIM_INFINITY);
    assert_true(fixture_wait(f, &second, PATIENCE_SECONDS));
    assert_true(first);
    assert_string_equal(store_trouble(f->store), "");
    assert_string_equal(sql(f, "SELECT count(*) FROM curves"), "2000");
    assert_string_equal(sql(f, "SELECT kind FROM events"), "behind");
    assert_string_equal(sql(f, "PRAGMA integrity_check"), "ok");
}

/* Opens, reads and closes as `sqlite3` does, without a busy timeout, until the pipe closes; tells
 * that it has begun. */
static int read_until_closed(const char *path, int told, int pipe_end)
{
    char byte;

    for (int reads = 0; read(pipe_end, &byte, 1) < 0; reads++) {
        if (!sql_works(path, "SELECT count(*), (SELECT count(*) FROM best_runs) FROM curves"))
            return 1;
        if (reads == 0 && write(told, "r", 1) != 1)
            return 2;
    }
    return 0;
}

/* Through commits and checkpoints no reader is ever told 'database is locked'. */
static void test_readers_are_never_locked_out(void **state)
{
    struct fixture *f = *state;
    struct point many[500];
    int ends[2], begun[2], status;
    char byte;

    open_with_run(f);
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    assert_int_equal(pipe(begun), 0);
    pid_t reader = fork();
    if (reader == 0) {
        close(ends[1]);
        _exit(read_until_closed(f->path, begun[1], ends[0]));
    }
    close(begun[1]);
    assert_int_equal(read(begun[0], &byte, 1), 1);
    close(begun[0]);
    for (int round = 0; round < 300; round++) { /* 20 MiB of WAL: it is checkpointed on the way */
        for (int i = 0; i < 500; i++) {
            many[i] = new_point(round * 500 + i + 1, i, i);
            many[i].measured = (1u << CURVE_COLUMN_COUNT) - 1;
        }
        commit_points(f, 1, many, 500);
    }
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* What is queued when the store closes is committed, and its callbacks run. */
static void test_close_commits_the_queue(void **state)
{
    struct fixture *f = *state;
    bool done = false;

    open_with_run(f);
    for (int i = 1; i <= 50; i++) {
        struct store_batch b = {0};
        struct point p = new_point(i, 1, 1);
        store_batch_add_points(&b, 1, &p, 1);
        store_submit(f->store, &b, i == 50 ? set_flag : NULL, &done);
    }
    fixture_close(f);
    assert_true(done);
    assert_string_equal(sql(f, "SELECT count(*) FROM curves"), "50");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_new_database),
        TEST(test_reopen_restores_open_sweeps),
        TEST(test_paused_runs_are_restored),
        TEST(test_put_overwrites),
        TEST(test_scores_are_cleared),
        TEST(test_run_without_settings),
        TEST(test_decisions),
        TEST(test_nan_inf_and_not_measured),
        TEST(test_nondeterminism_is_an_event),
        TEST(test_metrics_of_any_name),
        TEST(test_points_are_cleared),
        TEST(test_refused_write_does_not_block),
        TEST(test_delete_takes_all_and_ids_stay_used),
        TEST(test_no_answer_is_older_than_what_was_told),
        TEST(test_every_query_answers_json),
        TEST(test_unended_runs),
        TEST(test_submitted_ids),
        TEST(test_table_cells),
        TEST(test_full_disk_and_recovery),
        TEST(test_readers_are_never_locked_out),
        TEST(test_close_commits_the_queue),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
