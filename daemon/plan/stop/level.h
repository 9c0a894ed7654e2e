/* The runs that were at one rung, best first; the last STOP_RUNS_SEEN of them. */
#ifndef SWEEPD_STOP_LEVEL_H
#define SWEEPD_STOP_LEVEL_H

#include <stddef.h>
#include <stdint.h>

struct level_entry {
    double cost; /* small is good */
    uint64_t order; /* of arrival: settles ties */
    size_t index; /* of the trial */
};

struct level {
    size_t bracket;
    int64_t epoch;
    uint64_t arrived; /* in all */
    size_t count, cap;
    struct level_entry *entries; /* by cost, then order */
    double *costs; /* by order modulo STOP_RUNS_SEEN: whose turn it is to be forgotten */
};

void level_add(struct level *l, double cost, size_t index);
/* Entries that are better than that: its rank is one more. */
size_t level_better(const struct level *l, double cost);
void level_finish(struct level *l);

#endif
