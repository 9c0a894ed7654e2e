/* Several objectives: fronts, and searches that look for one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/configurations.h"
#include "daemon/plan/finalists.h"
#include "daemon/plan/pareto.h"
#include "daemon/plan/search/past.h"
#include "daemon/plan/stop/stop.h"
#include "sweep/buf.h"
#include "sweep/rng.h"
#include "tests/unit/engine/shuffled.h"

/* --- fronts ---------------------------------------------------------------------------------- */

/* By the definition, one pair after the other. */
static void fronts_by_pairs(const double *costs, size_t count, size_t width, uint32_t *front)
{
    bool any = true;
    for (size_t i = 0; i < count; i++)
        front[i] = UINT32_MAX;
    for (uint32_t level = 0; any; level++) {
        any = false;
        for (size_t i = 0; i < count; i++) {
            bool beaten = front[i] < level;
            for (size_t k = 0; k < count && !beaten; k++)
                beaten = front[k] >= level &&
                         pareto_dominates(costs + k * width, costs + i * width, width);
            if (!beaten)
                front[i] = level, any = true;
        }
    }
}

static void sorting_is_as_by_pairs(void **state)
{
    struct rng r;
    rng_init(&r, 3, RNG_TEST, 0);
    for (int round = 0; round < 300; round++) {
        size_t count = rng_below(&r, 60), width = 1 + rng_below(&r, 5);
        double *costs = xcalloc(count * width + 1, sizeof(*costs));
        uint32_t *front = xcalloc(count + 1, sizeof(*front));
        struct pareto p;
        for (size_t i = 0; i < count * width; i++) /* many that are equal, some not known */
            costs[i] = rng_below(&r, 9) == 0 ? INFINITY : (double)rng_below(&r, 12);
        fronts_by_pairs(costs, count, width, front);
        pareto_init(&p, costs, count, width);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(p.front[i], front[i]);
        for (size_t i = 1; i < count; i++)
            assert_true(p.front[p.order[i - 1]] <= p.front[p.order[i]]);
        pareto_finish(&p);
        free(costs);
        free(front);
    }
}

/* The ends of a front come first, then who has most room. */
static void room_counts_within_a_front(void **state)
{
    static const double costs[] = {0, 10, 1, 8, 1.1, 7.9, 5, 4, 10, 0, 9, 9};
    static const uint32_t order[] = {0, 4, 3, 2, 1, 5};
    struct pareto p;
    pareto_init(&p, costs, 6, 2);
    assert_memory_equal(p.order, order, sizeof(order));
    pareto_finish(&p);
}

/* Whatever the weights, the best by them is on the front; and every end is the best by some. */
static void the_best_by_any_weights_is_on_the_front(void **state)
{
    struct rng r;
    rng_init(&r, 4, RNG_TEST, 0);
    for (int round = 0; round < 200; round++) {
        double costs[90], one[30], weights[3];
        struct pareto p;
        size_t best = 0;
        for (size_t i = 0; i < 90; i++)
            costs[i] = rng_uniform(&r) * pow(10, (double)(i % 3));
        pareto_weights(&r, 3, weights);
        assert_true(fabs(weights[0] + weights[1] + weights[2] - 1) < 1e-12);
        pareto_scalarise(costs, 30, 3, weights, one);
        pareto_init(&p, costs, 30, 3);
        for (size_t i = 1; i < 30; i++)
            best = one[i] < one[best] ? i : best;
        assert_int_equal(p.front[best], 0);
        pareto_finish(&p);
    }
}

/* --- the search ------------------------------------------------------------------------------ */

#define TWO ",\"treat\":false,\"objectives\":[\"val_loss\",\"seconds\"]"
#define LINE(name) "\"" name "\":{\"min\":0.0,\"max\":0.9,\"distribution\":\"uniform\"}"
#define SPACE                                                                                      \
    LINE("train.momentum") "," LINE("train.l2") "," LINE("train.weight_decay") ","                \
    LINE("dropout") "," LINE("train.label_smoothing")

/* ZDT1 and ZDT3 (Zitzler, Deb and Thiele 2000), of five parameters. */
static void answer_zdt(struct trial *t, bool broken)
{
    double f = t->at.v[0] / 0.9, g = 0;
    for (int i = 1; i < 5; i++)
        g += 9.0 / 4 * t->at.v[i] / 0.9;
    g += 1;
    t->status = RUN_COMPLETED;
    t->has_metric = true;
    t->metric_value = f;
    t->further = xcalloc(1, sizeof(double));
    t->further[0] = g * (1 - sqrt(f / g) - (broken ? f / g * sin(10 * M_PI * f) : 0));
}

static void answer_zdt1(struct trial *t, size_t number, void *arg)
{
    answer_zdt(t, false);
}

static void answer_zdt3(struct trial *t, size_t number, void *arg)
{
    answer_zdt(t, true);
}

/* Two goals that lie apart, over ranges, an ordered row and a choice. */
static void answer_apart(struct trial *t, size_t number, void *arg)
{
    double *v = t->at.v, own = 0, other = 0;
    own = fabs(log10(v[0]) + 2) + fabs(v[1] - 32) / 500 + (v[2] != 0) * 0.3 + fabs(v[3] - 1);
    other = fabs(log10(v[0]) + 1.5) + fabs(v[1] - 128) / 500 + (v[2] != 4) * 0.3 + fabs(v[3] - 4);
    t->status = RUN_COMPLETED;
    t->has_metric = true;
    t->metric_value = own;
    t->further = xcalloc(1, sizeof(double));
    t->further[0] = other;
}

static int by_first(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

/* The area that they dominate below a corner. */
static double hypervolume(const struct history *h, double corner)
{
    double (*at)[2] = xcalloc(h->count + 1, sizeof(*at)), area = 0, least = corner;
    for (size_t i = 0; i < h->count; i++) {
        at[i][0] = h->trials[i]->metric_value;
        at[i][1] = h->trials[i]->further[0];
    }
    qsort(at, h->count, sizeof(*at), by_first);
    for (size_t i = 0; i < h->count; i++) {
        if (at[i][0] >= corner || at[i][1] >= least)
            continue;
        area += (corner - at[i][0]) * (least - at[i][1]);
        least = at[i][1];
    }
    free(at);
    return area;
}

static void forget(struct history *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->trials[i]->further);
    history_finish(h);
}

static const struct problem {
    const char *name, *parameters;
    trial_fn *answer;
    double corner;
} problems[] = {
    {"ZDT1", SPACE, answer_zdt1, 11},
    {"ZDT3", SPACE, answer_zdt3, 11},
    {"apart", PARAMETERS_FULL, answer_apart, 6},
};

#ifdef __SANITIZE_ADDRESS__
#define SEEDS 1
#else
#define SEEDS 20
#endif

static double area_of(const struct problem *problem, const char *method, uint64_t seed)
{
    const struct shuffled how = {.workers = 4, .want = 1000, .answer = problem->answer};
    struct spec s;
    struct history h;
    spec_make_with(&s, method, problem->parameters, 60, seed, TWO);
    shuffled_run(&h, &s, &how);
    double area = hypervolume(&h, problem->corner);
    forget(&h);
    spec_finish(&s);
    return area;
}

/* The area dominated after as many runs, over 20 seeds. */
static void better_than_chance(void **state)
{
    static const char *const methods[] = {"tpe", "gp"};
    for (size_t i = 0; i < sizeof(problems) / sizeof(*problems); i++) {
        for (size_t k = 0; k < sizeof(methods) / sizeof(*methods); k++) {
            double own = 0, random = 0;
            int won = 0;
            for (uint64_t seed = 0; seed < SEEDS; seed++) {
                double a = area_of(&problems[i], methods[k], seed);
                double b = area_of(&problems[i], "random", seed);
                own += a;
                random += b;
                won += a > b;
            }
            print_message("# %s: %s %.3f, random %.3f, better %d of %d\n", problems[i].name,
                          methods[k], own / SEEDS, random / SEEDS, won, SEEDS);
            if (SEEDS == 20) {
                assert_true(own > random);
                assert_in_range(won, 15, 20); /* by chance once in 48 */
            }
        }
    }
}

/* Any number of workers, any order of ends, any portions, with what is kept and without; some runs
 * fail, some are stopped, of some a value is not known. */
static void answer_mixed(struct trial *t, size_t number, void *arg)
{
    answer_apart(t, number, arg);
    if (number % 11 == 5)
        t->status = RUN_FAILED;
    else if (number % 7 == 3)
        t->status = RUN_STOPPED;
    else if (number % 5 == 2)
        t->further[0] = NAN;
}

static void same_however_it_is_asked(void **state)
{
    static const char *const methods[] = {"tpe", "gp"};
    static const struct shuffled ways[] = {
        {.workers = 1, .want = 1, .answer = answer_mixed},
        {.workers = 7, .want = 1000, .order = 2, .answer = answer_mixed},
        {.workers = 3, .want = 2, .order = 5, .forgets = true, .answer = answer_mixed},
    };
    for (size_t k = 0; k < 2; k++) {
        struct history first, other;
        struct spec s;
        spec_make_with(&s, methods[k], PARAMETERS_FULL, 50, 4, TWO);
        shuffled_run(&first, &s, &ways[0]);
        for (size_t i = 1; i < sizeof(ways) / sizeof(*ways); i++) {
            shuffled_run(&other, &s, &ways[i]);
            assert_int_equal(first.count, other.count);
            for (size_t n = 0; n < first.count; n++) {
                assert_memory_equal(&first.trials[n]->at, &other.trials[n]->at,
                                    sizeof(struct assignment));
                assert_string_equal(first.reasons[n], other.reasons[n]);
            }
            forget(&other);
        }
        forget(&first);
        spec_finish(&s);
    }
}

/* Of a thousand runs the best stay among those that are weighed: the first of the ranking are on the
 * front of all, whatever was kept between. */
static void long_sweeps_keep_their_front(void **state)
{
    struct past past, anew;
    struct history h = {0};
    struct study st;
    struct spec s;
    struct pareto p;
    double *costs = xcalloc(2000, sizeof(*costs));
    spec_make_with(&s, "tpe", SPACE, 1000, 4, TWO);
    study_init(&st, &s);
    for (size_t i = 0; i < 1000; i++) {
        struct proposal own = {0};
        struct rng r;
        rng_init(&r, 5, RNG_TEST, i);
        for (size_t k = 0; k < s.space.count; k++)
            own.at.v[k] = 0.9 * rng_uniform(&r);
        struct trial *t = history_add(&h, &s, &own);
        answer_zdt1(t, i, NULL);
        pareto_costs(&s.objectives, t, costs + 2 * i);
    }
    st.all = st.trials = (const struct trial *const *)h.trials;
    st.all_count = st.count = h.count;
    pareto_init(&p, costs, 1000, 2);
    past_begin(&past, &st);
    past_begin(&anew, &st);
    for (size_t n = 0; n <= 1000; n += 100) {
        assert_true(past_see(&past, &st, n + st.lag));
        past_rank(&past, NULL);
    }
    assert_true(past_see(&anew, &st, 1000 + st.lag));
    past_rank(&anew, NULL);
    assert_int_equal(past_count(&past), 1000);
    assert_memory_equal(past.ranking, anew.ranking, 1000 * sizeof(*past.ranking));
    for (size_t i = 0; i < 1000 && p.front[p.order[i]] == 0; i++)
        assert_int_equal(p.front[past.ranking[i]], 0);
    past_finish(&past);
    past_finish(&anew);
    pareto_finish(&p);
    free(costs);
    forget(&h);
    spec_finish(&s);
}

/* --- at rungs -------------------------------------------------------------------------------- */

#define RUNS 10

struct at_rung {
    struct spec spec;
    struct study study;
    struct trial trials[RUNS];
    const struct trial *list[RUNS];
    struct rung rungs[RUNS];
    double further[RUNS];
};

/* Runs of (value, second objective) at epoch 2; the last one is asked about. */
static void stand(struct at_rung *s, const char *rule, const double (*at)[2], size_t count)
{
    char *more = xasprintf(TWO ",\"early_terminate\":{\"type\":\"%s\",\"lag\":1,\"startup\":3}",
                           rule);
    spec_make_with(&s->spec, "random", PARAMETERS_FULL, 20, 1, more);
    free(more);
    study_init(&s->study, &s->spec);
    for (size_t i = 0; i < count; i++) {
        s->further[i] = at[i][1];
        s->rungs[i] = (struct rung){2, at[i][0], &s->further[i]};
        s->trials[i] = (struct trial){.number = i, .status = RUN_PAUSED, .rungs = &s->rungs[i],
                                      .rung_count = 1, .epochs = 6};
        s->list[i] = &s->trials[i];
    }
    s->study.trials = s->study.all = s->list;
    s->study.count = s->study.all_count = count;
}

static enum verdict verdict_of(const char *rule, const double (*at)[2], size_t count, char *reason)
{
    struct at_rung s = {0};
    struct rung_verdict v;
    stand(&s, rule, at, count);
    stop_decide(&s.study, s.list[count - 1], &v);
    if (reason != NULL)
        str_copy(reason, VERDICT_REASON_MAX, v.reason);
    spec_finish(&s.spec);
    return v.verdict;
}

static void rungs_go_by_fronts(void **state)
{
    /* worst in the first objective, and nobody is quicker: it is on the front */
    static const double quick[][2] = {{0.1, 9}, {0.2, 8}, {0.3, 7}, {0.4, 6}, {0.5, 5}, {9, 1}};
    /* bettered in both by all that are seen */
    static const double poor[][2] = {{0.1, 9}, {0.2, 8}, {0.3, 7}, {0.4, 6}, {0.5, 5}, {1, 10}};
    /* better in both than most */
    static const double good[][2] = {{0.1, 9}, {0.2, 8}, {0.3, 7}, {0.4, 6}, {0.5, 5}, {0.1, 5}};
    /* no number in the first: the second does not save it */
    static const double broken[][2] = {{0.1, 9}, {0.2, 8}, {0.3, 7}, {0.4, 6}, {0.5, 5}, {NAN, 1}};
    /* on the front, but crowded where a third of six may go on */
    static const double crowded[][2] = {{0.1, 9},  {0.9, 1}, {0.50, 5.00}, {0.501, 4.999},
                                        {2, 20},   {3, 30},  {0.5005, 4.9995}};
    char reason[VERDICT_REASON_MAX];
    assert_int_equal(verdict_of("median", quick, 6, reason), VERDICT_GO_ON);
    assert_non_null(strstr(reason, "by front: 1 at epoch 2"));
    assert_int_equal(verdict_of("median", poor, 6, reason), VERDICT_STOP);
    assert_non_null(strstr(reason, "by front: 2 at epoch 2"));
    assert_int_equal(verdict_of("median", broken, 6, NULL), VERDICT_STOP);
    assert_int_equal(verdict_of("successive_halving", good, 6, reason), VERDICT_GO_ON);
    assert_non_null(strstr(reason, "by place among the fronts: "));
    assert_int_equal(verdict_of("successive_halving", poor, 6, NULL), VERDICT_STOP);
    assert_int_equal(verdict_of("successive_halving", crowded, 7, NULL), VERDICT_STOP);
    assert_int_equal(verdict_of("median", crowded, 7, NULL), VERDICT_GO_ON);
}

/* --- the front of configurations ------------------------------------------------------------- */

#define FIELD 60

/* Of those with a seed: two or more, one, or one of which a run failed. */
static int class_of(const struct configuration *c)
{
    return c->failed > 0 ? 2 : c->seeds < 2;
}

/* Runs of a third of the configurations come again; some fail. */
static void make_field(struct rng *r, struct trial *trials, double *further,
                       const struct trial **list)
{
    for (size_t i = 0; i < FIELD; i++) {
        bool repeats = i >= FIELD / 2;
        further[i] = (double)rng_below(r, 9);
        trials[i] = (struct trial){.number = i,
                                   .kind = repeats ? RUN_KIND_REPEAT : RUN_KIND_SEARCH,
                                   .parent = repeats ? rng_below(r, FIELD / 6) : TRIAL_NONE,
                                   .status = rng_below(r, 8) ? RUN_COMPLETED : RUN_FAILED,
                                   .has_metric = true,
                                   .metric_value = (double)rng_below(r, 9),
                                   .further = &further[i],
                                   .cause = CAUSE_COUNT};
        trials[i].at.v[0] = (double)i;
        list[i] = &trials[i];
    }
}

/* As the view has it, one pair after the other. */
static bool is_on_front(const struct configurations *c, const double (*means)[2], size_t i)
{
    for (size_t k = 0; k < c->count; k++)
        if (class_of(&c->items[k]) <= class_of(&c->items[i]) &&
            pareto_dominates(means[k], means[i], 2))
            return false;
    return true;
}

static void means_of(const struct study *st, const struct configurations *c, double (*out)[2])
{
    memset(out, 0, FIELD * sizeof(*out));
    for (size_t i = 0; i < c->count; i++) {
        for (size_t n = 0; n < FIELD; n++) {
            const struct trial *t = st->all[n];
            size_t root = t->kind == RUN_KIND_REPEAT ? t->parent : n;
            if (root != c->items[i].root || t->status != RUN_COMPLETED)
                continue;
            out[i][0] += t->metric_value / (double)c->items[i].seeds;
            out[i][1] += t->further[0] / (double)c->items[i].seeds;
        }
    }
}

static void configurations_on_the_front(void **state)
{
    struct trial *trials = xcalloc(FIELD, sizeof(*trials));
    const struct trial *list[FIELD];
    double further[FIELD], means[FIELD][2];
    struct spec s;
    struct study st;
    struct rng r;
    spec_make_with(&s, "random", PARAMETERS_FULL, FIELD, 1, TWO);
    rng_init(&r, 8, RNG_TEST, 0);
    for (int round = 0; round < 50; round++) {
        struct configurations c;
        size_t count = 0, few = 0;
        make_field(&r, trials, further, list);
        study_init(&st, &s);
        st.all = st.trials = list;
        st.all_count = st.count = FIELD;
        configurations_init(&c, &st);
        means_of(&st, &c, means);
        bool *front = configurations_front(&c, &st, FIELD);
        bool *thinned = configurations_front(&c, &st, 3);
        for (size_t i = 0; i < c.count; i++) {
            assert_int_equal(front[i], is_on_front(&c, means, i));
            assert_true(front[i] || !thinned[i]);
            count += front[i];
            few += thinned[i];
        }
        assert_int_equal(few, count < 3 ? count : 3);
        free(front);
        free(thinned);
        configurations_finish(&c);
    }
    spec_finish(&s);
    free(trials);
}

/* --- finalists ------------------------------------------------------------------------------- */

/* 8 runs: the front first, then once more as many of those that have two seeds. */
static void finalists_are_the_front(void **state)
{
    struct at_rung s = {0};
    struct repeats out = {0};
    bool front[RUNS] = {0};
    static const double at[RUNS][2] = {{0.5, 5}, {0.1, 9}, {0.6, 6}, {0.9, 1}, {0.3, 7},
                                       {0.8, 8}, {0.7, 3}, {0.2, 8}, {1, 10},  {0.95, 9}};
    stand(&s, "none", at, RUNS);
    for (size_t i = 0; i < RUNS; i++) {
        s.trials[i].status = RUN_COMPLETED;
        s.trials[i].has_metric = true;
        s.trials[i].metric_value = at[i][0];
        s.trials[i].further = &s.further[i];
        s.trials[i].at.v[0] = 0.001 * (double)(i + 1); /* each a configuration of its own */
    }
    s.study.run_cap = RUNS;
    s.study.last = 10;
    assert_int_equal(finalists_next(&s.study, 0, 100, &out), ANSWER_RUNS);
    assert_int_equal(out.count, 6);
    for (size_t i = 0; i < out.count; i++)
        front[out.items[i].of] = true;
    for (size_t i = 0; i < RUNS; i++)
        assert_int_equal(front[i], i == 0 || i == 1 || i == 3 || i == 4 || i == 6 || i == 7);
    repeats_finish(&out);
    spec_finish(&s.spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting_is_as_by_pairs),
        cmocka_unit_test(room_counts_within_a_front),
        cmocka_unit_test(the_best_by_any_weights_is_on_the_front),
        cmocka_unit_test(configurations_on_the_front),
        cmocka_unit_test(same_however_it_is_asked),
        cmocka_unit_test(long_sweeps_keep_their_front),
        cmocka_unit_test(rungs_go_by_fronts),
        cmocka_unit_test(finalists_are_the_front),
        cmocka_unit_test(better_than_chance),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
