#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ftw.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <uv.h>

#include "sweep/buf.h"

#define NOW 1795481458123000 /* 2026-11-24 00:50:58.123 */

int fixture_setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    str_copy(f->folder, sizeof(f->folder), "/tmp/sweepd-store-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/state/sweeps.db", f->folder);
    f->loop = xcalloc(1, sizeof(*f->loop));
    assert_int_equal(uv_loop_init(f->loop), 0);
    *state = f;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    if (f->store)
        fixture_close(f);
    uv_run(f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(f->loop), 0);
    nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f->loop);
    free(f);
    return 0;
}

int fixture_open(struct fixture *f)
{
    f->err = (struct errbuf){0};
    return store_open(f->loop, &(struct store_place){.path = f->path}, &f->store, &f->restored,
                      &f->err);
}

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

void fixture_close(struct fixture *f)
{
    bool closed = false;
    store_close(f->store, set_flag, &closed);
    assert_true(fixture_wait(f, &closed, PATIENCE_SECONDS));
    f->store = NULL;
    store_restored_finish(&f->restored);
}

static void on_tick(uv_timer_t *timer)
{
    /* only wakes the loop */
}

bool fixture_wait(struct fixture *f, const bool *flag, int seconds)
{
    uint64_t end = uv_hrtime() + (uint64_t)seconds * 1000000000u;
    uv_timer_t tick;

    uv_timer_init(f->loop, &tick);
    uv_timer_start(&tick, on_tick, 20, 20);
    while (!*flag && uv_hrtime() < end)
        uv_run(f->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(f->loop, UV_RUN_NOWAIT);
    return *flag;
}

void fixture_commit(struct fixture *f, struct store_batch *b)
{
    bool done = false;
    store_submit(f->store, b, set_flag, &done);
    assert_int_equal(b->count, 0);
    assert_true(fixture_wait(f, &done, PATIENCE_SECONDS));
}

static sqlite3 *open_database(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

const char *sql(struct fixture *f, const char *format, ...)
{
    static char answer[4096];
    va_list ap;
    sqlite3_stmt *st = NULL;
    sqlite3 *db = open_database(f->path);

    va_start(ap, format);
    char *query = sqlite3_vmprintf(format, ap);
    va_end(ap);
    if (sqlite3_prepare_v2(db, query, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", query, sqlite3_errmsg(db));
    int rc = sqlite3_step(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        fail_msg("%s: %s", query, sqlite3_errmsg(db));
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : "none";
    snprintf(answer, sizeof(answer), "%s", text ? text : "NULL");
    sqlite3_finalize(st);
    sqlite3_free(query);
    sqlite3_close(db);
    return answer;
}

bool sql_works(const char *path, const char *query)
{
    sqlite3 *db = NULL;
    bool works = sqlite3_open(path, &db) == SQLITE_OK &&
                 sqlite3_exec(db, query, NULL, NULL, NULL) == SQLITE_OK;
    if (!works)
        print_message("# %s\n", sqlite3_errmsg(db));
    return sqlite3_close(db) == SQLITE_OK && works;
}

void sql_execute(const char *path, const char *statements)
{
    sqlite3 *db = open_database(path);
    char *message = NULL;
    if (sqlite3_exec(db, statements, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", statements, message);
    sqlite3_close(db);
}

char *sql_all(const char *path, const char *query)
{
    struct buf out = {0};
    sqlite3_stmt *st = NULL;
    sqlite3 *db = open_database(path);

    if (sqlite3_prepare_v2(db, query, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", query, sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW) {
        for (int c = 0; c < sqlite3_column_count(st); c++) {
            const char *text = (const char *)sqlite3_column_text(st, c);
            buf_printf(&out, "%s%s", c ? "|" : "", text ? text : "");
        }
        buf_putc(&out, '\n');
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
    return buf_take(&out);
}

struct sweep_row *new_sweep(int64_t id, bool maximize)
{
    struct sweep_row *r = xcalloc(1, sizeof(*r));
    r->id = id;
    r->name = xstrdup("night");
    r->status = SWEEP_RUNNING;
    r->method = METHOD_RANDOM;
    r->metric = xstrdup(maximize ? "val_acc" : "val_loss");
    r->maximize = maximize;
    r->spec_json = xstrdup("{\"name\":\"night\"}");
    r->seed = UINT64_MAX;
    r->run_cap = 10;
    r->epochs = 3;
    r->data_hash = xstrdup("abc");
    r->data_samples = 100;
    r->created = NOW;
    return r;
}

struct run_row *new_run(int64_t id, int64_t sweep_id, int64_t number)
{
    struct run_row *r = xcalloc(1, sizeof(*r));
    r->id = id;
    r->sweep_id = sweep_id;
    r->number = number;
    str_copy(r->stage, sizeof(r->stage), "random");
    r->reason = xstrdup("drawn");
    r->params_json = xstrdup("{\"learning_rate\":0.1}");
    r->config = xcalloc(1, sizeof(*r->config));
    settings_init(&r->config->settings);
    r->config->settings.v[SETTING_LEARNING_RATE] = 0.1;
    r->seed = UINT64_MAX - 1;
    r->epochs = 3;
    r->created = NOW + number * 1000;
    return r;
}

struct run_row *new_ranked_run(int64_t id, int64_t sweep_id, int64_t number, double metric)
{
    struct run_row *r = new_run(id, sweep_id, number);
    r->status = RUN_COMPLETED;
    r->has_metric = r->has_val_loss = true;
    r->metric_value = r->val_loss = metric;
    r->best_epoch = 2;
    r->flop = 6000;
    return r;
}

struct label_row *new_label(int64_t run_id, enum pattern pattern)
{
    struct label_row *l = xcalloc(1, sizeof(*l));
    l->run_id = run_id;
    l->pattern = pattern;
    l->runner_up = PATTERN_NONE;
    l->confidence = 0.75;
    l->tags = xstrdup("spike");
    l->evidence_json = xstrdup("{\"gap\":0.5}");
    l->created = NOW;
    return l;
}

struct point new_point(int64_t number, double train_loss, double val_loss)
{
    struct point p = {.point = number, .epoch = (double)number};
    point_set(&p, CURVE_TRAIN_LOSS, train_loss);
    point_set(&p, CURVE_VAL_LOSS, val_loss);
    return p;
}
