/* The runs that were at one rung, best first; the last STOP_RUNS_SEEN of them. */
#ifndef SWEEPD_STOP_LEVEL_H
#define SWEEPD_STOP_LEVEL_H

#include <stddef.h>
#include <stdint.h>

struct level_entry {
    double cost; /* small is good; of several objectives its place; INFINITY: no number */
    uint64_t order; /* of arrival: settles ties */
    size_t index; /* of the trial */
};

struct level {
    size_t bracket, group; /* stop_bracket, stop_group */
    int64_t epoch;
    uint64_t arrived; /* in all */
    size_t count, cap;
    struct level_entry *entries; /* by cost, then order */
    double *costs; /* by order modulo STOP_RUNS_SEEN: whose turn it is to be forgotten … */
    size_t width;  /* … of several objectives so many of each; else 1 */
};

/* costs: width of them. With several objectives all are ranked anew, by front and then by the room
 * around them (pareto_init). */
void level_add(struct level *l, const double *costs, size_t index);
/* The rank of that entry, from 1, among those that are there; cost: what it came with, where there
 * is one objective. */
size_t level_rank(const struct level *l, double cost, size_t index);
void level_finish(struct level *l);

#endif
