/* A method at work, with so many workers, whose runs end in an order of chance. */
#ifndef TESTS_ENGINE_SHUFFLED_H
#define TESTS_ENGINE_SHUFFLED_H

#include "tests/unit/engine/support.h"

struct shuffled {
    size_t workers;   /* runs at once */
    size_t want;      /* proposals of one ask at most */
    bool forgets;     /* nothing is kept between asks */
    uint64_t order;   /* seed of the order in which they end */
    trial_fn *answer; /* what a run comes to; by its configuration and number alone */
};
/* The whole search. Fails the test when the method waits for nothing, or does not wait. */
void shuffled_run(struct history *h, const struct spec *s, const struct shuffled *how);

#endif
