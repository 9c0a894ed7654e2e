/* The time between SIGTERM and SIGKILL, counted so that a worker which gets no processor is not
 * killed before it could write its checkpoint. Pure: what it uses and the time (loop time, ms) come
 * in from outside. */
#ifndef SWEEPD_GRACE_H
#define SWEEPD_GRACE_H

#include <stdbool.h>
#include <stdint.h>

struct usage;

#define GRACE_LOOK_MS 500     /* between two looks */
#define GRACE_MS 5000         /* so long it may do nothing */
#define GRACE_CPU_SECONDS 5.0 /* so much processor time it may take to end */
#define GRACE_LATEST_MS 45000 /* whatever it does: below the minute that systemd gives the daemon */

struct grace {
    uint64_t began_ms, looked_ms;
    uint64_t more_ms;   /* of each of the three limits */
    uint64_t idle_ms;   /* counted so far; while it waits for a processor or the disk, nothing is */
    bool known;         /* cpu_seconds */
    double cpu_seconds; /* at the first look */
};

void grace_begin(struct grace *g, uint64_t more_ms, uint64_t now_ms);
bool grace_due(const struct grace *g, uint64_t now_ms);
/* It is over. usage NULL: not known, then all time counts; but of the time in which nobody looked
 * only a look's worth, for the daemon may have got no processor either. */
bool grace_look(struct grace *g, const struct usage *usage, uint64_t now_ms);

#endif
