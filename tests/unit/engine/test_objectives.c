/* Several objectives: fronts, and searches that look for one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/pareto.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting_is_as_by_pairs),
        cmocka_unit_test(room_counts_within_a_front),
        cmocka_unit_test(the_best_by_any_weights_is_on_the_front),
        cmocka_unit_test(better_than_chance),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
