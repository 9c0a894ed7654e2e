/* A search on recorded curves: runs end at their rungs, or come to their end, as a sweep's rule
 * says; one after the other, each epoch counted. */
#ifndef TESTS_ENGINE_RUNG_TABLE_H
#define TESTS_ENGINE_RUNG_TABLE_H

#include "tests/unit/engine/support.h"

#define RUNG_TABLE_EPOCHS 27

/* What the sweep has found: the best run of those that came to their end, before so many epochs
 * were used up in all. more: further members of the specification (", \"epochs\": 9"). */
double rung_table_search(const char *method, uint64_t seed, int64_t epochs, const char *more);

/* Over so many seeds against another: a better mean, and more often the better one. */
struct rung_table_match {
    const char *method, *more;
    const char *other, *other_more;
    int64_t epochs;
};
void rung_table_must_win(const struct rung_table_match *m);

#endif
