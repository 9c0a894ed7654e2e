/* A line on stderr, where that is a terminal, while the daemon takes its time over a call. */
#ifndef SWEEPCTL_PROGRESS_H
#define SWEEPCTL_PROGRESS_H

#include <stdbool.h>
#include <time.h>

struct client;

struct progress {
    struct client *c;
    const char *what; /* "preparing the data" */
    struct timespec since;
    bool shown;
};

/* From its second second on what is said, and for how long it goes on. */
void progress_begin(struct progress *p, struct client *c, const char *what);
/* The line is gone. */
void progress_end(struct progress *p);

#endif
