/* What the rules share: a run's place among those that were at its rung. */
#ifndef SWEEPD_STOP_RANK_H
#define SWEEPD_STOP_RANK_H

#include "daemon/plan/stop/stop.h"

/* Small is good, and what is not finite is worst. */
double rung_cost(const struct rung_view *v, double value);
/* And back. */
double rung_value(const struct rung_view *v, double cost);

/* The value of which share q of the earlier ones is not worse, between two of them by linear
 * interpolation, as numpy.quantile has it; one that is not finite takes no part in a mean. At least
 * one is known. */
double rung_quantile(const struct rung_view *v, double q);

/* The k-th best of the earlier ones and its own; k from 1 to count + 1. */
double rung_best(const struct rung_view *v, size_t k);

/* 1st, 2nd, 3rd, 4th, 11th, 21st */
const char *ordinal_suffix(size_t n);

/* Only the best 1 / eta of those known go on, at least one; says so. */
void rung_halve(const struct rung_view *v, struct rung_verdict *out);

#endif
