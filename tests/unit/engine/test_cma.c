/* CMA-ES itself: eigenvectors, minima of functions of which it is known what they take, margins. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/cma.h"
#include "daemon/plan/search/eigen.h"

#define N_MAX 32

static void eigenvectors_are_what_they_say(void **state)
{
    struct rng r;
    rng_init(&r, 1, RNG_TEST, 0);
    for (size_t n = 1; n <= N_MAX; n += n < 6 ? 1 : 13) {
        double a[N_MAX * N_MAX], work[N_MAX * N_MAX], v[N_MAX * N_MAX];
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k <= i; k++)
                a[i * n + k] = a[k * n + i] = rng_normal(&r) * pow(10, (double)(i % 5) - 2);
        memcpy(work, a, sizeof(work));
        eigen_symmetric(work, n, v);
        for (size_t e = 0; e < n; e++) {
            double norm = 0;
            for (size_t i = 0; i < n; i++) {
                double out = 0;
                for (size_t k = 0; k < n; k++)
                    out += a[i * n + k] * v[k * n + e];
                assert_true(fabs(out - work[e * n + e] * v[i * n + e]) < 1e-9 * 100);
                norm += v[i * n + e] * v[i * n + e];
            }
            assert_true(fabs(norm - 1) < 1e-12);
        }
    }
}

struct member {
    double cost, x[N_MAX];
};

static int by_cost(const void *a, const void *b)
{
    double x = ((const struct member *)a)->cost, y = ((const struct member *)b)->cost;
    return (x > y) - (x < y);
}

static void generation(struct cma *c, size_t population, struct rng *r,
                       double f(const double *, size_t))
{
    struct member m[64];
    const double *x[64];
    for (size_t i = 0; i < population; i++) {
        cma_sample(c, r, m[i].x);
        m[i].cost = f(m[i].x, c->n);
    }
    qsort(m, population, sizeof(*m), by_cost);
    for (size_t i = 0; i < population; i++)
        x[i] = m[i].x;
    cma_adapt(c, x, population);
}

static double sphere(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

/* A million times steeper along one axis than along another. */
static double ellipsoid(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += pow(1e6, (double)i / (double)(n - 1)) * x[i] * x[i];
    return sum;
}

static double rosenbrock(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i + 1 < n; i++)
        sum += 100 * pow(x[i + 1] - x[i] * x[i], 2) + pow(1 - x[i], 2);
    return sum;
}

/* In so many evaluations to 1e-10: about what the tutorial's own code needs (Hansen 2016: sphere
 * 10 : 1,800, ellipsoid 10 : 6,000, Rosenbrock 10 : 6,000), and half as many again. */
static void minima_are_found(void **state)
{
    static const struct {
        double (*f)(const double *, size_t);
        size_t n, evaluations;
    } cases[] = {{sphere, 10, 2800}, {ellipsoid, 10, 9000}, {rosenbrock, 8, 9000},
                 {sphere, 1, 600},   {sphere, 30, 8000}};
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct cma c;
            struct rng r;
            double mean[N_MAX];
            size_t population = cma_population(cases[k].n);
            for (size_t i = 0; i < cases[k].n; i++)
                mean[i] = 0.5;
            rng_init(&r, seed, RNG_TEST, k);
            cma_init(&c, cases[k].n, mean, 0.3);
            for (size_t i = 0; i < cases[k].evaluations / population; i++)
                generation(&c, population, &r, cases[k].f);
            assert_true(cases[k].f(c.mean, c.n) < 1e-10);
            assert_false(cma_is_degenerate(&c));
            cma_finish(&c);
        }
    }
}

/* How often a draw falls into each cell. */
static void shares(const struct cma *c, const double *edges, size_t cells, double *out)
{
    struct rng r;
    rng_init(&r, 3, RNG_TEST, 0);
    memset(out, 0, cells * sizeof(*out));
    for (int i = 0; i < 100000; i++) {
        double x;
        size_t cell = 0;
        cma_sample(c, &r, &x);
        while (cell + 1 < cells && x >= edges[cell + 1])
            cell++;
        out[cell] += 1e-5;
    }
}

static void margins_keep_the_neighbours(void **state)
{
    static const double edges[] = {0, 0.25, 0.5, 0.75, 1};
    for (double mean = 0.05; mean < 1; mean += 0.1) {
        for (double sigma = 1e-4; sigma < 1; sigma *= 10) {
            struct cma c;
            double share[4];
            cma_init(&c, 1, &mean, sigma);
            cma_keep_margin(&c, 0, edges, 4, 0.1);
            shares(&c, edges, 4, share);
            size_t own = (size_t)(mean * 4);
            if (own > 0)
                assert_true(share[own - 1] > 0.045);
            if (own < 3)
                assert_true(share[own + 1] > 0.045);
            if (own == 0 || own == 3)
                assert_true(1 - share[own] > 0.095);
            assert_int_equal((size_t)(c.mean[0] * 4), own); /* and it stays in its cell */
            cma_finish(&c);
        }
    }
}

/* Where it is wide enough nothing changes. */
static void margins_leave_what_is_wide(void **state)
{
    static const double edges[] = {0, 0.5, 1};
    double mean = 0.4;
    struct cma c;
    cma_init(&c, 1, &mean, 0.3);
    cma_keep_margin(&c, 0, edges, 2, 0.1);
    assert_true(c.mean[0] == 0.4 && c.scale[0] == 1);
    cma_finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvectors_are_what_they_say),
        cmocka_unit_test(minima_are_found),
        cmocka_unit_test(margins_keep_the_neighbours),
        cmocka_unit_test(margins_leave_what_is_wide),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
