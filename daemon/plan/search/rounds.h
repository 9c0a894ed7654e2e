/* A search in stages goes through all of them in rounds (key `rounds`): the first is small, each
 * that follows is as large as all before it together, and the last has what is left, at least as
 * much. So what is found early is refined early, however large run_cap is. */
#ifndef SWEEPD_SEARCH_ROUNDS_H
#define SWEEPD_SEARCH_ROUNDS_H

#include <stddef.h>
#include <stdint.h>

#define ROUNDS_FIRST 24

struct study;

/* Runs by the end of the round in which a search of `all` runs is when `begun` of them were; all
 * where there are no rounds. */
int64_t rounds_end(const struct study *st, int64_t all, int64_t begun);

#endif
