#include "daemon/plan/search/factor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"

#define SUMS 8 /* side by side, so that processors add several at once: always in this order */

static double dot(const double *a, const double *b, size_t n)
{
    double s[SUMS] = {0};
    size_t k = 0;
    for (; k + SUMS <= n; k += SUMS)
        for (size_t u = 0; u < SUMS; u++)
            s[u] += a[k + u] * b[k + u];
    for (size_t u = 0; k < n; k++, u++)
        s[u] += a[k] * b[k];
    return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

bool factor_cholesky(double *a, size_t n, size_t stride)
{
    for (size_t i = 0; i < n; i++) {
        double *row = a + i * stride;
        for (size_t j = 0; j < i; j++)
            row[j] = (row[j] - dot(row, a + j * stride, j)) / a[j * stride + j];
        double rest = row[i] - dot(row, row, i);
        if (!(rest > 0))
            return false;
        row[i] = sqrt(rest);
    }
    return true;
}

void factor_forward(const double *l, size_t n, size_t stride, double *b)
{
    for (size_t i = 0; i < n; i++)
        b[i] = (b[i] - dot(l + i * stride, b, i)) / l[i * stride + i];
}

void factor_backward(const double *l, size_t n, size_t stride, double *b)
{
    for (size_t i = n; i-- > 0;) {
        b[i] /= l[i * stride + i];
        for (size_t j = 0; j < i; j++)
            b[j] -= l[i * stride + j] * b[i];
    }
}

/* Four rows above at a time: what is subtracted stays in registers. */
static void subtract_rows(const double *l, const double *b, size_t count, double *row)
{
    size_t j = 0;
    for (; j + 4 <= count; j += 4) {
        const double *x = b + j * FACTOR_LANES;
        for (size_t u = 0; u < FACTOR_LANES; u++)
            row[u] -= (l[j] * x[u] + l[j + 1] * x[FACTOR_LANES + u]) +
                      (l[j + 2] * x[2 * FACTOR_LANES + u] + l[j + 3] * x[3 * FACTOR_LANES + u]);
    }
    for (; j < count; j++)
        for (size_t u = 0; u < FACTOR_LANES; u++)
            row[u] -= l[j] * b[j * FACTOR_LANES + u];
}

void factor_forward_lanes(const double *l, size_t n, size_t stride, double *b)
{
    for (size_t i = 0; i < n; i++) {
        double row[FACTOR_LANES], scale = 1 / l[i * stride + i];
        memcpy(row, b + i * FACTOR_LANES, sizeof(row));
        subtract_rows(l + i * stride, b, i, row);
        for (size_t u = 0; u < FACTOR_LANES; u++)
            b[i * FACTOR_LANES + u] = row[u] * scale;
    }
}

/* Columns of L⁻¹ by lanes, kept as rows of its transpose. */
void factor_inverse(const double *l, size_t n, size_t stride, double *out)
{
    double *columns = xcalloc(n * stride, sizeof(*columns));
    double *lanes = xcalloc(n * FACTOR_LANES, sizeof(*lanes));
    for (size_t first = 0; first < n; first += FACTOR_LANES) {
        memset(lanes, 0, n * FACTOR_LANES * sizeof(*lanes));
        for (size_t u = 0; u < FACTOR_LANES && first + u < n; u++)
            lanes[(first + u) * FACTOR_LANES + u] = 1;
        factor_forward_lanes(l, n, stride, lanes);
        for (size_t u = 0; u < FACTOR_LANES && first + u < n; u++)
            for (size_t i = first; i < n; i++)
                columns[(first + u) * stride + i] = lanes[i * FACTOR_LANES + u];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            out[i * stride + j] = dot(columns + i * stride + i, columns + j * stride + i, n - i);
    free(columns);
    free(lanes);
}
