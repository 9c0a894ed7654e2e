/* What a reader inferred of its file, for the person who did not say it. */
#ifndef WORKER_DATA_NOTES_H
#define WORKER_DATA_NOTES_H

#include "sweep/record.h"

/* A zeroed one is empty. */
struct notes {
    size_t count;
    struct record_note note[RECORD_NOTES_MAX];
};

/* key: of the spec, that says it otherwise ("data.task"). Beyond the last place nothing is kept. */
void notes_add(struct notes *n, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
