/* Matrix products; the only file behind it that knows a BLAS. */
#ifndef WORKER_NN_GEMM_H
#define WORKER_NN_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/nn/real.h"

/* C[m,n] = op(A)[m,k] · op(B)[k,n] + beta·C, op = transpose where a_t / b_t. Row-major without
 * gaps. m, n, k <= INT_MAX; with beta 0 the old C is not read. */
void gemm(bool a_t, bool b_t, size_t m, size_t n, size_t k, const real *a, const real *b,
          real beta, real *c);

/* Up to so many multiplications OpenBLAS has kernels (AVX-512 ones) that do not copy the factors
 * first: faster by an eighth for square ones, by several times for narrow ones. */
#define GEMM_DIRECT_MAX ((size_t)1000000)
/* With the second factor transposed and the first not, only for results of so many numbers. */
#define GEMM_DIRECT_TURNED_MAX ((size_t)1200)

/* The same in double, three loops: what the library is checked against. */
void gemm_naive(bool a_t, bool b_t, size_t m, size_t n, size_t k, const real *a, const real *b,
                real beta, double *c);

/* One thread, whatever the environment says: two threads give other bits each time. */
void gemm_init(void);
/* Kernel in use ("Cooperlake") and library ("OpenBLAS 0.3.21 …"); static strings. */
const char *gemm_core(void);
const char *gemm_library(void);
/* Compares products of many shapes with gemm_naive. Some builds compute wrong results on some
 * processors. Returns the largest error relative to the sum of absolute products; a right kernel
 * stays below GEMM_CHECK_LIMIT, NaN counts as infinite. */
#define GEMM_CHECK_LIMIT 1e-5
double gemm_check(void);

#endif
