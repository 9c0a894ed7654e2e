/* Decisions of a sweep by kind and stage: what a person reads instead of thousands of rows. */
#ifndef SWEEPCTL_DECISIONS_H
#define SWEEPCTL_DECISIONS_H

#include <stddef.h>
#include <stdint.h>

struct json;

struct decision_group {
    char *stage, *kind, *reason; /* the first one's */
    int64_t run, number, times;  /* run, number: the first one's; run 0: of the sweep as a whole */
};

struct decision_groups {
    struct decision_group *v;
    size_t count, cap;
};

/* A row of method `decisions`. */
void decision_groups_take(struct decision_groups *g, const struct json *row);
void decision_groups_finish(struct decision_groups *g);

#endif
