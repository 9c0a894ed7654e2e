/* A table with a row a run, as W&B's and MLflow's pages and `sweepctl export --csv` give it: which
 * columns are parameters, which the metric, how a run ended. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/source.h"
#include "sweep/csv_scan.h"
#include "sweep/curve_title.h"
#include "sweep/dialect.h"
#include "sweep/err.h"
#include "sweep/number.h"

#define FILE_MAX ((size_t)256 << 20)
#define COLUMNS_MAX 4096
#define PREFIX "params."

enum column_kind { COLUMN_OTHER, COLUMN_PARAMETER, COLUMN_METRIC, COLUMN_STATE, COLUMN_NAME };

struct table_reading {
    const struct import_wish *wish;
    struct history *h;
    struct text text;
    struct csv_scan scan;
    size_t count;
    char **titles;
    enum column_kind *kinds;
    size_t *parameters; /* of each column: which */
    size_t left_out;
};

/* --- columns --------------------------------------------------------------------------------- */

static char *field_text(struct csv_scan *s, size_t i)
{
    size_t len;
    const char *text = csv_scan_text(s, &s->fields[i], &len);
    char *copy = xmalloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static bool is_one_of(const char *title, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcasecmp(title, *names) == 0)
            return true;
    return false;
}

/* "lr,layers": is the title one of them? */
static bool is_wished(const char *title, const char *list)
{
    size_t len = strlen(title);
    for (const char *p = list; *p != '\0';) {
        size_t n = strcspn(p, ",");
        if (n == len && memcmp(p, title, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

/* What no program searches over: who, when, where, and what a run came to. */
static bool is_told(const char *title)
{
    static const char *const names[] = {
        "notes", "user", "tags", "created", "runtime", "end time", "hostname", "id", "run_id",
        "run id", "sweep", "group", "job type", "updated", "github", "start time", "duration",
        "source", "version", "experiment_id", "artifact_uri", "start_time", "end_time", "epoch",
        "step", "commit", "gpu count", "gpu type", "seconds", "label", "user_id", "metric_value",
        "number", NULL};
    enum curve_column column;
    int rank;
    struct curve_title t = curve_title_read(title, strlen(title));
    return *title == '_' || *title == '\0' || is_one_of(title, names) ||
           strncmp(title, "metrics.", 8) == 0 || strncmp(title, "tags.", 5) == 0 ||
           (curve_title_column(title, &column, &rank) && column != CURVE_LEARNING_RATE) ||
           t.role == CURVE_ROLE_LOSS || t.role == CURVE_ROLE_ACC || t.role == CURVE_ROLE_METRIC;
}

static bool has_prefixes(const struct table_reading *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (strncmp(r->titles[i], PREFIX, strlen(PREFIX)) == 0)
            return true;
    return false;
}

static enum column_kind kind_of(const struct table_reading *r, const char *title, bool prefixes)
{
    static const char *const states[] = {"state", "status", NULL};
    static const char *const names[] = {"name", "run_id", "run name", "run_name", "id", NULL};
    if (strcmp(title, r->h->metric) == 0)
        return COLUMN_METRIC;
    if (r->wish->parameters != NULL)
        return is_wished(title, r->wish->parameters) ? COLUMN_PARAMETER
               : is_one_of(title, states)            ? COLUMN_STATE
                                                     : COLUMN_OTHER;
    if (prefixes && strncmp(title, PREFIX, strlen(PREFIX)) == 0)
        return COLUMN_PARAMETER;
    if (is_one_of(title, states))
        return COLUMN_STATE;
    if (is_one_of(title, names))
        return COLUMN_NAME;
    return prefixes || is_told(title) ? COLUMN_OTHER : COLUMN_PARAMETER;
}

/* The one that is wished, else the first that stands for a value to be ranked by. */
static int choose_metric(struct table_reading *r, struct errbuf *err)
{
    const char *wish = r->wish->metric, *found = NULL;
    enum curve_column column;
    struct buf names = {0};
    int rank, rc = 0;
    for (size_t i = 0; i < r->count; i++) {
        const char *title = r->titles[i];
        bool fits = wish != NULL ? strcmp(title, wish) == 0
                                 : strcmp(title, "metric_value") == 0 ||
                                       (curve_title_column(title, &column, &rank) &&
                                        column == CURVE_VAL_LOSS);
        if (found == NULL && fits)
            found = title;
        if (names.len < 600)
            buf_printf(&names, "%s%.60s", names.len > 0 ? ", " : "", title);
    }
    if (found != NULL)
        r->h->metric = xstrdup(found);
    else if (wish != NULL)
        rc = err_bad(err, ERR_VALUE, "--metric", wish, "one of the columns %s", names.data);
    else
        rc = err_set(err, ERR_MISSING, "%s: which column is searched for: --metric names one of %s",
                     r->wish->path, names.data);
    if (rc == 0 && wish == NULL)
        history_note(r->h, "ranked by column %s (--metric says otherwise)", found);
    buf_finish(&names);
    return rc == 0 ? import_goal(r->wish, r->h, err) : rc;
}

static void note_columns(struct table_reading *r)
{
    struct buf names = {0};
    if (r->wish->parameters != NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        if (r->kinds[i] == COLUMN_PARAMETER && names.len < 400)
            buf_printf(&names, "%s%.60s", names.len > 0 ? ", " : "", r->titles[i]);
    history_note(r->h, "parameters are the columns %s (--parameters says otherwise)",
                 names.len > 0 ? names.data : "none");
    buf_finish(&names);
}

static int read_header(struct table_reading *r, struct errbuf *err)
{
    int rc = csv_scan_row(&r->scan, err);
    if (rc != 0)
        return rc;
    if (r->scan.count < 2 || r->scan.count > COLUMNS_MAX)
        return err_set(err, ERR_DATA, "%s: a table of runs has 2 to %d columns and their names in "
                       "the first line", r->wish->path, COLUMNS_MAX);
    r->count = r->scan.count;
    r->titles = xcalloc(r->count, sizeof *r->titles);
    r->kinds = xcalloc(r->count, sizeof *r->kinds);
    r->parameters = xcalloc(r->count, sizeof *r->parameters);
    for (size_t i = 0; i < r->count; i++)
        r->titles[i] = field_text(&r->scan, i);
    rc = choose_metric(r, err);
    bool prefixes = has_prefixes(r);
    for (size_t i = 0; i < r->count && rc == 0; i++) {
        bool prefixed = strncmp(r->titles[i], PREFIX, strlen(PREFIX)) == 0;
        r->kinds[i] = kind_of(r, r->titles[i], prefixes);
        if (r->kinds[i] == COLUMN_PARAMETER)
            r->parameters[i] =
                history_parameter(r->h, r->titles[i] + (prefixed ? strlen(PREFIX) : 0));
    }
    if (rc == 0)
        note_columns(r);
    return rc;
}

/* --- rows ------------------------------------------------------------------------------------ */

/* -1: it has not ended. */
static int status_of(const char *state)
{
    static const struct {
        const char *word;
        int status;
    } words[] = {
        {"finished", RUN_COMPLETED}, {"completed", RUN_COMPLETED}, {"complete", RUN_COMPLETED},
        {"stopped", RUN_STOPPED},    {"pruned", RUN_STOPPED},      {"killed", RUN_STOPPED},
        {"crashed", RUN_FAILED},     {"failed", RUN_FAILED},       {"cancelled", RUN_FAILED},
        {"running", -1},             {"queued", -1},               {"pending", -1},
        {"scheduled", -1},           {"paused", -1},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(words[i].word, state) == 0)
            return words[i].status;
    return RUN_COMPLETED;
}

static void take_field(struct table_reading *r, struct history_run *run, size_t i,
                       const char *text)
{
    switch (r->kinds[i]) {
    case COLUMN_PARAMETER:
        history_set(run, r->parameters[i], history_read(text));
        break;
    case COLUMN_METRIC:
        run->has_final = number_parse(text, strlen(text), &run->final);
        break;
    case COLUMN_NAME:
        if (run->reason == NULL)
            run->reason = xasprintf("row %.100s of %.60s", text, r->wish->path);
        break;
    case COLUMN_STATE:
    case COLUMN_OTHER:
        break;
    }
}

static void take_row(struct table_reading *r)
{
    int status = RUN_COMPLETED;
    for (size_t i = 0; i < r->count && i < r->scan.count; i++) {
        char *text = r->kinds[i] == COLUMN_STATE ? field_text(&r->scan, i) : NULL;
        if (text != NULL)
            status = status_of(text);
        free(text);
    }
    if (status < 0) {
        r->left_out++;
        return;
    }
    struct history_run *run = history_add_run(r->h);
    run->status = (enum run_status)status;
    for (size_t i = 0; i < r->count && i < r->scan.count; i++) {
        char *text = field_text(&r->scan, i);
        take_field(r, run, i, text);
        free(text);
    }
    if (run->status == RUN_FAILED)
        run->text = xstrdup("failed where it was carried out");
    else if (!run->has_final) {
        run->status = RUN_FAILED;
        run->text = xasprintf("it has no %.80s", r->h->metric);
    }
}

static int read_rows(struct table_reading *r, struct errbuf *err)
{
    int rc = read_header(r, err);
    while (rc == 0 && (rc = csv_scan_row(&r->scan, err)) == 0 && r->scan.count > 0) {
        if (r->h->run_count == HISTORY_RUNS_MAX)
            return err_set(err, ERR_LIMIT, "%s: more than %d rows", r->wish->path,
                           HISTORY_RUNS_MAX);
        take_row(r);
    }
    if (rc == 0 && r->left_out > 0)
        history_note(r->h, "%zu rows of runs that have not ended are left out", r->left_out);
    return rc;
}

static void reading_finish(struct table_reading *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->titles[i]);
    free(r->titles);
    free(r->kinds);
    free(r->parameters);
    csv_scan_finish(&r->scan);
    free(r->text.data);
}

static int read_runs_table(const struct import_wish *wish, struct history *out, struct errbuf *err)
{
    const struct dialect_wish any = {.own = ','};
    const char *slash = strrchr(wish->path, '/');
    struct table_reading r = {.wish = wish, .h = out, .text = {.path = wish->path}};
    struct dialect dialect;
    struct buf bytes = {0};
    int rc = buf_read_file(&bytes, wish->path, FILE_MAX, err);
    if (rc != 0)
        return rc;
    if (bytes.len == 0 || memchr(bytes.data, '\0', bytes.len) != NULL) {
        buf_finish(&bytes);
        return err_set(err, ERR_DATA, "%s: neither a database of Optuna or MLflow, nor a table of "
                       "text", wish->path);
    }
    r.text.len = bytes.len;
    r.text.data = buf_take(&bytes);
    out->name = xstrdup(slash != NULL ? slash + 1 : wish->path);
    out->source = xasprintf("table %s", wish->path);
    dialect_find(&r.text, &any, &dialect);
    csv_scan_init(&r.scan, &r.text, &dialect);
    rc = read_rows(&r, err);
    reading_finish(&r);
    return rc;
}

static bool is_table(const char *path)
{
    (void)path;
    return true;
}

const struct import_source import_source_runs_table = {is_table, read_runs_table};
