/* The store: the only writer of the database, and its readers.
 *
 * Batches are queued by the loop; the writer's thread joins all that wait into one transaction and
 * commits it (WAL, synchronous=FULL); then their callbacks run on the loop, in order. A commit that
 * fails (full disk) is tried again every second until it succeeds, and nothing that depends on it
 * happens meanwhile; a damaged file is not written to again before a restart. Queries and windows
 * are read by another thread on a connection that only reads, so they are answered meanwhile. Each
 * sees every batch whose callback has run, and no answer is older than what was called back before
 * it. */
#ifndef SWEEPD_STORE_H
#define SWEEPD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/replay.h"
#include "daemon/engine/restored.h"
#include "daemon/engine/rows.h"
#include "sweep/err.h"

struct store;
struct uv_loop_s;

/* daemon/engine/restored.h */
void store_restored_finish(struct store_restored *r);

struct store_place {
    const char *path;   /* absolute; copied */
    bool force_network; /* a network file system is no reason to refuse */
};

/* Creates, locks, migrates and opens the database and starts the threads. Refused with a clear
 * message: another daemon holds it (names its process), a newer schema, not a database, not ours,
 * damaged, a network file system. */
int store_open(struct uv_loop_s *loop, const struct store_place *place, struct store **out,
               struct store_restored *restored, struct errbuf *err);
/* Commits what is queued, truncates the WAL, ends the threads; cb on the loop, then the store is
 * gone. Where commits keep failing it gives up after 5 s: their callbacks never run. Backups under
 * way fail. */
void store_close(struct store *s, void (*cb)(void *arg), void *arg);

/* Takes the ops (the batch is empty afterwards; an empty batch keeps its place in the queue).
 * cb may be NULL. */
void store_submit(struct store *s, struct store_batch *batch, void (*cb)(void *arg), void *arg);
/* Batches waiting; the pool stops tailing above STORE_QUEUE_HIGH. */
#define STORE_QUEUE_HIGH 4096
size_t store_queue_length(const struct store *s);
/* "" or why commits fail at the moment. */
const char *store_trouble(const struct store *s);
/* "" or what was found damaged since the start; commits may still succeed. */
const char *store_damage(const struct store *s);

/* What the store notices by itself, for an event of that kind: STORE_NOTICE_DAMAGED, "wal_large".
 * The first call begins the check of every page where the last end was none. */
#define STORE_NOTICE_DAMAGED "database_damaged"
typedef void store_notice_cb(void *arg, const char *kind, const char *text);
void store_on_notice(struct store *s, store_notice_cb *cb, void *arg);

/* Copies the database, as it is now, into a file that must not exist yet; beside the loop, and
 * beside writing. bytes: its size; err: NULL where it is whole. */
typedef void store_backup_cb(void *arg, int64_t bytes, const struct errbuf *err);
void store_backup(struct store *s, const char *file, store_backup_cb *cb, void *arg);

/* use is called in libuv's pool with all that is stored of the sweep, as of one moment; then done
 * on the loop: err is what came of it, NULL where all went well. */
typedef int store_history_work(void *arg, const struct replay_source *in, struct errbuf *err);
typedef void store_history_cb(void *arg, const struct errbuf *err);
void store_history(struct store *s, int64_t sweep_id, store_history_work *use,
                   store_history_cb *done, void *arg);

/* Named queries; each gives a table. Arguments in [] are integers in this order. */
enum store_query_id {
    STORE_QUERY_SWEEPS,       /* [after id, limit] id,name,status,reason,method,runs…,best */
    STORE_QUERY_SWEEP,        /* [sweep] one row */
    STORE_QUERY_SWEEP_STAGES, /* [sweep] stage, runs, done, best metric */
    STORE_QUERY_RUNS,         /* [sweep, after number, limit] view run_overview */
    STORE_QUERY_BEST,         /* [sweep, after rank, limit] view best_runs */
    STORE_QUERY_CONFIGURATIONS, /* [sweep, limit] view best_configurations: two seeds or more */
    STORE_QUERY_FRONT,        /* [sweep, limit] view pareto_front */
    STORE_QUERY_BETTERED,     /* [run] judged by several objectives? the run that betters it */
    STORE_QUERY_LABEL_COUNTS, /* [sweep] view label_counts */
    STORE_QUERY_CAUSE_COUNTS, /* [sweep] cause, guide_ref, runs, example: of the likeliest ones */
    STORE_QUERY_RUN,          /* [run] one row, every column */
    STORE_QUERY_LABEL,        /* [run] one row */
    STORE_QUERY_CURVE,        /* [run, after point, limit] */
    STORE_QUERY_METRICS,      /* so too: those of these points. point, name, value */
    STORE_QUERY_FINDINGS,     /* [sweep] */
    STORE_QUERY_EVENTS,       /* [sweep, after id, limit, since µs] */
    STORE_QUERY_LAST_SWEEP,   /* [] id of the newest sweep */
    STORE_QUERY_RUN_RATES,    /* [] seconds, epochs, … of the last 200 completed runs */
    STORE_QUERY_EDITS,        /* [sweep] table range_edits */
    STORE_QUERY_SWEEP_TREATMENTS, /* [sweep] view treatments */
    STORE_QUERY_STOPPING,     /* [sweep] view stopping_audit */
    STORE_QUERY_TREATED,      /* [run] what a treatment of it needs */
    STORE_QUERY_TREATMENTS,   /* [run] view treatments, of that run */
    STORE_QUERY_REMEDY_EFFECTS, /* [] view remedy_effects */
    STORE_QUERY_OPEN_LABELS,  /* [sweep, 0: all] runs: labels of ended runs of open sweeps */
    STORE_QUERY_UNENDED,      /* [] run_id, handle: cancelled, and the worker not seen to end */
    STORE_QUERY_RUN_EVENTS,   /* [run, after id, limit, since µs] */
    STORE_QUERY_ALL_EVENTS,   /* [after id, limit, since µs] */
    STORE_QUERY_SUBMITTED,    /* [] text: the client's id. id, spec of the sweep that has it */
    STORE_QUERY_DECISIONS,    /* [sweep, after id, limit] table decisions */
    STORE_QUERY_RUN_DECISIONS, /* [run, after id, limit] so too */
    STORE_QUERY_COUNT
};

enum cell_type { CELL_NULL, CELL_INTEGER, CELL_REAL, CELL_TEXT };
struct cell {
    enum cell_type type;
    int64_t integer;
    double real;
    const char *text;
};
struct table {
    size_t columns, rows;
    const char **names;  /* columns */
    struct cell *cells;  /* rows × columns */
};

/* cb gets the table (borrowed, gone when cb returns) or NULL and err. */
typedef void store_query_cb(void *arg, const struct table *t, const struct errbuf *err);
struct store_named_query {
    enum store_query_id id;
    const int64_t *args; /* copied */
    size_t count;        /* of args: as many as the query takes */
    const char *text;    /* copied; NULL where the query takes none */
};
void store_query(struct store *s, const struct store_named_query *q, store_query_cb *cb, void *arg);

/* The next runs of ended sweeps, with all that their labels are judged from. */
#define STORE_WINDOW_RUNS 2048 /* at most; fewer where their curves are long */
struct store_window_query {
    int64_t only;             /* one sweep; 0: all that have ended */
    int64_t sweep_id, number; /* begins at that run, or the first of a later sweep */
    int64_t neighbours;       /* so many runs before and behind are read too */
};
/* cb takes the window over (NULL: there are no more), or gets NULL and err. */
typedef void store_window_cb(void *arg, struct relabel_window *w, const struct errbuf *err);
void store_window(struct store *s, const struct store_window_query *from, store_window_cb *cb,
                  void *arg);

/* The rows of one sweep that has ended, as those of open ones are read at the start; none where
 * there is no such sweep. cb may take what is in them (and zero it), or gets NULL and err. */
typedef void store_sweep_cb(void *arg, struct store_restored *rows, const struct errbuf *err);
void store_sweep(struct store *s, int64_t sweep_id, store_sweep_cb *cb, void *arg);

const struct cell *table_cell(const struct table *t, size_t row, const char *column);
/* The number in a cell; 0 where it holds none. */
double table_number(const struct table *t, size_t row, const char *column);
/* The text of a cell; without where it holds none. */
const char *table_text(const struct table *t, size_t row, const char *column,
                       const char *without);
struct json_writer;
/* One row as a JSON object; text that is itself JSON (columns ending in "_json") is written as
 * such under the name without that suffix. Non-finite reals follow json.h. */
void table_row_write(const struct table *t, size_t row, struct json_writer *w);

#endif
