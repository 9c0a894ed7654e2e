#include "daemon/store/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>
#include <uv.h>

#include "daemon/store/job.h"
#include "daemon/store/migrate.h"
#include "daemon/store/sql.h"
#include "daemon/store/window.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#define LOG_MODULE "store"
#include "sweep/log.h"
#include "sweep/require.h"

#define RETRY_MS 1000
/* At the end a disk that stays full must not keep the daemon alive: what was never committed was
 * never acknowledged, and is found again in the run folders. */
#define CLOSE_TRIES 5
/* Between checkpoints: pages of 4 KiB. Passive ones, which no reader ever notices. */
#define CHECKPOINT_PAGES 4096
#define WAL_WARN_PAGES (256 * 256) /* 256 MiB */
#define BUSY_TIMEOUT_MS 2000 /* somebody writes with sqlite3: wait, then try again as ever */

struct store {
    /* the thread's, after store_open */
    sqlite3 *db;
    struct store_sql sql;
    int wal_pages, checkpoint_at;
    bool wal_warned, in_trouble;

    /* shared, under mutex */
    uv_mutex_t mutex;
    uv_cond_t wake;
    struct job_list pending, done;
    bool closing, ended;
    bool trouble_changed;
    char trouble_next[256];

    /* the loop's */
    uv_thread_t thread;
    uv_async_t async;
    char *path;
    int lock_fd;
    size_t queued;
    bool close_called;
    char trouble[256];
    void (*closed)(void *arg);
    void *closed_arg;
};

/* --- the thread ---------------------------------------------------------------------------- */

static void post_done(struct store *s, struct job_list *done)
{
    uv_mutex_lock(&s->mutex);
    struct job *j;
    while ((j = job_list_take_first(done)))
        job_list_append(&s->done, j);
    uv_mutex_unlock(&s->mutex);
    uv_async_send(&s->async);
}

static void set_trouble(struct store *s, const char *text)
{
    uv_mutex_lock(&s->mutex);
    str_copy(s->trouble_next, sizeof(s->trouble_next), text);
    s->trouble_changed = true;
    uv_mutex_unlock(&s->mutex);
    uv_async_send(&s->async);
}

static bool is_closing(struct store *s)
{
    uv_mutex_lock(&s->mutex);
    bool closing = s->closing;
    uv_mutex_unlock(&s->mutex);
    return closing;
}

/* Logged and told once, however often the retries fail. */
static void note_failure(struct store *s, const char *why)
{
    char *text = xasprintf("cannot write to %s: %s; trying again every second", s->path, why);
    if (!s->in_trouble) {
        log_error("%s", text);
        set_trouble(s, text);
    }
    s->in_trouble = true;
    free(text);
}

static void note_success(struct store *s)
{
    if (!s->in_trouble)
        return;
    s->in_trouble = false;
    log_info("writing to %s works again", s->path);
    set_trouble(s, "");
}

static bool has_ops(const struct job_list *jobs)
{
    for (const struct job *j = jobs->head; j; j = j->next) {
        if (j->batch.count > 0)
            return true;
    }
    return false;
}

/* All jobs in one transaction; an SQLite result code. */
static int commit_once(struct store *s, const struct job_list *jobs)
{
    int rc = store_sql_begin(&s->sql);

    for (const struct job *j = jobs->head; j && rc == SQLITE_OK; j = j->next) {
        for (size_t i = 0; i < j->batch.count && rc == SQLITE_OK; i++)
            rc = store_sql_apply(&s->sql, &j->batch.ops[i]);
    }
    return rc == SQLITE_OK ? store_sql_commit(&s->sql) : rc;
}

#define MOVED "was moved, deleted or replaced (put it back)"
/* What is written to a file without its name is lost with the daemon: that is not durable. */
static bool has_moved(struct store *s)
{
    int moved = 0;
    return sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved;
}

/* true: durable. false: the store closes and gave up. */
static bool commit(struct store *s, const struct job_list *jobs)
{
    if (!has_ops(jobs))
        return true;
    for (int tries_closing = 0;;) {
        bool moved = has_moved(s);
        if (!moved && commit_once(s, jobs) == SQLITE_OK) {
            note_success(s);
            return true;
        }
        /* Before the rollback, which clears SQLite's message. */
        note_failure(s, moved ? "the file " MOVED : sqlite3_errmsg(s->db));
        if (!moved)
            store_sql_rollback(&s->sql);
        if (is_closing(s) && ++tries_closing >= CLOSE_TRIES) {
            log_error("giving up: what was not written is left to the run folders");
            return false;
        }
        uv_sleep(RETRY_MS);
    }
}

static int on_wal_grown(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct store *s = arg;
    if (pages < s->wal_pages) /* it starts anew */
        s->checkpoint_at = CHECKPOINT_PAGES;
    s->wal_pages = pages;
    return SQLITE_OK;
}

/* Between transactions, after the callbacks are on their way. */
static void checkpoint_if_due(struct store *s)
{
    int in_wal = 0, moved = 0;

    if (s->wal_pages < s->checkpoint_at)
        return;
    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);
    /* With a reader in the way, not again at every commit: each try sorts the whole WAL. */
    s->checkpoint_at = CHECKPOINT_PAGES + (moved < in_wal ? s->wal_pages : 0);
    bool large = s->wal_pages > WAL_WARN_PAGES;
    if (large && !s->wal_warned)
        log_warn("%s-wal has grown over %d MiB: some reader does not end", s->path,
                 WAL_WARN_PAGES / 256);
    s->wal_warned = large;
}

static void answer(struct store *s, struct job *j)
{
    struct errbuf err = {0};
    int rc;

    if (!j->on_window)
        rc = store_sql_query(
            &s->sql, &(struct store_named_query){j->query, j->args, j->arg_count}, &j->table, &err);
    else if (has_moved(s))
        rc = err_set(&err, ERR_IO, "%s " MOVED, s->path);
    else
        rc = window_read(&s->sql, &j->from, &j->window, &err);
    if (rc < 0) {
        j->error = xmalloc(sizeof(err));
        *j->error = err;
    }
}

/* The query or window, or all batches up to the next one, at the head of the work. */
static bool work_step(struct store *s, struct job_list *work)
{
    struct job_list group = {0};
    bool ok = true;

    if (job_is_single(work->head)) {
        job_list_append(&group, job_list_take_first(work));
        answer(s, group.head);
        post_done(s, &group);
        return true;
    }
    while (work->head && !job_is_single(work->head))
        job_list_append(&group, job_list_take_first(work));
    ok = commit(s, &group);
    if (ok)
        post_done(s, &group);
    for (struct job *j; (j = job_list_take_first(&group));)
        job_destroy(j);
    if (ok)
        checkpoint_if_due(s);
    return ok;
}

/* Waits for work; false when there is none and the store closes. */
static bool take_work(struct store *s, struct job_list *work)
{
    uv_mutex_lock(&s->mutex);
    while (!s->pending.head && !s->closing)
        uv_cond_wait(&s->wake, &s->mutex);
    *work = s->pending;
    s->pending = (struct job_list){0};
    uv_mutex_unlock(&s->mutex);
    return work->head != NULL;
}

static void close_database(struct store *s)
{
    /* A reader that is in the way keeps its WAL; the next start reads it. */
    sqlite3_busy_timeout(s->db, 0);
    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    store_sql_finish(&s->sql);
    int rc = sqlite3_close(s->db);
    if (rc != SQLITE_OK)
        log_error("closing the database: %s", sqlite3_errstr(rc));
    s->db = NULL;
}

static void thread_main(void *arg)
{
    struct store *s = arg;
    struct job_list work;
    bool ok = true;

    while (ok && take_work(s, &work)) {
        while (work.head && ok)
            ok = work_step(s, &work);
    }
    for (struct job *j; !ok && (j = job_list_take_first(&work));)
        job_destroy(j);
    close_database(s);
    uv_mutex_lock(&s->mutex);
    s->ended = true;
    uv_mutex_unlock(&s->mutex);
    uv_async_send(&s->async);
}

/* --- the loop ------------------------------------------------------------------------------ */

static void call_back(struct store *s, struct job *j)
{
    if (j->answered) {
        j->answered(j->arg, j->table, j->error);
    } else if (j->on_window) {
        j->on_window(j->arg, j->window, j->error);
        j->window = NULL; /* taken over */
    } else {
        s->queued--;
        if (j->committed)
            j->committed(j->arg);
    }
    job_destroy(j);
}

static void store_free(struct store *s)
{
    struct job *j;
    while ((j = job_list_take_first(&s->pending)))
        job_destroy(j);
    uv_cond_destroy(&s->wake);
    uv_mutex_destroy(&s->mutex);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->path);
    free(s);
}

static void on_async_closed(uv_handle_t *h)
{
    struct store *s = h->data;
    void (*closed)(void *) = s->closed;
    void *arg = s->closed_arg;

    store_free(s);
    if (closed)
        closed(arg);
}

static void on_async(uv_async_t *async)
{
    struct store *s = async->data;

    uv_mutex_lock(&s->mutex);
    struct job_list done = s->done;
    bool ended = s->ended;
    s->done = (struct job_list){0};
    if (s->trouble_changed)
        str_copy(s->trouble, sizeof(s->trouble), s->trouble_next);
    s->trouble_changed = false;
    uv_mutex_unlock(&s->mutex);

    for (struct job *j; (j = job_list_take_first(&done));)
        call_back(s, j);
    if (ended && !uv_is_closing((uv_handle_t *)async)) {
        uv_thread_join(&s->thread);
        uv_close((uv_handle_t *)async, on_async_closed);
    }
}

static void push(struct store *s, struct job *j)
{
    uv_mutex_lock(&s->mutex);
    job_list_append(&s->pending, j);
    uv_cond_signal(&s->wake);
    uv_mutex_unlock(&s->mutex);
}

void store_submit(struct store *s, struct store_batch *batch, void (*cb)(void *arg), void *arg)
{
    if (s->close_called) { /* never acknowledged, so never promised */
        log_error("a batch came after the store was closed: dropped");
        store_batch_finish(batch);
        return;
    }
    struct job *j = xcalloc(1, sizeof(*j));
    j->batch = *batch;
    j->committed = cb;
    j->arg = arg;
    *batch = (struct store_batch){0};
    s->queued++;
    push(s, j);
}

void store_query(struct store *s, const struct store_named_query *q, store_query_cb *cb, void *arg)
{
    REQUIRE(cb && q->count <= JOB_ARGS_MAX);
    if (s->close_called) {
        struct errbuf err;
        err_set(&err, ERR_SHUTDOWN, "the daemon is shutting down");
        cb(arg, NULL, &err);
        return;
    }
    struct job *j = xcalloc(1, sizeof(*j));
    j->query = q->id;
    j->arg_count = q->count;
    for (size_t i = 0; i < q->count; i++)
        j->args[i] = q->args[i];
    j->answered = cb;
    j->arg = arg;
    push(s, j);
}

void store_window(struct store *s, const struct store_window_query *from, store_window_cb *cb,
                  void *arg)
{
    REQUIRE(cb);
    if (s->close_called) {
        struct errbuf err;
        err_set(&err, ERR_SHUTDOWN, "the daemon is shutting down");
        cb(arg, NULL, &err);
        return;
    }
    struct job *j = xcalloc(1, sizeof(*j));
    j->from = *from;
    j->on_window = cb;
    j->arg = arg;
    push(s, j);
}

size_t store_queue_length(const struct store *s)
{
    return s->queued;
}

const char *store_trouble(const struct store *s)
{
    return s->trouble;
}

/* --- open and close ------------------------------------------------------------------------ */

/* On failure s is gone, or will be when the loop runs. */
static int start_thread(struct store *s, struct uv_loop_s *loop, struct errbuf *err)
{
    int rc = uv_async_init(loop, &s->async, on_async);
    if (rc < 0) {
        close_database(s);
        store_free(s);
        return err_set(err, ERR_IO, "the store's wake-up: %s", uv_strerror(rc));
    }
    s->async.data = s;
    if ((rc = uv_thread_create(&s->thread, thread_main, s)) < 0) {
        close_database(s);
        uv_close((uv_handle_t *)&s->async, on_async_closed); /* frees s on the loop */
        return err_set(err, ERR_IO, "the store's thread: %s", uv_strerror(rc));
    }
    return 0;
}

static int open_all(struct store *s, const char *path, struct store_restored *restored,
                    struct errbuf *err)
{
    int code;

    if ((code = store_lock(path, &s->lock_fd, err)) < 0 ||
        (code = store_database_open(path, &s->db, err)) < 0)
        return code;
    sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
    sqlite3_wal_hook(s->db, on_wal_grown, s);
    if ((code = store_sql_init(&s->sql, s->db, err)) < 0)
        return code;
    return store_sql_restore(s->db, restored, err);
}

int store_open(struct uv_loop_s *loop, const char *path, struct store **out,
               struct store_restored *restored, struct errbuf *err)
{
    struct store *s = xcalloc(1, sizeof(*s));
    struct store_restored rows = {0};
    int code;

    s->lock_fd = -1;
    s->checkpoint_at = CHECKPOINT_PAGES;
    s->path = xstrdup(path);
    REQUIRE(uv_mutex_init(&s->mutex) == 0 && uv_cond_init(&s->wake) == 0);
    if ((code = open_all(s, path, &rows, err)) < 0) {
        store_sql_finish(&s->sql);
        sqlite3_close(s->db);
        store_free(s);
        return code;
    }
    if ((code = start_thread(s, loop, err)) < 0) {
        store_restored_finish(&rows);
        return code;
    }
    *out = s;
    *restored = rows;
    return 0;
}

void store_close(struct store *s, void (*cb)(void *arg), void *arg)
{
    REQUIRE(!s->close_called);
    s->close_called = true;
    s->closed = cb;
    s->closed_arg = arg;
    uv_mutex_lock(&s->mutex);
    s->closing = true;
    uv_cond_signal(&s->wake);
    uv_mutex_unlock(&s->mutex);
}
