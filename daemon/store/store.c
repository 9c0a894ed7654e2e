/* The loop's side of the store. */
#include "daemon/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/store/migrate.h"
#include "daemon/store/place.h"
#include "daemon/store/private.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#define LOG_MODULE "store"
#include "sweep/log.h"
#include "sweep/require.h"

/* --- callbacks -------------------------------------------------------------------------------- */

static void call_back(struct store *s, struct job *j)
{
    if (j->answered) {
        j->answered(j->arg, j->table, j->error);
    } else if (j->on_sweep) {
        j->on_sweep(j->arg, j->error ? NULL : j->sweep, j->error);
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

static void destroy_notice(struct notice *n)
{
    free(n->text);
    free(n);
}

static void hear_notice(struct store *s, struct notice *n)
{
    if (strcmp(n->kind, STORE_NOTICE_DAMAGED) == 0) {
        str_copy(s->damage, sizeof(s->damage), n->text);
        log_error("%s", n->text);
    }
    if (s->on_notice && !s->close_called)
        s->on_notice(s->notice_arg, n->kind, n->text);
    destroy_notice(n);
}

static void destroy_jobs(struct job_list *jobs)
{
    for (struct job *j; (j = job_list_take_first(jobs));)
        job_destroy(j);
}

static void store_free(struct store *s)
{
    destroy_jobs(&s->writes);
    destroy_jobs(&s->reads);
    for (struct notice *n = s->notices, *next; n; n = next) {
        next = n->next;
        destroy_notice(n);
    }
    uv_cond_destroy(&s->write_wake);
    uv_cond_destroy(&s->read_wake);
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

/* Both threads have ended, and nothing of ours is in the pool. */
static void end(struct store *s)
{
    if (uv_is_closing((uv_handle_t *)&s->async))
        return;
    uv_thread_join(&s->reader);
    uv_thread_join(&s->writer);
    uv_close((uv_handle_t *)&s->async, on_async_closed);
}

static void on_async(uv_async_t *async)
{
    struct store *s = async->data;

    uv_mutex_lock(&s->mutex);
    struct job_list done = s->done;
    struct notice *notices = s->notices;
    bool ended = s->ended;
    s->done = (struct job_list){0};
    s->notices = NULL;
    if (s->trouble_changed)
        str_copy(s->trouble, sizeof(s->trouble), s->trouble_next);
    s->trouble_changed = false;
    uv_mutex_unlock(&s->mutex);

    for (struct job *j; (j = job_list_take_first(&done));)
        call_back(s, j);
    for (struct notice *n = notices, *next; n; n = next) {
        next = n->next;
        hear_notice(s, n);
    }
    if (ended && s->chores_open == 0)
        end(s);
}

/* --- work for the threads ----------------------------------------------------------------------
 */

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
    uv_mutex_lock(&s->mutex);
    job_list_append(&s->writes, j);
    uv_cond_signal(&s->write_wake);
    uv_mutex_unlock(&s->mutex);
}

static void push_read(struct store *s, struct job *j)
{
    uv_mutex_lock(&s->mutex);
    job_list_append(&s->reads, j);
    uv_cond_signal(&s->read_wake);
    uv_mutex_unlock(&s->mutex);
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
    j->text = q->text ? xstrdup(q->text) : NULL;
    j->answered = cb;
    j->arg = arg;
    push_read(s, j);
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
    push_read(s, j);
}

void store_sweep(struct store *s, int64_t sweep_id, store_sweep_cb *cb, void *arg)
{
    REQUIRE(cb);
    if (s->close_called) {
        struct errbuf err;
        err_set(&err, ERR_SHUTDOWN, "the daemon is shutting down");
        cb(arg, NULL, &err);
        return;
    }
    struct job *j = xcalloc(1, sizeof(*j));
    j->args[0] = sweep_id;
    j->on_sweep = cb;
    j->arg = arg;
    push_read(s, j);
}

size_t store_queue_length(const struct store *s)
{
    return s->queued;
}

const char *store_trouble(const struct store *s)
{
    return s->trouble;
}

const char *store_damage(const struct store *s)
{
    return s->damage;
}

void store_on_notice(struct store *s, store_notice_cb *cb, void *arg)
{
    s->on_notice = cb;
    s->notice_arg = arg;
    if (s->unclean)
        chores_check(s);
}

/* --- open and close ------------------------------------------------------------------------ */

static void close_databases(struct store *s)
{
    store_sql_finish(&s->read_sql);
    sqlite3_close(s->read_db);
    s->read_db = NULL;
    writer_close_database(s);
}

/* The writer alone has begun: it ends at once. */
static void end_writer(struct store *s)
{
    uv_mutex_lock(&s->mutex);
    s->closing = s->read_ended = true;
    uv_cond_signal(&s->write_wake);
    uv_mutex_unlock(&s->mutex);
    uv_thread_join(&s->writer);
    store_sql_finish(&s->read_sql);
    sqlite3_close(s->read_db);
}

/* On failure s is gone, or will be when the loop runs. */
static int start_threads(struct store *s, struct uv_loop_s *loop, struct errbuf *err)
{
    int rc = uv_async_init(loop, &s->async, on_async);
    if (rc < 0) {
        close_databases(s);
        store_free(s);
        return err_set(err, ERR_IO, "the store's wake-up: %s", uv_strerror(rc));
    }
    s->async.data = s;
    s->loop = loop;
    if ((rc = uv_thread_create(&s->writer, writer_main, s)) < 0)
        close_databases(s);
    else if ((rc = uv_thread_create(&s->reader, reader_main, s)) < 0)
        end_writer(s);
    if (rc == 0)
        return 0;
    uv_close((uv_handle_t *)&s->async, on_async_closed); /* frees s on the loop */
    return err_set(err, ERR_IO, "the store's threads: %s", uv_strerror(rc));
}

/* An orderly end leaves an empty log, or none. */
static bool has_log(const char *path)
{
    char *wal = xasprintf("%s-wal", path);
    struct stat st;
    bool has = stat(wal, &st) == 0 && st.st_size > 0;

    free(wal);
    return has;
}

/* What the threads begin with. */
static int read_state(struct store *s, struct store_restored *restored, struct errbuf *err)
{
    int code;

    if ((code = store_sql_init(&s->sql, s->db, err)) == 0 &&
        (code = mark_open(&s->mark, s->path, s->db, err)) == 0 &&
        (code = reader_open(s->path, &s->read_db, err)) == 0)
        code = store_sql_restore(s->db, restored, err);
    return code;
}

/* The message names the file. */
static int cannot_read(struct store *s, int code, struct errbuf *err)
{
    bool damaged = sql_is_damage(sqlite3_errcode(s->db));
    char *text =
        damaged ? damage_text(s->path, err->message) : xasprintf("%s: %s", s->path, err->message);

    code = err_set(err, damaged ? ERR_DATA : code, "%s", text);
    free(text);
    return code;
}

static int open_all(struct store *s, const struct store_place *place,
                    struct store_restored *restored, struct errbuf *err)
{
    int code;

    if ((code = store_lock(s->path, place->force_network, &s->lock_fd, err)) < 0)
        return code;
    s->unclean = has_log(s->path);
    if ((code = store_database_open(s->path, &s->db, err)) < 0)
        return code;
    if ((code = read_state(s, restored, err)) < 0)
        return cannot_read(s, code, err);
    writer_init(s);
    s->read_sql.db = s->read_db;
    return 0;
}

int store_open(struct uv_loop_s *loop, const struct store_place *place, struct store **out,
               struct store_restored *restored, struct errbuf *err)
{
    struct store *s = xcalloc(1, sizeof(*s));
    struct store_restored rows = {0};
    int code;

    /* No sums of its memory, which take a lock for each piece. Refused once in use: no harm. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    s->lock_fd = s->mark.fd = -1;
    s->path = xstrdup(place->path);
    REQUIRE(uv_mutex_init(&s->mutex) == 0 && uv_cond_init(&s->write_wake) == 0 &&
            uv_cond_init(&s->read_wake) == 0);
    if ((code = open_all(s, place, &rows, err)) < 0) {
        mark_close(&s->mark);
        store_sql_finish(&s->sql);
        sqlite3_close(s->read_db);
        sqlite3_close(s->db);
        store_free(s);
        return code;
    }
    if ((code = start_threads(s, loop, err)) < 0) {
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
    uv_cond_signal(&s->write_wake);
    uv_cond_signal(&s->read_wake);
    uv_mutex_unlock(&s->mutex);
}
