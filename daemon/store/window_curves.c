/* What the runs of a window showed while they trained: their curves, and where no facts of their
 * layers were kept, these layers. */
#include "daemon/store/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/store/point_row.h"
#include "daemon/store/sql.h"
#include "sweep/buf.h"
#include "sweep/kept_points.h"

/* Points and layers of a window, some 32 MiB; what is in hand is read to its end, and thinned. */
#define WINDOW_ROWS 262144
#define WINDOW_LAYER_POINTS 4096 /* of a run, whose layers are read; of more every second, … */

#define LAYER_NAME(member, doc) ", " #member

/* A window as its curves come. */
struct curve_reader {
    struct store_sql *sql;
    struct relabel_window *window;
    sqlite3_stmt *curves;
    struct kept_points kept; /* of the run in hand */
    size_t rows;             /* so far */
};

/* --- layers ----------------------------------------------------------------------------------- */

static void read_layer(sqlite3_stmt *st, struct layers_rows *rows, size_t *cap)
{
    rows->layers = array_room(rows->layers, cap, rows->count, sizeof(*rows->layers));
    struct layer_stat *l = &rows->layers[rows->count++];
    *l = (struct layer_stat){0};
    double *const members[] = {
#define X(member, doc) &l->member,
        LAYER_STAT_MAP(X)
#undef X
    };
    for (int i = 0; i < LAYER_STAT_COUNT; i++)
        *members[i] = sqlite3_column_type(st, 1 + i) == SQLITE_FLOAT
                          ? sqlite3_column_double(st, 1 + i)
                          : NAN;
}

static int step_layers(struct curve_reader *c, sqlite3_stmt *st, struct relabel_run *r,
                       struct errbuf *err)
{
    struct layers_rows *rows = NULL;
    size_t points = 0, cap = 0;
    int step;
    while ((step = sqlite3_step(st)) == SQLITE_ROW) {
        int64_t point = sqlite3_column_int64(st, 0);
        c->rows++;
        if (!rows || point != rows->point) {
            r->layers = array_room(r->layers, &points, r->layers_count, sizeof(*r->layers));
            rows = &r->layers[r->layers_count++];
            *rows = (struct layers_rows){.run_id = r->id, .point = point};
            cap = 0;
        }
        if (rows->count < LAYER_STATS_MAX)
            read_layer(st, rows, &cap);
    }
    return step == SQLITE_DONE ? 0 : store_sql_fail(c->sql, err);
}

/* Every point's; of a long run every second, fourth, … and the last one's. */
static int read_layers(struct curve_reader *c, struct relabel_run *r, struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    int64_t every = 1;
    static const char sql[] = "SELECT point" LAYER_STAT_MAP(LAYER_NAME) " FROM layer_stats "
                              "WHERE run_id = ?1 AND ((point - 1) % ?2 = 0 OR point = (SELECT "
                              "max(point) FROM layer_stats WHERE run_id = ?1)) "
                              "ORDER BY point, layer";
    int rc = store_sql_prepare(c->sql, sql, &st, err);
    if (rc < 0)
        return rc;
    while (r->point_count > 0 &&
           r->points[r->point_count - 1].point / every > WINDOW_LAYER_POINTS)
        every *= 2;
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int64(st, 2, every);
    rc = step_layers(c, st, r, err);
    sqlite3_finalize(st);
    return rc;
}

/* --- curves ----------------------------------------------------------------------------------- */

/* Those of the chunk; and of the neighbours beyond it those whose facts were never stored, without
 * which the causes of the chunk's last runs would be others the next time. */
static bool is_wanted(const struct relabel_window *w, size_t i)
{
    return i < w->count && w->runs[i].has_label && (i < w->to || w->runs[i].facts_json[0] == '\0');
}

/* Index of that run among those of the window; w->count: none of them. */
static size_t index_of(const struct relabel_window *w, int64_t run_id, size_t from)
{
    while (from < w->count && w->runs[from].id < run_id)
        from++;
    return from < w->count && w->runs[from].id == run_id ? from : w->count;
}

/* The curve in hand, and the layers of a run that was labelled before facts were stored. */
static int take_curve(struct curve_reader *c, struct relabel_run *r, struct errbuf *err)
{
    r->point_count = c->kept.count;
    r->points = xcalloc(r->point_count, sizeof(*r->points));
    memcpy(r->points, c->kept.points, r->point_count * sizeof(*r->points));
    return r->facts_json[0] == '\0' ? read_layers(c, r, err) : 0;
}

/* The points of the run in hand; the step that follows them. */
static int read_curve(struct curve_reader *c, int64_t run_id, bool wanted)
{
    int step = SQLITE_ROW;
    kept_points_clear(&c->kept);
    for (; step == SQLITE_ROW && sqlite3_column_int64(c->curves, 0) == run_id;
         step = sqlite3_step(c->curves)) {
        struct point p;
        c->rows++;
        if (!wanted)
            continue;
        point_row_read(c->curves, &p);
        kept_points_add(&c->kept, &p);
    }
    return step;
}

/* Between the first and the last id lie the runs of other sweeps too, where several were trained
 * at once. Long curves end the chunk early: the store has others to serve. */
static int read_curves(struct curve_reader *c, struct errbuf *err)
{
    struct relabel_window *w = c->window;
    int rc = 0, step = sqlite3_step(c->curves);
    size_t at = w->from;
    while (step == SQLITE_ROW && rc == 0) {
        int64_t run_id = sqlite3_column_int64(c->curves, 0);
        size_t i = index_of(w, run_id, at);
        bool wanted = is_wanted(w, i);
        step = read_curve(c, run_id, wanted);
        if (!wanted)
            continue;
        rc = take_curve(c, &w->runs[i], err);
        at = i;
        if (c->rows >= WINDOW_ROWS && i < w->to) {
            w->to = i + 1;
            break;
        }
    }
    return rc == 0 && step != SQLITE_ROW && step != SQLITE_DONE ? store_sql_fail(c->sql, err) : rc;
}

int window_read_curves(struct store_sql *q, struct relabel_window *w, struct errbuf *err)
{
    struct curve_reader c = {.sql = q, .window = w};
    size_t last = w->to - 1;
    int rc = store_sql_prepare(q, "SELECT run_id" POINT_COLUMNS
                               " FROM curves WHERE run_id BETWEEN ?1 AND ?2 "
                               "ORDER BY run_id, point", &c.curves, err);
    if (rc < 0)
        return rc;
    for (size_t i = w->to; i < w->count; i++)
        if (is_wanted(w, i))
            last = i;
    sqlite3_bind_int64(c.curves, 1, w->runs[w->from].id);
    sqlite3_bind_int64(c.curves, 2, w->runs[last].id);
    rc = read_curves(&c, err);
    sqlite3_finalize(c.curves);
    kept_points_finish(&c.kept);
    return rc;
}
