/* The Gaussian process of gp: its factors, its kernel, what it predicts and expects. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/kriging.h"
#include "sweep/buf.h"
#include "sweep/rng.h"
#include "tests/unit/engine/support.h"

#define LANES FACTOR_LANES
#define N_MAX 70

/* --- factors --------------------------------------------------------------------------------- */

/* Positive definite: a product with its transpose, and something on the diagonal. */
static void fill(double *a, size_t n, size_t stride, struct rng *r)
{
    double *x = xcalloc(n * n, sizeof(*x));
    for (size_t i = 0; i < n * n; i++)
        x[i] = rng_normal(r);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n; k++)
                a[i * stride + j] += x[i * n + k] * x[j * n + k] + (k == 0 && i == j);
    free(x);
}

static void check_factor(size_t n, struct rng *r)
{
    size_t stride = factor_stride(n);
    double *a = xcalloc(n * stride, sizeof(*a)), *l = xcalloc(n * stride, sizeof(*l)),
           *inverse = xcalloc(n * stride, sizeof(*l)), *lanes = xcalloc(n * LANES, sizeof(*lanes)),
           b[N_MAX], x[N_MAX];
    fill(a, n, stride, r);
    memcpy(l, a, n * stride * sizeof(*a));
    assert_true(factor_cholesky(l, n, stride));
    factor_inverse(l, n, stride, inverse);
    for (size_t i = 0; i < n; i++) {
        b[i] = x[i] = rng_normal(r);
        for (size_t u = 0; u < LANES; u++)
            lanes[i * LANES + u] = b[i] * (double)(u + 1);
    }
    factor_forward(l, n, stride, x);
    factor_forward_lanes(l, n, stride, lanes);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(lanes[i * LANES + 2] - 3 * x[i]) < 1e-9 * (1 + fabs(x[i])));
    factor_backward(l, n, stride, x);
    for (size_t i = 0; i < n; i++) {
        double product = 0, unit = 0;
        for (size_t j = 0; j < n; j++) {
            product += a[i * stride + j] * x[j];
            unit += a[i * stride + j] * inverse[(j > i ? j : i) * stride + (j > i ? i : j)];
        }
        assert_true(fabs(product - b[i]) < 1e-8);
        assert_true(fabs(unit - 1) < 1e-8);
    }
    a[(n - 1) * stride + n - 1] = -1;
    assert_false(factor_cholesky(a, n, stride));
    free(a);
    free(l);
    free(inverse);
    free(lanes);
}

static void factors_solve(void **state)
{
    struct rng r;
    rng_init(&r, 1, RNG_TEST, 0);
    for (size_t n = 1; n <= N_MAX; n += n < 10 ? 1 : 15)
        check_factor(n, &r);
}

/* --- the process ----------------------------------------------------------------------------- */

#define SPACE                                                                                      \
    "\"train.momentum\":{\"min\":0.0,\"max\":1.0,\"distribution\":\"uniform\"},"                    \
    "\"train.l2\":{\"min\":0.0,\"max\":1.0,\"distribution\":\"uniform\"},"                          \
    "\"optimizer\":{\"values\":[\"sgd\",\"adam\",\"adamw\"]}"

struct ground {
    struct spec spec;
    struct axes axes;
    struct points points;
    double y[N_MAX], runs[N_MAX];
    struct seen seen;
};

/* Values that follow the first dimension and the choice; and noise. */
static void ground_init(struct ground *g, size_t n, double noise, struct rng *r)
{
    *g = (struct ground){.seen = {.count = n}};
    g->seen.y = g->y;
    g->seen.runs = g->runs;
    spec_make(&g->spec, "gp", SPACE, 10, 1);
    axes_init(&g->axes, &g->spec.space);
    points_init(&g->points, &g->axes, N_MAX);
    for (size_t i = 0; i < n; i++) {
        const double places[] = {rng_uniform(r), rng_uniform(r), (double)(i % 3)};
        points_add(&g->points, places);
        g->y[i] = sin(7 * places[0]) + (i % 3 == 1 ? -1 : 0.3) + noise * rng_normal(r);
        g->runs[i] = 1;
    }
}

static void ground_finish(struct ground *g)
{
    points_finish(&g->points);
    axes_finish(&g->axes);
    spec_finish(&g->spec);
}

static void the_kernel_finds_what_matters(void **state)
{
    size_t told = 0;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct ground clear, noisy;
        struct kernel a, b;
        struct rng r;
        rng_init(&r, seed, RNG_TEST, 1);
        ground_init(&clear, 40, 0, &r);
        ground_init(&noisy, 40, 1, &r);
        kernel_fit(&a, &clear.points, &clear.seen);
        kernel_fit(&b, &noisy.points, &noisy.seen);
        assert_true(a.log[0] < a.log[1] - 1 && a.log[2] < a.log[1] - 1);
        assert_true(exp(a.log[4]) < 0.01);
        told += exp(b.log[4]) > 0.1; /* or, with so few points, a function that is as rough */
        ground_finish(&clear);
        ground_finish(&noisy);
    }
    assert_in_range(told, 7, 10);
}

/* At what was seen it is certain, far from it it knows nothing; and it interpolates. */
static void it_predicts(void **state)
{
    struct ground g;
    struct kernel k;
    struct kriging process;
    struct points at;
    struct rng r;
    double mean[LANES], variance[LANES], error = 0;
    rng_init(&r, 3, RNG_TEST, 2);
    ground_init(&g, 60, 0, &r);
    kernel_fit(&k, &g.points, &g.seen);
    kriging_init(&process, &k, &g.points, &g.seen);
    kriging_predict(&process, &g.points, 0, mean, variance);
    for (size_t u = 0; u < LANES; u++) {
        assert_true(fabs(mean[u] - g.y[u]) < 0.05 && variance[u] < 0.02);
        assert_true(fabs(mean[u] - process.means[u]) < 1e-9);
    }
    points_init(&at, &g.axes, LANES);
    for (size_t u = 0; u < LANES; u++)
        points_add(&at, (const double[]){rng_uniform(&r), rng_uniform(&r), (double)(u % 3)});
    kriging_predict(&process, &at, 0, mean, variance);
    for (size_t u = 0; u < LANES; u++) {
        double truth = sin(7 * at.x[u]) + (u % 3 == 1 ? -1 : 0.3);
        error = fmax(error, fabs(mean[u] - truth));
        assert_true(variance[u] >= 0 && variance[u] < exp(k.log[3]) + 1e-9);
    }
    assert_true(error < 0.3);
    points_finish(&at);
    kriging_finish(&process);
    ground_finish(&g);
}

/* What is pending takes from the variance near it and leaves every mean as it is. */
static void pending_ones_change_no_mean(void **state)
{
    struct ground g;
    struct kernel k;
    struct kriging before, after;
    struct points at;
    struct rng r;
    double mean[2][LANES], variance[2][LANES];
    const double places[] = {0.9, 0.1, 2};
    rng_init(&r, 4, RNG_TEST, 3);
    ground_init(&g, 12, 0.1, &r);
    kernel_fit(&k, &g.points, &g.seen);
    points_init(&at, &g.axes, LANES);
    points_add(&at, places);
    points_add(&at, (const double[]){0.1, 0.9, 0});
    kriging_init(&before, &k, &g.points, &g.seen);
    kriging_predict(&before, &at, 0, mean[0], variance[0]);
    kriging_finish(&before);
    points_add(&g.points, places);
    kriging_init(&after, &k, &g.points, &g.seen);
    kriging_predict(&after, &at, 0, mean[1], variance[1]);
    kriging_finish(&after);
    assert_true(fabs(mean[0][0] - mean[1][0]) < 1e-12 && fabs(mean[0][1] - mean[1][1]) < 1e-12);
    assert_true(variance[1][0] < variance[0][0] / 2 && variance[1][1] <= variance[0][1]);
    points_finish(&at);
    ground_finish(&g);
}

/* Absent in both: no distance. Absent in one: as far as another choice. */
static void what_is_absent_has_a_distance(void **state)
{
    struct ground g;
    struct kriging process;
    struct points at;
    struct rng r;
    struct kernel k = {.dimensions = 3, .log = {0, 0, 0, 0, -9}};
    double mean[LANES], variance[LANES];
    rng_init(&r, 5, RNG_TEST, 4);
    ground_init(&g, 0, 0, &r);
    points_add(&g.points, (const double[]){0.5, NAN, 1});
    g.seen.count = 1;
    g.y[0] = g.runs[0] = 1;
    kriging_init(&process, &k, &g.points, &g.seen);
    points_init(&at, &g.axes, LANES);
    points_add(&at, (const double[]){0.5, NAN, 1});
    points_add(&at, (const double[]){0.5, 0.2, 1});
    points_add(&at, (const double[]){0.5, NAN, 0});
    points_add(&at, (const double[]){0.5, 0.7, 2});
    kriging_predict(&process, &at, 0, mean, variance);
    assert_true(mean[0] > 0.99 && mean[1] < 0.7 && mean[3] < mean[1]);
    assert_true(fabs(mean[1] - mean[2]) < 1e-12);
    points_finish(&at);
    kriging_finish(&process);
    ground_finish(&g);
}

/* --- the expected improvement ---------------------------------------------------------------- */

/* By Simpson's rule, of the integral over what lies below. */
static double integral(double z)
{
    double sum = 0, step = 12.0 / 4000;
    for (int i = 0; i <= 4000; i++) {
        double t = i * step, f = t * exp(-0.5 * (z - t) * (z - t)) / sqrt(2 * M_PI);
        sum += f * (i == 0 || i == 4000 ? 1 : i % 2 == 1 ? 4 : 2) * step / 3;
    }
    return sum;
}

static void improvement_is_what_it_says(void **state)
{
    for (double z = -8; z <= 4; z += 0.25) {
        double value = log_expected_improvement(1 - 2 * z, 2, 1);
        assert_true(fabs(value - log(2 * integral(z))) < 1e-6);
    }
    double last = log_expected_improvement(0, 1, -1);
    for (double z = -1; z > -1e6; z *= 1.01) { /* no jump, no end */
        double value = log_expected_improvement(-z, 1, 0);
        assert_true(isfinite(value) && (z == -1 || value < last));
        assert_true(z == -1 || fabs(value - last) < 0.0101 * z * z + 0.1);
        last = value;
    }
    double below = log_expected_improvement(20 - 1e-9, 1, 0),
           above = log_expected_improvement(20 + 1e-9, 1, 0);
    assert_true(fabs(below - above) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_solve),
        cmocka_unit_test(the_kernel_finds_what_matters),
        cmocka_unit_test(it_predicts),
        cmocka_unit_test(pending_ones_change_no_mean),
        cmocka_unit_test(what_is_absent_has_a_distance),
        cmocka_unit_test(improvement_is_what_it_says),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
