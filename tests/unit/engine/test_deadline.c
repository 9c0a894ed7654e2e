/* A sweep is done by its deadline, with other seeds of its best, and says what it left out. Time is
 * the world's: a run has six points, and each takes a quarter of a second. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/require.h"
#include "tests/unit/engine/replayed.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define SECOND INT64_C(1000000)
#define PACE (SECOND / 4) /* so that a run takes the 1.5 s that the world says of each */

/* --- nights ---------------------------------------------------------------------------------- */

static void tick(struct world *w)
{
    utc_us next = w->now + PACE, wake = engine_wake_at(w->engine, w->now);
    w->now = wake > w->now && wake < next ? wake : next;
    if (w->now == next)
        for (size_t i = w->worker_count; i-- > 0;)
            world_work(w, i);
    else
        world_settle(w); /* those that are told to end do, before anything else */
    for (size_t i = w->worker_count; i-- > 0;)
        if (w->workers[i].termed)
            world_work(w, i);
    world_settle(w);
}

static void run_for(struct world *w, utc_us until)
{
    world_settle(w);
    while (w->now < until && w->worker_count > 0)
        tick(w);
}

static void begin(struct world *w, const char *method, size_t workers, int64_t run_cap,
                  double seconds, const char *more)
{
    char text[320];
    snprintf(text, sizeof(text), ",\"max_hours\":%.12g,\"repeat_share\":0.15%s", seconds / 3600,
             more);
    world_init(w, workers, 1);
    world_submit(w, method, PARAMETERS_FULL, run_cap, 7, text);
    world_settle(w);
}

static size_t count_stage(const struct world *w, const char *stage, enum run_status status)
{
    size_t n = 0;
    for (size_t i = 0; i < w->store.run_count; i++)
        n += strcmp(w->store.runs[i]->stage, stage) == 0 && w->store.runs[i]->status == status;
    return n;
}

/* --- tests ----------------------------------------------------------------------------------- */

/* Two workers have time for 40 runs, of which six are other seeds of the best. */
static void check_night(struct world *w, size_t least)
{
    const struct sweep_row *s = world_sweep(w, 1);
    char said[96];
    assert_int_equal(s->status, SWEEP_COMPLETED);
    assert_true(s->ended <= s->deadline);
    assert_true(s->ended > s->deadline - 6 * SECOND); /* and the time was used */
    size_t done = world_count(w, 1, RUN_COMPLETED);
    assert_in_range(done, least, 40);
    assert_int_equal(world_count(w, 1, RUN_STOPPED), 0); /* nothing was cut off */
    assert_true(count_stage(w, STAGE_FINALISTS, RUN_COMPLETED) >= 2);
    assert_true(world_decisions(w, 1, 0, DECISION_SKIPPED) > 0);
    snprintf(said, sizeof(said), "the deadline left time for %zu of %lld runs", done,
             (long long)s->run_cap);
    assert_string_equal(s->reason, said);
    assert_true(w->store.run_count <= (size_t)s->run_cap);
}

static void shrinks_to_what_fits(void **state)
{
    static const char *const methods[] = {"random", "sobol", "tpe", "cmaes", "coarse_to_fine"};
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        struct world w;
        begin(&w, methods[m], 2, 100, 30, "");
        run_for(&w, INT64_MAX);
        print_message("# %s: %zu runs, %zu finalists, %zu skipped\n", methods[m],
                      world_count(&w, 1, RUN_COMPLETED),
                      count_stage(&w, STAGE_FINALISTS, RUN_COMPLETED),
                      world_count(&w, 1, RUN_CANCELLED));
        check_night(&w, 28);
        if (m == 2) /* what cannot begin any more is not proposed either */
            assert_in_range(world_count(&w, 1, RUN_CANCELLED), 0, 4);
        assert_replays(&w, 1);
        world_finish(&w);
    }
}

static void each_stage_has_its_share(void **state)
{
    struct world w;
    begin(&w, "coarse_to_fine", 2, 100, 30, ",\"treat\":false");
    run_for(&w, INT64_MAX);
    assert_in_range(count_stage(&w, "coarse", RUN_COMPLETED), 8, 18);
    assert_true(count_stage(&w, "fine", RUN_COMPLETED) > 0);
    assert_true(count_stage(&w, "optimizers", RUN_COMPLETED) > 0);
    assert_true(count_stage(&w, "sgd", RUN_COMPLETED) > 0);
    world_finish(&w);
}

/* Its first rounds are small, however many runs it might have: nothing is left out of them. */
static void a_large_search_begins_with_small_rounds(void **state)
{
    struct world w;
    begin(&w, "coarse_to_fine", 2, 2000, 90, ",\"treat\":false");
    run_for(&w, INT64_MAX);
    const struct sweep_row *s = world_sweep(&w, 1);
    assert_int_equal(s->status, SWEEP_COMPLETED);
    assert_true(s->ended <= s->deadline && s->ended > s->deadline - 6 * SECOND);
    size_t coarse = 0;
    for (size_t i = 0; i < 24; i++) {
        assert_int_equal(w.store.runs[i]->status, RUN_COMPLETED);
        coarse += strcmp(w.store.runs[i]->stage, "coarse") == 0;
    }
    assert_int_equal(coarse, 9);
    assert_true(count_stage(&w, "sgd", RUN_COMPLETED) > 3); /* and further rounds to their end */
    assert_true(world_count(&w, 1, RUN_COMPLETED) > 90);
    assert_replays(&w, 1);
    world_finish(&w);
}

/* Most of its runs end after one or three of six epochs: by that it is measured how many fit. */
static void short_budgets_fit_more_runs(void **state)
{
    struct world w;
    begin(&w, "coarse_to_fine", 2, 400, 120,
          ",\"treat\":false,\"early_terminate\":{\"type\":\"successive_halving\",\"eta\":2,"
          "\"max_iter\":6,\"s\":2,\"promote\":true,\"by_stage\":true}");
    run_for(&w, INT64_MAX);
    const struct sweep_row *s = world_sweep(&w, 1);
    assert_int_equal(s->status, SWEEP_COMPLETED);
    assert_true(s->ended <= s->deadline);
    assert_true(world_count(&w, 1, RUN_STOPPED) > world_count(&w, 1, RUN_COMPLETED));
    assert_true(count_stage(&w, "sgd", RUN_STOPPED) > 3);
    assert_true(count_stage(&w, STAGE_FINALISTS, RUN_COMPLETED) >= 2);
    assert_replays(&w, 1);
    world_finish(&w);
}

static void what_fits_is_as_without(void **state)
{
    struct world w;
    begin(&w, "coarse_to_fine", 2, 20, 3600, "");
    run_for(&w, INT64_MAX);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_null(world_sweep(&w, 1)->reason);
    assert_int_equal(w.store.run_count, 20);
    assert_int_equal(world_decisions(&w, 1, 0, DECISION_SKIPPED), 0);
    char *with = world_canonical(&w, 1);
    world_finish(&w);
    world_init(&w, 2, 1);
    world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, 20, 7, ",\"repeat_share\":0.15");
    run_for(&w, INT64_MAX);
    assert_int_equal(world_sweep(&w, 1)->deadline, 0);
    char *without = world_canonical(&w, 1);
    assert_string_equal(with, without);
    free(with);
    free(without);
    world_finish(&w);
}

/* The clock goes on, and the plan is found again. */
static void goes_on_after_a_kill(void **state)
{
    for (int at = 1; at < 30; at += 4) {
        struct world w;
        begin(&w, at % 2 ? "random" : "coarse_to_fine", 2, 100, 30, "");
        utc_us deadline = world_sweep(&w, 1)->deadline;
        run_for(&w, w.now + at * SECOND);
        world_crash(&w, 2, 0);
        run_for(&w, INT64_MAX);
        assert_int_equal(world_sweep(&w, 1)->deadline, deadline);
        check_night(&w, 26);
        world_finish(&w);
    }
}

/* One that is under way when the time has come has stopped, and shows how far it came. */
static void a_running_one_is_ended(void **state)
{
    struct world w;
    begin(&w, "random", 1, 10, 2.1, "");
    run_for(&w, INT64_MAX);
    const struct run_row *first = world_run_row(&w, 1, 0), *second = world_run_row(&w, 1, 1);
    assert_int_equal(first->status, RUN_COMPLETED);
    assert_int_equal(second->status, RUN_CANCELLED); /* 1.5 s did not fit into 0.6 */
    assert_non_null(strstr(second->stop_reason, "6 epochs of 0.25 s take longer"));
    assert_int_equal(second->error, RUN_ERROR_NONE);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_replays(&w, 1);
    world_finish(&w);

    begin(&w, "random", 1, 10, 1.1, "");
    run_for(&w, INT64_MAX);
    first = world_run_row(&w, 1, 0);
    assert_int_equal(first->status, RUN_STOPPED);
    assert_string_equal(first->stop_reason, "the deadline has passed");
    assert_true(first->has_metric);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), w.store.run_count - 1);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_HELD); /* none was completed */
    world_finish(&w);
}

/* A night that ends before anything is begun. */
static void waits_for_nothing_behind_it(void **state)
{
    struct world w;
    struct spec s;
    struct record_prepared p = {.hash = "abc", .samples = 100, .features = 4, .classes = 2};
    world_init(&w, 0, 1);
    spec_make_with(&s, "random", PARAMETERS_FULL, 10, 1, ",\"until\":\"7:30\"");
    assert_true(s.has_until && s.until == 450);
    struct submission in = {.spec = &s, .prepared = &p, .known = &(struct remedy_prior){0},
                            .deadline = w.now + SECOND};
    engine_submit(w.engine, &in, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(engine_wake_at(w.engine, w.now), world_sweep(&w, 1)->deadline);
    w.now += SECOND;
    world_settle(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_HELD);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), w.store.run_count);
    assert_int_equal(engine_wake_at(w.engine, w.now), 0);
    world_finish(&w);
}

/* The deadline passes between two rounds of finalists: each that is planned is skipped at once, and
 * nobody's end leads to the next step then. The engine asks to be called. */
static void it_ends_without_further_events(void **state)
{
    struct world w;
    begin(&w, "random", 2, 30, 30, "");
    while (count_stage(&w, STAGE_FINALISTS, RUN_COMPLETED) == 0)
        tick(&w);
    w.now = world_sweep(&w, 1)->deadline + 1;
    world_flush(&w);
    while (world_commit(&w))
        ; /* what runs is told to end */
    while (w.worker_count > 0)
        world_work(&w, 0);
    for (utc_us at = w.now; at != 0; at = engine_wake_at(w.engine, w.now)) {
        w.now = at;
        world_flush(&w);
        while (world_commit(&w))
            ;
    }
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_replays(&w, 1);
    world_finish(&w);
}

/* Of so many runs that some of those that repeat the best come along the way: they have their part
 * of the time that is kept for all of them. */
static void some_repeats_come_along_the_way(void **state)
{
    static const char *const methods[] = {"sobol", "tpe", "coarse_to_fine"};
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        struct world w;
        begin(&w, methods[m], 2, 800, 300, ",\"early_terminate\":{\"type\":\"none\"}");
        run_for(&w, INT64_MAX);
        const struct sweep_row *s = world_sweep(&w, 1);
        size_t along = count_stage(&w, STAGE_CONTENDERS, RUN_COMPLETED);
        size_t end = count_stage(&w, STAGE_FINALISTS, RUN_COMPLETED);
        size_t done = world_count(&w, 1, RUN_COMPLETED);
        print_message("# %s: %zu runs, %zu contenders, %zu finalists\n", methods[m], done, along,
                      end);
        assert_int_equal(s->status, SWEEP_COMPLETED);
        assert_true(s->ended <= s->deadline);
        assert_true(s->ended > s->deadline - 20 * SECOND);
        assert_in_range(done, 340, 400);
        assert_in_range(along, 6, 40); /* of 60 that the time is kept for */
        assert_in_range(along + end, 40, 66);
        assert_replays(&w, 1);
        world_finish(&w);
    }
}

/* What was skipped without a reason in its numbers is found. */
static void a_replay_judges_the_numbers(void **state)
{
    struct world w;
    struct replay_report r;
    struct errbuf err;
    begin(&w, "random", 2, 100, 30, "");
    run_for(&w, INT64_MAX);
    size_t i = 0;
    while (w.store.decisions[i].kind != DECISION_SKIPPED || w.store.decisions[i].run_id == 0)
        i++;
    free(w.store.decisions[i].detail_json);
    w.store.decisions[i].detail_json =
        xstrdup("{\"left\":1000,\"reserve\":0,\"seconds_per_epoch\":0.25,\"epochs\":6}");
    assert_int_equal(world_replay(&w, 1, &r, &err), 0);
    assert_true(r.differs);
    replay_report_finish(&r);
    world_finish(&w);
}

/* --- beside other things ---------------------------------------------------------------------- */

#define EARLY ",\"early_terminate\":{\"type\":\"median\",\"min_iter\":2,\"every\":2," \
              "\"startup\":2,\"lag\":2}"

/* Rules stop some, so more runs are begun; what waits at a rung when the time has come has
 * stopped. */
static void rules_stop_runs_meanwhile(void **state)
{
    struct world w;
    begin(&w, "random", 2, 100, 30, EARLY);
    w.checkpoint_every = 1;
    run_for(&w, INT64_MAX);
    const struct sweep_row *s = world_sweep(&w, 1);
    assert_int_equal(s->status, SWEEP_COMPLETED);
    assert_true(s->ended <= s->deadline);
    assert_true(world_count(&w, 1, RUN_STOPPED) > 3);
    assert_true(count_stage(&w, STAGE_FINALISTS, RUN_COMPLETED) >= 2);
    assert_replays(&w, 1);
    world_finish(&w);
}

/* The deadline passes while runs wait at their rungs, or to go on from one. */
static void what_waits_at_a_rung_has_stopped(void **state)
{
    struct world w;
    begin(&w, "random", 3, 20, 0.6, EARLY);
    w.checkpoint_every = 1;
    run_for(&w, INT64_MAX);
    size_t stopped = 0;
    for (size_t i = 0; i < w.store.run_count; i++) {
        const struct run_row *row = w.store.runs[i];
        assert_true(run_status_terminal(row->status));
        stopped += row->status == RUN_STOPPED;
        if (row->status == RUN_CANCELLED)
            assert_int_equal(row->started, 0);
    }
    assert_true(stopped > 0);
    assert_int_equal(stopped + world_count(&w, 1, RUN_CANCELLED), w.store.run_count);
    world_finish(&w);
}

/* Two nights on the same workers: each counts on half of them, and both are done in time. */
static void two_sweeps_share_the_workers(void **state)
{
    struct world w;
    world_init(&w, 4, 1);
    for (uint64_t seed = 1; seed <= 2; seed++)
        world_submit(&w, "random", PARAMETERS_FULL, 100, seed,
                     ",\"max_hours\":0.0083333333,\"repeat_share\":0.15");
    run_for(&w, INT64_MAX);
    for (int64_t id = 1; id <= 2; id++) {
        const struct sweep_row *s = world_sweep(&w, id);
        assert_int_equal(s->status, SWEEP_COMPLETED);
        assert_true(s->ended <= s->deadline);
        assert_true(world_count(&w, id, RUN_COMPLETED) >= 10);
        assert_int_equal(world_count(&w, id, RUN_FAILED), 0);
    }
    world_finish(&w);
}

/* Another sweep comes in the middle, so that less fits: once and again no stage is starved. */
static void what_shrinks_again_keeps_its_stages(void **state)
{
    static const int64_t comes[] = {20, 45, 70};
    for (size_t i = 0; i < ARRAY_LEN(comes); i++) {
        struct world w;
        begin(&w, "coarse_to_fine", 2, 400, 120, ",\"treat\":false");
        utc_us start = w.now;
        run_for(&w, start + comes[i] * SECOND);
        world_submit(&w, "random", PARAMETERS_FULL, 400, 3, ",\"max_hours\":0.0333333");
        run_for(&w, INT64_MAX);
        const struct sweep_row *s = world_sweep(&w, 1);
        size_t of[4] = {0};
        static const char *const stages[] = {"coarse", "fine", "optimizers", "sgd"};
        for (size_t r = 0; r < w.store.run_count; r++)
            for (size_t k = 0; k < 4; k++)
                of[k] += w.store.runs[r]->sweep_id == 1 &&
                         w.store.runs[r]->status == RUN_COMPLETED &&
                         strcmp(w.store.runs[r]->stage, stages[k]) == 0;
        assert_int_equal(s->status, SWEEP_COMPLETED);
        assert_true(s->ended <= s->deadline && s->ended > s->deadline - 15 * SECOND);
        assert_true(of[1] >= of[0] / 3 && of[2] >= of[0] / 4 && of[3] >= of[0] / 6);
        world_finish(&w);
    }
}

/* The first plan of a sweep: on so many workers. */
static int64_t planned_workers(const struct world *w, int64_t sweep_id)
{
    struct deadline_plan p;
    for (size_t i = 0; i < w->store.decision_count; i++) {
        const struct fake_decision *d = &w->store.decisions[i];
        if (d->sweep_id == sweep_id && d->run_id == 0 && d->kind == DECISION_SKIPPED &&
            deadline_plan_read(d->detail_json, &p))
            return p.workers;
    }
    return 0;
}

/* Four slots, and four processors, of which each run has two. */
static void what_runs_need_bounds_the_workers(void **state)
{
    struct world w;
    struct resource_pool pool = {0};
    world_init(&w, 4, 1);
    resource_pool_set(&pool, RESOURCE_CPUS, 4);
    engine_set_resources(w.engine, 0, &pool);
    world_submit(&w, "random", PARAMETERS_FULL, 100, 7,
                 ",\"max_hours\":0.0083333333,\"repeat_share\":0.15,\"resources\":{\"cpus\":2}");
    run_for(&w, INT64_MAX);
    assert_int_equal(w.most_running, 2);
    assert_int_equal(planned_workers(&w, 1), 2);
    check_night(&w, 28);
    world_finish(&w);
}

/* One whose runs need three of four processors, and one whose runs need one: a run of each. */
static void sweeps_share_what_runs_need(void **state)
{
    struct world w;
    struct resource_pool pool = {0};
    world_init(&w, 4, 1);
    resource_pool_set(&pool, RESOURCE_CPUS, 4);
    engine_set_resources(w.engine, 0, &pool);
    world_submit(&w, "random", PARAMETERS_FULL, 100, 1,
                 ",\"max_hours\":0.0083333333,\"resources\":{\"cpus\":3}");
    world_submit(&w, "random", PARAMETERS_FULL, 100, 2, ",\"max_hours\":0.0083333333");
    run_for(&w, INT64_MAX);
    assert_int_equal(planned_workers(&w, 1), 1);
    assert_int_equal(planned_workers(&w, 2), 1);
    for (int64_t id = 1; id <= 2; id++)
        assert_true(world_sweep(&w, id)->ended <= world_sweep(&w, id)->deadline);
    world_finish(&w);
}

/* Members of a population go on from others: what those have trained took none of their time. */
static void a_population_is_measured_by_its_own_epochs(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    w.checkpoint_every = 1;
    world_submit(&w, "pbt",
                 "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":"
                 "\"log_uniform_values\"}", 12, 1, ",\"perturb\":2,\"max_hours\":1");
    world_settle(&w);
    while (world_run_row(&w, 1, 9) == NULL || world_run_row(&w, 1, 9)->status != RUN_COMPLETED)
        tick(&w);
    for (int again = 0; again < 2; again++) { /* as they ended, and as they are stored */
        const struct sweep *s = engine_sweep(w.engine, 1);
        for (size_t i = 0; i < 10; i++)
            if (s->trials[i]->status == RUN_COMPLETED)
                assert_float_equal(s->trials[i]->pace, world_run_row(&w, 1, (int64_t)i)->seconds / 2,
                                   1e-9);
        world_crash(&w, 2, 0);
        world_settle(&w);
    }
    world_finish(&w);
}

/* A client's run has no worker that could be told: it ends here, with what was reported. */
static void a_client_is_told(void **state)
{
    struct world w;
    struct spec s;
    struct errbuf err = {0};
    static const char text[] =
        "{\"task\":{\"client\":{}},\"method\":\"random\",\"run_cap\":4,\"max_hours\":0.001,"
        "\"metric\":{\"name\":\"score\",\"goal\":\"maximize\"},\"epochs\":4,"
        "\"parameters\":{\"x\":{\"min\":0.5,\"max\":2.5}}}";
    world_init(&w, 0, 1);
    if (spec_parse_text(text, strlen(text), &s, &err) != 0)
        fail_msg("%s", err.message);
    world_submit_spec(&w, &s, &(struct record_prepared){0}, NULL);
    world_settle(&w);
    engine_ask(w.engine, &(struct lease_wanted){1, 60, ""}, &w, w.now, &w.fx);
    world_settle(&w);
    assert_non_null(strstr(w.last_reply, "\"run\":1,"));
    w.now = world_sweep(&w, 1)->deadline;
    assert_int_equal(engine_wake_at(w.engine, w.now - 1), w.now);
    world_settle(&w);
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_CANCELLED); /* it had shown nothing */
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), w.store.run_count);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_HELD);
    world_finish(&w);
}

/* --- what it rests on ------------------------------------------------------------------------ */

static void a_pace_is_that_of_the_nearest(void **state)
{
    struct spec s;
    struct trial *t[3];
    spec_make(&s, "random",
              "\"depth\":{\"min\":1,\"max\":9},\"width\":{\"values\":[16,256]}", 10, 1);
    struct study st = {.spec = &s, .space = &s.space, .all_count = 3,
                       .all = (const struct trial *const *)t};
    for (size_t i = 0; i < 3; i++)
        t[i] = xcalloc(1, sizeof(struct trial));
    assert_true(isnan(deadline_pace(&st, &t[0]->at)));
    t[0]->at.v[0] = 1;
    t[1]->at.v[0] = 9;
    t[2]->at.v[0] = 5;
    t[0]->pace = 1;
    t[1]->pace = 16;
    assert_float_equal(deadline_pace(&st, &t[0]->at), 1, 1e-12);
    assert_float_equal(deadline_pace(&st, &t[1]->at), 16, 1e-12);
    assert_float_equal(deadline_pace(&st, &t[2]->at), 4, 1e-9); /* between both, by factors */
    for (size_t i = 0; i < 3; i++)
        free(t[i]);
    spec_finish(&s);
}

static void plans_by_numbers(void **state)
{
    struct deadline_plan p = {.left = 100, .window = 100, .seconds = 10, .workers = 2,
                              .run_cap = 17, .last = 3};
    deadline_plan_judge(&p);
    assert_int_equal(p.runs, 17);
    assert_int_equal(p.last_runs, 2); /* a third would begin after the two */
    p.left = 1000;
    deadline_plan_judge(&p);
    assert_int_equal(p.runs, 17);
    assert_int_equal(p.last_runs, 3);
    p.left = 0;
    p.begun = 4;
    deadline_plan_judge(&p);
    assert_int_equal(p.runs, 4);
    assert_int_equal(p.last_runs, 0);
    p = (struct deadline_plan){.left = 5, .seconds = NAN, .workers = 2, .run_cap = 17, .last = 3};
    deadline_plan_judge(&p);
    assert_int_equal(p.runs, 17); /* nothing is known yet */
    assert_false(deadline_plan_read("{\"left\":1}", &p));
    assert_false(deadline_plan_read("[", &p));
    assert_false(deadline_plan_read("{\"left\":1,\"window\":1,\"busy\":0,\"workers\":0,"
                                    "\"planned\":0,\"begun\":0,\"run_cap\":1,\"skipped\":0,"
                                    "\"last\":0}", &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pace_is_that_of_the_nearest),
        cmocka_unit_test(plans_by_numbers),
        cmocka_unit_test(shrinks_to_what_fits),
        cmocka_unit_test(each_stage_has_its_share),
        cmocka_unit_test(a_large_search_begins_with_small_rounds),
        cmocka_unit_test(short_budgets_fit_more_runs),
        cmocka_unit_test(what_fits_is_as_without),
        cmocka_unit_test(goes_on_after_a_kill),
        cmocka_unit_test(a_running_one_is_ended),
        cmocka_unit_test(waits_for_nothing_behind_it),
        cmocka_unit_test(it_ends_without_further_events),
        cmocka_unit_test(some_repeats_come_along_the_way),
        cmocka_unit_test(a_replay_judges_the_numbers),
        cmocka_unit_test(rules_stop_runs_meanwhile),
        cmocka_unit_test(what_waits_at_a_rung_has_stopped),
        cmocka_unit_test(two_sweeps_share_the_workers),
        cmocka_unit_test(what_shrinks_again_keeps_its_stages),
        cmocka_unit_test(what_runs_need_bounds_the_workers),
        cmocka_unit_test(sweeps_share_what_runs_need),
        cmocka_unit_test(a_population_is_measured_by_its_own_epochs),
        cmocka_unit_test(a_client_is_told),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
