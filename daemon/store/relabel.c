#include "daemon/store/relabel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/causes/judge.h"
#include "daemon/plan/treat.h"
#include "daemon/store/store.h"
#include "daemon/store/sql.h"
#include "daemon/store/window.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define RELABEL_POINTS 262144 /* some tenths of a second; the curve in hand is read to its end */

#define CURVE_NAME(id, column, canonical) ", " #column
#define LAYER_NAME(member, doc) ", " #member

/* --- curves and layers ------------------------------------------------------------------------ */

static void read_point(sqlite3_stmt *st, struct point *p)
{
    *p = (struct point){.point = sqlite3_column_int64(st, 1),
                        .epoch = sqlite3_column_double(st, 2)};
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
        int type = sqlite3_column_type(st, 3 + c);
        if (type != SQLITE_NULL)
            point_set(p, (enum curve_column)c,
                      type == SQLITE_TEXT ? NAN : sqlite3_column_double(st, 3 + c));
    }
}

static void read_layer(sqlite3_stmt *st, struct layer_stat *l)
{
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

/* What the layers showed, for a run that was labelled before facts were stored. */
static int gather_layers(struct store_sql *q, int64_t run_id, struct run_facts_gather *g,
                         struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    struct layer_stats *s = xcalloc(1, sizeof(*s));
    int rc = window_prepare(q, "SELECT point" LAYER_STAT_MAP(LAYER_NAME) " FROM layer_stats "
                        "WHERE run_id = ? ORDER BY point, layer", &st, err);
    if (rc == 0) {
        int step;
        sqlite3_bind_int64(st, 1, run_id);
        while ((step = sqlite3_step(st)) == SQLITE_ROW) {
            int64_t point = sqlite3_column_int64(st, 0);
            if (point != s->point) {
                run_facts_layers(g, s);
                *s = (struct layer_stats){.point = point};
            }
            if (s->count < LAYER_STATS_MAX)
                read_layer(st, &s->layers[s->count++]);
        }
        run_facts_layers(g, s);
        if (step != SQLITE_DONE)
            rc = window_fail(q, err);
        sqlite3_finalize(st);
    }
    free(s);
    return rc;
}

/* What is stored of the layers stays; all that the curve says is measured again. */
static int begin_facts(struct store_sql *q, const struct window *w, size_t i,
                       struct run_facts_gather *g, struct errbuf *err)
{
    const struct trial *t = w->trials[i];
    run_facts_begin(g);
    if (!t->judged)
        return gather_layers(q, w->ids[i], g, err);
    g->facts = t->facts;
    g->kept = 1;
    g->grad_ratio[0] = t->facts.grad_ratio;
    g->update_ratio[0] = t->facts.update_ratio;
    return 0;
}

/* --- judging ---------------------------------------------------------------------------------- */

static int judge_run(struct store_sql *q, struct window *w, size_t i,
                     const struct kept_points *kept, struct label_row **out, struct errbuf *err)
{
    struct trial *t = w->trials[i];
    const struct trainer_config *c = t->config;
    double dropout = NAN;
    if (c)
        dropout = judge_dropout(&c->settings, c->layers ? c->layers : &w->spec.trainer.layers);
    struct run_facts_gather g;
    struct diagnosis d;
    int rc = begin_facts(q, w, i, &g, err);
    if (rc < 0)
        return rc;
    judge_curve(kept, false, dropout, &d);
    run_facts_end(&g, kept->points, kept->count, &d, &t->facts);
    t->judged = true;
    *out = judge_label(w->ids[i], &d, w->old[i].created);
    return 0;
}

/* Those of the chunk; and of the neighbours beyond it those whose facts were never stored, without
 * which the causes of the chunk's last runs would be others the next time. */
static bool is_wanted(const struct window *w, size_t i)
{
    return i < w->count && w->old[i].has && (i < w->to || !w->trials[i]->judged);
}

/* Index of that run among those of the window; w->count: none of them. */
static size_t index_of(const struct window *w, int64_t run_id, size_t from)
{
    while (from < w->count && w->ids[from] < run_id)
        from++;
    return from < w->count && w->ids[from] == run_id ? from : w->count;
}

/* Between the first and the last id lie the runs of other sweeps too, where several were trained
 * at once. Long curves end the chunk early: the store has others to serve. */
static int read_curves(struct store_sql *q, struct window *w, sqlite3_stmt *st,
                       struct kept_points *kept, struct label_row **labels, struct errbuf *err)
{
    int rc = 0, step = sqlite3_step(st);
    size_t at = w->from, points = 0;
    while (step == SQLITE_ROW && rc == 0) {
        int64_t run_id = sqlite3_column_int64(st, 0);
        size_t i = index_of(w, run_id, at);
        bool wanted = is_wanted(w, i);
        kept_points_clear(kept);
        for (; step == SQLITE_ROW && sqlite3_column_int64(st, 0) == run_id;
             step = sqlite3_step(st)) {
            struct point p;
            points++;
            if (!wanted)
                continue;
            read_point(st, &p);
            kept_points_add(kept, &p);
        }
        if (!wanted)
            continue;
        if (step == SQLITE_ROW || step == SQLITE_DONE) /* else the curve is not whole */
            rc = judge_run(q, w, i, kept, &labels[i], err);
        at = i;
        if (points >= RELABEL_POINTS && i < w->to) {
            w->to = i + 1;
            break;
        }
    }
    return rc == 0 && step != SQLITE_ROW && step != SQLITE_DONE ? window_fail(q, err) : rc;
}

/* All curves in one pass over the table. */
static int judge_curves(struct store_sql *q, struct window *w, struct label_row **labels,
                        struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    struct kept_points kept = {0};
    size_t last = w->to - 1;
    int rc = window_prepare(q, "SELECT run_id, point, epoch" CURVE_COLUMN_MAP(CURVE_NAME)
                               " FROM curves WHERE run_id BETWEEN ?1 AND ?2 "
                               "ORDER BY run_id, point", &st, err);
    if (rc < 0)
        return rc;
    for (size_t i = w->to; i < w->count; i++)
        if (is_wanted(w, i))
            last = i;
    sqlite3_bind_int64(st, 1, w->ids[w->from]);
    sqlite3_bind_int64(st, 2, w->ids[last]);
    rc = read_curves(q, w, st, &kept, labels, err);
    sqlite3_finalize(st);
    kept_points_clear(&kept);
    for (size_t i = w->from; i < w->to && rc == 0; i++) /* those without a point */
        if (is_wanted(w, i) && !labels[i])
            rc = judge_run(q, w, i, &kept, &labels[i], err);
    kept_points_finish(&kept);
    return rc;
}

static void judge_siblings(struct window *w, struct label_row **labels)
{
    struct siblings all;
    const struct trial *const *trials = (const struct trial *const *)w->trials;
    siblings_init(&all, trials, 0, w->count, w->spec.epochs);
    for (size_t i = w->from; i < w->to; i++)
        if (labels[i] && trials[i]->config)
            judge_causes(trials, i, &all, &w->data, &w->spec.trainer.layers,
                         &labels[i]->causes);
    siblings_finish(&all);
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool same_causes(const struct old_label *o, const struct causes *c)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    if (c->count > 0)
        causes_write(c, &w);
    bool same = strcmp(o->causes, text.len > 0 ? text.data : "") == 0;
    buf_finish(&text);
    return same;
}

static bool same_label(const struct old_label *o, const struct label_row *l)
{
    return o->pattern == l->pattern && o->runner_up == l->runner_up &&
           o->confidence == l->confidence && strcmp(o->tags, l->tags) == 0 &&
           strcmp(o->evidence, l->evidence_json) == 0 && same_causes(o, &l->causes);
}

static int put_label(struct store_sql *q, struct window *w, size_t i, struct label_row *l,
                     struct relabel *r, utc_us now)
{
    const struct old_label *o = &w->old[i];
    bool same = same_label(o, l);
    r->looked++;
    r->changed += !same;
    if ((unsigned)o->pattern < PATTERN_COUNT)
        r->moved[o->pattern][l->pattern]++;
    if (same && o->version == DIAGNOSIS_VERSION)
        return SQLITE_OK;
    if (!same)
        l->created = now;
    if (!o->has_facts || !run_facts_same(&o->facts, &w->trials[i]->facts))
        l->facts_json = judge_facts_text(&w->trials[i]->facts);
    struct store_op op = {.type = STORE_PUT_LABEL, .u.label = l};
    return store_sql_apply(q, &op);
}

/* The outcome of treatments follows the labels: of those among these runs, and of those of these
 * runs, which are of other sweeps where a person had them done. As treat_compare has it. */
static int put_outcomes(struct store_sql *q, const struct window *w)
{
    static const char sql[] =
        "UPDATE runs SET cured = NOT cured WHERE kind = 'treatment' AND cured IS NOT NULL "
        "AND id IN (SELECT id FROM runs WHERE parent_id BETWEEN ?1 AND ?2 UNION "
        "SELECT id FROM runs WHERE parent_id IS NOT NULL AND id BETWEEN ?1 AND ?2) "
        "AND cured <> (status IN ('completed', 'stopped') AND typeof(metric_value) = 'real' "
        "AND abs(metric_value) < 9e999 AND NOT coalesce(change > ?3, 0) "
        "AND (SELECT pattern FROM labels WHERE run_id = runs.id) <> "
        "(SELECT pattern FROM labels WHERE run_id = runs.parent_id))";
    sqlite3_stmt *put = NULL;
    int rc = sqlite3_prepare_v2(q->db, sql, -1, &put, NULL);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_bind_int64(put, 1, w->ids[w->from]);
    sqlite3_bind_int64(put, 2, w->ids[w->to - 1]);
    sqlite3_bind_double(put, 3, TREAT_NOT_WORSE);
    sqlite3_step(put);
    return sqlite3_finalize(put);
}

static int write_chunk(struct store_sql *q, struct window *w, struct label_row **labels,
                       struct relabel *r, utc_us now)
{
    int rc = store_sql_begin(q);
    for (size_t i = w->from; i < w->to && rc == SQLITE_OK; i++)
        if (labels[i])
            rc = put_label(q, w, i, labels[i], r, now);
    if (rc == SQLITE_OK)
        rc = put_outcomes(q, w);
    return rc == SQLITE_OK ? store_sql_commit(q) : rc;
}

/* --- a chunk ---------------------------------------------------------------------------------- */

static int relabel_window(struct store_sql *q, struct window *w, struct relabel *r, utc_us now,
                          struct errbuf *err)
{
    struct label_row **labels = xcalloc(w->count, sizeof(*labels));
    struct relabel before = *r;
    int rc = judge_curves(q, w, labels, err);
    if (rc == 0) {
        judge_siblings(w, labels);
        if (write_chunk(q, w, labels, r, now) != SQLITE_OK) {
            rc = window_fail(q, err);
            store_sql_rollback(q);
            *r = before;
        }
    }
    for (size_t i = 0; i < w->count; i++)
        label_row_destroy(labels[i]);
    free(labels);
    return rc;
}

int store_relabel_chunk(struct store_sql *q, struct relabel *r, struct errbuf *err)
{
    struct window w = {0};
    bool found;
    int rc = window_read(q, r, &w, &found, err);
    if (rc == 0 && found && w.from < w.to)
        rc = relabel_window(q, &w, r, store_clock(), err);
    if (rc == 0 && found) {
        bool more = w.to < w.count; /* neighbours beyond the chunk: there is another */
        r->number = more ? w.first_number + (int64_t)w.to : 0;
        r->sweep_id = more ? w.sweep_id : w.sweep_id + 1;
    }
    r->done = rc == 0 && !found;
    window_finish(&w);
    return rc;
}
