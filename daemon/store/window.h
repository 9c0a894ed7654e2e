/* The rows that store_relabel.c judges: runs of a chunk, with their labels. Store thread only. */
#ifndef SWEEPD_STORE_WINDOW_H
#define SWEEPD_STORE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/rows.h"
#include "daemon/plan/study.h"
#include "sweep/spec.h"

struct errbuf;
struct relabel;
struct sqlite3_stmt;
struct store_sql;

/* A label as it is stored. */
struct old_label {
    bool has;
    enum pattern pattern, runner_up;
    double confidence;
    char *tags, *evidence, *causes;
    utc_us created;
    int64_t version;
    bool has_facts;
    struct run_facts facts;
};

/* The runs of a chunk with the neighbours that their causes are looked for among. */
struct window {
    struct spec spec;
    struct data_facts data;
    int64_t sweep_id;
    size_t count, cap;
    int64_t first_number;     /* of trials[0] */
    struct trial **trials;    /* by number, without gaps; owned */
    int64_t *ids;
    struct old_label *old;
    size_t from, to;          /* those that are judged: from … to-1 */
};

/* The next chunk of r. found false: there is none. A run whose row makes no sense is left as it is:
 * its label counts as missing. 0 or ERR_IO; window_finish in any case. */
int window_read(struct store_sql *q, const struct relabel *r, struct window *out, bool *found,
                struct errbuf *err);
void window_finish(struct window *w);

/* ERR_IO with SQLite's message. */
int window_fail(struct store_sql *q, struct errbuf *err);
int window_prepare(struct store_sql *q, const char *sql, struct sqlite3_stmt **out,
                   struct errbuf *err);

#endif
