/* Files of other programs that hold a whole search: one file of code each, and a row of the
 * table. */
#ifndef SWEEPCTL_IMPORT_SOURCE_H
#define SWEEPCTL_IMPORT_SOURCE_H

#include <stdbool.h>

#include "client/import/history.h"

/* X(name): the first whose `is` says so reads the file; a table of text comes last. */
#define IMPORT_SOURCE_MAP(X) \
    X(optuna)                \
    X(mlflow)                \
    X(runs_table)

struct import_wish {
    const char *path;
    const char *study;      /* the study or experiment of several; NULL: the only one */
    const char *metric;     /* NULL: what the file says, or the only one */
    const char *goal;       /* minimize, maximize; NULL: what the file says, or by the name */
    const char *parameters; /* "lr,layers": of a table; NULL: by their names */
};

struct import_source {
    bool (*is)(const char *path);
    /* 0, or an error of those that the file or the wish is at fault for. */
    int (*read)(const struct import_wish *wish, struct history *out, struct errbuf *err);
};

#define X(name) extern const struct import_source import_source_##name;
IMPORT_SOURCE_MAP(X)
#undef X

/* A time as programs write it, UTC: "2026-01-31 22:05:09.123456" or with a T; 0: it is none. */
int64_t import_time(const char *text);
/* Does a metric of that name rise, or fall? As the wish says, else by its name; noted where it was
 * inferred. */
int import_goal(const struct import_wish *wish, struct history *h, struct errbuf *err);

#endif
