/* pbt: who follows whom, what a population refuses, that it is the same however it is asked and
 * through any kill, that checkpoints stay as long as they are wanted, and what it is worth. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "tests/unit/engine/shuffled.h"
#include "tests/unit/engine/world.h"

#define RATE                                                                                      \
    "\"learning_rate\":{\"min\":0.00001,\"max\":1.0,\"distribution\":\"log_uniform_values\"}"
#define VALUES                                                                                    \
    RATE ",\"batch_size\":{\"values\":[8,16,32]},\"train.l2\":{\"min\":0.0,\"max\":0.1,"           \
         "\"distribution\":\"uniform\"}"
#define POPULATION ",\"treat\":false,\"perturb\":2" /* of 6 epochs: three generations */

/* --- who follows whom ------------------------------------------------------------------------ */

static void expect_ask(const struct spec *s, struct trial *trials, size_t count, size_t members,
                       struct proposals *out)
{
    const struct trial *list[64];
    struct study st;
    for (size_t i = 0; i < count; i++)
        list[i] = &trials[i];
    study_init(&st, s);
    st.budget = st.run_cap;
    st.count = st.all_count = count;
    st.all = st.trials = list;
    *out = (struct proposals){0};
    assert_int_equal(search_method(s->method)->ask(&st, 1000, out), ANSWER_RUNS);
    assert_int_equal(out->count, members);
}

static void worst_quarter_follows_the_best(void **state)
{
    struct spec s;
    struct proposals p;
    struct trial trials[8] = {0};
    spec_make_with(&s, "pbt", VALUES, 24, 1, POPULATION);
    expect_ask(&s, trials, 0, 8, &p);
    for (size_t i = 0; i < 8; i++) {
        assert_true(p.items[i].parent == TRIAL_NONE && p.items[i].until == 2);
        trials[i] = (struct trial){.number = i, .status = RUN_COMPLETED, .has_metric = true,
                                   .metric_value = (double)((i * 3) % 8), .at = p.items[i].at};
    }
    proposals_finish(&p); /* values 0 3 6 1 4 7 2 5: the worst are #5 and #2, the best #0 and #3 */
    expect_ask(&s, trials, 8, 8, &p);
    for (size_t i = 0; i < 8; i++) {
        bool gives_way = i == 5 || i == 2;
        size_t parent = p.items[i].parent;
        assert_int_equal(p.items[i].until, 4);
        assert_true(gives_way ? parent == 0 || parent == 3 : parent == i);
        assert_true(space_same(&s.space, &p.items[i].at, &trials[parent].at) == !gives_way);
    }
    proposals_finish(&p);
    spec_finish(&s);
}

static void who_is_gone_follows_somebody(void **state)
{
    static const enum run_status ends[] = {RUN_FAILED, RUN_STOPPED, RUN_CANCELLED, RUN_FAILED,
                                           RUN_COMPLETED, RUN_FAILED, RUN_FAILED, RUN_FAILED};
    struct spec s;
    struct proposals p;
    struct trial trials[8] = {0};
    spec_make_with(&s, "pbt", VALUES, 24, 1, POPULATION);
    for (size_t i = 0; i < 8; i++) {
        trials[i] = (struct trial){.number = i, .status = ends[i], .has_metric = true,
                                   .metric_value = 1};
        space_middle(&s.space, &trials[i].at);
    }
    expect_ask(&s, trials, 8, 8, &p);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(p.items[i].parent, 4);
    proposals_finish(&p);
    trials[4].metric_value = NAN; /* nobody is left */
    expect_ask(&s, trials, 8, 8, &p);
    for (size_t i = 0; i < 8; i++)
        assert_true(p.items[i].parent == TRIAL_NONE && p.items[i].until == 4);
    proposals_finish(&p);
    spec_finish(&s);
}

/* --- what is refused ------------------------------------------------------------------------- */

static void expect_refused(const char *members, const char *key)
{
    struct spec s;
    struct errbuf err = {0};
    char *text = xasprintf("{\"data\":{\"path\":\"/data\",\"format\":\"idx\",\"validation\":10},"
                           "\"method\":\"pbt\",\"run_cap\":80,\"epochs\":6,%s}", members);
    if (spec_parse_text(text, strlen(text), &s, &err) == 0)
        fail_msg("%s", text);
    assert_string_equal(err.key, key);
    free(text);
}

static void what_a_population_cannot_have(void **state)
{
#define WITH(more) "\"parameters\":{" VALUES "}," more
    expect_refused("\"parameters\":{\"depth\":{\"min\":1,\"max\":3}}", "$.parameters.depth");
    expect_refused("\"parameters\":{\"optimizer\":{\"values\":[\"sgd\",\"adam\"]}}",
                   "$.parameters.optimizer");
    expect_refused(WITH("\"early_terminate\":{\"type\":\"median\"}"), "$.early_terminate");
    expect_refused(WITH("\"treat\":true"), "$.treat");
    expect_refused(WITH("\"repeat_share\":0.2"), "$.repeat_share");
    expect_refused(WITH("\"train\":{\"patience\":3}"), "$.train.patience");
    expect_refused(WITH("\"perturb\":7"), "$.perturb");
    struct spec s;
    struct errbuf err = {0};
    spec_make_with(&s, "pbt", VALUES, 11, 1, POPULATION);
    assert_int_not_equal(method_check(&s, &err), 0);
    assert_string_equal(err.key, "$.run_cap");
    spec_finish(&s);
    spec_make_with(&s, "pbt", VALUES, 12, 1, POPULATION);
    assert_int_equal(method_check(&s, &err), 0);
    spec_finish(&s);
}

/* --- the same however it is asked ------------------------------------------------------------ */

static void answer_some_fail(struct trial *t, size_t number, void *arg)
{
    t->status = number % 9 == 4 ? RUN_FAILED : RUN_COMPLETED;
    t->has_metric = true;
    t->metric_value = fabs(log10(t->at.v[0]) + 2) + (double)(number % 3) * 0.1;
}

static void same_however_it_is_asked(void **state)
{
    static const struct shuffled ways[] = {
        {.workers = 1, .want = 1000, .answer = answer_some_fail},
        {.workers = 7, .want = 1000, .order = 2, .answer = answer_some_fail},
        {.workers = 3, .want = 2, .order = 3, .answer = answer_some_fail},
        {.workers = 9, .want = 1, .order = 4, .forgets = true, .answer = answer_some_fail},
    };
    struct spec s;
    struct history first, other;
    spec_make_with(&s, "pbt", VALUES, 41, 4, POPULATION);
    shuffled_run(&first, &s, &ways[0]);
    assert_int_equal(first.count, 39); /* 13 members */
    assert_true(history_in_range(&first, &s));
    for (size_t i = 1; i < sizeof(ways) / sizeof(*ways); i++) {
        shuffled_run(&other, &s, &ways[i]);
        for (size_t k = 0; k < first.count; k++)
            assert_string_equal(first.reasons[k], other.reasons[k]);
        assert_true(history_same(&first, &other, first.count));
        history_finish(&other);
    }
    history_finish(&first);
    spec_finish(&s);
}

/* --- the whole engine ------------------------------------------------------------------------ */

/* Its canonical content; the caller's to free. The world sees to it that a checkpoint is there when
 * a run begins with it. */
static char *swept(size_t workers, uint64_t seed, bool crashes)
{
    struct world w;
    world_init(&w, workers, seed);
    w.checkpoint_every = (int64_t)(seed % 2);
    world_submit(&w, "pbt", VALUES, 25, 1, POPULATION);
    world_flush(&w);
    world_commit(&w);
    world_stumble(&w, crashes ? 6 : 0, 40, (unsigned)(seed % 3 * 100));
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 24); /* 8 members, 3 generations */
    size_t parents = 0;
    for (int64_t n = 0; n < 24; n++) {
        const struct run_row *r = world_run_row(&w, 1, n);
        assert_int_equal(r->until_epoch, n < 8 ? 2 : n < 16 ? 4 : 0);
        parents += r->parent_id != 0;
        assert_int_equal(w.folders[r->id].checkpoint, 0);
    }
    assert_int_equal(parents, 16);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void same_at_any_number_of_workers(void **state)
{
    char *expected = swept(1, 3, false);
    for (size_t k = 0; k < 10; k++) {
        char *got = swept(k % 2 ? 2 : 7, 40 + k, k >= 2);
        assert_string_equal(got, expected);
        free(got);
    }
    free(expected);
}

/* --- what it is worth ------------------------------------------------------------------------ */

#define EPOCHS 24
/* A training whose best learning rate falls from 0.1 to 0.0001 while it goes on, as rates do that
 * no schedule lowers; with any other the loss falls the less. */
static double trained(double loss, double rate, int64_t from, int64_t to)
{
    for (int64_t e = from; e < to; e++) {
        double off = (log10(rate) + 1 + 3.0 * (double)e / EPOCHS) / 0.4;
        loss *= 1 - 0.4 * exp(-off * off);
    }
    return loss;
}

/* The best loss at the end, of as many epochs. */
static double found(const char *method, uint64_t seed)
{
    struct spec s;
    struct history h = {0};
    bool pbt = strcmp(method, "pbt") == 0;
    double best = 1;
    spec_make_with(&s, method, RATE, pbt ? 16 * 12 : 16, seed, ",\"treat\":false");
    s.epochs = EPOCHS;
    s.perturb = pbt ? 2 : 0;
    for (;;) {
        struct study st;
        struct proposals p = {0};
        study_init(&st, &s);
        st.count = st.all_count = h.count;
        st.all = st.trials = (const struct trial *const *)h.trials;
        if (search_method(s.method)->ask(&st, 1000, &p) != ANSWER_RUNS)
            break;
        for (size_t i = 0; i < p.count; i++) {
            const struct proposal *x = &p.items[i];
            bool begins = x->parent == TRIAL_NONE;
            int64_t until = x->until > 0 ? x->until : EPOCHS;
            double before = begins ? 1 : h.trials[x->parent]->metric_value;
            struct trial *t = history_add(&h, &s, x);
            t->status = RUN_COMPLETED;
            t->has_metric = true;
            t->metric_value = trained(before, t->at.v[0], pbt && !begins ? until - 2 : 0, until);
            best = until == EPOCHS ? fmin(best, t->metric_value) : best;
        }
        proposals_finish(&p);
    }
    history_finish(&h);
    spec_finish(&s);
    return best;
}

static void better_than_fixed_values(void **state)
{
    double own = 0, random = 0;
    size_t won = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        double a = found("pbt", seed), b = found("random", seed);
        own += log10(a) / 20;
        random += log10(b) / 20;
        won += a < b;
    }
    print_message("# 10^%.2f, random 10^%.2f, %zu of 20 won\n", own, random, won);
    assert_in_range(won, 18, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worst_quarter_follows_the_best),
        cmocka_unit_test(who_is_gone_follows_somebody),
        cmocka_unit_test(what_a_population_cannot_have),
        cmocka_unit_test(same_however_it_is_asked),
        cmocka_unit_test(same_at_any_number_of_workers),
        cmocka_unit_test(better_than_fixed_values),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
