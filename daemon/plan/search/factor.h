/* Cholesky factors of small dense matrices, and what is solved with them. Our own, in plain C: the
 * same bits on every processor that rounds as IEEE 754 says, without a thread (docs/decisions has
 * what a library would cost). */
#ifndef SWEEPD_SEARCH_FACTOR_H
#define SWEEPD_SEARCH_FACTOR_H

#include <stdbool.h>
#include <stddef.h>

/* Right sides are solved so many at once; the rows of a matrix are as long as a multiple of it. */
#define FACTOR_LANES 32

static inline size_t factor_stride(size_t n)
{
    return (n + FACTOR_LANES - 1) / FACTOR_LANES * FACTOR_LANES;
}

/* a[n][stride], of which the lower half is read: becomes L, with a = L Lᵀ. Row i depends on the
 * rows above it alone. False: it is not positive definite. */
bool factor_cholesky(double *a, size_t n, size_t stride);
/* L x = b, for one right side and for FACTOR_LANES of them, b[n][FACTOR_LANES]; in place. */
void factor_forward(const double *l, size_t n, size_t stride, double *b);
void factor_forward_lanes(const double *l, size_t n, size_t stride, double *b);
/* Lᵀ x = b, in place. */
void factor_backward(const double *l, size_t n, size_t stride, double *b);
/* (L Lᵀ)⁻¹ into out[n][stride], its lower half. */
void factor_inverse(const double *l, size_t n, size_t stride, double *out);

#endif
