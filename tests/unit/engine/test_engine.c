/* The engine: submit, scheduling, points, ends of runs, retries. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/search.h"
#include "daemon/engine/private.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

/* --- submit ---------------------------------------------------------------------------------- */

static void test_submit(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_grid(&w, SIX_DEPTHS, "");
    assert_string_equal(w.last_reply,
                        "{\"sweep\":1,\"data\":{\"task\":\"classification\",\"target\":\"kind\","
                        "\"samples\":100,\"features\":4,\"classes\":2,\"outputs\":0,\"notes\":["
                        "{\"key\":\"data.task\",\"text\":\"two names\"}],"
                        "\"findings\":[],\"held\":null}}");
    const struct sweep_row *s = world_sweep(&w, 1);
    assert_string_equal(s->data_target, "kind");
    assert_string_equal(s->data_notes, "[{\"key\":\"data.task\",\"text\":\"two names\"}]");
    assert_int_equal(s->status, SWEEP_RUNNING);
    assert_string_equal(s->data_hash, "abc");
    assert_int_equal(s->data_samples, 100);
    assert_int_equal(w.store.run_count, 6);
    assert_int_equal(w.worker_count, 2);
    assert_int_equal(engine_running(w.engine), 2);
    assert_int_equal(engine_queued(w.engine), 4);
    const struct run_config *c = &w.workers[0].config;
    assert_string_equal(c->weights, "/runs/1/best.safetensors");
    assert_string_equal(c->data_hash, "abc");
    assert_string_equal(c->data.path, "/data");
    assert_int_equal(c->seed, 1);
    assert_int_equal(c->split_seed, 1);
    assert_int_equal(c->epochs, 6);
    assert_true(c->settings.v[SETTING_DEPTH] == 1);
    const struct run_row *r = world_run_row(&w, 1, 0);
    assert_string_equal(r->params_json, "{\"depth\":1}");
    assert_int_equal(r->status, RUN_RUNNING);
    assert_string_equal(r->handle, "5001");
    assert_int_equal(r->attempts, 1);
    world_finish(&w);
}

/* The acknowledgement comes with the rows, never before. */
static void test_rows_before_reply(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_submit(&w, "grid", SIX_DEPTHS, 10, 1, "");
    assert_int_equal(w.replies, 0);
    world_flush(&w);
    assert_int_equal(w.batch_count, 1);
    assert_int_equal(w.replies, 0);
    assert_int_equal(w.worker_count, 0);
    world_commit(&w);
    assert_int_equal(w.replies, 1);
    assert_int_equal(w.store.run_count, 6);
    world_finish(&w);
}

static void test_held_for_nan(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_submit_finding(&w, "nan_in_input", "hold");
    const struct sweep_row *s = world_sweep(&w, 1);
    assert_int_equal(s->status, SWEEP_HELD);
    assert_non_null(strstr(s->reason, "17 values"));
    assert_non_null(strstr(s->reason, "row 3, column 5"));
    assert_int_equal(w.worker_count, 0);
    assert_int_equal(w.store.run_count, 6); /* planned, waiting */
    assert_true(w.wakes > 0);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_submit_finding(&w, "inf_in_input", "drop");
    assert_int_equal(world_sweep(&w, 2)->status, SWEEP_RUNNING);
    world_submit_finding(&w, "constant_column", "hold"); /* worth knowing, no reason to stop */
    assert_int_equal(world_sweep(&w, 3)->status, SWEEP_QUEUED);
    world_finish(&w);
}

static void test_refused(void **state)
{
    struct world w;
    struct spec s;
    struct record_prepared p = {.hash = "abc"};
    world_init(&w, 2, 1);
    world_submit(&w, "grid", SIX_DEPTHS, 10, 1, ",\"after\":1"); /* would wait for itself */
    world_settle(&w);
    assert_int_equal(w.last_error.code, ERR_VALUE);
    assert_string_equal(w.last_error.key, "$.after");
    spec_make(&s, "coarse_to_fine", SIX_DEPTHS, 10, 1);
    s.run_cap = 2;
    world_submit_spec(&w, &s, &p, NULL);
    world_settle(&w);
    assert_string_equal(w.last_error.key, "$.run_cap");
    engine_shutdown(w.engine, true, w.now, &w.fx);
    world_submit(&w, "grid", SIX_DEPTHS, 10, 1, "");
    world_settle(&w);
    assert_int_equal(w.last_error.code, ERR_SHUTDOWN);
    assert_int_equal(w.refusals, 3);
    assert_int_equal(w.store.sweep_count, 0);
    world_finish(&w);
}

/* --- scheduling ------------------------------------------------------------------------------ */

static size_t workers_of(const struct world *w, int64_t sweep_id)
{
    size_t n = 0;
    for (size_t i = 0; i < w->store.run_count; i++)
        n += w->store.runs[i]->sweep_id == sweep_id && w->store.runs[i]->status == RUN_RUNNING;
    return n;
}

static void test_fair_shares(void **state)
{
    struct world w;
    world_init(&w, 4, 1);
    world_grid(&w, SIX_DEPTHS, "");
    assert_int_equal(workers_of(&w, 1), 4);
    world_grid(&w, SIX_DEPTHS, "");
    for (int i = 0; i < 2 * WORLD_POINTS; i++) /* two of sweep 1 end */
        world_work(&w, i < WORLD_POINTS ? 0 : w.worker_count - 1);
    world_settle(&w);
    assert_int_equal(workers_of(&w, 1), 2);
    assert_int_equal(workers_of(&w, 2), 2);
    world_grid(&w, SIX_DEPTHS, ",\"priority\":5"); /* the next free worker is its */
    for (int i = 0; i < WORLD_POINTS; i++)
        world_work(&w, 0);
    world_settle(&w);
    assert_int_equal(workers_of(&w, 3), 1);
    world_run(&w);
    for (int64_t i = 1; i <= 3; i++)
        assert_int_equal(world_sweep(&w, i)->status, SWEEP_COMPLETED);
    assert_int_equal(w.most_running, 4);
    world_finish(&w);
}

/* One worker and two sweeps: they take turns. */
static void test_turns(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_submit(&w, "grid", SIX_DEPTHS, 10, 1, "");
    world_submit(&w, "grid", SIX_DEPTHS, 10, 1, "");
    world_settle(&w);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(w.worker_count, 1);
        const struct run_row *r = NULL;
        for (size_t k = 0; k < w.store.run_count; k++)
            if (w.store.runs[k]->id == w.workers[0].run_id)
                r = w.store.runs[k];
        assert_int_equal(r->sweep_id, 1 + i % 2);
        assert_int_equal(r->number, i / 2); /* within a sweep by number */
        for (int k = 0; k < WORLD_POINTS; k++)
            world_work(&w, 0);
        world_settle(&w);
    }
    assert_int_equal(world_sweep(&w, 2)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

static void test_after(void **state)
{
    struct world w;
    world_init(&w, 4, 1);
    world_grid(&w, ONE_RUN, "");
    world_grid(&w, SIX_DEPTHS, ",\"after\":1");
    assert_int_equal(w.worker_count, 1);
    assert_int_equal(world_sweep(&w, 2)->status, SWEEP_QUEUED);
    world_crash(&w, 4, 0); /* it still waits */
    world_settle(&w);
    assert_int_equal(w.worker_count, 1);
    for (int i = 0; i < WORLD_POINTS; i++)
        world_work(&w, 0);
    world_settle(&w);
    assert_int_equal(w.worker_count, 4);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 2)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

/* --- points and ends ------------------------------------------------------------------------- */

static const struct record_result completed = {.status = RUN_COMPLETED, .seconds = 2};

static void test_best_point(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_grid(&w, ONE_RUN, "");
    const double losses[] = {NAN, 0.9, 0.5, 0.5, INFINITY, 0.7};
    for (int64_t i = 0; i < 6; i++)
        world_tell(&w, 1, i + 1, losses[i]);
    world_end(&w, 1, (struct run_exit){.result = &completed});
    const struct run_row *r = world_run_row(&w, 1, 0);
    assert_int_equal(r->status, RUN_COMPLETED);
    assert_true(r->has_metric && r->metric_value == 0.5 && r->best_epoch == 3);
    assert_true(r->has_val_loss && !r->has_val_acc);
    assert_true(r->seconds == 2 && r->handle == NULL);
    assert_string_equal(r->core, "Haswell");
    assert_int_equal(w.store.label_count, 1);
    assert_int_equal(w.store.point_count, 6);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_false(engine_sweep_open(w.engine, 1, NULL, NULL)); /* gone from memory */
    world_finish(&w);
}

static void test_only_nan(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_grid(&w, ONE_RUN, "");
    for (int64_t i = 1; i <= 6; i++)
        world_tell(&w, 1, i, NAN);
    world_end(&w, 1, (struct run_exit){.result = &completed});
    const struct run_row *r = world_run_row(&w, 1, 0);
    assert_true(r->has_metric && isnan(r->metric_value));
    assert_int_equal(w.store.labels[0]->row.pattern, PATTERN_NOT_A_NUMBER);
    assert_int_equal(w.dropped[1], 1); /* no weights worth keeping */
    world_finish(&w);
}

static void test_protocol_errors(void **state)
{
    static const struct {
        int64_t numbers[4];
        double epochs[4];
        size_t kept;
    } cases[] = {
        {{1, 2, 4}, {1, 2, 4}, 2}, /* jumps */
        {{1, 2, 2}, {1, 2, 2}, 2}, /* again */
        {{1, 2, 1}, {1, 2, 1}, 2}, /* backwards */
        {{2, 3, 4}, {2, 3, 4}, 0}, /* does not begin at 1 */
        {{1, 2, 3}, {1, 1, 1}, 1}, /* the epoch stands still */
        {{1, 2, 3}, {1, NAN, 3}, 1}, {{1, INT64_MIN, 3}, {1, 2, 3}, 1},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct world w;
        struct point p[3];
        world_init(&w, 1, 1);
        world_grid(&w, ONE_RUN, "");
        for (int i = 0; i < 3; i++) {
            p[i] = point_at(cases[k].numbers[i], 0.5);
            p[i].epoch = cases[k].epochs[i];
        }
        /* Three attempts, and a first one that brought points. */
        size_t attempts = cases[k].kept > 0 ? 4 : 3;
        for (size_t i = 0; i < attempts; i++) {
            assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_RUNNING);
            assert_int_equal(engine_run_points(w.engine, 1, p, 3, w.now, &w.fx), cases[k].kept);
            world_end(&w, 1, (struct run_exit){.result = &completed});
        }
        const struct run_row *r = world_run_row(&w, 1, 0);
        assert_int_equal(r->status, RUN_FAILED);
        assert_int_equal(r->error, RUN_ERROR_PROTOCOL);
        assert_int_equal(world_events(&w, 1, "run_lines_damaged", "came after"), attempts - 1);
        assert_non_null(strstr(r->error_text, "came after"));
        assert_int_equal(w.store.point_count, cases[k].kept);
        world_finish(&w);
    }
}

/* More than its epochs come to, or than a program may report. */
static void test_too_many_points(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_grid(&w, ONE_RUN, "");
    for (int i = 1; i <= 6; i++)
        world_tell(&w, 1, i, 0.5);
    struct point seventh = point_at(7, 0.5);
    assert_int_equal(engine_run_points(w.engine, 1, &seventh, 1, w.now, &w.fx), 0);
    world_end(&w, 1, (struct run_exit){.result = &completed});
    assert_int_equal(world_events(&w, 1, "run_lines_damaged", "the run has at most 6"), 1);
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_RUNNING);
    world_finish(&w);
}

static void test_ends(void **state)
{
    static const struct record_result stopped = {.status = RUN_STOPPED, .text = "rule x"},
                                      refused = {.status = RUN_FAILED,
                                                 .error = RUN_ERROR_CONFIG,
                                                 .text = "no such layer"},
                                      forged = {.status = RUN_FAILED,
                                                .error = RUN_ERROR_KILLED_BY_USER,
                                                .text = "x"},
                                      absurd = {.status = RUN_QUEUED};
    static const struct {
        struct run_exit exit;
        int points;
        enum run_status status;
        enum run_error error;
    } cases[] = {
        {{.result = &completed}, 1, RUN_COMPLETED, RUN_ERROR_NONE},
        {{.result = &completed}, 0, RUN_FAILED, RUN_ERROR_PROTOCOL},
        {{.result = &stopped}, 1, RUN_STOPPED, RUN_ERROR_NONE},
        {{.result = &refused}, 0, RUN_FAILED, RUN_ERROR_CONFIG},
        {{.result = &forged}, 1, RUN_FAILED, RUN_ERROR_EXITED},
        {{.result = &absurd}, 1, RUN_FAILED, RUN_ERROR_PROTOCOL},
        {{.error = RUN_ERROR_CRASHED, .signal = 11, .text = "signal 11", .stderr_tail = "boom"},
         2,
         RUN_FAILED,
         RUN_ERROR_CRASHED},
        {{.error = RUN_ERROR_NONE}, 0, RUN_FAILED, RUN_ERROR_EXITED},
        {{.error = RUN_ERROR_OUT_OF_MEMORY}, 0, RUN_FAILED, RUN_ERROR_OUT_OF_MEMORY},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct world w;
        world_init(&w, 1, 1);
        world_grid(&w, ONE_RUN, "");
        do {
            for (int i = 0; i < cases[k].points; i++)
                world_tell(&w, 1, i + 1, 0.5);
            world_end(&w, 1, cases[k].exit);
        } while (world_run_row(&w, 1, 0)->status == RUN_RUNNING); /* it may be tried again */
        const struct run_row *r = world_run_row(&w, 1, 0);
        assert_int_equal(r->status, cases[k].status);
        assert_int_equal(r->error, cases[k].error);
        assert_int_equal(r->signal, r->status == RUN_FAILED ? cases[k].exit.signal : 0);
        if (cases[k].exit.stderr_tail != NULL)
            assert_string_equal(r->stderr_tail, "boom");
        if (r->status == RUN_STOPPED)
            assert_string_equal(r->stop_reason, "rule x");
        assert_int_equal(w.store.label_count, 1); /* every run gets one */
        assert_int_equal(world_sweep(&w, 1)->status,
                         r->status == RUN_COMPLETED ? SWEEP_COMPLETED : SWEEP_HELD);
        world_finish(&w);
    }
}

static enum run_error always_hung(const struct run_config *c, int64_t attempt, int64_t *after)
{
    *after = 0;
    return RUN_ERROR_HUNG;
}

/* One more point each time until the third, then none: 3 attempts count after the last new one. */
static enum run_error hung_later(const struct run_config *c, int64_t attempt, int64_t *after)
{
    *after = attempt < 3 ? attempt : 3;
    return RUN_ERROR_HUNG;
}

static enum run_error always_crashing(const struct run_config *c, int64_t attempt, int64_t *after)
{
    *after = 2;
    return RUN_ERROR_CRASHED;
}

static void test_retries(void **state)
{
    static const struct {
        enum run_error (*fate)(const struct run_config *, int64_t, int64_t *);
        enum run_error error;
        int64_t starts;
        size_t points;
    } cases[] = {
        {always_hung, RUN_ERROR_HUNG, 3, 0},
        {hung_later, RUN_ERROR_HUNG, 6, 3},
        {always_crashing, RUN_ERROR_CRASHED, 1, 2},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct world w;
        world_init(&w, 2, 1);
        w.fate = cases[k].fate;
        world_grid(&w, ONE_RUN, "");
        world_run(&w);
        const struct run_row *r = world_run_row(&w, 1, 0);
        assert_int_equal(r->status, RUN_FAILED);
        assert_int_equal(r->error, cases[k].error);
        assert_int_equal(w.starts[1], cases[k].starts);
        assert_int_equal(w.store.point_count, cases[k].points);
        assert_int_equal(w.store.nondeterminism, 0);
        assert_string_equal(r->stderr_tail, "last\n");
        const struct sweep_row *s = world_sweep(&w, 1);
        assert_int_equal(s->status, SWEEP_HELD);
        assert_non_null(strstr(s->reason, "no run completed: 1 failed (1 "));
        assert_non_null(strstr(s->reason, run_error_name(cases[k].error)));
        world_finish(&w);
    }
}

/* A daemon's death never counts: however often it dies, the run is tried. */
static void test_lost_is_no_attempt(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_grid(&w, ONE_RUN, "");
    for (int i = 0; i < 10; i++) {
        world_crash(&w, 1, 256);
        world_settle(&w);
        assert_int_equal(world_run_row(&w, 1, 0)->attempts, 1);
    }
    world_run(&w);
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_COMPLETED);
    assert_int_equal(w.starts[1], 11);
    world_finish(&w);
}

/* Of six runs the three best keep their weights, whatever the order in which they end. */
static void test_best_three(void **state)
{
    static const double losses[] = {0.4, 0.2, 0.9, 0.2, 0.2, 0.1}; /* by number; ties: lower */
    static const int orders[][6] = {
        {1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, {3, 1, 5, 6, 2, 4}, {5, 4, 2, 6, 1, 3}};
    for (size_t k = 0; k < sizeof(orders) / sizeof(*orders); k++) {
        struct world w;
        world_init(&w, 6, 1);
        world_grid(&w, SIX_DEPTHS, "");
        for (int i = 0; i < 6; i++) {
            world_tell(&w, orders[k][i], 1, losses[orders[k][i] - 1]);
            world_end(&w, orders[k][i], (struct run_exit){.result = &completed});
        }
        const int64_t dropped[] = {1, 0, 1, 0, 1, 0};
        for (int i = 0; i < 6; i++)
            assert_int_equal(w.dropped[i + 1], dropped[i]);
        assert_non_null(strstr(w.methods.data, "sweep_ended"));
        world_finish(&w);
    }
}

/* More points than are kept: the label still comes, the best point is exact. */
static void test_many_points(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_grid(&w, ONE_RUN, "");
    w.engine->running[0]->row->epochs = 200000;
    struct effects *fx = &w.fx;
    for (int64_t i = 1; i <= 200000; i++) {
        struct point p = point_at(i, i == 123457 ? 0.001 : 1.0 / (double)i + 0.1);
        engine_run_points(w.engine, 1, &p, 1, w.now, fx);
        if (i % 1000 == 0)
            effects_finish(fx); /* not into this small store */
    }
    world_end(&w, 1, (struct run_exit){.result = &completed});
    assert_true(world_run_row(&w, 1, 0)->metric_value == 0.001);
    assert_true(world_run_row(&w, 1, 0)->best_epoch == 123457);
    assert_int_equal(w.store.label_count, 1);
    world_finish(&w);
}

/* Events about runs that the engine does not know are nobody's: nothing happens. */
static void test_unknown_runs(void **state)
{
    struct world w;
    struct point p = point_at(1, 0.5);
    struct record_start line = {.pid = 1};
    struct run_exit x = {.result = &completed};
    world_init(&w, 1, 1);
    world_grid(&w, SIX_DEPTHS, "");
    const int64_t ids[] = {0, -1, 2 /* queued */, 99};
    for (size_t i = 0; i < 4; i++) {
        engine_run_spawned(w.engine, ids[i], "1", w.now, &w.fx);
        engine_run_start_line(w.engine, ids[i], &line);
        engine_run_points(w.engine, ids[i], &p, 1, w.now, &w.fx);
        engine_run_ended(w.engine, ids[i], &x, w.now, &w.fx);
        engine_run_adopted(w.engine, ids[i], 0, w.now, &w.fx);
        engine_run_lost(w.engine, ids[i], w.now, &w.fx);
    }
    assert_int_equal(w.fx.batch.count, 0);
    assert_int_equal(w.fx.action_count, 0);
    world_finish(&w);
}

/* --- launchers ------------------------------------------------------------------------------- */

static size_t under(const struct world *w, size_t launcher)
{
    size_t n = 0;
    for (size_t i = 0; i < w->worker_count; i++)
        n += w->workers[i].launcher == launcher;
    return n;
}

/* Each has slots of its own; the first is filled first. */
static void test_launchers(void **state)
{
    struct world w;
    struct run_exit x = {.error = RUN_ERROR_EXITED, .text = "exit status 3"};
    world_init(&w, 1, 1);
    engine_set_capacity(w.engine, 3, 2);
    assert_int_equal(engine_workers(w.engine), 3);
    world_grid(&w, SIX_DEPTHS, "");
    assert_int_equal(w.worker_count, 3);
    assert_int_equal(w.workers[0].launcher, 0);
    assert_int_equal(under(&w, 3), 2);
    world_end(&w, w.workers[1].run_id, x);
    world_settle(&w);
    assert_int_equal(under(&w, 0), 1);
    assert_int_equal(under(&w, 3), 2);
    engine_set_capacity(w.engine, 3, 1); /* those that are there go on */
    assert_int_equal(w.worker_count, 3);
    world_end(&w, w.workers[1].run_id, x);
    world_settle(&w);
    assert_int_equal(under(&w, 0), 1);
    assert_int_equal(under(&w, 3), 1);
    world_finish(&w);
}

/* A sweep that names a launcher has slots of its own there, and none of the others'; it neither
 * waits for this machine nor minds its gate. */
static void test_own_slots(void **state)
{
    struct world w;
    struct placed_sweep placed[2];
    world_init(&w, 1, 1);
    world_grid(&w, SIX_DEPTHS, ",\"on\":{\"launcher\":\"slurm\",\"slots\":4,"
                               "\"options\":[\"--mem=1\"]}");
    assert_int_equal(w.worker_count, 0);
    assert_int_equal(engine_placed(w.engine, 1, w.now, placed, 2), 1);
    assert_int_equal(placed[0].id, 1);
    assert_int_equal(placed[0].waiting, 6);
    assert_int_equal(engine_sweep_spec(w.engine, 1)->on.slots, 4);
    assert_string_equal(engine_sweep_spec(w.engine, 1)->on.options[0], "--mem=1");
    world_grid(&w, SIX_DEPTHS, "");
    assert_int_equal(under(&w, 0), 1);
    engine_set_gate(w.engine, false, false, &w.fx);
    engine_set_sweep_slots(w.engine, 1, 2);
    world_settle(&w);
    assert_int_equal(under(&w, 0), 1);
    assert_int_equal(under(&w, 1), 2);
    assert_int_equal(engine_run_launcher(w.engine, w.workers[1].run_id), 1);
    assert_int_equal(engine_run_sweep(w.engine, w.workers[1].run_id), 1);
    engine_hold_sweep(w.engine, 1, "nobody takes its jobs", w.now, &w.fx);
    engine_set_sweep_slots(w.engine, 1, 4);
    world_settle(&w);
    assert_int_equal(under(&w, 1), 2);
    assert_int_equal(engine_placed(w.engine, 1, w.now, placed, 2), 1);
    assert_int_equal(placed[0].status, SWEEP_HELD);
    assert_int_equal(placed[0].waiting, 0);
    world_finish(&w);
}

/* Whose slot an adopted run has, its worker's handle tells, not the order of restoring. */
static void test_adopted_slots(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    engine_set_capacity(w.engine, 1, 2);
    world_grid(&w, SIX_DEPTHS, "");
    assert_int_equal(under(&w, 1), 2);
    world_crash(&w, 1, 0);
    assert_int_equal(engine_running(w.engine), 3);
    assert_string_equal(engine_run_handle(w.engine, 2), "5002");
    assert_string_equal(engine_run_handle(w.engine, 99), "");
    engine_set_capacity(w.engine, 1, 3); /* one slot more than is taken */
    world_settle(&w);
    assert_int_equal(under(&w, 0), 1);
    assert_int_equal(under(&w, 1), 3);
    world_finish(&w);
}

/* Values of points 1 to 3, of which the engine knows two: the third was refused. Its own metric
 * is a column, so nothing else is ranked. */
static void test_metrics(void **state)
{
    struct world w;
    struct point_metrics *m[3];
    world_init(&w, 1, 1);
    world_grid(&w, ONE_RUN, "");
    world_tell(&w, 1, 1, 0.5);
    world_tell(&w, 1, 2, 0.75);
    for (int i = 0; i < 3; i++) {
        struct point p = point_at(i + 1, i < 2 ? 0.5 + 0.25 * i : 0.1);
        m[i] = metrics_create(&p, 1);
        snprintf(m[i]->values[0].name, METRIC_NAME_MAX, "val/loss");
        m[i]->values[0].value = -i;
    }
    engine_run_metrics(w.engine, 1, m, 3, &w.fx);
    engine_run_metrics(w.engine, 99, m, 3, &w.fx);
    const struct store_op *op = &w.fx.batch.ops[w.fx.batch.count - 1];
    assert_int_equal(op->type, STORE_PUT_METRICS);
    assert_int_equal(op->u.metrics->run_id, 1);
    assert_int_equal(op->u.metrics->count, 2);
    assert_int_equal(op->u.metrics->rows[1].point, 2);
    assert_true(op->u.metrics->rows[1].metric.value == -1);
    world_end(&w, 1, (struct run_exit){.error = RUN_ERROR_EXITED, .text = "gone"});
    world_settle(&w);
    assert_true(world_run_row(&w, 1, 0)->metric_value == 0.5);
    for (int i = 0; i < 3; i++)
        free(m[i]);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_submit),          cmocka_unit_test(test_rows_before_reply),
        cmocka_unit_test(test_held_for_nan),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_fair_shares),     cmocka_unit_test(test_turns),
        cmocka_unit_test(test_after),           cmocka_unit_test(test_best_point),
        cmocka_unit_test(test_only_nan),        cmocka_unit_test(test_protocol_errors),
        cmocka_unit_test(test_too_many_points), cmocka_unit_test(test_ends),
        cmocka_unit_test(test_retries),         cmocka_unit_test(test_lost_is_no_attempt),
        cmocka_unit_test(test_best_three),      cmocka_unit_test(test_many_points),
        cmocka_unit_test(test_unknown_runs),    cmocka_unit_test(test_launchers),
        cmocka_unit_test(test_own_slots),
        cmocka_unit_test(test_adopted_slots),   cmocka_unit_test(test_metrics),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
