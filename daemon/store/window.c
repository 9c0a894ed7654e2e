#include "daemon/store/window.h"

#include <math.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "daemon/store/sql.h"
#include "sweep/buf.h"
#include "sweep/err.h"

static const char *text_at(sqlite3_stmt *st, int c)
{
    const char *text = (const char *)sqlite3_column_text(st, c);
    return text ? text : "";
}

static char *copy_at(sqlite3_stmt *st, int c)
{
    return xstrdup(text_at(st, c));
}

static enum run_status status_at(sqlite3_stmt *st, int c)
{
    int status = run_status_find(text_at(st, c));
    return status < 0 ? RUN_FAILED : (enum run_status)status;
}

/* --- the sweep -------------------------------------------------------------------------------- */

/* The first ended sweep from there on; *out NULL: there is none. */
static int find_sweep(struct store_sql *q, const struct store_window_query *from,
                      struct relabel_window **out, struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    int rc = store_sql_prepare(q, "SELECT id, spec, data_facts, data_samples, data_features, "
                               "data_classes FROM sweeps WHERE id >= ?1 AND (?2 = 0 OR id = ?2) "
                               "AND status IN ('completed', 'cancelled') ORDER BY id LIMIT 1",
                            &st, err);
    if (rc < 0)
        return rc;
    sqlite3_bind_int64(st, 1, from->sweep_id);
    sqlite3_bind_int64(st, 2, from->only);
    int step = sqlite3_step(st);
    if (step == SQLITE_ROW) {
        *out = xmalloc(sizeof(**out));
        **out = (struct relabel_window){.sweep_id = sqlite3_column_int64(st, 0),
                                        .spec_json = copy_at(st, 1),
                                        .data_facts_json = copy_at(st, 2),
                                        .data_samples = sqlite3_column_int64(st, 3),
                                        .data_features = sqlite3_column_int64(st, 4),
                                        .data_classes = sqlite3_column_int64(st, 5)};
    } else if (step != SQLITE_DONE) {
        rc = store_sql_fail(q, err);
    }
    sqlite3_finalize(st);
    return rc;
}

/* --- the runs --------------------------------------------------------------------------------- */

enum run_column {
    R_ID, R_NUMBER, R_KIND, R_STATUS, R_PARAMS, R_SETTINGS, R_EPOCHS, R_METRIC,
    R_PATTERN, R_RUNNER_UP, R_CONFIDENCE, R_TAGS, R_EVIDENCE, R_CAUSES, R_FACTS, R_VERSION,
    R_CREATED, R_REMEDY, R_REMEDIES,
};

/* What a new label is compared with. */
static void read_old(sqlite3_stmt *st, struct relabel_run *r)
{
    r->runner_up = (enum pattern)pattern_find(text_at(st, R_RUNNER_UP));
    r->confidence = sqlite3_column_double(st, R_CONFIDENCE);
    r->tags = copy_at(st, R_TAGS);
    r->evidence_json = copy_at(st, R_EVIDENCE);
    r->causes_json = copy_at(st, R_CAUSES);
    r->remedies_json = copy_at(st, R_REMEDIES);
    r->version = sqlite3_column_int64(st, R_VERSION);
    str_copy(r->created_at, sizeof(r->created_at), text_at(st, R_CREATED));
    r->created = store_time_parse(r->created_at);
}

/* Of a neighbour its facts alone. */
static void read_label(sqlite3_stmt *st, struct relabel_run *r, bool judged)
{
    if (sqlite3_column_type(st, R_PATTERN) == SQLITE_NULL)
        return;
    r->has_label = true;
    r->pattern = (enum pattern)pattern_find(text_at(st, R_PATTERN));
    r->facts_json = copy_at(st, R_FACTS);
    if (judged)
        read_old(st, r);
}

/* A treatment alone is told by its settings: parameters are quicker to read, where they say all. */
static void read_run(sqlite3_stmt *st, struct relabel_window *w)
{
    int kind = run_kind_find(text_at(st, R_KIND)), remedy = remedy_find(text_at(st, R_REMEDY));
    size_t i = w->count++;
    w->runs = array_room(w->runs, &w->cap, i, sizeof(*w->runs));
    struct relabel_run *r = &w->runs[i];
    *r = (struct relabel_run){.id = sqlite3_column_int64(st, R_ID),
                              .kind = kind < 0 ? RUN_KIND_SEARCH : (enum run_kind)kind,
                              .status = status_at(st, R_STATUS),
                              .epochs = sqlite3_column_int64(st, R_EPOCHS),
                              .has_metric = sqlite3_column_type(st, R_METRIC) == SQLITE_FLOAT,
                              .metric_value = sqlite3_column_double(st, R_METRIC),
                              .remedy = remedy < 0 ? REMEDY_COUNT : (enum remedy)remedy,
                              .pattern = PATTERN_NONE,
                              .runner_up = PATTERN_NONE};
    if (r->kind != RUN_KIND_TREATMENT)
        r->params_json = copy_at(st, R_PARAMS);
    r->settings_json = copy_at(st, R_SETTINGS);
    read_label(st, r, i >= w->from && i < w->from + STORE_WINDOW_RUNS);
}

static int read_runs(struct store_sql *q, const struct store_window_query *from,
                     struct relabel_window *w, struct errbuf *err)
{
    static const char sql[] =
        "SELECT r.id, r.number, r.kind, r.status, r.params, r.settings, r.epochs, "
        "r.metric_value, l.pattern, l.runner_up, l.confidence, l.tags, l.evidence, "
        "l.causes, l.facts, l.classifier_version, l.created_at, r.remedy, l.remedies "
        "FROM runs AS r "
        "LEFT JOIN labels AS l ON l.run_id = r.id "
        "WHERE r.sweep_id = ?1 AND r.number >= ?2 AND r.number < ?3 ORDER BY r.number";
    int64_t begin = from->sweep_id == w->sweep_id ? from->number : 0;
    int64_t end = begin + STORE_WINDOW_RUNS;
    sqlite3_stmt *st = NULL;
    int step, rc = store_sql_prepare(q, sql, &st, err);
    if (rc < 0)
        return rc;
    w->first_number = begin > from->neighbours ? begin - from->neighbours : 0;
    w->from = (size_t)(begin - w->first_number);
    sqlite3_bind_int64(st, 1, w->sweep_id);
    sqlite3_bind_int64(st, 2, w->first_number);
    sqlite3_bind_int64(st, 3, end + from->neighbours);
    while ((step = sqlite3_step(st)) == SQLITE_ROW &&
           sqlite3_column_int64(st, R_NUMBER) == w->first_number + (int64_t)w->count)
        read_run(st, w);
    if (step != SQLITE_DONE && step != SQLITE_ROW)
        rc = store_sql_fail(q, err);
    sqlite3_finalize(st);
    w->to = w->from + STORE_WINDOW_RUNS < w->count ? w->from + STORE_WINDOW_RUNS : w->count;
    return rc;
}

/* --- the treatments --------------------------------------------------------------------------- */

static void read_treatment(sqlite3_stmt *st, struct relabel_window *w)
{
    w->treatments = array_room(w->treatments, &w->treatment_cap, w->treatment_count,
                               sizeof(*w->treatments));
    w->treatments[w->treatment_count++] = (struct relabel_treatment){
        .run_id = sqlite3_column_int64(st, 0),
        .parent_id = sqlite3_column_int64(st, 1),
        .status = status_at(st, 2),
        .has_metric = sqlite3_column_type(st, 3) == SQLITE_FLOAT,
        .metric_value = sqlite3_column_double(st, 3),
        .change = sqlite3_column_type(st, 4) == SQLITE_NULL ? NAN : sqlite3_column_double(st, 4),
        .cured = sqlite3_column_int(st, 5) != 0,
        .pattern = (enum pattern)pattern_find(text_at(st, 6)),
        .parent_pattern = (enum pattern)pattern_find(text_at(st, 7)),
    };
}

/* Of these runs, and those among them: the others are of other sweeps, where a person had them
 * done. */
static int read_treatments(struct store_sql *q, struct relabel_window *w, struct errbuf *err)
{
    static const char sql[] =
        "SELECT r.id, r.parent_id, r.status, r.metric_value, r.change, r.cured, l.pattern, "
        "p.pattern FROM runs AS r LEFT JOIN labels AS l ON l.run_id = r.id "
        "LEFT JOIN labels AS p ON p.run_id = r.parent_id "
        "WHERE r.kind = 'treatment' AND r.cured IS NOT NULL "
        "AND r.id IN (SELECT id FROM runs WHERE parent_id BETWEEN ?1 AND ?2 UNION "
        "SELECT id FROM runs WHERE parent_id IS NOT NULL AND id BETWEEN ?1 AND ?2)";
    sqlite3_stmt *st = NULL;
    int step, rc = store_sql_prepare(q, sql, &st, err);
    if (rc < 0)
        return rc;
    sqlite3_bind_int64(st, 1, w->runs[w->from].id);
    sqlite3_bind_int64(st, 2, w->runs[w->to - 1].id);
    while ((step = sqlite3_step(st)) == SQLITE_ROW)
        read_treatment(st, w);
    if (step != SQLITE_DONE)
        rc = store_sql_fail(q, err);
    sqlite3_finalize(st);
    return rc;
}

int window_read(struct store_sql *q, const struct store_window_query *from,
                struct relabel_window **out, struct errbuf *err)
{
    struct relabel_window *w = NULL;
    int rc = find_sweep(q, from, &w, err);
    if (rc == 0 && w)
        rc = read_runs(q, from, w, err);
    if (rc == 0 && w && w->from < w->to)
        rc = window_read_curves(q, w, err); /* which may end the chunk early */
    if (rc == 0 && w && w->from < w->to)
        rc = read_treatments(q, w, err);
    if (rc == 0)
        *out = w;
    else
        relabel_window_destroy(w);
    return rc;
}
