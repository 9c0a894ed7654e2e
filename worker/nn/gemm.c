#include "worker/nn/gemm.h"

#include <limits.h>
#include <stdlib.h>

#ifndef SWEEP_REAL_DOUBLE
#include <cblas.h>
#endif

#include "sweep/buf.h"
#include "sweep/require.h"
#include "sweep/rng.h"

static real at(const real *x, bool transposed, size_t row, size_t column, size_t rows,
               size_t columns)
{
    return transposed ? x[column * rows + row] : x[row * columns + column];
}

void gemm_naive(bool a_t, bool b_t, size_t m, size_t n, size_t k, const real *a, const real *b,
                real beta, double *c)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = beta == 0 ? 0 : (double)beta * c[i * n + j];
            for (size_t l = 0; l < k; l++)
                sum += (double)at(a, a_t, i, l, m, k) * (double)at(b, b_t, l, j, k, n);
            c[i * n + j] = sum;
        }
    }
}

#ifdef SWEEP_REAL_DOUBLE

void gemm(bool a_t, bool b_t, size_t m, size_t n, size_t k, const real *a, const real *b,
          real beta, real *c)
{
    gemm_naive(a_t, b_t, m, n, k, a, b, beta, c);
}

#else

void gemm(bool a_t, bool b_t, size_t m, size_t n, size_t k, const real *a, const real *b,
          real beta, real *c)
{
    REQUIRE(m <= INT_MAX && n <= INT_MAX && k <= INT_MAX);
    cblas_sgemm(CblasRowMajor, a_t ? CblasTrans : CblasNoTrans, b_t ? CblasTrans : CblasNoTrans,
                (int)m, (int)n, (int)k, 1.0f, a, (int)(a_t ? m : k), b, (int)(b_t ? k : n), beta,
                c, (int)n);
}

void gemm_init(void)
{
    openblas_set_num_threads(1);
}

const char *gemm_core(void)
{
    return openblas_get_corename();
}

const char *gemm_library(void)
{
    return openblas_get_config();
}

/* A shape of the check: what a forward pass, a weight gradient and an input gradient use, and
 * sizes that leave a remainder in every direction of a kernel's tile. */
struct shape {
    bool a_t, b_t;
    size_t m, n, k;
    float beta;
};

static const struct shape shapes[] = {
    {false, true, 32, 128, 784, 1},
    {true, false, 128, 784, 32, 0},
    {false, false, 32, 128, 128, 0},
    {false, true, 100, 10, 128, 1},
    {true, false, 10, 128, 100, 0},
    {false, false, 100, 128, 10, 0},
    {false, true, 1, 1, 1, 0},
    {false, false, 7, 5, 3, 1},
    {true, true, 17, 33, 65, 0},
    {false, true, 129, 67, 31, 1},
    {true, false, 127, 255, 1, 0},
    {false, false, 65, 511, 129, 1},
    {false, true, 1, 300, 200, 0},
    {true, false, 300, 1, 200, 0},
    {true, true, 63, 64, 257, 1},
    /* Recurrent layers: the steps' products, and those of a chunk of steps. */
    {false, false, 30, 256, 64, 0},
    {false, false, 30, 64, 256, 0},
    {false, false, 30, 64, 192, 1},
    {false, true, 60, 256, 64, 0},
    {true, false, 256, 64, 60, 1},
    {false, false, 1, 256, 64, 0},
};

static void fill(struct rng *r, float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(2 * rng_uniform(r) - 1);
}

static double shape_error(struct rng *r, const struct shape *s)
{
    size_t m = s->m, n = s->n, k = s->k;
    float *a = xmalloc(m * k * sizeof *a), *b = xmalloc(k * n * sizeof *b);
    float *c = xmalloc(m * n * sizeof *c);
    double *want = xmalloc(m * n * sizeof *want);
    fill(r, a, m * k);
    fill(r, b, k * n);
    fill(r, c, m * n);
    for (size_t i = 0; i < m * n; i++)
        want[i] = (double)c[i];
    gemm_naive(s->a_t, s->b_t, m, n, k, a, b, s->beta, want);
    gemm(s->a_t, s->b_t, m, n, k, a, b, s->beta, c);
    double worst = 0;
    for (size_t i = 0; i < m * n; i++) {
        double error = fabs((double)c[i] - want[i]) / (double)(k + 1);
        if (!(error <= worst))
            worst = isnan(error) ? (double)INFINITY : error;
    }
    free(a);
    free(b);
    free(c);
    free(want);
    return worst;
}

double gemm_check(void)
{
    struct rng r;
    rng_init(&r, 110, RNG_TEST, 0);
    double worst = 0;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        worst = fmax(worst, shape_error(&r, &shapes[i]));
    return worst;
}

#endif
