/* Sweeps of other programs that come in parts: kept in memory until the last one is there, and gone
 * with the client that sends them. */
#ifndef SWEEPD_STAGED_IMPORT_H
#define SWEEPD_STAGED_IMPORT_H

#include "daemon/engine/engine.h"
#include "sweep/spec.h"

#define STAGED_ID_MAX 65        /* with the NUL */
#define STAGED_SOURCE_MAX 256
#define STAGED_RUNS_MAX 10000
#define STAGED_POINTS_MAX 100000 /* of all runs */
#define STAGED_BYTES_MAX ((size_t)128 << 20) /* of all clients */

struct conn;
struct errbuf;
struct json;

struct staged_import {
    struct staged_import *next;
    const struct conn *owner; /* NULL: it is complete, and nobody's any more */
    char id[STAGED_ID_MAX];
    char source[STAGED_SOURCE_MAX];
    struct spec spec;
    struct imported_run *runs;
    size_t count, cap, points, bytes;
};

/* The client's own; NULL: it has none. */
struct staged_import *staged_import_find(struct staged_import *list, const struct conn *owner);
/* From {"spec": …, "source": …}; in the place of one that it had. 0, or an error that names the
 * member. */
int staged_import_begin(struct staged_import **list, const struct conn *owner, const char *id,
                        const struct json *sweep, struct errbuf *err);
/* Runs, or further points of the last one. After an error nothing of the import is left. */
int staged_import_add_runs(struct staged_import *list, struct staged_import *s,
                           const struct json *runs, struct errbuf *err);
int staged_import_add_points(struct staged_import *list, struct staged_import *s,
                             const struct json *points, struct errbuf *err);
void staged_import_drop(struct staged_import **list, const struct conn *owner);
void staged_import_remove(struct staged_import **list, const struct staged_import *s);

#endif
