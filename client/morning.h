/* The page of the morning: what a sweep has found, how sure that is, what went wrong and what to do
 * next. It is one JSON document, built from the daemon's replies (pure), and the same document is
 * what people are shown. */
#ifndef SWEEPCTL_MORNING_H
#define SWEEPCTL_MORNING_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

struct client;
struct influence;
struct json;

/* Runs of one sweep that went wrong alike. */
struct morning_group {
    char *what;      /* the label, or the kind of failure */
    char *cause;     /* of the label; NULL: not known */
    char *words;     /* the last words of the first that has some, or NULL */
    int64_t example; /* that run */
    int64_t runs;
};
struct morning_groups {
    struct morning_group *items;
    size_t count, cap;
};

/* What the rows of the runs add up to. */
struct morning {
    int64_t runs, failed, stopped, cancelled;
    double joules;        /* of those of which it is known; 0: of none */
    double seconds, lost; /* lost: of runs that came to nothing (failed, stopped, cancelled) */
    struct morning_groups labels, failures;
};
void morning_finish(struct morning *m);
/* A row of `runs`. arg: the struct morning. */
void morning_take_run(void *arg, const struct json *row);
/* The most frequent first. */
void morning_order(struct morning *m);

/* show, best: the replies of those methods; explained: an object with the reply of `explain` for
 * each group's example under the run's number; influence: which has taken the same rows, or NULL.
 * Appends the page. */
struct morning_replies {
    const struct json *show, *best, *explained;
    const struct influence *influence;
};
void morning_write(const struct morning *m, const struct morning_replies *r, struct buf *out);
/* A page for people. */
void morning_print(struct client *c, const struct json *page);

#define MORNING_GROUPS 8 /* of labels, and of failures, that a page names */

#endif
