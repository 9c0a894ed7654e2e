#include "sweep/stats.h"

#include <math.h>
#include <string.h>

/* Hoare's partition around a[k] (Wirth's form; both scans stop at equal values, so a constant
 * tail stays linear). Narrows lo..hi to the part that still holds place k. */
static void partition(double *a, ptrdiff_t *lo, ptrdiff_t *hi, ptrdiff_t k)
{
    double pivot = a[k];
    ptrdiff_t i = *lo, j = *hi;

    do {
        while (a[i] < pivot)
            i++;
        while (pivot < a[j])
            j--;
        if (i <= j) {
            double t = a[i];
            a[i++] = a[j];
            a[j--] = t;
        }
    } while (i <= j);
    if (j < k)
        *lo = i;
    if (k < i)
        *hi = j;
}

/* Floyd and Rivest (1975), SELECT: in a large part the pivot is first made right by a selection
 * within a sample around k, which gives about 1.5 n comparisons and no bad order of input. */
static void select_between(double *a, ptrdiff_t lo, ptrdiff_t hi, ptrdiff_t k)
{
    while (lo < hi) {
        if (hi - lo > 600) {
            double n = (double)(hi - lo + 1), i = (double)(k - lo + 1), z = log(n);
            double sample = 0.5 * exp(2 * z / 3);
            double sd = 0.5 * sqrt(z * sample * (n - sample) / n) * (i < n / 2 ? -1 : 1);
            double from = (double)k - i * sample / n + sd;
            double to = (double)k + (n - i) * sample / n + sd;
            select_between(a, from > (double)lo ? (ptrdiff_t)fmin(from, (double)k) : lo,
                           to < (double)hi ? (ptrdiff_t)fmax(to, (double)k) : hi, k);
        }
        partition(a, &lo, &hi, k);
    }
}

double stats_select(double *a, size_t n, size_t k)
{
    select_between(a, 0, (ptrdiff_t)n - 1, (ptrdiff_t)k);
    return a[k];
}

double stats_median(double *a, size_t n)
{
    double upper = stats_select(a, n, n / 2);
    if (n % 2 == 1)
        return upper;
    double lower = a[0];
    for (size_t i = 1; i < n / 2; i++)
        lower = a[i] > lower ? a[i] : lower;
    return 0.5 * lower + 0.5 * upper;
}

double stats_quantile(double *a, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t k = (size_t)at;
    double below = stats_select(a, n, k);
    if (k + 1 >= n)
        return below;
    double above = a[k + 1];
    for (size_t i = k + 2; i < n; i++)
        above = a[i] < above ? a[i] : above;
    return below + (at - (double)k) * (above - below);
}

double stats_mad_sigma(double *a, size_t n)
{
    double middle = stats_median(a, n);
    for (size_t i = 0; i < n; i++)
        a[i] = fabs(a[i] - middle);
    return 1.4826 * stats_median(a, n);
}

/* First place in the sorted a[0..n) whose value is not below v. */
static size_t lower_bound(const double *a, size_t n, double v)
{
    size_t lo = 0;
    while (n > 0) {
        size_t half = n / 2;
        if (a[lo + half] < v) {
            lo += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return lo;
}

static double lesser(double a, double b)
{
    return a < b ? a : b;
}

static double greater(double a, double b)
{
    return a < b ? b : a;
}

static double median_of_3(double a, double b, double c)
{
    return greater(lesser(a, b), lesser(greater(a, b), c));
}

/* The median of 5 is that of the fifth and the two middle ones of the other four. */
static double median_of_5(const double *a)
{
    double low = greater(lesser(a[0], a[1]), lesser(a[2], a[3]));
    double high = lesser(greater(a[0], a[1]), greater(a[2], a[3]));
    return median_of_3(low, high, a[4]);
}

static void running_median_of_5(const double *a, size_t n, double *out)
{
    double edge[4];

    for (size_t i = 2; i + 2 < n; i++)
        out[i] = median_of_5(a + i - 2);
    out[0] = median_of_3(a[0], a[1], a[2]);
    out[n - 1] = median_of_3(a[n - 1], a[n - 2], a[n - 3]);
    memcpy(edge, a, sizeof(edge));
    out[1] = stats_median(edge, 4);
    memcpy(edge, a + n - 4, sizeof(edge));
    out[n - 2] = stats_median(edge, 4);
}

void stats_running_median(const double *a, size_t n, size_t half, double *out, double *scratch)
{
    size_t count = 0; /* the window, kept sorted in scratch */

    if (half == 2 && n >= 5) { /* the width of most curves */
        running_median_of_5(a, n, out);
        return;
    }
    for (size_t i = 0, in = 0; i < n; i++) {
        for (; in < n && in <= i + half; in++, count++) {
            size_t at = lower_bound(scratch, count, a[in]);
            memmove(scratch + at + 1, scratch + at, (count - at) * sizeof(*scratch));
            scratch[at] = a[in];
        }
        if (i > half) {
            size_t at = lower_bound(scratch, count, a[i - half - 1]);
            memmove(scratch + at, scratch + at + 1, (--count - at) * sizeof(*scratch));
        }
        out[i] = count % 2 ? scratch[count / 2]
                           : 0.5 * scratch[count / 2 - 1] + 0.5 * scratch[count / 2];
    }
}
