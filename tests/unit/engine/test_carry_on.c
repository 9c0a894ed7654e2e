/* What a treatment changed for the better stays for the stages that follow; and what is advised. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/causes/remedy.h"
#include "daemon/engine/private.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define WIDE                                                                                \
    "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":\"log_uniform_values\"}," \
    "\"optimizer\":{\"values\":[\"adam\",\"momentum\",\"sgd\"]},"                           \
    "\"depth\":{\"min\":1,\"max\":6}"

static size_t count_kind(const struct world *w, int64_t sweep, enum run_kind kind)
{
    const struct run_row *r;
    size_t n = 0;
    for (int64_t i = 0; (r = world_run_row(w, sweep, i)) != NULL; i++)
        n += r->kind == kind;
    return n;
}

/* In this world l2 cures: what follows the treatment that is the best run has it too. */
static void what_helped_is_carried_on(void **state)
{
    struct world w;
    const struct run_row *r, *from = NULL;
    size_t carried = 0;
    world_init(&w, 2, 1);
    w.overfit = true;
    world_submit(&w, "coarse_to_fine", WIDE, 40, 5, "");
    world_run(&w);
    for (int64_t i = 0; (r = world_run_row(&w, 1, i)) != NULL; i++) {
        bool has_l2 = r->config->settings.v[SETTING_L2] > 0;
        if (world_decisions(&w, 1, r->id, DECISION_CARRIED) > 0)
            from = from ? from : r;
        if (r->kind == RUN_KIND_SEARCH && has_l2) {
            carried++;
            assert_non_null(from);
            assert_non_null(strstr(r->params_json, "\"train.l2\":"));
            assert_non_null(strstr(r->reason, "; with train.l2 "));
        }
    }
    assert_non_null(from);
    assert_int_equal(from->kind, RUN_KIND_TREATMENT);
    assert_true(carried >= 5);
    assert_true(world_events(&w, from->id, "carried_on", "stays for the following runs") > 0);
    const char *best_reason = NULL;
    for (int64_t i = 0; (r = world_run_row(&w, 1, i)) != NULL; i++)
        for (int64_t k = 0; k < i; k++) { /* no run twice */
            const struct run_row *o = world_run_row(&w, 1, k);
            if (strcmp(o->params_json, r->params_json) == 0 && o->epochs == r->epochs &&
                o->config->start_from == r->config->start_from)
                best_reason = r->reason;
        }
    assert_null(best_reason);
    world_finish(&w);
}

static void carry_on_false_leaves_the_search_alone(void **state)
{
    struct world w;
    const struct run_row *r;
    world_init(&w, 2, 1);
    w.overfit = true;
    world_submit(&w, "coarse_to_fine", WIDE, 40, 5, ",\"carry_on\":false");
    world_run(&w);
    assert_true(count_kind(&w, 1, RUN_KIND_TREATMENT) > 0);
    assert_int_equal(world_decisions(&w, 1, 0, DECISION_CARRIED), 0);
    for (int64_t i = 0; (r = world_run_row(&w, 1, i)) != NULL; i++)
        assert_true(r->kind != RUN_KIND_SEARCH || r->config->settings.v[SETTING_L2] == 0);
    world_finish(&w);
}

/* Carried on is what costs nothing more and was measured by the same. */
static void only_what_compares_is_carried(void **state)
{
    struct trainer_config configs[2] = {{0}};
    struct trial parent = {.number = 0, .status = RUN_COMPLETED, .has_metric = true,
                           .metric_value = 1, .epochs = 10, .config = &configs[0],
                           .parent = TRIAL_NONE};
    struct trial t = parent;
    const struct trial *all[] = {&parent, &t};
    struct spec s;
    struct study st;
    spec_make(&s, "coarse_to_fine", WIDE, 20, 1);
    study_init(&st, &s);
    st.all = all;
    st.all_count = 2;
    space_middle(&s.space, &parent.at);
    trainer_settings(&s, &parent.at, &configs[0].settings);
    configs[1] = configs[0];
    t.at = parent.at;
    t.number = 1;
    t.kind = RUN_KIND_TREATMENT;
    t.parent = 0;
    t.metric_value = 0.5;
    t.config = &configs[1];
    configs[1].settings.v[SETTING_DROPOUT] = 0.3;
    assert_true(trial_carries(&st, &t));
    t.metric_value = 1; /* no better */
    assert_false(trial_carries(&st, &t));
    t.metric_value = 0.5;
    t.epochs = 20; /* costs more */
    assert_false(trial_carries(&st, &t));
    t.epochs = 10;
    configs[1].start_from = 7; /* of another run's weights */
    assert_false(trial_carries(&st, &t));
    configs[1].start_from = 0;
    configs[1].settings.v[SETTING_VALIDATION] += 10; /* other data */
    assert_false(trial_carries(&st, &t));
    configs[1].settings.v[SETTING_VALIDATION] -= 10;
    t.at.v[0] = 1e9; /* not in the space */
    assert_false(trial_carries(&st, &t));
    spec_finish(&s);
}

/* --- what is advised ------------------------------------------------------------------------- */

static void advice_is_the_runs_own(void **state)
{
    struct treatment t = {.epochs = 10};
    struct data_facts data = {.train_samples = 1000, .validation_samples = 100, .classes = 2};
    struct advice a;
    char text[ADVICE_TEXT_MAX];
    settings_init(&t.settings);
    t.settings.v[SETTING_LEARNING_RATE] = 1000;
    advice_find(PATTERN_OSCILLATING, CAUSE_LEARNING_RATE_TOO_LARGE, REMEDY_COUNT, &t, &data, &a);
    assert_true(a.known && a.count > 1);
    assert_int_equal(a.items[0], REMEDY_LEARNING_RATE_DOWN); /* the cause's before the pattern's */
    advice_text(a.items[0], text);
    assert_string_equal(text, "learning rate / 10 (G4.4)");
    advice_find(PATTERN_OVERFITTING, CAUSE_OVERCAPACITY, REMEDY_COUNT, &t, &data, &a);
    bool l2 = false;
    for (size_t i = 0; i < a.count; i++)
        l2 |= a.items[i] == REMEDY_L2;
    assert_true(l2);
    t.settings.v[SETTING_L2] = 0.001; /* it is there already, whoever has set it */
    t.settings.v[SETTING_PATIENCE] = 3;
    advice_find(PATTERN_OVERFITTING, CAUSE_OVERCAPACITY, REMEDY_MORE_DROPOUT, &t, &data, &a);
    for (size_t i = 0; i < a.count; i++)
        assert_true(a.items[i] != REMEDY_L2 && a.items[i] != REMEDY_MORE_DROPOUT);
    advice_find(PATTERN_CONVERGED, CAUSE_UNKNOWN, REMEDY_COUNT, NULL, NULL, &a);
    assert_true(a.known && a.count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_helped_is_carried_on),
        cmocka_unit_test(carry_on_false_leaves_the_search_alone),
        cmocka_unit_test(only_what_compares_is_carried),
        cmocka_unit_test(advice_is_the_runs_own),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
