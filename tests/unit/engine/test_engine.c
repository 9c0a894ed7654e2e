/* The engine: scheduling, points, ends of runs, retries, commands in every state, shutdown. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/search/search.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define SIX_DEPTHS "\"depth\":{\"min\":1,\"max\":6}"
#define ONE_RUN "\"depth\":{\"values\":[2]}"

static void grid(struct world *w, const char *parameters, const char *more)
{
    world_submit(w, "grid", parameters, 1000, 1, more);
    world_settle(w);
}

static void end_with(struct world *w, int64_t run_id, struct run_exit x)
{
    for (size_t i = 0; i < w->worker_count; i++)
        if (w->workers[i].run_id == run_id)
            w->workers[i] = w->workers[--w->worker_count];
    engine_run_ended(w->engine, run_id, &x, w->now, &w->fx);
    world_settle(w);
}

static struct point point_at(int64_t number, double val_loss)
{
    struct point p = {.point = number, .epoch = (double)number};
    point_set(&p, CURVE_TRAIN_LOSS, 0.5);
    point_set(&p, CURVE_VAL_LOSS, val_loss);
    return p;
}

static void tell(struct world *w, int64_t run_id, int64_t number, double val_loss)
{
    struct point p = point_at(number, val_loss);
    engine_run_points(w->engine, run_id, &p, 1, w->now, &w->fx);
}

/* --- submit ---------------------------------------------------------------------------------- */

static void test_submit(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    grid(&w, SIX_DEPTHS, "");
    assert_string_equal(w.last_reply, "{\"sweep\":1}");
    const struct sweep_row *s = world_sweep(&w, 1);
    assert_int_equal(s->status, SWEEP_RUNNING);
    assert_string_equal(s->data_hash, "abc");
    assert_int_equal(s->data_samples, 100);
    assert_int_equal(w.run_count, 6);
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
    assert_int_equal(r->pid, 5001);
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
    assert_int_equal(w.run_count, 6);
    world_finish(&w);
}

static void submit_with_finding(struct world *w, const char *kind, const char *on_nan)
{
    struct spec s;
    struct record_prepared p = {.hash = "abc", .finding_count = 2};
    snprintf(p.findings[0].kind, sizeof(p.findings[0].kind), "constant_column");
    p.findings[1] = (struct record_finding){.row = 3, .column = 5, .count = 17};
    snprintf(p.findings[1].kind, sizeof(p.findings[1].kind), "%s", kind);
    spec_make(&s, "grid", SIX_DEPTHS, 10, 1);
    s.data.on_nan = strcmp(on_nan, "drop") == 0 ? ON_NAN_DROP : ON_NAN_HOLD;
    engine_submit(w->engine, &s, &p, NULL, w->now, &w->fx);
    world_settle(w);
}

static void test_held_for_nan(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    submit_with_finding(&w, "nan_in_input", "hold");
    const struct sweep_row *s = world_sweep(&w, 1);
    assert_int_equal(s->status, SWEEP_HELD);
    assert_non_null(strstr(s->reason, "17 values"));
    assert_non_null(strstr(s->reason, "row 3, column 5"));
    assert_int_equal(w.worker_count, 0);
    assert_int_equal(w.run_count, 6); /* planned, waiting */
    assert_true(w.wakes > 0);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    submit_with_finding(&w, "inf_in_input", "drop");
    assert_int_equal(world_sweep(&w, 2)->status, SWEEP_RUNNING);
    submit_with_finding(&w, "constant_column", "hold"); /* worth knowing, no reason to stop */
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
    engine_submit(w.engine, &s, &p, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_string_equal(w.last_error.key, "$.run_cap");
    engine_shutdown(w.engine, true, w.now, &w.fx);
    world_submit(&w, "grid", SIX_DEPTHS, 10, 1, "");
    world_settle(&w);
    assert_int_equal(w.last_error.code, ERR_SHUTDOWN);
    assert_int_equal(w.refusals, 3);
    assert_int_equal(w.sweep_count, 0);
    world_finish(&w);
}

/* --- scheduling ------------------------------------------------------------------------------ */

static size_t workers_of(const struct world *w, int64_t sweep_id)
{
    size_t n = 0;
    for (size_t i = 0; i < w->run_count; i++)
        n += w->runs[i]->sweep_id == sweep_id && w->runs[i]->status == RUN_RUNNING;
    return n;
}

static void test_fair_shares(void **state)
{
    struct world w;
    world_init(&w, 4, 1);
    grid(&w, SIX_DEPTHS, "");
    assert_int_equal(workers_of(&w, 1), 4);
    grid(&w, SIX_DEPTHS, "");
    for (int i = 0; i < 2 * WORLD_POINTS; i++) /* two of sweep 1 end */
        world_work(&w, i < WORLD_POINTS ? 0 : w.worker_count - 1);
    world_settle(&w);
    assert_int_equal(workers_of(&w, 1), 2);
    assert_int_equal(workers_of(&w, 2), 2);
    grid(&w, SIX_DEPTHS, ",\"priority\":5"); /* the next free worker is its */
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
        for (size_t k = 0; k < w.run_count; k++)
            if (w.runs[k]->id == w.workers[0].run_id)
                r = w.runs[k];
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
    grid(&w, ONE_RUN, "");
    grid(&w, SIX_DEPTHS, ",\"after\":1");
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
    grid(&w, ONE_RUN, "");
    const double losses[] = {NAN, 0.9, 0.5, 0.5, INFINITY, 0.7};
    for (int64_t i = 0; i < 6; i++)
        tell(&w, 1, i + 1, losses[i]);
    end_with(&w, 1, (struct run_exit){.result = &completed});
    const struct run_row *r = world_run_row(&w, 1, 0);
    assert_int_equal(r->status, RUN_COMPLETED);
    assert_true(r->has_metric && r->metric_value == 0.5 && r->best_epoch == 3);
    assert_true(r->has_val_loss && !r->has_val_acc);
    assert_true(r->seconds == 2 && r->pid == 0);
    assert_string_equal(r->core, "Haswell");
    assert_int_equal(w.label_count, 1);
    assert_int_equal(w.point_count, 6);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_false(engine_sweep_open(w.engine, 1, NULL, NULL)); /* gone from memory */
    world_finish(&w);
}

static void test_only_nan(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    grid(&w, ONE_RUN, "");
    for (int64_t i = 1; i <= 6; i++)
        tell(&w, 1, i, NAN);
    end_with(&w, 1, (struct run_exit){.result = &completed});
    const struct run_row *r = world_run_row(&w, 1, 0);
    assert_true(r->has_metric && isnan(r->metric_value));
    assert_int_equal(w.labels[0]->pattern, PATTERN_NOT_A_NUMBER);
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
        {{1, 2, 4}, {1, 2, 4}, 2},       /* jumps */
        {{1, 2, 2}, {1, 2, 2}, 2},       /* again */
        {{1, 2, 1}, {1, 2, 1}, 2},       /* backwards */
        {{2, 3, 4}, {2, 3, 4}, 0},       /* does not begin at 1 */
        {{1, 2, 3}, {1, 1, 1}, 1},       /* the epoch stands still */
        {{1, 2, 3}, {1, NAN, 3}, 1},
        {{1, INT64_MIN, 3}, {1, 2, 3}, 1},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct world w;
        struct point p[3];
        world_init(&w, 1, 1);
        grid(&w, ONE_RUN, "");
        for (int i = 0; i < 3; i++) {
            p[i] = point_at(cases[k].numbers[i], 0.5);
            p[i].epoch = cases[k].epochs[i];
        }
        engine_run_points(w.engine, 1, p, 3, w.now, &w.fx);
        end_with(&w, 1, (struct run_exit){.result = &completed});
        const struct run_row *r = world_run_row(&w, 1, 0);
        assert_int_equal(r->status, RUN_FAILED);
        assert_int_equal(r->error, RUN_ERROR_PROTOCOL);
        assert_non_null(strstr(r->error_text, "came after"));
        assert_int_equal(w.point_count, cases[k].kept);
        world_finish(&w);
    }
}

static void test_ends(void **state)
{
    static const struct record_result
        stopped = {.status = RUN_STOPPED, .text = "rule x"},
        refused = {.status = RUN_FAILED, .error = RUN_ERROR_CONFIG, .text = "no such layer"},
        forged = {.status = RUN_FAILED, .error = RUN_ERROR_KILLED_BY_USER, .text = "x"},
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
        {{.error = RUN_ERROR_CRASHED, .signal = 11, .text = "signal 11", .stderr_tail = "boom"}, 2,
         RUN_FAILED, RUN_ERROR_CRASHED},
        {{.error = RUN_ERROR_NONE}, 0, RUN_FAILED, RUN_ERROR_EXITED},
        {{.error = RUN_ERROR_OUT_OF_MEMORY}, 0, RUN_FAILED, RUN_ERROR_OUT_OF_MEMORY},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct world w;
        world_init(&w, 1, 1);
        grid(&w, ONE_RUN, "");
        for (int i = 0; i < cases[k].points; i++)
            tell(&w, 1, i + 1, 0.5);
        end_with(&w, 1, cases[k].exit);
        const struct run_row *r = world_run_row(&w, 1, 0);
        assert_int_equal(r->status, cases[k].status);
        assert_int_equal(r->error, cases[k].error);
        assert_int_equal(r->signal, r->status == RUN_FAILED ? cases[k].exit.signal : 0);
        if (cases[k].exit.stderr_tail != NULL)
            assert_string_equal(r->stderr_tail, "boom");
        if (r->status == RUN_STOPPED)
            assert_string_equal(r->stop_reason, "rule x");
        assert_int_equal(w.label_count, 1); /* every run gets one */
        assert_int_equal(world_sweep(&w, 1)->status,
                         r->status == RUN_COMPLETED ? SWEEP_COMPLETED : SWEEP_HELD);
        world_finish(&w);
    }
}

static enum run_error always_killed(const struct run_config *c, int64_t attempt, int64_t *after)
{
    *after = 0;
    return RUN_ERROR_KILLED;
}

/* One more point each time until the third, then none: 3 attempts count after the last new one. */
static enum run_error killed_later(const struct run_config *c, int64_t attempt, int64_t *after)
{
    *after = attempt < 3 ? attempt : 3;
    return RUN_ERROR_KILLED;
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
        {always_killed, RUN_ERROR_KILLED, 3, 0},
        {killed_later, RUN_ERROR_KILLED, 6, 3},
        {always_crashing, RUN_ERROR_CRASHED, 1, 2},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct world w;
        world_init(&w, 2, 1);
        w.fate = cases[k].fate;
        grid(&w, ONE_RUN, "");
        world_run(&w);
        const struct run_row *r = world_run_row(&w, 1, 0);
        assert_int_equal(r->status, RUN_FAILED);
        assert_int_equal(r->error, cases[k].error);
        assert_int_equal(w.starts[1], cases[k].starts);
        assert_int_equal(w.point_count, cases[k].points);
        assert_int_equal(w.nondeterminism, 0);
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
    grid(&w, ONE_RUN, "");
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
        grid(&w, SIX_DEPTHS, "");
        for (int i = 0; i < 6; i++) {
            tell(&w, orders[k][i], 1, losses[orders[k][i] - 1]);
            end_with(&w, orders[k][i], (struct run_exit){.result = &completed});
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
    grid(&w, ONE_RUN, "");
    struct effects *fx = &w.fx;
    for (int64_t i = 1; i <= 200000; i++) {
        struct point p = point_at(i, i == 123457 ? 0.001 : 1.0 / (double)i + 0.1);
        engine_run_points(w.engine, 1, &p, 1, w.now, fx);
        if (i % 1000 == 0)
            effects_finish(fx); /* not into this small store */
    }
    end_with(&w, 1, (struct run_exit){.result = &completed});
    assert_true(world_run_row(&w, 1, 0)->metric_value == 0.001);
    assert_true(world_run_row(&w, 1, 0)->best_epoch == 123457);
    assert_int_equal(w.label_count, 1);
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
    grid(&w, SIX_DEPTHS, "");
    const int64_t ids[] = {0, -1, 2 /* queued */, 99};
    for (size_t i = 0; i < 4; i++) {
        engine_run_spawned(w.engine, ids[i], 1, w.now, &w.fx);
        engine_run_start_line(w.engine, ids[i], &line);
        engine_run_points(w.engine, ids[i], &p, 1, w.now, &w.fx);
        engine_run_ended(w.engine, ids[i], &x, w.now, &w.fx);
        engine_run_adopted(w.engine, ids[i], w.now, &w.fx);
        engine_run_lost(w.engine, ids[i], w.now, &w.fx);
    }
    assert_int_equal(w.fx.batch.count, 0);
    assert_int_equal(w.fx.action_count, 0);
    world_finish(&w);
}

/* --- commands -------------------------------------------------------------------------------- */

/* Brings sweep 1 of six runs into a state; two workers. CANCELLED: workers still ending. */
static void into_state(struct world *w, enum sweep_status status)
{
    world_init(w, 2, 1);
    if (status == SWEEP_HELD) {
        submit_with_finding(w, "nan_in_input", "hold");
        return;
    }
    if (status == SWEEP_QUEUED) { /* behind another */
        grid(w, SIX_DEPTHS, ",\"priority\":9");
        grid(w, SIX_DEPTHS, "");
        return;
    }
    grid(w, SIX_DEPTHS, "");
    if (status == SWEEP_PAUSED)
        engine_command(w->engine, COMMAND_PAUSE, 1, NULL, w->now, &w->fx);
    if (status == SWEEP_CANCELLED)
        engine_command(w->engine, COMMAND_CANCEL, 1, NULL, w->now, &w->fx);
    if (status == SWEEP_COMPLETED)
        world_run(w);
    else
        world_settle(w);
}

static void test_commands_in_every_state(void **state)
{
    enum { NO_STATE = ERR_STATE, NO_SWEEP = ERR_NOT_FOUND };
    static const int expected[SWEEP_STATUS_COUNT][4] = {
        /*                    pause     resume    cancel    delete */
        [SWEEP_QUEUED] = {0, NO_STATE, 0, NO_STATE},
        [SWEEP_RUNNING] = {0, NO_STATE, 0, NO_STATE},
        [SWEEP_PAUSED] = {NO_STATE, 0, 0, NO_STATE /* its workers still train */},
        [SWEEP_HELD] = {NO_STATE, 0, 0, 0},
        [SWEEP_COMPLETED] = {NO_SWEEP, NO_SWEEP, NO_SWEEP, 0},
        [SWEEP_CANCELLED] = {NO_STATE, NO_STATE, NO_STATE, NO_STATE /* workers are ending */},
    };
    for (int status = 0; status < SWEEP_STATUS_COUNT; status++) {
        for (int c = COMMAND_PAUSE; c <= COMMAND_DELETE; c++) {
            struct world w;
            into_state(&w, (enum sweep_status)status);
            int64_t id = status == SWEEP_QUEUED ? 2 : 1;
            assert_int_equal(world_sweep(&w, id)->status, status);
            size_t replies = w.replies;
            engine_command(w.engine, (enum sweep_command)c, id, NULL, w.now, &w.fx);
            world_settle(&w);
            assert_int_equal(w.replies, replies + 1);
            assert_int_equal(w.refusals > 0 ? w.last_error.code : 0, expected[status][c]);
            if (expected[status][c] == NO_STATE) /* the message names the state */
                assert_non_null(strstr(w.last_error.message,
                                       sweep_status_name((enum sweep_status)status)));
            world_run(&w); /* whatever was said, the world comes to rest */
            assert_int_equal(engine_running(w.engine), 0);
            assert_int_equal(w.worker_count, 0);
            world_finish(&w);
        }
    }
}

static void test_pause_resume(void **state)
{
    struct world w;
    into_state(&w, SWEEP_PAUSED);
    while (w.worker_count > 0) /* running runs finish, none starts */
        world_work(&w, 0);
    world_settle(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 2);
    assert_int_equal(world_count(&w, 1, RUN_QUEUED), 4);
    assert_int_equal(w.worker_count, 0);
    world_crash(&w, 2, 0);
    world_settle(&w);
    assert_int_equal(w.worker_count, 0); /* paused it stays */
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_RUNNING);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

static void test_cancel(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    engine_command(w.engine, COMMAND_CANCEL, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_CANCELLED);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 6);
    assert_true(w.workers[0].termed && w.workers[1].termed);
    assert_int_equal(engine_running(w.engine), 2); /* slots are theirs until they are gone */
    assert_true(engine_sweep_open(w.engine, 1, NULL, NULL));
    grid(&w, ONE_RUN, "");
    assert_int_equal(w.worker_count, 2);
    world_work(&w, 0);
    world_work(&w, 0);
    world_settle(&w);
    assert_false(engine_sweep_open(w.engine, 1, NULL, NULL));
    const struct run_row *r = world_run_row(&w, 1, 0);
    assert_int_equal(r->error, RUN_ERROR_KILLED_BY_USER);
    assert_int_equal(r->pid, 0);
    assert_true(r->ended != 0);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 2)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

static void test_cancel_run(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    engine_cancel_run(w.engine, 1, NULL, w.now, &w.fx); /* running */
    engine_cancel_run(w.engine, 4, NULL, w.now, &w.fx); /* queued */
    world_settle(&w);
    assert_int_equal(w.refusals, 0);
    engine_cancel_run(w.engine, 1, NULL, w.now, &w.fx); /* again */
    world_settle(&w);
    assert_int_equal(w.last_error.code, ERR_STATE);
    assert_non_null(strstr(w.last_error.message, "cancelled"));
    engine_cancel_run(w.engine, 77, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(w.last_error.code, ERR_NOT_FOUND);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 2);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 4);
    assert_int_equal(world_run_row(&w, 1, 3)->error, RUN_ERROR_KILLED_BY_USER);
    world_finish(&w);
}

/* An adopted worker's exit status is unknown: when it ends after a cancel, the pool says lost. */
static void test_cancel_adopted(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    world_crash(&w, 2, 0);
    engine_command(w.engine, COMMAND_CANCEL, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    engine_run_lost(w.engine, 1, w.now, &w.fx);
    engine_run_lost(w.engine, 2, w.now, &w.fx);
    w.worker_count = 0;
    world_settle(&w);
    assert_int_equal(engine_running(w.engine), 0);
    assert_false(engine_sweep_open(w.engine, 1, NULL, NULL));
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 6);
    world_finish(&w);
}

/* Every run cancelled one by one: nothing completed, a person is asked; resuming cannot help. */
static void test_cancel_every_run(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    for (int64_t i = 1; i <= 6; i++)
        engine_cancel_run(w.engine, i, NULL, w.now, &w.fx);
    world_run(&w);
    const struct sweep_row *s = world_sweep(&w, 1);
    assert_int_equal(s->status, SWEEP_HELD);
    assert_string_equal(s->reason, "no run completed: 6 cancelled");
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(w.last_error.code, ERR_STATE);
    assert_non_null(strstr(w.last_error.message, "nothing left to run"));
    world_crash(&w, 2, 0); /* held it stays */
    world_settle(&w);
    engine_command(w.engine, COMMAND_DELETE, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(w.sweep_count, 0);
    assert_int_equal(w.deleted_runs, 6);
    world_finish(&w);
}

/* --- shutdown -------------------------------------------------------------------------------- */

static void test_shutdown(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    engine_shutdown(w.engine, false, w.now, &w.fx);
    engine_shutdown(w.engine, false, w.now, &w.fx);
    world_settle(&w);
    assert_true(w.workers[0].termed && w.workers[1].termed);
    world_work(&w, 0);
    /* this one's end was already written when TERM came: it counts */
    tell(&w, w.workers[0].run_id, 1, 0.3);
    end_with(&w, w.workers[0].run_id, (struct run_exit){.result = &completed});
    assert_int_equal(w.worker_count, 0);
    assert_int_equal(engine_running(w.engine), 0);
    assert_int_equal(world_count(&w, 1, RUN_QUEUED), 5);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 1);
    for (int64_t n = 0; n < 6; n++)
        if (world_run_row(&w, 1, n)->status == RUN_QUEUED)
            assert_int_equal(world_run_row(&w, 1, n)->attempts, 0);
    world_crash(&w, 2, 0);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

static void test_drain(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    engine_shutdown(w.engine, true, w.now, &w.fx);
    world_settle(&w);
    assert_false(w.workers[0].termed);
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 2);
    assert_int_equal(world_count(&w, 1, RUN_QUEUED), 4);
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
        cmocka_unit_test(test_ends),            cmocka_unit_test(test_retries),
        cmocka_unit_test(test_lost_is_no_attempt), cmocka_unit_test(test_best_three),
        cmocka_unit_test(test_many_points),     cmocka_unit_test(test_unknown_runs),
        cmocka_unit_test(test_commands_in_every_state), cmocka_unit_test(test_pause_resume),
        cmocka_unit_test(test_cancel),          cmocka_unit_test(test_cancel_run),
        cmocka_unit_test(test_cancel_adopted),
        cmocka_unit_test(test_cancel_every_run), cmocka_unit_test(test_shutdown),
        cmocka_unit_test(test_drain),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
