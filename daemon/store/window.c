#include "daemon/store/window.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/causes/judge.h"
#include "daemon/store/store.h"
#include "daemon/store/sql.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

void window_finish(struct window *w)
{
    for (size_t i = 0; i < w->count; i++) {
        trainer_config_destroy(w->trials[i]->config);
        free(w->trials[i]);
        free(w->old[i].tags);
        free(w->old[i].evidence);
        free(w->old[i].causes);
    }
    spec_finish(&w->spec);
    free(w->trials);
    free(w->ids);
    free(w->old);
    *w = (struct window){0};
}

int window_fail(struct store_sql *q, struct errbuf *err)
{
    return err_set(err, ERR_IO, "the database cannot be read or written: %s",
                   sqlite3_errmsg(q->db));
}

int window_prepare(struct store_sql *q, const char *sql, sqlite3_stmt **out, struct errbuf *err)
{
    return sqlite3_prepare_v2(q->db, sql, -1, out, NULL) == SQLITE_OK ? 0 : window_fail(q, err);
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
    if (rc < 0) {
        spec_finish(&w->spec);
        w->spec = (struct spec){0};
    }
    return rc;
}

/* The first ended sweep from r->sweep_id on; false: there is none. A spec that cannot be read
 * leaves its sweep out. */
static int find_sweep(struct store_sql *q, const struct relabel *r, struct window *w, bool *found,
                      struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    struct errbuf why;
    int rc = window_prepare(q, "SELECT id, spec, data_facts, data_samples, data_features, "
                               "data_classes FROM sweeps WHERE id >= ?1 AND (?2 = 0 OR id = ?2) "
                               "AND status IN ('completed', 'cancelled') ORDER BY id", &st, err);
    if (rc < 0)
        return rc;
    sqlite3_bind_int64(st, 1, r->sweep_id);
    sqlite3_bind_int64(st, 2, r->only);
    int step = SQLITE_ROW;
    *found = false;
    while (!*found && (step = sqlite3_step(st)) == SQLITE_ROW)
        *found = read_sweep(st, w, &why) == 0;
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        rc = window_fail(q, err);
    sqlite3_finalize(st);
    return rc;
}

/* --- the runs --------------------------------------------------------------------------------- */

static void grow(struct window *w)
{
    if (w->count < w->cap)
        return;
    w->cap = w->cap ? 2 * w->cap : 256;
    w->trials = xrealloc(w->trials, w->cap * sizeof(struct trial *));
    w->ids = xrealloc(w->ids, w->cap * sizeof(*w->ids));
    w->old = xrealloc(w->old, w->cap * sizeof(*w->old));
}

enum run_column {
    R_ID, R_NUMBER, R_KIND, R_STATUS, R_PARAMS, R_SETTINGS, R_EPOCHS, R_METRIC,
    R_PATTERN, R_RUNNER_UP, R_CONFIDENCE, R_TAGS, R_EVIDENCE, R_CAUSES, R_FACTS, R_VERSION,
    R_CREATED,
};

/* A run of the search has the sweep's fixed settings and its own parameters, which are quicker to
 * read than all settings. */
static int read_searched(const char *params, const struct window *w, struct trial *t,
                         struct errbuf *err)
{
    struct json *v = json_parse(params, strlen(params), err);
    int rc = v ? space_params_parse(&w->spec.space, v, &t->at, err) : ERR_DATA;
    json_destroy(v);
    if (rc != 0 || w->spec.task != TASK_TRAINER)
        return rc;
    t->config = xcalloc(1, sizeof(*t->config));
    trainer_settings(&w->spec, &t->at, &t->config->settings);
    return 0;
}

static int read_settings(sqlite3_stmt *st, const struct window *w, struct trial *t,
                         struct errbuf *err)
{
    struct run_row row = {0};
    if (t->kind == RUN_KIND_SEARCH)
        return read_searched(text_at(st, R_PARAMS), w, t, err);
    int rc = run_row_read_settings(&row, text_at(st, R_SETTINGS), err);
    t->config = row.config;
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
    struct trial *t = w->trials[w->count] = xmalloc(sizeof(*t));
    int kind = run_kind_find(text_at(st, R_KIND)), status = run_status_find(text_at(st, R_STATUS));
    *t = (struct trial){.kind = kind < 0 ? RUN_KIND_SEARCH : (enum run_kind)kind,
                        .number = w->count,
                        .cause = CAUSE_COUNT,
                        .status = status < 0 ? RUN_FAILED : (enum run_status)status,
                        .epochs = sqlite3_column_int64(st, R_EPOCHS),
                        .has_metric = sqlite3_column_type(st, R_METRIC) == SQLITE_FLOAT,
                        .metric_value = sqlite3_column_double(st, R_METRIC)};
    w->ids[w->count] = sqlite3_column_int64(st, R_ID);
    w->old[w->count] = read_label(st);
    w->count++;
    int rc = read_settings(st, w, t, err);
    t->judged = rc == 0 && read_facts(st, &t->facts);
    w->old[w->count - 1].has_facts = t->judged;
    w->old[w->count - 1].facts = t->facts;
    return rc;
}

static int read_runs(struct store_sql *q, const struct relabel *r, struct window *w,
                     struct errbuf *err)
{
    static const char sql[] =
        "SELECT r.id, r.number, r.kind, r.status, r.params, r.settings, r.epochs, "
        "r.metric_value, l.pattern, l.runner_up, l.confidence, l.tags, l.evidence, "
        "l.causes, l.facts, l.classifier_version, l.created_at FROM runs AS r "
        "LEFT JOIN labels AS l ON l.run_id = r.id "
        "WHERE r.sweep_id = ?1 AND r.number >= ?2 AND r.number < ?3 ORDER BY r.number";
    int64_t begin = r->sweep_id == w->sweep_id ? r->number : 0;
    int64_t end = begin + RELABEL_CHUNK;
    sqlite3_stmt *st = NULL;
    struct errbuf why;
    int rc = window_prepare(q, sql, &st, err);
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
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        window_fail(q, err);
    sqlite3_finalize(st);
    w->from = (size_t)(begin - w->first_number);
    w->to = w->from + RELABEL_CHUNK < w->count ? w->from + RELABEL_CHUNK : w->count;
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : ERR_IO;
}

int window_read(struct store_sql *q, const struct relabel *r, struct window *out, bool *found,
                struct errbuf *err)
{
    int rc = find_sweep(q, r, out, found, err);
    return rc == 0 && *found ? read_runs(q, r, out, err) : rc;
}
