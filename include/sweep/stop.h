/* Early termination: rules that end a run at a rung, by what other runs came to there. A new rule
 * is a row here and the file that defines stop_<name>. */
#ifndef SWEEP_STOP_H
#define SWEEP_STOP_H

#include <stdint.h>

/* X(id, name, what it does) */
#define STOP_MAP(X) \
    X(MEDIAN, median, "worse than the median of earlier runs at the same epoch")

enum stop_rule_id {
    STOP_NONE,
#define X(id, name, doc) STOP_##id,
    STOP_MAP(X)
#undef X
    STOP_RULE_COUNT
};
const char *stop_name(enum stop_rule_id r);

#define STOP_EVERY 1   /* defaults */
#define STOP_STARTUP 5
#define STOP_LAG 8

/* Of "early_terminate". Rungs are the epochs min_iter, min_iter + every, … before the last. */
struct stop_settings {
    enum stop_rule_id rule;
    int64_t min_iter; /* epoch of the first rung */
    int64_t every;    /* epochs from rung to rung */
    int64_t startup;  /* runs that must be known at a rung before one is stopped there */
    int64_t lag;      /* run n sees those numbered below n - lag (logical time): from 1 */
};

/* The first rung behind that epoch of a run that has so many; 0: it goes on to its end. */
int64_t stop_next_rung(const struct stop_settings *s, int64_t epoch, int64_t epochs);

#endif
