#include "common/label/unimodal.h"

#include <math.h>
#include <stdbool.h>

#include "sweep/stats.h"

/* Pool adjacent violators (Ayer et al. 1955) kept as a stack of blocks while values come in, so
 * that the error of every prefix is known after one pass (Stout 2008, unimodal regression via
 * prefix isotonic regression). */
struct blocks {
    double *mean, *count, *error; /* of block i: mean, values, squared error within */
    size_t used;
    double total; /* sum of errors */
};

static void push(struct blocks *b, double value)
{
    double mean = value, count = 1, error = 0;

    while (b->used > 0 && b->mean[b->used - 1] <= mean) { /* must fall: pool with the one before */
        size_t i = --b->used;
        double all = count + b->count[i], apart = mean - b->mean[i];
        b->total -= b->error[i] + error;
        error += b->error[i] + apart * apart * count * b->count[i] / all;
        mean = (mean * count + b->mean[i] * b->count[i]) / all;
        count = all;
        b->total += error;
    }
    b->mean[b->used] = mean;
    b->count[b->used] = count;
    b->error[b->used++] = error;
}

/* |y - fit| of the falling fit to from, from+step, … (n values) into out. */
static void residuals(struct blocks *b, const double *from, ptrdiff_t step, size_t n, double *out)
{
    b->used = 0;
    b->total = 0;
    for (size_t i = 0; i < n; i++)
        push(b, from[(ptrdiff_t)i * step]);
    for (size_t k = 0, i = 0; k < b->used; k++)
        for (double left = b->count[k]; left > 0; left--, i++)
            out[i] = fabs(from[(ptrdiff_t)i * step] - b->mean[k]);
}

size_t unimodal_scratch(size_t n)
{
    return 4 * n + 1;
}

double unimodal_sigma(const double *y, size_t n, double *scratch)
{
    struct blocks b = {scratch, scratch + n, scratch + 2 * n, 0, 0};
    double *before = scratch + 3 * n; /* error of the falling fit to the first i values */
    double least = INFINITY;
    size_t split = n;

    before[0] = 0;
    for (size_t i = 0; i < n; i++) {
        push(&b, y[i]);
        before[i + 1] = b.total;
    }
    b.used = 0;
    b.total = 0;
    for (size_t i = n + 1; i-- > 0;) { /* the rising part, read backwards, falls */
        if (before[i] + b.total < least) {
            least = before[i] + b.total;
            split = i;
        }
        if (i > 0)
            push(&b, y[i - 1]);
    }
    double *left = scratch + 3 * n;
    residuals(&b, y, 1, split, left);
    residuals(&b, y + n - 1, -1, n - split, left + split);
    return 1.4826 * stats_median(left, n);
}
