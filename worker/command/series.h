/* The names that a program reports, and which column of the curve each feeds. */
#ifndef WORKER_COMMAND_SERIES_H
#define WORKER_COMMAND_SERIES_H

#include <stddef.h>

#include "sweep/buf.h"
#include "sweep/command.h"

#define SERIES_MAX 256 /* names remembered; of others the column is looked up each time */
#define SERIES_NONE CURVE_COLUMN_COUNT

struct series {
    char name[METRIC_NAME_MAX + 1];
    int column; /* SERIES_NONE: none */
    int rank;   /* of two that feed one column the lower counts */
};

struct series_table {
    const struct command_curves *curves; /* borrowed */
    size_t count, next; /* next: where a line's next name is likely to be */
    struct series rows[SERIES_MAX];
};

struct series series_of(struct series_table *t, const char *name);
/* "loss, acc, …": the names in the order they came, in at most max bytes. */
void series_list(const struct series_table *t, size_t max, struct buf *out);
/* The name nearest to one that never came; NULL: none is near. */
const char *series_nearest(const struct series_table *t, const char *name);

#endif
