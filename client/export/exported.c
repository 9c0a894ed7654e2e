#include "client/export/exported.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/progress.h"
#include "sweep/curve.h"
#include "sweep/metrics.h"
#include "sweep/require.h"
#include "sweep/run.h"

#define US_PER_SECOND 1e6

const struct exported_attribute exported_attributes[] = {
#define X(key, name) {key, name},
    EXPORTED_ATTRIBUTE_MAP(X)
#undef X
};
const size_t exported_attribute_count = ARRAY_LEN(exported_attributes);

/* --- runs ------------------------------------------------------------------------------------ */

static char *text_of(const struct json *v)
{
    struct buf out = {0};
    struct json_writer w;
    jw_init(&w, &out);
    jw_value(&w, v);
    return buf_take(&out);
}

char *exported_text(const struct json *v)
{
    if (v == NULL || json_type(v) == JSON_NULL)
        return NULL;
    return json_type(v) == JSON_STRING ? xstrdup(json_string(v)) : text_of(v);
}

double exported_time(const struct json *run, const char *key)
{
    return (double)human_parse_utc(member_string(run, key, "")) / US_PER_SECOND;
}

double exported_started(const struct json *run)
{
    double started = exported_time(run, "started_at");
    return started > 0 ? started : exported_time(run, "created_at");
}

enum exported_state exported_state_of(const struct exported *e, const struct json *run)
{
    int status = run_status_find(member_string(run, "status", ""));
    bool has_value = isfinite(member_real(run, "metric_value", NAN));
    bool best = member_int(run, "run_id", 0) == member_int(e->sweep, "best_run", -1);
    if (status == RUN_QUEUED)
        return EXPORTED_WAITING;
    if (status == RUN_RUNNING || status == RUN_PAUSED)
        return EXPORTED_RUNNING;
    if (has_value && (status == RUN_COMPLETED || (status == RUN_STOPPED && best)))
        return EXPORTED_COMPLETE;
    return status == RUN_STOPPED && has_value ? EXPORTED_PRUNED : EXPORTED_FAILED;
}

bool exported_metric(const struct json *run, double *out)
{
    const struct json *v = json_get(run, "metric_value");
    int status = run_status_find(member_string(run, "status", ""));
    return status >= 0 && run_status_ranks((enum run_status)status) && v != NULL &&
           json_real(v, out) == 0;
}

static void keep_run(void *arg, const struct json *run)
{
    struct exported *e = arg;
    char *text = text_of(run);
    struct json *copy = json_parse(text, strlen(text), NULL);
    free(text);
    if (copy == NULL)
        return;
    e->runs = array_room(e->runs, &e->run_cap, e->run_count, sizeof *e->runs);
    e->runs[e->run_count++] = copy;
    e->states[exported_state_of(e, copy)]++;
}

static int read_runs(struct exported *e)
{
    char *params = xasprintf("\"sweep\":%lld", (long long)e->id);
    int status =
        client_pages(e->client, &(struct client_paged){"runs", params, "runs"}, keep_run, e);
    free(params);
    return status;
}

/* --- the sweep ------------------------------------------------------------------------------- */

int exported_open(struct client *c, int64_t sweep, struct exported *out)
{
    memset(out, 0, sizeof *out);
    int status = client_call_id(c, "show", "sweep", sweep, &out->reply);
    if (status != CLIENT_DONE)
        return status;
    out->client = c;
    out->sweep = json_get(out->reply.result, "sweep");
    out->id = member_int(out->sweep, "id", 0);
    if (spec_parse(json_get(out->sweep, "spec"), &out->spec, &out->err) != 0) {
        rpc_reply_finish(&out->reply);
        return client_fail(c, CLIENT_REFUSED, &out->err);
    }
    const char *name = member_string(out->sweep, "name", "");
    out->name = *name != '\0' ? xstrdup(name) : xasprintf("sweep %lld", (long long)out->id);
    out->metric = spec_metric_name(&out->spec);
    status = read_runs(out);
    if (status != CLIENT_DONE)
        exported_close(out);
    return status;
}

void exported_close(struct exported *e)
{
    for (size_t i = 0; i < e->run_count; i++)
        json_destroy(e->runs[i]);
    free(e->runs);
    free(e->name);
    spec_finish(&e->spec);
    rpc_reply_finish(&e->reply);
}

/* --- points ---------------------------------------------------------------------------------- */

struct reading {
    exported_each *each;
    void *arg;
    const struct json *metric; /* the next of this page's */
    struct exported_value values[CURVE_COLUMN_COUNT + METRICS_MAX];
};

static void take_page(void *arg, const struct json *result)
{
    struct reading *r = arg;
    r->metric = json_first(json_get(result, "metrics"));
}

/* A program's name may be that of a column, which has the same value then. */
static bool is_measured(const struct reading *r, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(r->values[i].name, name) == 0)
            return true;
    return false;
}

/* Both lists are in the order of points. */
static size_t take_metrics(struct reading *r, int64_t point, size_t count)
{
    for (; r->metric != NULL; r->metric = json_next(r->metric)) {
        int64_t at = member_int(r->metric, "point", 0);
        const struct json *v = json_get(r->metric, "value");
        const char *name = member_string(r->metric, "name", "");
        double value;
        if (at > point)
            break;
        if (at < point || count == ARRAY_LEN(r->values) || v == NULL || json_real(v, &value) != 0)
            continue;
        if (!is_measured(r, count, name))
            r->values[count++] = (struct exported_value){name, value};
    }
    return count;
}

static void take_point(void *arg, const struct json *row)
{
    struct reading *r = arg;
    struct exported_point p = {.point = member_int(row, "point", 0),
                               .epoch = member_real(row, "epoch", NAN),
                               .seconds = member_real(row, "seconds", NAN),
                               .values = r->values};
    for (int i = 0; i < CURVE_COLUMN_COUNT; i++) {
        const char *name = curve_column_name((enum curve_column)i);
        const struct json *v = json_get(row, name);
        double value;
        if (i != CURVE_SECONDS && v != NULL && json_real(v, &value) == 0)
            r->values[p.count++] = (struct exported_value){name, value};
    }
    p.count = take_metrics(r, p.point, p.count);
    r->each(r->arg, &p);
}

int exported_points(struct exported *e, const struct json *run, exported_each *each, void *arg)
{
    struct reading r = {.each = each, .arg = arg};
    char *params =
        xasprintf("\"run\":%lld,\"metrics\":true", (long long)member_int(run, "run_id", 0));
    const struct client_paged pages = {"curve", params, "points", .page = take_page};
    progress_step(e->client, e->read++, e->run_count);
    int status = client_pages(e->client, &pages, take_point, &r);
    free(params);
    return status;
}
