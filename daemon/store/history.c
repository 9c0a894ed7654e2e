/* All that is stored of one sweep, for whoever decides it again: its rows and decisions at once,
 * and run by run what each showed. One read transaction, so that all of it is of one moment. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/store/point_row.h"
#include "daemon/store/private.h"
#include "daemon/store/sql.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/metrics.h"
#include "sweep/require.h"

#define LAYER_NAME(member, doc) ", " #member

struct history {
    struct store *store;
    sqlite3 *db;
};

static int fail(const struct history *h, struct errbuf *err)
{
    return err_set(err, ERR_IO, "the database cannot be read: %s", sqlite3_errmsg(h->db));
}

/* Calls each with every row of a statement whose ?1 is id. */
typedef void take_row(void *out, sqlite3_stmt *st);
static int each_row(const struct history *h, const char *sql, int64_t id, take_row *take, void *out,
                    struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(h->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK)
        sqlite3_bind_int64(st, 1, id);
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        take(out, st);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : fail(h, err);
}

/* --- what a run showed ------------------------------------------------------------------------ */

static void take_point(void *out, sqlite3_stmt *st)
{
    struct replay_curve *c = out;
    c->points = array_room(c->points, &c->cap, c->count, sizeof(*c->points));
    point_row_read(st, &c->points[c->count++]);
}

static const struct point *point_of(const struct replay_curve *c, int64_t number)
{
    size_t i = number >= 1 && (size_t)number <= c->count ? (size_t)number - 1 : c->count;
    return i < c->count && c->points[i].point == number ? &c->points[i] : NULL;
}

static void take_metric(void *out, sqlite3_stmt *st)
{
    struct replay_curve *c = out;
    const struct point *at = point_of(c, sqlite3_column_int64(st, 0));
    size_t last = c->metrics_count;
    if (at == NULL)
        return;
    if (last == 0 || c->metrics[last - 1]->at.point != at->point) {
        c->metrics = array_room(c->metrics, &c->metrics_cap, last, sizeof(struct point_metrics *));
        c->metrics[c->metrics_count++] = metrics_create(at, METRICS_MAX);
        c->metrics[last]->count = 0;
        last++;
    }
    struct point_metrics *m = c->metrics[last - 1];
    if (m->count == METRICS_MAX)
        return;
    struct metric_value *v = &m->values[m->count++];
    str_copy(v->name, sizeof(v->name), (const char *)sqlite3_column_text(st, 1));
    v->value = store_sql_real(st, 2);
}

static void take_layer(void *out, sqlite3_stmt *st)
{
    struct replay_curve *c = out;
    int64_t point = sqlite3_column_int64(st, 0);
    size_t last = c->layers_count;
    if (last == 0 || c->layers[last - 1]->point != point) {
        c->layers = array_room(c->layers, &c->layers_cap, last, sizeof(struct layer_stats *));
        c->layers[c->layers_count++] = xcalloc(1, sizeof(struct layer_stats));
        c->layers[last++]->point = point;
    }
    struct layer_stats *s = c->layers[last - 1];
    if (s->count == LAYER_STATS_MAX)
        return;
    struct layer_stat *l = &s->layers[s->count++];
    double *const members[] = {
#define X(member, doc) &l->member,
        LAYER_STAT_MAP(X)
#undef X
    };
    for (int i = 0; i < LAYER_STAT_COUNT; i++) {
        int type = sqlite3_column_type(st, 1 + i);
        *members[i] = type == SQLITE_FLOAT ? sqlite3_column_double(st, 1 + i) : NAN;
        l->not_a_number |= type == SQLITE_TEXT ? 1u << i : 0;
    }
}

static void take_facts(void *out, sqlite3_stmt *st)
{
    struct replay_curve *c = out;
    const char *text = (const char *)sqlite3_column_text(st, 0);
    struct errbuf why;
    struct run_facts facts;
    struct json *v = text != NULL ? json_parse(text, strlen(text), &why) : NULL;
    if (v != NULL && run_facts_parse(v, &facts, &why) == 0)
        c->parameters = (int64_t)facts.parameters;
    json_destroy(v);
}

static int read_curve(void *arg, int64_t run_id, struct replay_curve *out, struct errbuf *err)
{
    const struct history *h = arg;
    static const struct {
        const char *sql;
        take_row *take;
    } parts[] = {
        {"SELECT run_id" POINT_COLUMNS " FROM curves WHERE run_id = ?1 ORDER BY point", take_point},
        {"SELECT point, name, value FROM metrics WHERE run_id = ?1 ORDER BY point, name",
         take_metric},
        {"SELECT point" LAYER_STAT_MAP(LAYER_NAME) " FROM layer_stats WHERE run_id = ?1 "
         "ORDER BY point, layer", take_layer},
        {"SELECT facts FROM labels WHERE run_id = ?1", take_facts},
    };
    int rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts) && rc == 0; i++)
        rc = each_row(h, parts[i].sql, run_id, parts[i].take, out, err);
    return rc;
}

static bool is_stopped(void *arg)
{
    const struct history *h = arg;
    return store_is_closing(h->store);
}

/* --- the sweep -------------------------------------------------------------------------------- */

static void take_decision(void *out, sqlite3_stmt *st)
{
    struct replay_source *s = out;
    const char *reason = (const char *)sqlite3_column_text(st, 3);
    const char *detail = (const char *)sqlite3_column_text(st, 4);
    s->decisions = array_room(s->decisions, &s->cap, s->count, sizeof(*s->decisions));
    s->decisions[s->count++] = (struct replay_decision){
        .id = sqlite3_column_int64(st, 0),
        .run_id = sqlite3_column_int64(st, 1),
        .kind = decision_find((const char *)sqlite3_column_text(st, 2)),
        .reason = xstrdup(reason),
        .detail = detail != NULL ? xstrdup(detail) : NULL,
    };
}

static void source_finish(struct replay_source *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->decisions[i].reason);
        free(s->decisions[i].detail);
    }
    free(s->decisions);
    store_restored_finish(&s->rows);
}

static int read_sweep(struct history *h, int64_t sweep_id, struct replay_source *s,
                      struct errbuf *err)
{
    int rc = sqlite3_exec(h->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(h, err);
    if (rc == 0)
        rc = store_sql_restore_sweep(h->db, sweep_id, &s->rows, err);
    if (rc == 0 && s->rows.sweep_count == 0)
        rc = err_set(err, ERR_NOT_FOUND, "sweep %lld was deleted", (long long)sweep_id);
    if (rc == 0)
        rc = each_row(h, "SELECT id, run_id, kind, reason, detail FROM decisions "
                         "WHERE sweep_id = ?1 ORDER BY id", sweep_id, take_decision, s, err);
    return rc;
}

int store_history_use(struct store *store, struct sqlite3 *db, int64_t sweep_id,
                      store_history_work *work, void *arg, struct errbuf *err)
{
    struct history h = {.store = store, .db = db};
    struct replay_source s = {.read = read_curve, .arg = &h, .stop = is_stopped};
    int rc = read_sweep(&h, sweep_id, &s, err);
    if (rc == 0)
        rc = work(arg, &s, err);
    source_finish(&s);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}
