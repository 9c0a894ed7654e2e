/* The engine: runs of a program of one's own, ranked by a name of its own. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/metrics.h"
#include "sweep/require.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

static const struct record_result completed = {.status = RUN_COMPLETED, .seconds = 2};

/* A grid of one or two runs, one worker; the test reports for their programs. */
static void open_world(struct world *w, const char *goal, int runs)
{
    struct spec s;
    struct errbuf err = {0};
    char *text = xasprintf("{\"task\":{\"command\":[\"./train.sh\"]},\"method\":\"grid\","
                           "\"metric\":{\"name\":\"score/x\",\"goal\":\"%s\"},\"epochs\":3,"
                           "\"parameters\":{\"any name\":{\"values\":[1%s]}}}", goal,
                           runs > 1 ? ",2" : "");
    world_init(w, 1, 1);
    if (spec_parse_text(text, strlen(text), &s, &err) != 0)
        fail_msg("%s in %s", err.message, text);
    free(text);
    assert_int_equal(s.metric, METRIC_NAMED);
    world_submit_spec(w, &s, &(struct record_prepared){0}, NULL);
    world_settle(w);
}

/* A point whose validation loss says the opposite of its score, as far as there is one. */
static void tell(struct world *w, int64_t run_id, int64_t number, const char *name, double score)
{
    struct point p = point_at(number, isnan(score) ? 0 : -score);
    struct point_metrics *m = metrics_create(&p, 2);
    m->values[0].value = 7;
    str_copy(m->values[0].name, sizeof(m->values[0].name), "other");
    m->values[1].value = score;
    str_copy(m->values[1].name, sizeof(m->values[1].name), name);
    engine_run_points(w->engine, run_id, &p, 1, w->now, &w->fx);
    engine_run_metrics(w->engine, run_id, &m, 1, &w->fx);
    free(m);
}

static void end(struct world *w, int64_t run_id)
{
    world_end(w, run_id, (struct run_exit){.result = &completed});
}

static void ranks_by_a_free_name(void **state)
{
    static const struct {
        const char *goal;
        double score[3], best, epoch;
    } cases[] = {
        {"maximize", {1, 3, 2}, 3, 2},    {"minimize", {1, 3, 2}, 1, 1},
        {"maximize", {NAN, 5, NAN}, 5, 2}, {"minimize", {INFINITY, 2, 2}, 2, 2},
        {"maximize", {-1, -1, -0.5}, -0.5, 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        open_world(&w, cases[i].goal, 1);
        for (int64_t k = 1; k <= 3; k++)
            tell(&w, 1, k, "score/x", cases[i].score[k - 1]);
        end(&w, 1);
        const struct run_row *r = world_run_row(&w, 1, 0);
        assert_int_equal(r->status, RUN_COMPLETED);
        assert_null(r->config);
        assert_true(r->has_metric && r->metric_value == cases[i].best);
        assert_true(r->best_epoch == cases[i].epoch);
        assert_true(r->has_val_loss); /* of that epoch */
        assert_true(r->val_loss == -cases[i].best);
        assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
        world_finish(&w);
    }
}

/* Nor by a column, nor by a name that is nearly it. */
static void without_its_name_there_is_no_rank(void **state)
{
    struct world w;
    open_world(&w, "maximize", 2);
    tell(&w, 1, 1, "score/X", 4);
    end(&w, 1);
    assert_false(world_run_row(&w, 1, 0)->has_metric);
    world_tell(&w, 2, 1, 0.5);
    tell(&w, 2, 2, "score/x", -3);
    end(&w, 2);
    assert_true(world_run_row(&w, 1, 1)->has_metric);
    assert_true(world_run_row(&w, 1, 1)->metric_value == -3);
    world_finish(&w);
}

/* What it showed the first time is gone, with its best value: its bits are others. */
static void begins_anew(void **state)
{
    struct world w;
    open_world(&w, "maximize", 1);
    for (int64_t k = 1; k <= 3; k++)
        tell(&w, 1, k, "score/x", 10.0 * (double)k);
    world_settle(&w);
    assert_int_equal(w.point_count, 3);
    world_end(&w, 1, (struct run_exit){.error = RUN_ERROR_KILLED, .text = "signal 9"});
    assert_int_equal(w.worker_count, 1); /* it is tried again */
    assert_int_equal(w.point_count, 0);
    tell(&w, 1, 1, "score/x", 1);
    tell(&w, 1, 2, "score/x", 2);
    end(&w, 1);
    assert_int_equal(w.nondeterminism, 0);
    assert_int_equal(w.point_count, 2);
    assert_true(world_run_row(&w, 1, 0)->metric_value == 2);
    world_finish(&w);
}

/* A program that lives on keeps what it showed: a file is read again, and says the same. */
static void is_adopted_with_its_points(void **state)
{
    struct world w;
    open_world(&w, "maximize", 1);
    tell(&w, 1, 1, "score/x", 1);
    world_settle(&w);
    world_crash(&w, 1, 0);
    world_settle(&w);
    assert_int_equal(w.point_count, 1);
    tell(&w, 1, 1, "score/x", 1);
    tell(&w, 1, 2, "score/x", 2);
    end(&w, 1);
    assert_int_equal(w.point_count, 2);
    assert_int_equal(w.nondeterminism, 0);
    assert_int_equal(w.starts[1], 1);
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_COMPLETED);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_by_a_free_name),
        cmocka_unit_test(without_its_name_there_is_no_rank),
        cmocka_unit_test(begins_anew),
        cmocka_unit_test(is_adopted_with_its_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
