/* The configurations of a sweep: each by the run that had it first, with what its seeds came to.
 * Pure. */
#ifndef SWEEPD_CONFIGURATIONS_H
#define SWEEPD_CONFIGURATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/study.h"

struct configuration {
    size_t root;           /* number of the run that had it first: of the search or a treatment */
    uint64_t repeats;      /* of it that were begun, whatever became of them */
    size_t seeds;          /* of it that went to their end with a finite metric */
    size_t failed;         /* that ended otherwise; but one that a person cancelled is not seen */
    size_t best;           /* number of the best of the seeds */
    double mean, sd;       /* of them; sd NAN of one */
};

struct configurations {
    size_t count;
    struct configuration *items;
};

/* Those of which a run went to its end, by number; or best first: by configuration_compare. */
void configurations_gather(struct configurations *c, const struct study *st);
void configurations_init(struct configurations *c, const struct study *st);
void configurations_finish(struct configurations *c);

/* Of a study with several objectives: in the order of pareto_init, by means over their seeds. */
void configurations_by_front(struct configurations *c, const struct study *st);
/* Likewise: which of them no other one betters in all, as view pareto_front has it; of more than
 * `most` those that have most room around them. Heap, [count]. */
bool *configurations_front(const struct configurations *c, const struct study *st, size_t most);

/* The order in which a winner is chosen: those with two seeds or more, then those with one, then
 * those of which a run failed; by mean, ties by number. As view best_configurations has it. */
int configuration_compare(const struct configuration *a, const struct configuration *b,
                          bool maximize);
/* By mean alone, ties by number. */
int configuration_compare_means(const struct configuration *a, const struct configuration *b,
                                bool maximize);

#endif
