/* Looks after one worker: what it may take, and whether it still comes on. Pure: what it uses and
 * the time (loop time, ms) come in from outside. */
#ifndef SWEEPD_WATCHDOG_H
#define SWEEPD_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/limits.h"
#include "sweep/run.h"

struct usage;

#define WATCHDOG_LOOK_MS 500       /* between two looks */
#define WATCHDOG_CONTINUE_MS 10000 /* one that is stopped for so long is continued */
#define WATCHDOG_CPU_SECONDS 1.0   /* so much processor time is a sign of life */

struct watchdog {
    struct run_limits limits;
    bool begun;
    uint64_t began_ms, looked_ms;
    int64_t bytes;             /* of run.jsonl */
    uint64_t line_ms, life_ms; /* last line; last sign of life */
    double cpu_seconds;        /* at that */
    uint64_t stopped_ms;       /* since when it is stopped; 0: it is not */
    enum run_error exceeded;   /* why it is ended; RUN_ERROR_NONE: it is not */
    char text[160];            /* the same for a person */
};

/* It is time for a look. */
bool watchdog_due(const struct watchdog *w, uint64_t now_ms);
enum watchdog_act { WATCHDOG_NOTHING, WATCHDOG_CONTINUE, WATCHDOG_TERM, WATCHDOG_KILL };
/* bytes: of run.jsonl so far. usage NULL: not known. Time counts from the first look on, and only
 * while somebody looks: the daemon may have been stopped itself. */
enum watchdog_act watchdog_look(struct watchdog *w, int64_t bytes, const struct usage *usage,
                                uint64_t now_ms);

#endif
