/* Where runs pause: rungs, and brackets of them. */
#include <math.h>

#include "sweep/stop.h"

/* (sqrt(5) - 1) / 2: multiples of it are spread evenly over [0, 1), whatever their number. */
#define GOLDEN 0.61803398874989485

/* The k-th of the schedule, ascending; 0: there is none at or before the bound. */
static int64_t geometric_rung(const struct stop_settings *s, size_t k, int64_t bound)
{
    double at = (double)s->min_iter;
    for (size_t i = 0; i < k && at <= (double)bound; i++)
        at = fmax(at * s->eta, floor(at) + 1); /* no epoch twice */
    return at <= (double)bound ? (int64_t)at : 0;
}

/* max_iter / eta^i for i = n … 1. */
static int64_t divided_rung(const struct stop_settings *s, size_t k, int64_t bound)
{
    size_t n = 0;
    double at = (double)s->max_iter;
    while ((s->rungs == 0 || n < (size_t)s->rungs) && at / s->eta >= 1) {
        at /= s->eta;
        n++;
    }
    for (size_t i = 0; i < k; i++)
        at *= s->eta;
    /* 27 / 3 / 3 x 3 need not be 9 to the bit */
    int64_t rung = (int64_t)floor(at + 1e-9 * at);
    return k < n && rung <= bound ? rung : 0;
}

static int64_t rung_at(const struct stop_settings *s, size_t k, int64_t bound)
{
    return s->max_iter > 0 ? divided_rung(s, k, bound) : geometric_rung(s, k, bound);
}

/* Of a schedule without "every": at most some hundreds. */
static size_t rung_count(const struct stop_settings *s, int64_t epochs)
{
    size_t n = 0;
    while (rung_at(s, n, epochs - 1) > 0)
        n++;
    return n;
}

static int64_t linear_rung(const struct stop_settings *s, int64_t epoch, int64_t epochs)
{
    int64_t rung = s->min_iter;
    if (epoch >= rung)
        rung += ((epoch - rung) / s->every + 1) * s->every;
    return rung < epochs ? rung : 0;
}

int64_t stop_next_rung(const struct stop_settings *s, size_t number, int64_t epoch, int64_t epochs)
{
    if (s->rule == STOP_NONE)
        return 0;
    if (s->every > 0)
        return linear_rung(s, epoch, epochs);
    size_t k = stop_bracket(s, number, epochs);
    int64_t rung;
    do
        rung = rung_at(s, k++, epochs - 1);
    while (rung > 0 && rung <= epoch);
    return rung;
}

size_t stop_brackets(const struct stop_settings *s, int64_t epochs)
{
    if (!(stop_traits(s->rule) & STOP_BRACKETS))
        return 1;
    size_t all = rung_count(s, epochs) + 1;
    return s->brackets > 0 && (size_t)s->brackets < all ? (size_t)s->brackets : all;
}

/* Runs of the bracket with `later` brackets behind it, of `count`. */
static double bracket_runs(const struct stop_settings *s, size_t count, size_t later)
{
    return ceil((double)count / (double)(later + 1) * pow(s->eta, (double)later));
}

size_t stop_bracket(const struct stop_settings *s, size_t number, int64_t epochs)
{
    size_t count = stop_brackets(s, epochs), b = 0;
    double all = 0, at = (double)number * GOLDEN;
    for (size_t i = 0; i < count; i++)
        all += bracket_runs(s, count, i);
    at = (at - floor(at)) * all;
    while (b + 1 < count && at >= bracket_runs(s, count, count - 1 - b))
        at -= bracket_runs(s, count, count - 1 - b++);
    return b;
}
