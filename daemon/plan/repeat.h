/* Repeats: when every configuration was tried, the same again, each with a seed of its own. */
#ifndef SWEEPD_REPEAT_H
#define SWEEPD_REPEAT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/search/search.h"
#include "daemon/plan/study.h"

struct repeat {
    size_t of;           /* number of the run that had the configuration first */
    uint64_t repetition; /* from 1; 0 is that run */
    /* Why, of a finalist (finalists.h): */
    size_t place;        /* by mean, from 1; 0: none, every configuration was tried */
    size_t seeds;        /* so far */
    double mean;         /* of them */
};

struct repeats {
    size_t configurations; /* so many there are */
    size_t count, cap;
    struct repeat *items;
};
void repeats_add(struct repeats *r, const struct repeat *item);
void repeats_finish(struct repeats *r);

/* Appends at most `want`, in rounds: each configuration so often before any more often. Of a round
 * that run_cap does not allow whole, the best ones: not before all runs have ended. */
enum answer repeats_next(const struct study *st, size_t want, struct repeats *out);

#endif
