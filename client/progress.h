/* A line on stderr, where that is a terminal, while something takes its time: a call of the daemon,
 * or work of many parts, of which it has a bar. */
#ifndef SWEEPCTL_PROGRESS_H
#define SWEEPCTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "sweep/buf.h"

struct client;

struct progress {
    struct client *c;
    const char *what; /* "preparing the data" */
    struct timespec since, last;
    bool shown;
};

/* From its second second on what is said, and for how long it goes on. */
void progress_begin(struct progress *p, struct client *c, const char *what);
/* So many parts of what the client has in hand are done. Nothing where it has not begun to say. */
void progress_step(struct client *c, size_t done, size_t all);
/* The line is gone. */
void progress_end(struct progress *p);

/* "writing [######......] 500 of 1,000, 3 s left": after so many seconds of it. */
void progress_line(struct buf *out, const char *what, size_t done, size_t all, double seconds);

#endif
