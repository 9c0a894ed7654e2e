/* Queries and windows, on a connection that only reads: they are answered while no commit can be
 * had. Each is a state of the database no older than the moment it was asked for. */
#include <stdlib.h>

#include <sqlite3.h>

#include "daemon/store/private.h"
#include "daemon/store/window.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#define LOG_MODULE "store"
#include "sweep/log.h"

int reader_open(const char *path, sqlite3 **out, struct errbuf *err)
{
    sqlite3 *db = NULL;
    int code = 0;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY", NULL, NULL, NULL) !=
            SQLITE_OK) {
        code = err_set(err, ERR_IO, "the connection that reads: %s", sqlite3_errmsg(db));
        sqlite3_close(db);
        return code;
    }
    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    *out = db;
    return 0;
}

static int read_one(struct store *s, struct job *j, struct errbuf *err)
{
    const struct store_named_query q = {j->query, j->args, j->arg_count, j->text};

    if (j->on_sweep) {
        j->sweep = xcalloc(1, sizeof(*j->sweep));
        return store_sql_restore_ended(s->read_db, j->args[0], j->sweep, err);
    }
    if (!j->on_window)
        return store_sql_query(&s->read_sql, &q, &j->table, err);
    /* What comes of a window is written. */
    if (store_sql_has_moved(s->read_db))
        return err_set(err, ERR_IO, "%s " STORE_MOVED, s->path);
    return window_read(&s->read_sql, &j->from, &j->window, err);
}

static void note_damage(struct store *s, const char *why)
{
    if (s->damage_told)
        return;
    s->damage_told = true;
    store_tell(s, STORE_NOTICE_DAMAGED, damage_text(s->path, why));
}

static void answer(struct store *s, struct job *j)
{
    struct errbuf err = {0};

    if (read_one(s, j, &err) == 0)
        return;
    if (sql_is_damage(sqlite3_errcode(s->read_db))) {
        err.code = ERR_DATA;
        note_damage(s, sqlite3_errmsg(s->read_db));
    }
    j->error = xmalloc(sizeof(err));
    *j->error = err;
}

/* false: the store closes, and nothing waits. */
static bool take_read(struct store *s, struct job **out)
{
    uv_mutex_lock(&s->mutex);
    while (!s->reads.head && !s->closing)
        uv_cond_wait(&s->read_wake, &s->mutex);
    *out = job_list_take_first(&s->reads);
    s->reading = *out != NULL;
    uv_mutex_unlock(&s->mutex);
    return *out != NULL;
}

/* The answer, and behind it what was committed meanwhile: so that nobody is told a state older than
 * what he knows already. */
static void post(struct store *s, struct job *j)
{
    uv_mutex_lock(&s->mutex);
    job_list_append(&s->done, j);
    for (struct job *c; (c = job_list_take_first(&s->held));)
        job_list_append(&s->done, c);
    s->reading = false;
    uv_mutex_unlock(&s->mutex);
    uv_async_send(&s->async);
}

void reader_main(void *arg)
{
    struct store *s = arg;

    for (struct job *j; take_read(s, &j);) {
        answer(s, j);
        post(s, j);
    }
    store_sql_finish(&s->read_sql);
    sqlite3_close(s->read_db);
    s->read_db = NULL;
    uv_mutex_lock(&s->mutex);
    s->read_ended = true;
    uv_cond_signal(&s->write_wake);
    uv_mutex_unlock(&s->mutex);
}
