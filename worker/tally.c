#include "worker/tally.h"

#include <math.h>
#include <string.h>

void tally_clear(struct tally *t)
{
    memset(t, 0, sizeof *t);
}

/* NaN wins: fmin and fmax would drop it. */
static double lower(double a, double b)
{
    return isnan(a) || a < b ? a : b;
}

static double higher(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

void tally_add(struct tally *t, size_t rows, struct loss_sum sum, double norm2)
{
    double mean = sum.loss / sum.weight;
    t->min = t->batches == 0 ? mean : lower(t->min, mean);
    t->max = t->batches == 0 ? mean : higher(t->max, mean);
    t->batches++;
    t->samples += rows;
    t->weight += sum.weight;
    t->correct += sum.correct;
    t->loss += sum.loss;
    t->norm += sqrt(norm2);
    /* Welford 1962 */
    double off = mean - t->mean;
    t->mean += off / (double)t->batches;
    t->m2 += off * (mean - t->mean);
}

void tally_report(const struct tally *t, bool classifies, struct point *p)
{
    double batches = (double)t->batches;
    point_set(p, CURVE_TRAIN_LOSS, t->loss / t->weight);
    if (classifies)
        point_set(p, CURVE_TRAIN_ACC, (double)t->correct / (double)t->samples);
    point_set(p, CURVE_TRAIN_LOSS_MIN, t->min);
    point_set(p, CURVE_TRAIN_LOSS_MAX, t->max);
    point_set(p, CURVE_TRAIN_LOSS_SD, sqrt(t->m2 / batches));
    point_set(p, CURVE_GRAD_NORM, t->norm / batches);
}
