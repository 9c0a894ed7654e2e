/* Private to daemon/store/: what the loop, the writer and the reader share. */
#ifndef SWEEPD_STORE_PRIVATE_H
#define SWEEPD_STORE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "daemon/store/job.h"
#include "daemon/store/mark.h"
#include "daemon/store/sql.h"
#include "daemon/store/store.h"

struct sqlite3;

#define TROUBLE_MAX 640
#define BUSY_TIMEOUT_MS 2000 /* somebody writes with sqlite3: wait, then try again as ever */

/* What the daemon is told beside answers, on its way to the loop. */
struct notice {
    struct notice *next;
    const char *kind; /* of the event; static */
    char *text;
};

struct store {
    /* the writer's, after store_open */
    struct sqlite3 *db;
    struct store_sql sql;
    struct mark mark;
    int wal_pages, checkpoint_at;
    unsigned retry_ms; /* the next pause between two tries; 0: nothing is wrong */
    bool wal_told;

    /* the reader's, after store_open */
    struct sqlite3 *read_db;
    struct store_sql read_sql;
    bool damage_told;

    /* shared, under mutex */
    uv_mutex_t mutex;
    uv_cond_t write_wake, read_wake;
    struct job_list writes, reads; /* that wait */
    struct job_list done;
    struct job_list held; /* committed while a read was under way: told behind its answer */
    bool reading, closing, read_ended, ended;
    size_t chores; /* not at their end */
    struct notice *notices;
    bool trouble_changed;
    char trouble_next[TROUBLE_MAX];

    /* the loop's */
    struct uv_loop_s *loop;
    uv_thread_t writer, reader;
    uv_async_t async;
    char *path;
    bool unclean; /* the last end was none: the file is checked */
    int lock_fd;
    size_t queued;
    size_t chores_open; /* whose end was not seen */
    bool close_called;
    char trouble[TROUBLE_MAX];
    char damage[TROUBLE_MAX];
    store_notice_cb *on_notice;
    void *notice_arg;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* --- writer.c: the only writer ---------------------------------------------------------------- */
void writer_init(struct store *s);
void writer_main(void *store);
/* Truncates the WAL and closes; before the threads exist, or in the writer. */
void writer_close_database(struct store *s);

/* --- reader.c: answers, whatever the writer waits for ------------------------------------------
 */
void reader_main(void *store);
/* A connection that cannot write. ERR_IO. */
int reader_open(const char *path, struct sqlite3 **out, struct errbuf *err);

/* --- shared.c: from any thread ------------------------------------------------------------------
 */
bool store_is_closing(struct store *s);
void store_set_trouble(struct store *s, const char *text);
/* Takes over the text. */
void store_tell(struct store *s, const char *kind, char *text);

/* --- history.c: in the pool ---------------------------------------------------------------------
 */
/* Reads the sweep, and has the work done with it. */
int store_history_use(struct store *store, struct sqlite3 *db, int64_t sweep_id,
                      store_history_work *work, void *arg, struct errbuf *err);

/* --- chores.c: what takes long, beside the loop, each on a connection of its own -----------------
 */
/* Looks at every page, and tells what is damaged. */
void chores_check(struct store *s);

/* --- damage.c ----------------------------------------------------------------------------------
 */
/* The file itself is at fault: to try again is of no use. */
bool sql_is_damage(int sqlite_code);
/* "PATH is damaged: WHY; …": how to recover. The caller frees. */
char *damage_text(const char *path, const char *why);

#endif
