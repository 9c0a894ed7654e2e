/* What was prepared before, by the worker's configuration (the network must fit the data, so it is
 * part of it), for as long as the files it came from keep their size and time of change. In memory
 * only; the least recently used goes first. */
#ifndef SWEEPD_PREPARED_H
#define SWEEPD_PREPARED_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/record.h"

#define PREPARED_MAX 64

struct prepared_memory {
    uint64_t clock; /* counts uses */
    struct prepared_entry {
        char *key;  /* NULL: free */
        uint64_t used;
        char *line; /* as the worker said it: a hundredth of a record, which has room for all */
    } entries[PREPARED_MAX];
};

/* A zeroed memory is a valid, empty one. */
void prepared_finish(struct prepared_memory *m);
/* Owned by the caller; NULL when unknown or no longer true. */
struct record_prepared *prepared_recall(struct prepared_memory *m, const char *key);
/* line: a record of type prepared, without its end. */
void prepared_remember(struct prepared_memory *m, const char *key, const char *line, size_t len);

#endif
