/* Runs that clients carry out: a lease that holds, ends, and outlives the daemon. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/metrics.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define SECOND 1000000

static void open_world(struct world *w, int64_t run_cap, const char *more)
{
    struct spec s;
    struct errbuf err = {0};
    char *text = xasprintf("{\"task\":{\"client\":{}},\"method\":\"random\",\"run_cap\":%" PRId64
                           ",\"metric\":{\"name\":\"score\",\"goal\":\"maximize\"},\"epochs\":4,"
                           "\"repeat\":false,\"parameters\":{\"x\":{\"min\":0.5,\"max\":2.5}}%s}",
                           run_cap, more);
    world_init(w, 2, 1);
    if (spec_parse_text(text, strlen(text), &s, &err) != 0)
        fail_msg("%s in %s", err.message, text);
    free(text);
    world_submit_spec(w, &s, &(struct record_prepared){0}, NULL);
    world_settle(w);
    assert_int_equal(w->worker_count, 0); /* none of ours */
}

/* What the last ask gave; lease "" and run 0: nothing. */
struct held {
    int64_t run;
    char lease[40];
};

static struct held ask_by(struct world *w, int seconds, const char *word)
{
    struct held h = {0};
    struct errbuf err;
    const char *lease;
    engine_ask(w->engine, &(struct lease_wanted){1, seconds, word}, w, w->now, &w->fx);
    world_settle(w);
    struct json *v = json_parse(w->last_reply, strlen(w->last_reply), &err);
    if (v != NULL && json_get_int64(v, "run", &h.run, &err) == 0 &&
        json_get_string(v, "lease", &lease, &err) == 0)
        str_copy(h.lease, sizeof(h.lease), lease);
    json_destroy(v);
    return h;
}

static struct held ask(struct world *w, int seconds)
{
    return ask_by(w, seconds, "");
}

static void report(struct world *w, const struct held *h, double epoch, double score)
{
    struct point_metrics *m = metrics_create(&(struct point){.epoch = epoch}, 1);
    str_copy(m->values[0].name, sizeof(m->values[0].name), "score");
    m->values[0].value = score;
    engine_report(w->engine, &(struct lease_report){h->run, h->lease, &m, 1}, w, w->now, &w->fx);
    world_settle(w);
    free(m);
}

static void tell(struct world *w, const struct held *h, enum run_status status, double value)
{
    struct record_result result = {.status = status, .error = RUN_ERROR_NONE};
    if (status == RUN_FAILED)
        result.error = RUN_ERROR_OUT_OF_MEMORY;
    engine_tell(w->engine,
                &(struct lease_told){h->run, h->lease, &result, status != RUN_FAILED, value}, w,
                w->now, &w->fx);
    world_settle(w);
}

static const struct run_row *row_of(const struct world *w, const struct held *h)
{
    return fake_run(&w->store, h->run);
}

static void asks_and_tells(void **state)
{
    struct world w;
    open_world(&w, 3, "");
    for (int i = 0; i < 3; i++) {
        struct held h = ask(&w, 60);
        assert_int_equal(h.run, i + 1);
        assert_int_equal(row_of(&w, &h)->status, RUN_RUNNING);
        assert_int_equal(engine_leased(w.engine), 1);
        assert_int_equal(engine_running(w.engine), 0);
        tell(&w, &h, RUN_COMPLETED, i == 1 ? NAN : i);
        assert_int_equal(row_of(&w, &h)->status, RUN_COMPLETED);
        assert_null(row_of(&w, &h)->handle);
    }
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_true(isnan(world_run_row(&w, 1, 1)->metric_value));
    assert_true(world_run_row(&w, 1, 2)->metric_value == 2);
    world_finish(&w);
}

/* Two clients never have one run, and there are no more than run_cap. */
static void no_run_twice(void **state)
{
    struct world w;
    open_world(&w, 2, "");
    struct held a = ask(&w, 60), b = ask(&w, 60), c = ask(&w, 60);
    assert_int_equal(a.run, 1);
    assert_int_equal(b.run, 2);
    assert_int_equal(c.run, 0);
    assert_string_equal(w.last_reply, "{\"sweep\":1,\"run\":null,\"status\":\"running\"}");
    tell(&w, &a, RUN_FAILED, 0);
    assert_int_equal(row_of(&w, &a)->error, RUN_ERROR_OUT_OF_MEMORY);
    size_t refusals = w.refusals;
    tell(&w, &a, RUN_COMPLETED, 1); /* it has ended */
    assert_int_equal(w.refusals, refusals + 1);
    assert_int_equal(row_of(&w, &a)->status, RUN_FAILED);
    tell(&w, &b, RUN_COMPLETED, 1);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

static void a_lease_ends(void **state)
{
    struct world w;
    open_world(&w, 1, "");
    struct held a = ask(&w, 10);
    utc_us before = w.now;
    report(&w, &a, 1, 0.5);
    assert_true(engine_wake_at(w.engine, w.now) == before + 10 * SECOND);
    w.now += 6 * SECOND;
    report(&w, &a, 2, 0.6); /* heard of: ten seconds more */
    w.now += 6 * SECOND;
    world_settle(&w);
    assert_int_equal(row_of(&w, &a)->status, RUN_RUNNING);
    w.now += 5 * SECOND;
    world_settle(&w);
    assert_int_equal(row_of(&w, &a)->status, RUN_QUEUED);
    assert_int_equal(engine_leased(w.engine), 0);
    assert_int_equal(ask(&w, 10).run, 0); /* after a failure it waits a second */
    w.now += 2 * SECOND;
    struct held b = ask(&w, 10);
    assert_int_equal(b.run, a.run);
    assert_string_not_equal(b.lease, a.lease);
    size_t refusals = w.refusals;
    report(&w, &a, 3, 9); /* too late */
    assert_int_equal(w.refusals, refusals + 1);
    assert_int_equal(w.last_error.code, ERR_STATE);
    report(&w, &b, 1, 0.4); /* from the beginning, to other numbers */
    tell(&w, &b, RUN_COMPLETED, 0.45);
    assert_true(row_of(&w, &b)->metric_value == 0.45);
    assert_int_equal(w.store.nondeterminism, 0);
    world_finish(&w);
}

/* Never heard of again: not for ever. */
static void the_last_lease_fails_the_run(void **state)
{
    struct world w;
    open_world(&w, 1, "");
    for (int i = 0; i < 3; i++) {
        struct held h = ask(&w, 10);
        assert_int_equal(h.run, 1);
        w.now += 60 * SECOND;
        world_settle(&w);
        w.now += 60 * SECOND;
    }
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_FAILED);
    assert_int_equal(world_run_row(&w, 1, 0)->error, RUN_ERROR_HUNG);
    world_finish(&w);
}

static void outlives_the_daemon(void **state)
{
    struct world w;
    open_world(&w, 2, "");
    struct held a = ask(&w, 10), b = ask(&w, 10);
    report(&w, &a, 1, 3);
    report(&w, &a, 2, 1);
    w.now += 8 * SECOND;
    world_crash(&w, 2, 0);
    world_settle(&w);
    w.now += 8 * SECOND; /* given anew at the start */
    report(&w, &a, 3, 2);
    assert_non_null(strstr(w.last_reply, "\"points\":3"));
    tell(&w, &a, RUN_COMPLETED, 0);
    assert_true(row_of(&w, &a)->metric_value == 3 && row_of(&w, &a)->best_epoch == 1);
    assert_int_equal(row_of(&w, &a)->attempts, 0);
    w.now += 3 * SECOND;
    world_settle(&w);
    assert_int_equal(row_of(&w, &b)->status, RUN_QUEUED);
    world_finish(&w);
}

/* The client's own word: the same run for it however often it asks, also after a restart. */
static void a_word_of_the_clients(void **state)
{
    struct world w;
    open_world(&w, 3, "");
    struct held a = ask_by(&w, 10, "one"), b = ask_by(&w, 10, "two");
    assert_string_equal(a.lease, "one");
    assert_int_equal(ask_by(&w, 10, "one").run, a.run);
    assert_int_equal(ask_by(&w, 10, "two").run, b.run);
    world_crash(&w, 2, 0);
    world_settle(&w);
    w.now += 8 * SECOND;
    assert_int_equal(ask_by(&w, 10, "one").run, a.run); /* and is heard of */
    w.now += 8 * SECOND;
    world_settle(&w);
    assert_int_equal(row_of(&w, &a)->status, RUN_RUNNING);
    assert_int_equal(row_of(&w, &b)->status, RUN_QUEUED);
    tell(&w, &a, RUN_COMPLETED, 1);
    assert_int_not_equal(ask_by(&w, 10, "one").run, a.run);
    size_t refusals = w.refusals;
    ask_by(&w, 10, "a:b");
    ask_by(&w, 10, "1234567890123456789012345678901234567890");
    assert_int_equal(w.refusals, refusals + 2);
    world_finish(&w);
}

/* --- rungs ----------------------------------------------------------------------------------- */

#define RUNGS ",\"early_terminate\":{\"type\":\"median\",\"min_iter\":2,\"every\":10," \
              "\"startup\":1,\"lag\":1}"

static bool says(const struct world *w, const char *verdict)
{
    char text[40];
    snprintf(text, sizeof(text), "\"verdict\":\"%s\"", verdict);
    return strstr(w->last_reply, text) != NULL;
}

static void is_told_to_go_on_or_stop(void **state)
{
    struct world w;
    open_world(&w, 3, RUNGS);
    struct held a = ask(&w, 60), b = ask(&w, 60), c = ask(&w, 60);
    report(&w, &c, 1, 1);
    assert_true(says(&w, "go_on"));
    report(&w, &c, 2, 1); /* it sees the first one, which is not there yet */
    assert_true(says(&w, "wait"));
    size_t refusals = w.refusals;
    tell(&w, &c, RUN_COMPLETED, 5); /* not while it waits */
    assert_int_equal(w.refusals, refusals + 1);
    report(&w, &a, 2, 7);
    assert_true(says(&w, "go_on"));
    engine_report(w.engine, &(struct lease_report){c.run, c.lease, NULL, 0}, &w, w.now, &w.fx);
    world_settle(&w);
    assert_true(says(&w, "stop"));
    assert_int_equal(row_of(&w, &c)->status, RUN_STOPPED);
    report(&w, &a, 4, 8);
    tell(&w, &a, RUN_COMPLETED, 8);
    assert_int_equal(row_of(&w, &a)->status, RUN_COMPLETED);
    report(&w, &b, 2, 9);
    assert_true(says(&w, "go_on"));
    tell(&w, &b, RUN_COMPLETED, 9);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

/* A run that waits at its rung waits there after a restart, and its client with it. */
static void waits_through_a_restart(void **state)
{
    struct world w;
    open_world(&w, 3, RUNGS);
    struct held a = ask(&w, 60), b = ask(&w, 60), c = ask(&w, 60);
    report(&w, &c, 2, 1);
    assert_true(says(&w, "wait"));
    world_crash(&w, 2, 0);
    world_settle(&w);
    assert_int_equal(row_of(&w, &c)->status, RUN_PAUSED);
    report(&w, &a, 2, 0.5);
    engine_report(w.engine, &(struct lease_report){c.run, c.lease, NULL, 0}, &w, w.now, &w.fx);
    world_settle(&w);
    assert_true(says(&w, "go_on"));
    report(&w, &c, 3, 2);
    assert_non_null(strstr(w.last_reply, "\"points\":2"));
    tell(&w, &c, RUN_COMPLETED, 2);
    tell(&w, &a, RUN_COMPLETED, 1);
    tell(&w, &b, RUN_COMPLETED, 1);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

static void cancelled_meanwhile(void **state)
{
    struct world w;
    open_world(&w, 2, "");
    struct held a = ask(&w, 60), b = ask(&w, 60);
    engine_cancel_run(w.engine, a.run, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(row_of(&w, &a)->status, RUN_CANCELLED);
    report(&w, &a, 1, 1);
    assert_non_null(strstr(w.last_reply, "\"verdict\":\"stop\",\"status\":\"cancelled\""));
    size_t refusals = w.refusals;
    tell(&w, &a, RUN_COMPLETED, 1);
    assert_int_equal(w.refusals, refusals + 1);
    engine_command(w.engine, COMMAND_CANCEL, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(row_of(&w, &b)->status, RUN_CANCELLED);
    assert_int_equal(engine_leased(w.engine), 0);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_tells),
        cmocka_unit_test(no_run_twice),
        cmocka_unit_test(a_lease_ends),
        cmocka_unit_test(the_last_lease_fails_the_run),
        cmocka_unit_test(outlives_the_daemon),
        cmocka_unit_test(a_word_of_the_clients),
        cmocka_unit_test(is_told_to_go_on_or_stop),
        cmocka_unit_test(waits_through_a_restart),
        cmocka_unit_test(cancelled_meanwhile),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
