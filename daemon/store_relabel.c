#include "daemon/store_relabel.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/judge.h"
#include "daemon/search/treat.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define CURVE_NAME(id, column, canonical) ", " #column
#define LAYER_NAME(member, doc) ", " #member

/* A label as it is stored. */
struct old_label {
    bool has;
    enum pattern pattern, runner_up;
    double confidence;
    char *tags, *evidence, *causes;
    utc_us created;
    int64_t version;
    bool has_facts;
    struct run_facts facts;
};

/* The runs of a chunk with the neighbours that their causes are looked for among. */
struct window {
    struct spec spec;
    struct data_facts data;
    int64_t sweep_id;
    size_t count, cap;
    int64_t first_number;     /* of trials[0] */
    struct trial *trials;     /* by number, without gaps */
    int64_t *ids, *parents;
    struct old_label *old;
    size_t from, to;          /* those that are judged: from … to-1 */
};

static void window_finish(struct window *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free(w->trials[i].layers);
        free(w->old[i].tags);
        free(w->old[i].evidence);
        free(w->old[i].causes);
    }
    spec_finish(&w->spec);
    free(w->trials);
    free(w->ids);
    free(w->parents);
    free(w->old);
    *w = (struct window){0};
}

/* --- statements of a chunk -------------------------------------------------------------------- */

static int fail(struct store_sql *q, struct errbuf *err)
{
    return err_set(err, ERR_IO, "the database cannot be read or written: %s",
                   sqlite3_errmsg(q->db));
}

static int prepare(struct store_sql *q, const char *sql, sqlite3_stmt **out, struct errbuf *err)
{
    return sqlite3_prepare_v2(q->db, sql, -1, out, NULL) == SQLITE_OK ? 0 : fail(q, err);
}

static const char *text_at(sqlite3_stmt *st, int c)
{
    const char *text = (const char *)sqlite3_column_text(st, c);
    return text ? text : "";
}

static char *copy_at(sqlite3_stmt *st, int c)
{
    return xstrdup(text_at(st, c));
}

/* --- the sweep -------------------------------------------------------------------------------- */

static int read_sweep(sqlite3_stmt *st, struct window *w, struct errbuf *err)
{
    const char *spec = text_at(st, 1), *facts = text_at(st, 2);
    int rc = spec_parse_text(spec, strlen(spec), &w->spec, err);
    struct json *v = rc == 0 && *facts ? json_parse(facts, strlen(facts), err) : NULL;

    w->sweep_id = sqlite3_column_int64(st, 0);
    w->data = (struct data_facts){.train_samples = sqlite3_column_int64(st, 3),
                                  .features = sqlite3_column_int64(st, 4),
                                  .classes = sqlite3_column_int64(st, 5)};
    if (v)
        rc = data_facts_parse(v, &w->data, err);
    json_destroy(v);
    return rc;
}

/* The first ended sweep from r->sweep_id on; false: there is none. A spec that cannot be read
 * leaves its sweep out. */
static int find_sweep(struct store_sql *q, const struct relabel *r, struct window *w, bool *found,
                      struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    struct errbuf why;
    int rc = prepare(q, "SELECT id, spec, data_facts, data_samples, data_features, data_classes "
                        "FROM sweeps WHERE id >= ?1 AND (?2 = 0 OR id = ?2) "
                        "AND status IN ('completed', 'cancelled') ORDER BY id", &st, err);
    if (rc < 0)
        return rc;
    sqlite3_bind_int64(st, 1, r->sweep_id);
    sqlite3_bind_int64(st, 2, r->only);
    *found = false;
    while (!*found && sqlite3_step(st) == SQLITE_ROW)
        *found = read_sweep(st, w, &why) == 0;
    sqlite3_finalize(st);
    return 0;
}

/* --- the runs --------------------------------------------------------------------------------- */

static void grow(struct window *w)
{
    if (w->count < w->cap)
        return;
    w->cap = w->cap ? 2 * w->cap : 256;
    w->trials = xrealloc(w->trials, w->cap * sizeof(*w->trials));
    w->ids = xrealloc(w->ids, w->cap * sizeof(*w->ids));
    w->parents = xrealloc(w->parents, w->cap * sizeof(*w->parents));
    w->old = xrealloc(w->old, w->cap * sizeof(*w->old));
}

enum run_column {
    R_ID, R_NUMBER, R_KIND, R_STATUS, R_PARAMS, R_SETTINGS, R_EPOCHS, R_PARENT, R_METRIC,
    R_PATTERN, R_RUNNER_UP, R_CONFIDENCE, R_TAGS, R_EVIDENCE, R_CAUSES, R_FACTS, R_VERSION,
    R_CREATED,
};

/* A run of the search has the sweep's fixed settings and its own parameters, which are quicker to
 * read than all settings. */
static int read_settings(sqlite3_stmt *st, const struct window *w, struct trial *t,
                         struct errbuf *err)
{
    const char *params = text_at(st, R_PARAMS);
    struct run_row row = {0};
    int rc;

    if (t->kind == RUN_KIND_SEARCH) {
        struct json *v = json_parse(params, strlen(params), err);
        rc = v ? spec_params_parse(&w->spec, v, &t->settings, err) : ERR_DATA;
        json_destroy(v);
        settings_apply_preset(&t->settings);
        return rc;
    }
    rc = run_row_read_settings(&row, text_at(st, R_SETTINGS), err);
    t->settings = row.settings;
    t->layers = row.layers;
    t->start_from = row.start_from;
    return rc;
}

static bool read_facts(sqlite3_stmt *st, struct run_facts *out)
{
    const char *text = text_at(st, R_FACTS);
    struct errbuf why;
    struct json *v = *text ? json_parse(text, strlen(text), &why) : NULL;
    bool ok = v && run_facts_parse(v, out, &why) == 0;
    json_destroy(v);
    return ok;
}

static struct old_label read_label(sqlite3_stmt *st)
{
    int runner_up = pattern_find(text_at(st, R_RUNNER_UP));
    struct old_label l = {.has = sqlite3_column_type(st, R_PATTERN) != SQLITE_NULL};
    if (!l.has)
        return l;
    l.pattern = (enum pattern)pattern_find(text_at(st, R_PATTERN));
    l.runner_up = runner_up < 0 ? PATTERN_NONE : (enum pattern)runner_up;
    l.confidence = sqlite3_column_double(st, R_CONFIDENCE);
    l.tags = copy_at(st, R_TAGS);
    l.evidence = copy_at(st, R_EVIDENCE);
    l.causes = copy_at(st, R_CAUSES);
    l.version = sqlite3_column_int64(st, R_VERSION);
    l.created = store_time_parse(text_at(st, R_CREATED));
    return l;
}

static int read_run(sqlite3_stmt *st, struct window *w, struct errbuf *err)
{
    grow(w);
    struct trial *t = &w->trials[w->count];
    int kind = run_kind_find(text_at(st, R_KIND)), status = run_status_find(text_at(st, R_STATUS));
    *t = (struct trial){.kind = kind < 0 ? RUN_KIND_SEARCH : (enum run_kind)kind,
                        .status = status < 0 ? RUN_FAILED : (enum run_status)status,
                        .epochs = sqlite3_column_int64(st, R_EPOCHS),
                        .has_metric = sqlite3_column_type(st, R_METRIC) == SQLITE_FLOAT,
                        .metric_value = sqlite3_column_double(st, R_METRIC)};
    w->ids[w->count] = sqlite3_column_int64(st, R_ID);
    w->parents[w->count] = sqlite3_column_int64(st, R_PARENT);
    w->old[w->count] = read_label(st);
    w->count++;
    int rc = read_settings(st, w, t, err);
    t->judged = rc == 0 && read_facts(st, &t->facts);
    w->old[w->count - 1].has_facts = t->judged;
    w->old[w->count - 1].facts = t->facts;
    return rc;
}

/* A run whose row makes no sense is left as it is: it is never judged. */
static int read_runs(struct store_sql *q, const struct relabel *r, struct window *w,
                     struct errbuf *err)
{
    static const char sql[] =
        "SELECT r.id, r.number, r.kind, r.status, r.params, r.settings, r.epochs, r.parent_id, "
        "r.metric_value, l.pattern, l.runner_up, l.confidence, l.tags, l.evidence, "
        "l.causes, l.facts, l.classifier_version, l.created_at FROM runs AS r "
        "LEFT JOIN labels AS l ON l.run_id = r.id "
        "WHERE r.sweep_id = ?1 AND r.number >= ?2 AND r.number < ?3 ORDER BY r.number";
    int64_t begin = r->sweep_id == w->sweep_id ? r->number : 0;
    int64_t end = begin + RELABEL_CHUNK;
    sqlite3_stmt *st = NULL;
    struct errbuf why;
    int rc = prepare(q, sql, &st, err);
    if (rc < 0)
        return rc;
    w->first_number = begin > SIBLINGS_MAX ? begin - SIBLINGS_MAX : 0;
    sqlite3_bind_int64(st, 1, w->sweep_id);
    sqlite3_bind_int64(st, 2, w->first_number);
    sqlite3_bind_int64(st, 3, end + SIBLINGS_MAX);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW &&
           sqlite3_column_int64(st, R_NUMBER) == w->first_number + (int64_t)w->count)
        if (read_run(st, w, &why) != 0)
            w->old[w->count - 1].has = false;
    sqlite3_finalize(st);
    w->from = (size_t)(begin - w->first_number);
    w->to = w->from + RELABEL_CHUNK < w->count ? w->from + RELABEL_CHUNK : w->count;
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : fail(q, err);
}

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
    int rc = prepare(q, "SELECT point" LAYER_STAT_MAP(LAYER_NAME) " FROM layer_stats "
                        "WHERE run_id = ? ORDER BY point, layer", &st, err);
    if (rc == 0) {
        sqlite3_bind_int64(st, 1, run_id);
        while (sqlite3_step(st) == SQLITE_ROW) {
            int64_t point = sqlite3_column_int64(st, 0);
            if (point != s->point) {
                run_facts_layers(g, s);
                *s = (struct layer_stats){.point = point};
            }
            if (s->count < LAYER_STATS_MAX)
                read_layer(st, &s->layers[s->count++]);
        }
        run_facts_layers(g, s);
        sqlite3_finalize(st);
    }
    free(s);
    return rc;
}

/* What is stored of the layers stays; all that the curve says is measured again. */
static int begin_facts(struct store_sql *q, const struct window *w, size_t i,
                       struct run_facts_gather *g, struct errbuf *err)
{
    const struct trial *t = &w->trials[i];
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
    struct trial *t = &w->trials[i];
    const struct layer_list *layers = t->layers ? t->layers : &w->spec.layers;
    struct run_facts_gather g;
    struct diagnosis d;
    int rc = begin_facts(q, w, i, &g, err);
    if (rc < 0)
        return rc;
    judge_curve(kept, false, judge_dropout(&t->settings, layers), &d);
    run_facts_end(&g, kept->points, kept->count, &d, &t->facts);
    t->judged = true;
    *out = judge_label(w->ids[i], &d, w->old[i].created);
    return 0;
}

/* Index of that run among those that are judged; w->to: none of them. */
static size_t index_of(const struct window *w, int64_t run_id, size_t from)
{
    while (from < w->to && w->ids[from] < run_id)
        from++;
    return from < w->to && w->ids[from] == run_id ? from : w->to;
}

/* All curves in one pass over the table: between the first and the last id lie the runs of other
 * sweeps too, where several were trained at once. */
static int judge_curves(struct store_sql *q, struct window *w, struct label_row **labels,
                        struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    struct kept_points kept = {0};
    size_t at = w->from;
    int rc = prepare(q, "SELECT run_id, point, epoch" CURVE_COLUMN_MAP(CURVE_NAME) " FROM curves "
                        "WHERE run_id BETWEEN ?1 AND ?2 ORDER BY run_id, point", &st, err);
    if (rc < 0)
        return rc;
    sqlite3_bind_int64(st, 1, w->ids[w->from]);
    sqlite3_bind_int64(st, 2, w->ids[w->to - 1]);
    bool more = sqlite3_step(st) == SQLITE_ROW;
    while (more && rc == 0) {
        int64_t run_id = sqlite3_column_int64(st, 0);
        size_t i = index_of(w, run_id, at);
        kept_points_clear(&kept);
        for (; more && sqlite3_column_int64(st, 0) == run_id;
             more = sqlite3_step(st) == SQLITE_ROW) {
            struct point p;
            if (i == w->to || !w->old[i].has)
                continue;
            read_point(st, &p);
            kept_points_add(&kept, &p);
        }
        if (i == w->to || !w->old[i].has)
            continue;
        at = i;
        rc = judge_run(q, w, i, &kept, &labels[i], err);
    }
    sqlite3_finalize(st);
    kept_points_clear(&kept);
    for (size_t i = w->from; i < w->to && rc == 0; i++) /* those without a point */
        if (w->old[i].has && !labels[i])
            rc = judge_run(q, w, i, &kept, &labels[i], err);
    kept_points_finish(&kept);
    return rc;
}

static void judge_siblings(struct window *w, struct label_row **labels)
{
    struct siblings all;
    siblings_init(&all, w->trials, 0, w->count, w->spec.epochs);
    for (size_t i = w->from; i < w->to; i++)
        if (labels[i])
            judge_causes(w->trials, i, &all, &w->data, &w->spec.layers, &labels[i]->causes);
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
    if (!o->has_facts || !run_facts_same(&o->facts, &w->trials[i].facts))
        l->facts_json = judge_facts_text(&w->trials[i].facts);
    struct store_op op = {.type = STORE_PUT_LABEL, .u.label = l};
    return store_sql_apply(q, &op);
}

/* The outcome of treatments follows the labels, of the parent too. */
static int put_outcomes(struct store_sql *q, const struct window *w)
{
    sqlite3_stmt *parent = NULL, *put = NULL;
    int rc = sqlite3_prepare_v2(q->db, "SELECT pattern FROM labels WHERE run_id = ?", -1, &parent,
                                NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(q->db, "UPDATE runs SET cured = ?2 WHERE id = ?1 AND cured <> ?2 "
                                       "AND (?2 = 0 OR NOT coalesce(change > ?3, 0))", -1, &put,
                                NULL);
    for (size_t i = w->from; i < w->to && rc == SQLITE_OK; i++) {
        const struct trial *t = &w->trials[i];
        if (t->kind != RUN_KIND_TREATMENT || !t->judged)
            continue;
        sqlite3_bind_int64(parent, 1, w->parents[i]);
        if (sqlite3_step(parent) == SQLITE_ROW) {
            bool other = strcmp(text_at(parent, 0), pattern_name(t->facts.pattern)) != 0;
            sqlite3_bind_int64(put, 1, w->ids[i]);
            sqlite3_bind_int(put, 2, other && trial_usable(t));
            sqlite3_bind_double(put, 3, TREAT_NOT_WORSE);
            sqlite3_step(put);
            rc = sqlite3_reset(put);
        }
        sqlite3_reset(parent);
    }
    sqlite3_finalize(parent);
    sqlite3_finalize(put);
    return rc;
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
            rc = fail(q, err);
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
    int rc = find_sweep(q, r, &w, &found, err);
    if (rc == 0 && found)
        rc = read_runs(q, r, &w, err);
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
