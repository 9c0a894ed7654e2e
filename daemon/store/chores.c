/* What takes long, in libuv's pool, each on a connection of its own: the check after an unclean
 * end, backups, and what is done with all that is stored of a sweep. The end of the store
 * interrupts them. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "daemon/store/copy.h"
#include "daemon/store/private.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#define LOG_MODULE "store"
#include "sweep/log.h"
#include "sweep/require.h"

#define STOP_INSTRUCTIONS 10000 /* of SQLite's machine, between two questions */

struct chore {
    uv_work_t work;
    struct store *store;
    void (*run)(struct chore *c, sqlite3 *db);
    int code;
    struct errbuf err;
    /* a backup */
    char *file;
    store_backup_cb *done;
    void *arg;
    int64_t bytes;
    /* a history */
    int64_t sweep_id;
    store_history_work *work_on;
    store_history_cb *worked;
};

static int should_stop(void *store)
{
    return store_is_closing(store);
}

/* --- in the pool ------------------------------------------------------------------------------ */

static void work(uv_work_t *w)
{
    struct chore *c = w->data;
    struct store *s = c->store;
    sqlite3 *db = NULL;

    c->code = reader_open(s->path, &db, &c->err);
    if (c->code == 0)
        c->run(c, db);
    sqlite3_close(db);
    uv_mutex_lock(&s->mutex);
    s->chores--;
    uv_cond_signal(&s->write_wake);
    uv_mutex_unlock(&s->mutex);
}

/* The first complaints; "" where there are none, or the check was interrupted. */
static void find_damage(sqlite3 *db, struct buf *out)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(3)", -1, &st, NULL);

    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(st, 0);
        if (text && strcmp(text, "ok") != 0)
            buf_printf(out, "%s%s", out->len ? "; " : "", text);
        rc = SQLITE_OK;
    }
    if (sql_is_damage(rc))
        buf_printf(out, "%s%s", out->len ? "; " : "", sqlite3_errmsg(db));
    sqlite3_finalize(st);
    for (size_t i = 0; i < out->len; i++) /* "*** in database main ***\nPage 3: …" */
        if (out->data[i] == '\n')
            out->data[i] = ' ';
}

static void check(struct chore *c, sqlite3 *db)
{
    struct store *s = c->store;
    struct buf found = {0};
    uint64_t begin = uv_hrtime();

    sqlite3_progress_handler(db, STOP_INSTRUCTIONS, should_stop, s);
    find_damage(db, &found);
    if (found.len > 0)
        store_tell(s, STORE_NOTICE_DAMAGED, damage_text(s->path, found.data));
    else if (!store_is_closing(s))
        log_info("the database is whole (checked in %.1f s)", (double)(uv_hrtime() - begin) / 1e9);
    buf_finish(&found);
}

static void backup(struct chore *c, sqlite3 *db)
{
    const struct store_copy copy = {
        .from = db, .file = c->file, .stop = should_stop, .arg = c->store};
    struct stat st;

    c->code = store_copy(&copy, &c->err);
    if (c->code == 0 && stat(c->file, &st) == 0)
        c->bytes = st.st_size;
}

static void history(struct chore *c, sqlite3 *db)
{
    c->code = store_history_use(c->store, db, c->sweep_id, c->work_on, c->arg, &c->err);
}

/* --- on the loop ------------------------------------------------------------------------------ */

static void after_work(uv_work_t *w, int status)
{
    struct chore *c = w->data;
    struct store *s = c->store;

    REQUIRE(status == 0); /* nobody cancels it */
    if (c->done)
        c->done(c->arg, c->bytes, c->code < 0 ? &c->err : NULL);
    if (c->worked)
        c->worked(c->arg, c->code < 0 ? &c->err : NULL);
    free(c->file);
    free(c);
    s->chores_open--;
    uv_async_send(&s->async); /* the store may wait for the last one */
}

static void begin(struct store *s, struct chore *c)
{
    c->store = s;
    c->work.data = c;
    s->chores_open++;
    uv_mutex_lock(&s->mutex);
    s->chores++;
    uv_mutex_unlock(&s->mutex);
    int rc = uv_queue_work(s->loop, &c->work, work, after_work);
    REQUIRE(rc == 0); /* refuses a missing function alone */
}

void chores_check(struct store *s)
{
    struct chore *c = xcalloc(1, sizeof(*c));

    log_info("the last end was not an orderly one: the database is checked in the background");
    c->run = check;
    begin(s, c);
}

void store_backup(struct store *s, const char *file, store_backup_cb *cb, void *arg)
{
    struct errbuf err;

    if (s->close_called) {
        err_set(&err, ERR_SHUTDOWN, "the daemon is shutting down");
        cb(arg, 0, &err);
        return;
    }
    struct chore *c = xcalloc(1, sizeof(*c));
    c->run = backup;
    c->file = xstrdup(file);
    c->done = cb;
    c->arg = arg;
    begin(s, c);
}

void store_history(struct store *s, int64_t sweep_id, store_history_work *use,
                   store_history_cb *done, void *arg)
{
    struct errbuf err;

    if (s->close_called) {
        err_set(&err, ERR_SHUTDOWN, "the daemon is shutting down");
        done(arg, &err);
        return;
    }
    struct chore *c = xcalloc(1, sizeof(*c));
    c->run = history;
    c->sweep_id = sweep_id;
    c->work_on = use;
    c->worked = done;
    c->arg = arg;
    begin(s, c);
}
