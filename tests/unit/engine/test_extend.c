/* Sweeps that get more while they run, or after they have ended: as many runs as they have then,
 * none twice, the same through any kill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "tests/unit/engine/replayed.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define SHARE ",\"repeat_share\":0.15"
#define WIDE "\"depth\":{\"min\":1,\"max\":4},\"width\":{\"min\":16,\"max\":512}"

static void extend(struct world *w, int64_t runs, const char *parameters)
{
    struct errbuf err;
    struct store_restored ended = {0};
    bool open = engine_sweep_open(w->engine, 1, NULL, NULL);
    struct json *p = parameters ? json_parse(parameters, strlen(parameters), &err) : NULL;
    struct extension x = {.sweep_id = 1,
                          .what = {.runs = runs, .parameters = p},
                          .ended = open ? NULL : &ended};
    if (!open)
        fake_store_ended(&w->store, 1, &ended);
    engine_extend(w->engine, &x, NULL, w->now, &w->fx);
    json_destroy(p);
    fake_restored_finish(&ended);
}

static void must_be_whole(const struct world *w, int64_t runs)
{
    assert_int_equal(world_sweep(w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(world_sweep(w, 1)->run_cap, runs);
    for (int64_t i = 0; i < runs; i++)
        assert_non_null(world_run_row(w, 1, i));
    assert_null(world_run_row(w, 1, runs));
    assert_int_equal(world_count(w, 1, RUN_COMPLETED), runs);
}

static size_t finalists(const struct world *w, int64_t from, int64_t to)
{
    size_t n = 0;
    for (int64_t i = from; i < to; i++)
        n += strcmp(world_run_row(w, 1, i)->stage, STAGE_FINALISTS) == 0;
    return n;
}

static void each_method_goes_on(void **state)
{
    static const struct {
        const char *method, *more;
    } cases[] = {
        {"random", SHARE}, {"sobol", SHARE}, {"tpe", SHARE ",\"lag\":2"}, {"cmaes", SHARE},
        {"gp", SHARE},
        {"coarse_to_fine", SHARE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        world_init(&w, 2, 1);
        world_submit(&w, cases[i].method, PARAMETERS_FULL, 20, 7, cases[i].more);
        world_run(&w);
        must_be_whole(&w, 20);
        assert_int_equal(w.engine->sweep_count, 0);
        extend(&w, 20, NULL);
        world_run(&w);
        assert_int_equal(w.refusals, 0);
        must_be_whole(&w, 40);
        assert_int_equal(world_decisions(&w, 1, 0, DECISION_EXTENDED), 1);
        assert_int_equal(finalists(&w, 0, 20), 3);
        assert_int_equal(finalists(&w, 37, 40), 3); /* 6 of 40 in all */
        assert_int_equal(finalists(&w, 20, 37), 0);
        assert_replays(&w, 1);
        world_finish(&w);
    }
}

static void values_beyond(const struct world *w, int64_t from, int64_t to, bool some)
{
    size_t n = 0;
    for (int64_t i = from; i < to; i++)
        n += world_run_row(w, 1, i)->config->settings.v[SETTING_DEPTH] > 4;
    assert_true(some ? n > 0 : n == 0);
}

static void wider_ranges_are_drawn_from(void **state)
{
    static const char *const methods[] = {"random", "sobol", "tpe", "gp", "cmaes",
                                          "coarse_to_fine"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct world w;
        world_init(&w, 2, 1);
        world_submit(&w, methods[i], WIDE, 24, 7, ",\"treat\":false");
        world_run(&w);
        values_beyond(&w, 0, 24, false);
        extend(&w, 40, "{\"depth\":{\"max\":12}}");
        world_run(&w);
        must_be_whole(&w, 64);
        values_beyond(&w, 24, 64, true);
        assert_replays(&w, 1);
        world_finish(&w);
    }
}

static void grids_have_what_came_to_them(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_grid(&w, "\"depth\":{\"values\":[1,2]},\"width\":{\"values\":[16,32]}", "");
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 4);
    extend(&w, 0, "{\"depth\":{\"values\":[3]},\"width\":{\"values\":[64]}}");
    world_run(&w);
    assert_int_equal(w.refusals, 0);
    bool seen[4][65] = {{false}};
    for (int64_t i = 0; i < 9; i++) {
        const struct settings *s = &world_run_row(&w, 1, i)->config->settings;
        bool *own = &seen[(int)s->v[SETTING_DEPTH]][(int)s->v[SETTING_WIDTH]];
        assert_false(*own);
        *own = true;
    }
    assert_null(world_run_row(&w, 1, 9));
    assert_replays(&w, 1);
    world_finish(&w);
}

/* Extended at the same place, a sweep comes to the same through any kill. */
static char *through_kills(unsigned kills, bool ended)
{
    struct world w;
    world_init(&w, 2, 11 + kills);
    world_submit(&w, "tpe", WIDE, 16, 7, ",\"lag\":2,\"treat\":false");
    if (ended)
        world_run(&w);
    else
        world_settle(&w);
    extend(&w, 16, "{\"depth\":{\"max\":8}}");
    for (unsigned k = 0; k < kills; k++) {
        world_flush(&w);
        while (world_commit(&w))
            continue;
        for (unsigned n = 0; n < 17 * (k + 1) && w.worker_count > 0; n++) {
            world_work(&w, n % w.worker_count);
            world_settle(&w);
        }
        world_crash(&w, 2, 128);
    }
    world_run(&w);
    must_be_whole(&w, 32);
    assert_replays(&w, 1);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void kills_change_nothing(void **state)
{
    for (int ended = 0; ended < 2; ended++) {
        char *plain = through_kills(0, ended), *killed = through_kills(4, ended);
        assert_string_equal(plain, killed);
        free(plain);
        free(killed);
    }
}

/* More than once, and in the middle of its last runs. */
static void finalists_come_again(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_submit(&w, "random", PARAMETERS_FULL, 40, 7, ",\"treat\":false,\"repeat_share\":0.3");
    while (world_run_row(&w, 1, 28) == NULL) {
        world_settle(&w);
        world_work(&w, 0);
    }
    extend(&w, 40, NULL);
    world_settle(&w);
    world_crash(&w, 1, 0);
    world_run(&w);
    must_be_whole(&w, 80);
    extend(&w, 20, NULL);
    world_run(&w);
    must_be_whole(&w, 100);
    assert_true(finalists(&w, 0, 100) <= 30);
    assert_replays(&w, 1);
    world_finish(&w);
}

static void held_and_paused_ones_wait_on(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_submit(&w, "random", WIDE, 8, 7, "");
    world_settle(&w);
    engine_command(w.engine, COMMAND_PAUSE, 1, NULL, w.now, &w.fx);
    extend(&w, 4, NULL);
    world_settle(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_PAUSED);
    assert_int_equal(world_sweep(&w, 1)->run_cap, 12);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_run(&w);
    must_be_whole(&w, 12);
    assert_replays(&w, 1);
    world_finish(&w);
}

/* What is refused leaves nothing open. */
static void refusals_leave_it_ended(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_submit(&w, "random", WIDE, 8, 7, "");
    world_run(&w);
    extend(&w, 0, "{\"depth\":{\"max\":2}}");
    world_settle(&w);
    assert_int_equal(w.refusals, 1);
    assert_string_equal(w.last_error.key, "$.parameters.depth.max");
    assert_int_equal(w.engine->sweep_count, 0);
    must_be_whole(&w, 8);
    world_finish(&w);
}

/* Rows of before say not what it was before, and what a cancelled one had planned nobody knows. */
static void what_cannot_be_replayed_is_said(void **state)
{
    struct world w;
    struct replay_report r;
    struct errbuf err;
    world_init(&w, 2, 1);
    world_submit(&w, "random", WIDE, 8, 7, "");
    world_run(&w);
    extend(&w, 4, NULL);
    world_run(&w);
    struct fake_decision *d = w.store.decisions;
    while (d->kind != DECISION_EXTENDED)
        d++;
    free(d->detail_json);
    d->detail_json = xstrdup("{\"from\":8,\"ended\":true,\"run_cap\":12}");
    assert_int_equal(world_replay(&w, 1, &r, &err), ERR_STATE);
    assert_non_null(strstr(err.message, "did not store"));
    free(d->detail_json);
    d->detail_json = xstrdup("{\"from\":8,\"ended\":true,\"cancelled\":true,\"run_cap\":12,"
                             "\"former\":{\"run_cap\":8}}");
    assert_int_equal(world_replay(&w, 1, &r, &err), ERR_STATE);
    assert_non_null(strstr(err.message, "after it was cancelled"));
    free(d->detail_json);
    d->detail_json = xstrdup("{\"from\":8,\"ended\":true,\"run_cap\":13,"
                             "\"former\":{\"run_cap\":8}}"); /* another one than was made */
    assert_int_equal(world_replay(&w, 1, &r, &err), 0);
    assert_true(r.differs);
    replay_report_finish(&r);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_goes_on),
        cmocka_unit_test(wider_ranges_are_drawn_from),
        cmocka_unit_test(grids_have_what_came_to_them),
        cmocka_unit_test(kills_change_nothing),
        cmocka_unit_test(finalists_come_again),
        cmocka_unit_test(held_and_paused_ones_wait_on),
        cmocka_unit_test(refusals_leave_it_ended),
        cmocka_unit_test(what_cannot_be_replayed_is_said),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
