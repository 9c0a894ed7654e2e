/* The only writer: joins all batches that wait into one transaction. */
#include <stdlib.h>

#include <sqlite3.h>

#include "daemon/store/holder.h"
#include "daemon/store/private.h"
#include "sweep/buf.h"
#define LOG_MODULE "store"
#include "sweep/log.h"

#define RETRY_FIRST_MS 10
#define RETRY_MS 1000
/* At the end a disk that stays full must not keep the daemon alive: what was never committed was
 * never acknowledged, and is found again in the run folders. */
#define CLOSE_TRIES 5
/* Between checkpoints: pages of 4 KiB. Passive ones, which no reader ever notices. */
#define CHECKPOINT_PAGES 4096
#define WAL_WARN_PAGES (256 * 256) /* 256 MiB */

/* --- failures -------------------------------------------------------------------------------- */

/* Logged and told once, however often the retries fail. */
static void note_failure(struct store *s, const char *why)
{
    if (s->retry_ms > 0)
        return;
    char *text = xasprintf("cannot write to %s: %s; trying again every second", s->path, why);
    log_error("%s", text);
    store_set_trouble(s, text);
    free(text);
}

static void note_damage(struct store *s, const char *why)
{
    char *text = damage_text(s->path, why);
    log_error("%s", text);
    store_set_trouble(s, text);
    free(text);
}

static void note_success(struct store *s)
{
    if (s->retry_ms == 0)
        return;
    s->retry_ms = 0;
    log_info("writing to %s works again", s->path);
    store_set_trouble(s, "");
}

/* Longer from time to time: what is over in a moment costs a moment. */
static void pause_before_retry(struct store *s)
{
    s->retry_ms = s->retry_ms == 0 ? RETRY_FIRST_MS : s->retry_ms * 2;
    if (s->retry_ms > RETRY_MS)
        s->retry_ms = RETRY_MS;
    uv_sleep(s->retry_ms);
}

/* Nothing that is written to a damaged file helps, and it may harm what a recovery would find. */
static void wait_for_close(struct store *s)
{
    uv_mutex_lock(&s->mutex);
    while (!s->closing)
        uv_cond_wait(&s->write_wake, &s->mutex);
    uv_mutex_unlock(&s->mutex);
}

/* --- commits --------------------------------------------------------------------------------- */

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

/* A try that failed: whether to try again. */
static bool try_again(struct store *s, int rc, bool moved, int *tries_closing)
{
    bool damaged = !moved && sql_is_damage(rc);

    /* Before the rollback, which clears SQLite's message. */
    if (damaged)
        note_damage(s, sqlite3_errmsg(s->db));
    else
        note_failure(s, moved ? "the file " STORE_MOVED : sqlite3_errmsg(s->db));
    if (!moved)
        store_sql_rollback(&s->sql);
    if (damaged)
        wait_for_close(s);
    if (damaged || (store_is_closing(s) && ++*tries_closing >= CLOSE_TRIES)) {
        log_error("giving up: what was not written is left to the run folders");
        return false;
    }
    pause_before_retry(s);
    return true;
}

/* true: durable. false: the store closes and gave up. */
static bool commit(struct store *s, const struct job_list *jobs)
{
    bool moved = false;
    int rc, tries_closing = 0;

    if (!has_ops(jobs))
        return true;
    do {
        moved = store_sql_has_moved(s->db);
        rc = moved ? SQLITE_OK : commit_once(s, jobs);
        if (!moved && rc == SQLITE_OK) {
            note_success(s);
            mark_follow(&s->mark);
            return true;
        }
    } while (try_again(s, rc, moved, &tries_closing));
    return false;
}

/* --- the write-ahead log ---------------------------------------------------------------------- */

static int on_wal_grown(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct store *s = arg;
    if (pages < s->wal_pages) /* it starts anew */
        s->checkpoint_at = CHECKPOINT_PAGES;
    s->wal_pages = pages;
    return SQLITE_OK;
}

static void tell_large(struct store *s)
{
    char holder[128];

    wal_holder(s->path, holder, sizeof(holder));
    char *text = xasprintf("%s-wal has grown over %d MiB: %s reads and does not end", s->path,
                           WAL_WARN_PAGES / 256, holder);
    log_warn("%s", text);
    store_tell(s, "wal_large", text);
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
    if (large && !s->wal_told)
        tell_large(s);
    s->wal_told = large;
}

/* --- the thread ------------------------------------------------------------------------------ */

void writer_init(struct store *s)
{
    s->checkpoint_at = CHECKPOINT_PAGES;
    sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
    sqlite3_wal_hook(s->db, on_wal_grown, s);
}

static void post_all(struct store *s, struct job_list *committed)
{
    uv_mutex_lock(&s->mutex);
    struct job_list *to = s->reading ? &s->held : &s->done;
    for (struct job *j; (j = job_list_take_first(committed));)
        job_list_append(to, j);
    uv_mutex_unlock(&s->mutex);
    uv_async_send(&s->async);
}

/* Waits for work; false when there is none and the store closes. */
static bool take_work(struct store *s, struct job_list *work)
{
    uv_mutex_lock(&s->mutex);
    while (!s->writes.head && !s->closing)
        uv_cond_wait(&s->write_wake, &s->mutex);
    *work = s->writes;
    s->writes = (struct job_list){0};
    uv_mutex_unlock(&s->mutex);
    return work->head != NULL;
}

void writer_close_database(struct store *s)
{
    /* A reader that is in the way keeps its WAL; the next start reads it. */
    sqlite3_busy_timeout(s->db, 0);
    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    mark_close(&s->mark);
    store_sql_finish(&s->sql);
    int rc = sqlite3_close(s->db);
    if (rc != SQLITE_OK)
        log_error("closing the database: %s", sqlite3_errstr(rc));
    s->db = NULL;
}

/* Our own readers must not be in the way of the last checkpoint. */
static void wait_for_readers(struct store *s)
{
    uv_mutex_lock(&s->mutex);
    while (!s->read_ended || s->chores > 0)
        uv_cond_wait(&s->write_wake, &s->mutex);
    uv_mutex_unlock(&s->mutex);
}

void writer_main(void *arg)
{
    struct store *s = arg;
    struct job_list work;
    bool ok = true;

    while (ok && take_work(s, &work)) {
        ok = commit(s, &work);
        if (!ok)
            break;
        post_all(s, &work);
        checkpoint_if_due(s);
    }
    for (struct job *j; !ok && (j = job_list_take_first(&work));)
        job_destroy(j);
    wait_for_readers(s);
    writer_close_database(s);
    uv_mutex_lock(&s->mutex);
    s->ended = true;
    uv_mutex_unlock(&s->mutex);
    uv_async_send(&s->async);
}
