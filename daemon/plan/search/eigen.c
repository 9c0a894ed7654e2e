#include "daemon/plan/search/eigen.h"

#include <math.h>

#define SWEEPS_MAX 30 /* each squares what is left off the diagonal: 6 to 10 suffice */

/* What is off the diagonal, against what is on it. */
static double off_diagonal(const double *a, size_t n)
{
    double off = 0, on = 0;
    for (size_t i = 0; i < n; i++) {
        on += a[i * n + i] * a[i * n + i];
        for (size_t k = i + 1; k < n; k++)
            off += a[i * n + k] * a[i * n + k];
    }
    return on > 0 ? off / on : off;
}

/* Turns the plane of p and q so that a[p][q] becomes 0. */
static void rotate(double *a, size_t n, double *vectors, size_t p, size_t q)
{
    if (a[p * n + q] == 0)
        return;
    double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t k = 0; k < n; k++) {
        double x = a[k * n + p], y = a[k * n + q];
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for (size_t k = 0; k < n; k++) {
        double x = a[p * n + k], y = a[q * n + k];
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
    }
    for (size_t k = 0; k < n; k++) {
        double x = vectors[k * n + p], y = vectors[k * n + q];
        vectors[k * n + p] = c * x - s * y;
        vectors[k * n + q] = s * x + c * y;
    }
}

void eigen_symmetric(double *a, size_t n, double *vectors)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++)
            vectors[i * n + k] = i == k;
        for (size_t k = 0; k < i; k++)
            a[i * n + k] = a[k * n + i];
    }
    for (int sweep = 0; sweep < SWEEPS_MAX && off_diagonal(a, n) > 1e-30; sweep++)
        for (size_t p = 0; p + 1 < n; p++)
            for (size_t q = p + 1; q < n; q++)
                rotate(a, n, vectors, p, q);
}
