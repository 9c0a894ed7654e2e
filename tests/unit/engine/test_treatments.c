/* Treatments: which runs get them, which remedy, what came of it; and that a sweep with treatments
 * is the same at any number of workers and through any kill. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "daemon/plan/treat.h"
#include "sweep/json.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define WIDE                                                                                \
    "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":\"log_uniform_values\"}," \
    "\"optimizer\":{\"values\":[\"adam\",\"momentum\",\"sgd\"]},"                           \
    "\"depth\":{\"min\":1,\"max\":6}"

/* --- what the search decides ------------------------------------------------------------------ */

static const struct remedy_prior nothing_known;

struct ward {
    struct spec spec;
    struct trial trials[64];
    struct trainer_config configs[64];
    struct run_facts facts[64];
    const struct trial *by_number[64];
    struct data_facts data;
    struct treat_input in;
    struct treat_proposals out;
};

static void ward_open(struct ward *w, size_t count)
{
    memset(w, 0, sizeof(*w));
    spec_make(&w->spec, "coarse_to_fine", SIX_DEPTHS, 40, 7);
    w->data = (struct data_facts){.train_samples = 1000, .features = 10, .classes = 2};
    for (size_t i = 0; i < count; i++) {
        struct trial *t = &w->trials[i];
        t->number = i;
        t->config = &w->configs[i];
        t->facts = &w->facts[i];
        t->config->settings = w->spec.trainer.fixed;
        t->config->settings.v[SETTING_LEARNING_RATE] = 0.01 + 0.001 * (double)i;
        t->status = RUN_COMPLETED;
        t->has_metric = t->labelled = true;
        t->metric_value = 1 + (double)i;
        t->facts->pattern = PATTERN_LEARNING;
        t->cause = CAUSE_COUNT;
        t->parent = TRIAL_NONE;
        t->epochs = w->spec.epochs;
    }
    for (size_t i = 0; i < 64; i++)
        w->by_number[i] = &w->trials[i];
    w->in = (struct treat_input){.spec = &w->spec, .trials = w->by_number, .count = count,
                                 .data = &w->data, .prior = &nothing_known, .budget = 8};
}

static void ward_close(struct ward *w)
{
    treat_proposals_finish(&w->out);
    spec_finish(&w->spec);
}

static void sicken(struct ward *w, size_t number, enum pattern p)
{
    w->trials[number].facts->pattern = p;
    w->trials[number].cause = CAUSE_UNKNOWN;
}

/* Adds a treatment of that run, as it has ended. */
static struct trial *treated(struct ward *w, size_t parent, enum remedy r, double metric,
                             enum pattern p)
{
    size_t number = w->in.count++;
    struct trial *t = &w->trials[number];
    *t = w->trials[parent];
    t->number = number;
    t->config = &w->configs[number];
    t->facts = &w->facts[number];
    *t->config = *w->trials[parent].config;
    t->kind = RUN_KIND_TREATMENT;
    t->parent = parent;
    t->remedy = r;
    t->treats_pattern = w->trials[parent].facts->pattern;
    t->treats_cause = CAUSE_UNKNOWN;
    t->metric_value = metric;
    t->facts->pattern = p;
    t->config->settings.v[SETTING_L2] = 0.5 + (double)w->in.count;
    struct treat_outcome o = treat_compare(&w->spec, &w->trials[parent], t);
    t->has_outcome = true;
    t->cured = o.cured;
    return t;
}

static void healthy_and_hopeless_are_left_alone(void **state)
{
    struct ward w;
    ward_open(&w, 20);
    sicken(&w, 19, PATTERN_OVERFITTING); /* the worst of twenty */
    treat_next(&w.in, &w.out);
    assert_int_equal(w.out.count, 0);
    sicken(&w, 2, PATTERN_OVERFITTING);
    sicken(&w, 4, PATTERN_OVERFITTING); /* the fifth, just among the best fourth */
    sicken(&w, 5, PATTERN_OVERFITTING);
    treat_next(&w.in, &w.out);
    assert_int_equal(w.out.count, 2);
    assert_int_equal(w.out.items[0].parent, 2);
    assert_int_equal(w.out.items[1].parent, 4);
    ward_close(&w);
}

static void a_treatment_is_one_change(void **state)
{
    struct ward w;
    ward_open(&w, 5);
    sicken(&w, 0, PATTERN_OVERFITTING);
    treat_next(&w.in, &w.out);
    assert_int_equal(w.out.count, 1);
    const struct treat_proposal *p = &w.out.items[0];
    assert_int_equal(p->pattern, PATTERN_OVERFITTING);
    assert_memory_not_equal(&p->treatment.settings, &w.trials[0].config->settings,
                            sizeof(p->treatment.settings));
    struct data_facts data = data_facts_of_run(&w.data, &w.trials[0].config->settings);
    struct remedy_context c = {.data = &data};
    struct treatment own = {.settings = w.trials[0].config->settings, .epochs = w.spec.epochs};
    assert_true(remedy_apply(p->remedy, &c, &own));
    assert_memory_equal(&own.settings, &p->treatment.settings, sizeof(own.settings));
    ward_close(&w);
}

/* What the specification leaves out is not tried, and changes nothing of the others' order. */
static void what_is_left_out_is_not_tried(void **state)
{
    struct ward w;
    ward_open(&w, 5);
    sicken(&w, 0, PATTERN_OVERFITTING);
    w.spec.without = ~((remedy_bits)1 << REMEDY_L2);
    treat_next(&w.in, &w.out);
    assert_int_equal(w.out.count, 1);
    assert_int_equal(w.out.items[0].remedy, REMEDY_L2);
    w.spec.without = ~(remedy_bits)0;
    treat_proposals_finish(&w.out);
    treat_next(&w.in, &w.out);
    assert_int_equal(w.out.count, 0);
    ward_close(&w);
}

static void budget_bounds_and_zero_means_none(void **state)
{
    struct ward w;
    ward_open(&w, 12);
    for (size_t i = 0; i < 3; i++)
        sicken(&w, i, PATTERN_OVERFITTING);
    w.in.budget = 0;
    treat_next(&w.in, &w.out);
    assert_int_equal(w.out.count, 0);
    w.in.budget = 2;
    treat_next(&w.in, &w.out);
    assert_int_equal(w.out.count, 2);
    ward_close(&w);
}

/* Its treatment is better, and still sick: that is treated now. After three it is given up. */
static void goes_on_from_the_better_one(void **state)
{
    struct ward w;
    ward_open(&w, 12);
    sicken(&w, 0, PATTERN_OVERFITTING);
    treated(&w, 0, REMEDY_L2, 0.9, PATTERN_OVERFITTING);
    treat_next(&w.in, &w.out);
    assert_int_equal(w.out.count, 1);
    assert_int_equal(w.out.items[0].parent, 12);
    treated(&w, 12, REMEDY_MORE_DROPOUT, 0.95, PATTERN_OVERFITTING);
    treated(&w, 12, REMEDY_SMALLER_NET, 0.95, PATTERN_OVERFITTING);
    w.out.count = 0;
    treat_next(&w.in, &w.out);
    for (size_t i = 0; i < w.out.count; i++)
        assert_true(w.out.items[i].parent != 0 && w.out.items[i].parent != 12);
    ward_close(&w);
}

static void no_remedy_twice(void **state)
{
    struct ward w;
    ward_open(&w, 12);
    sicken(&w, 0, PATTERN_OVERFITTING);
    treat_next(&w.in, &w.out);
    enum remedy first = w.out.items[0].remedy;
    treated(&w, 0, first, 2, PATTERN_OVERFITTING); /* worse */
    w.out.count = 0;
    treat_next(&w.in, &w.out);
    assert_int_equal(w.out.items[0].parent, 0);
    assert_int_not_equal(w.out.items[0].remedy, first);
    ward_close(&w);
}

/* What did not help is not treated itself; its parent is, once more. */
static void what_was_in_vain_is_left(void **state)
{
    struct ward w;
    ward_open(&w, 12);
    sicken(&w, 0, PATTERN_OVERFITTING);
    treated(&w, 0, REMEDY_L2, 1, PATTERN_OVERFITTING); /* the same */
    treat_next(&w.in, &w.out);
    assert_int_equal(w.out.count, 1);
    assert_int_equal(w.out.items[0].parent, 0);
    ward_close(&w);
}

/* Ending at the best epoch is no gain where runs are ranked at it. */
static void never_what_cannot_gain(void **state)
{
    struct ward w;
    ward_open(&w, 12);
    sicken(&w, 0, PATTERN_OVERFITTING_RISING);
    for (int i = 0; i < TREAT_TRIES; i++) {
        w.out.count = 0;
        treat_next(&w.in, &w.out);
        for (size_t k = 0; k < w.out.count; k++)
            assert_true(treat_can_gain(w.out.items[k].remedy));
        if (w.out.count > 0)
            treated(&w, 0, w.out.items[0].remedy, 2, PATTERN_OVERFITTING_RISING);
    }
    assert_false(treat_can_gain(REMEDY_EARLY_STOPPING));
    ward_close(&w);
}

static void outcome_says_better_and_cured(void **state)
{
    struct ward w;
    ward_open(&w, 3);
    sicken(&w, 1, PATTERN_OVERFITTING);
    w.trials[2].metric_value = 1; /* half of run 1's */
    struct treat_outcome o = treat_compare(&w.spec, &w.trials[1], &w.trials[2]);
    assert_true(o.cured && o.change == -0.5);
    w.spec.maximize = true;
    o = treat_compare(&w.spec, &w.trials[1], &w.trials[2]);
    assert_true(!o.cured && o.change == 0.5); /* worse, whatever the label */
    w.spec.maximize = false;
    sicken(&w, 2, PATTERN_OVERFITTING);
    assert_false(treat_compare(&w.spec, &w.trials[1], &w.trials[2]).cured);
    w.trials[1].metric_value = NAN;
    sicken(&w, 1, PATTERN_NOT_A_NUMBER);
    w.trials[2].facts->pattern = PATTERN_LEARNING;
    o = treat_compare(&w.spec, &w.trials[1], &w.trials[2]);
    assert_true(o.cured && isnan(o.change));
    w.trials[2].config->settings.v[SETTING_VALIDATION] += 5; /* other samples: no number compares */
    w.trials[1].metric_value = 0.1;
    assert_true(isnan(treat_compare(&w.spec, &w.trials[1], &w.trials[2]).change));
    ward_close(&w);
}

/* The guide's order without experience; what worked elsewhere comes first with it. */
static void experience_moves_the_order(void **state)
{
    const enum remedy guide[] = {REMEDY_LEARNING_RATE_DOWN, REMEDY_BATCH_DOWN, REMEDY_BATCH_NORM};
    enum remedy r[3];
    struct remedy_prior known = {0};
    memcpy(r, guide, sizeof(r));
    treat_order(&known, PATTERN_BOTTLENECK, CAUSE_UNKNOWN, NULL, r, 3);
    assert_memory_equal(r, guide, sizeof(r));
    remedy_prior_add(&known, &(struct remedy_count){PATTERN_BOTTLENECK, CAUSE_UNKNOWN,
                                                    REMEDY_BATCH_NORM, 10, 9});
    remedy_prior_add(&known, &(struct remedy_count){PATTERN_BOTTLENECK, CAUSE_UNKNOWN,
                                                    REMEDY_LEARNING_RATE_DOWN, 10, 0});
    treat_order(&known, PATTERN_BOTTLENECK, CAUSE_UNKNOWN, NULL, r, 3);
    assert_int_equal(r[0], REMEDY_BATCH_NORM);
    assert_int_equal(r[2], REMEDY_LEARNING_RATE_DOWN);
    memcpy(r, guide, sizeof(r)); /* another label: nothing is known of it */
    treat_order(&known, PATTERN_BOTTLENECK, CAUSE_TOO_DEEP, NULL, r, 3);
    assert_memory_equal(r, guide, sizeof(r));
    remedy_prior_finish(&known);
}

/* Thompson sampling: the better one nearly always, the others now and then. */
static void sampling_follows_the_odds(void **state)
{
    struct remedy_prior known = {0};
    size_t first[3] = {0};
    remedy_prior_add(&known, &(struct remedy_count){PATTERN_BOTTLENECK, CAUSE_UNKNOWN,
                                                    REMEDY_BATCH_NORM, 20, 16});
    for (uint64_t i = 0; i < 1000; i++) {
        enum remedy r[] = {REMEDY_LEARNING_RATE_DOWN, REMEDY_BATCH_DOWN, REMEDY_BATCH_NORM};
        struct rng rng;
        rng_init(&rng, 3, RNG_TREAT, i);
        treat_order(&known, PATTERN_BOTTLENECK, CAUSE_UNKNOWN, &rng, r, 3);
        first[r[0] == REMEDY_BATCH_NORM ? 0 : r[0] == REMEDY_LEARNING_RATE_DOWN ? 1 : 2]++;
    }
    assert_in_range(first[0], 500, 900);
    assert_in_range(first[1], 50, 400);
    assert_in_range(first[2], 10, 200);
    remedy_prior_finish(&known);
}

static void prior_survives_as_json(void **state)
{
    struct remedy_prior known = {0}, back = {0};
    struct buf text = {0};
    struct json_writer w;
    struct errbuf err;
    remedy_prior_add(&known, &(struct remedy_count){PATTERN_BOTTLENECK, CAUSE_TOO_DEEP,
                                                    REMEDY_BATCH_NORM, 20, 16});
    jw_init(&w, &text);
    remedy_prior_write(&known, &w);
    assert_int_equal(remedy_prior_parse(text.data, &back, &err), 0);
    assert_int_equal(back.count, 1);
    int64_t tried = 1, cured = 1; /* are added to */
    remedy_prior_count(&back, PATTERN_BOTTLENECK, CAUSE_TOO_DEEP, REMEDY_BATCH_NORM, &tried,
                       &cured);
    remedy_prior_count(&back, PATTERN_BOTTLENECK, CAUSE_UNKNOWN, REMEDY_BATCH_NORM, &tried, &cured);
    assert_true(tried == 21 && cured == 17);
    assert_true(remedy_prior_parse("[{\"pattern\":\"bottleneck\"}]", &back, &err) < 0);
    assert_true(remedy_prior_parse("[1,", &back, &err) < 0);
    buf_finish(&text);
    remedy_prior_finish(&known);
    remedy_prior_finish(&back);
}

/* --- in the engine ---------------------------------------------------------------------------- */

static size_t count_kind(const struct world *w, int64_t sweep, enum run_kind kind)
{
    const struct run_row *r;
    size_t n = 0;
    for (int64_t i = 0; (r = world_run_row(w, sweep, i)) != NULL; i++)
        n += r->kind == kind;
    return n;
}

/* Every run of this world overfits, so there is always one to treat. */
static void a_sweep_uses_its_share(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    w.overfit = true;
    world_submit(&w, "coarse_to_fine", WIDE, 20, 5, "");
    world_run(&w);
    size_t treatments = count_kind(&w, 1, RUN_KIND_TREATMENT);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_in_range(treatments, 1, 4);
    assert_int_equal(treatments + count_kind(&w, 1, RUN_KIND_SEARCH), 20);
    const struct run_row *r;
    for (int64_t i = 0; (r = world_run_row(&w, 1, i)) != NULL; i++) {
        if (r->kind != RUN_KIND_TREATMENT)
            continue;
        assert_true(r->parent_id > 0 && r->parent_id < r->id && r->has_outcome);
        assert_int_equal(r->seed, world_run_row(&w, 1, 0)->seed);
    }
    world_finish(&w);
}

static void treat_false_has_none(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    w.overfit = true;
    world_submit(&w, "coarse_to_fine", WIDE, 20, 5, ",\"treat\":false");
    world_submit(&w, "random", WIDE, 20, 5, "");
    world_run(&w);
    for (int64_t sweep = 1; sweep <= 2; sweep++) {
        assert_int_equal(count_kind(&w, sweep, RUN_KIND_TREATMENT), 0);
        assert_int_equal(count_kind(&w, sweep, RUN_KIND_SEARCH), 20);
    }
    world_finish(&w);
}

static void random_treats_when_asked(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    w.overfit = true;
    world_submit(&w, "random", WIDE, 20, 5, ",\"treat\":true,\"treat_share\":0.4");
    world_run(&w);
    size_t treatments = count_kind(&w, 1, RUN_KIND_TREATMENT);
    assert_in_range(treatments, 1, 8);
    assert_int_equal(treatments + count_kind(&w, 1, RUN_KIND_SEARCH), 20);
    world_finish(&w);
}

/* --- when the data is at fault --------------------------------------------------------------- */

static void most_runs_must_say_it(void **state)
{
    struct trial trials[10];
    struct run_facts facts[10];
    struct trial *by_number[10];
    struct sweep s = {.trials = by_number, .run_count = 10};
    memset(trials, 0, sizeof(trials));
    memset(facts, 0, sizeof(facts));
    for (size_t i = 0; i < 10; i++) {
        by_number[i] = &trials[i];
        trials[i].labelled = true;
        trials[i].facts = &facts[i];
        trials[i].facts->pattern = i < 5 ? PATTERN_DATASET_PROBLEM : PATTERN_LEARNING;
        trials[i].facts->confidence = 0.95;
        trials[i].cause = CAUSE_COUNT;
    }
    assert_null(label_data_fault(&s)); /* half */
    trials[5].facts->pattern = PATTERN_NOT_A_NUMBER;
    trials[5].cause = CAUSE_NAN_IN_INPUT;
    char *why = label_data_fault(&s);
    assert_non_null(strstr(why, "6 of 10 runs"));
    assert_non_null(strstr(why, "G3.1"));
    free(why);
    trials[0].facts->confidence = 0.6; /* not firm */
    assert_null(label_data_fault(&s));
    s.run_count = 2; /* too few to say anything */
    trials[0].facts->confidence = 0.95;
    assert_null(label_data_fault(&s));
}

static char *canonical_of(size_t workers, uint64_t seed, unsigned crashes)
{
    struct world w;
    world_init(&w, workers, seed);
    w.checkpoint_every = 2;
    w.overfit = true;
    world_submit(&w, "coarse_to_fine", WIDE, 20, 5, "");
    for (unsigned i = 0; i < crashes; i++) {
        world_wander(&w, 120);
        world_crash(&w, workers, 64);
        if (world_sweep(&w, 1) == NULL) /* killed before it was accepted */
            world_submit(&w, "coarse_to_fine", WIDE, 20, 5, "");
    }
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_true(count_kind(&w, 1, RUN_KIND_TREATMENT) > 0);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void same_through_workers_and_kills(void **state)
{
    char *one = canonical_of(1, 1, 0);
    for (uint64_t seed = 0; seed < 12; seed++) {
        char *other = canonical_of(1 + seed % 5, 10 + seed, (unsigned)(seed % 4) * 3);
        assert_string_equal(one, other);
        free(other);
    }
    free(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_and_hopeless_are_left_alone),
        cmocka_unit_test(a_treatment_is_one_change),
        cmocka_unit_test(what_is_left_out_is_not_tried),
        cmocka_unit_test(budget_bounds_and_zero_means_none),
        cmocka_unit_test(goes_on_from_the_better_one),
        cmocka_unit_test(no_remedy_twice),
        cmocka_unit_test(what_was_in_vain_is_left),
        cmocka_unit_test(never_what_cannot_gain),
        cmocka_unit_test(outcome_says_better_and_cured),
        cmocka_unit_test(experience_moves_the_order),
        cmocka_unit_test(sampling_follows_the_odds),
        cmocka_unit_test(prior_survives_as_json),
        cmocka_unit_test(a_sweep_uses_its_share),
        cmocka_unit_test(treat_false_has_none),
        cmocka_unit_test(random_treats_when_asked),
        cmocka_unit_test(most_runs_must_say_it),
        cmocka_unit_test(same_through_workers_and_kills),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
