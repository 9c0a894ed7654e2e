#include "daemon/serve/staged_import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/metrics.h"
#include "sweep/reported_point.h"

#define PATH_MAX_BYTES 96
#define US_MAX INT64_C(4102444800000000) /* 2100 */

/* --- their lives ----------------------------------------------------------------------------- */

static void run_finish(struct imported_run *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->points[i]);
    free(r->points);
    free(r->reason);
    free(r->text);
}

static void destroy(struct staged_import *s)
{
    for (size_t i = 0; i < s->count; i++)
        run_finish(&s->runs[i]);
    free(s->runs);
    spec_finish(&s->spec);
    free(s);
}

struct staged_import *staged_import_find(struct staged_import *list, const struct conn *owner)
{
    while (list && list->owner != owner)
        list = list->next;
    return list;
}

void staged_import_remove(struct staged_import **list, const struct staged_import *s)
{
    struct staged_import **at = list;
    while (*at && *at != s)
        at = &(*at)->next;
    struct staged_import *found = *at;
    if (!found)
        return;
    *at = found->next;
    destroy(found);
}

void staged_import_drop(struct staged_import **list, const struct conn *owner)
{
    staged_import_remove(list, staged_import_find(*list, owner));
}

static int take_room(const struct staged_import *list, struct staged_import *s, size_t bytes,
                     struct errbuf *err)
{
    size_t all = bytes;
    for (; list; list = list->next)
        all += list->bytes;
    if (all > STAGED_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "imports under way take more than %zu MiB: thin the curves, "
                       "or try again when the others have ended", STAGED_BYTES_MAX >> 20);
    s->bytes += bytes;
    return 0;
}

/* --- the sweep ------------------------------------------------------------------------------- */

/* History: nothing that begins, waits or ends by itself. */
static int check_spec(const struct spec *spec, struct errbuf *err)
{
    if (spec->method != METHOD_BY_HAND)
        return err_bad(err, ERR_VALUE, "$.sweep.spec.method", method_name(spec->method),
                       "by_hand, for import");
    if (spec->task != TASK_CLIENT)
        return err_bad(err, ERR_VALUE, "$.sweep.spec.task", "another task",
                       "{\"client\": {}}, for import");
    if (spec->after != 0 || spec->stop.rule != STOP_NONE || spec->has_until ||
        spec->warm_count > 0)
        return err_bad(err, ERR_VALUE, "$.sweep.spec",
                       "after, early_terminate, until or warm_start", "none of these, for import");
    return 0;
}

static int parse_sweep(const struct json *sweep, struct staged_import *s, struct errbuf *err)
{
    const struct json *spec = json_get(sweep, "spec"), *source = json_get(sweep, "source");
    if (!spec)
        return err_bad(err, ERR_MISSING, "$.sweep.spec", "nothing", "a specification");
    if (!source || json_type(source) != JSON_STRING)
        return err_bad(err, ERR_MISSING, "$.sweep.source", "nothing", "where it is from, in words");
    str_copy(s->source, sizeof(s->source), json_string(source));
    int rc = spec_parse(spec, &s->spec, err);
    return rc < 0 ? rc : check_spec(&s->spec, err);
}

int staged_import_begin(struct staged_import **list, const struct conn *owner, const char *id,
                        const struct json *sweep, struct errbuf *err)
{
    struct staged_import *s = xcalloc(1, sizeof(*s));
    staged_import_drop(list, owner);
    int rc = parse_sweep(sweep, s, err);
    if (rc == 0)
        rc = take_room(*list, s, sizeof(*s), err);
    if (rc < 0) {
        destroy(s);
        return rc;
    }
    s->owner = owner;
    str_copy(s->id, sizeof(s->id), id);
    s->next = *list;
    *list = s;
    return 0;
}

/* --- points ---------------------------------------------------------------------------------- */

static size_t bytes_of(const struct point_metrics *m)
{
    return sizeof(*m) + m->count * sizeof(m->values[0]) + sizeof(struct point);
}

static int check_order(const struct imported_run *r, double epoch, const char *path,
                       struct errbuf *err)
{
    char value[32];
    if (r->count == 0 || epoch > r->points[r->count - 1]->at.epoch)
        return 0;
    snprintf(value, sizeof(value), "%g", epoch);
    return err_bad(err, ERR_VALUE, path, value, "above the epoch of the point before it");
}

static int add_points(struct staged_import *list, struct staged_import *s, struct imported_run *r,
                      const struct json *points, struct errbuf *err)
{
    char path[PATH_MAX_BYTES];
    size_t i = 0;
    int rc = 0;
    for (const struct json *v = json_first(points); v && rc == 0; v = json_next(v), i++) {
        struct point_metrics *m = NULL;
        snprintf(path, sizeof(path), "$.points[%zu]", i);
        if (s->points == STAGED_POINTS_MAX)
            return err_bad(err, ERR_LIMIT, path, "one more", "%d points of all runs",
                           STAGED_POINTS_MAX);
        rc = reported_point_parse(v, path, &m, err);
        if (rc == 0)
            rc = check_order(r, m->at.epoch, path, err);
        if (rc == 0)
            rc = take_room(list, s, bytes_of(m), err);
        if (rc < 0) {
            free(m);
            break;
        }
        r->points = array_room(r->points, &r->cap, r->count, sizeof(struct point_metrics *));
        r->points[r->count++] = m;
        s->points++;
    }
    return rc;
}

int staged_import_add_points(struct staged_import *list, struct staged_import *s,
                             const struct json *points, struct errbuf *err)
{
    if (s->count == 0)
        return err_bad(err, ERR_STATE, "$.points", "points", "runs first");
    return add_points(list, s, &s->runs[s->count - 1], points, err);
}

/* --- runs ------------------------------------------------------------------------------------ */

static int read_status(const struct json *v, const char *path, struct imported_run *r,
                       struct errbuf *err)
{
    const char *text = v && json_type(v) == JSON_STRING ? json_string(v) : "nothing";
    int status = run_status_find(text);
    if (status != RUN_COMPLETED && status != RUN_STOPPED && status != RUN_FAILED)
        return err_bad(err, ERR_VALUE, path, text, "completed, stopped or failed");
    r->status = (enum run_status)status;
    return 0;
}

static int read_text(const struct json *v, const char *path, char **out, struct errbuf *err)
{
    if (!v || json_type(v) == JSON_NULL)
        return 0;
    if (json_type(v) != JSON_STRING)
        return err_bad(err, ERR_TYPE, path, json_type_name(json_type(v)), "a string");
    char text[RUN_TEXT_MAX * 3];
    str_copy(text, sizeof(text), json_string(v));
    *out = xstrdup(text);
    return 0;
}

static int read_time(const struct json *v, const char *path, utc_us *out, struct errbuf *err)
{
    int64_t us = 0;
    if (!v || json_type(v) == JSON_NULL)
        return 0;
    if (json_int64(v, &us) < 0 || us < 0 || us > US_MAX)
        return err_bad(err, ERR_VALUE, path, "another value", "microseconds since 1970, UTC");
    *out = us;
    return 0;
}

static int parse_run(struct staged_import *list, struct staged_import *s, const struct json *v,
                     struct imported_run *r, struct errbuf *err)
{
    const struct json *params = json_get(v, "params"), *points = json_get(v, "points");
    int rc;
    if (json_type(v) != JSON_OBJECT || !params || json_type(params) != JSON_OBJECT)
        return err_bad(err, ERR_TYPE, "$.runs", "another value",
                       "objects with params, status, and perhaps reason, text, started, ended, "
                       "points");
    if (points && json_type(points) != JSON_ARRAY)
        return err_bad(err, ERR_TYPE, "$.runs.points", "another value", "a list");
    rc = space_check(&s->spec.space, params, &r->at, err);
    if (rc == 0)
        rc = read_status(json_get(v, "status"), "$.runs.status", r, err);
    if (rc == 0)
        rc = read_text(json_get(v, "reason"), "$.runs.reason", &r->reason, err);
    if (rc == 0)
        rc = read_text(json_get(v, "text"), "$.runs.text", &r->text, err);
    if (rc == 0)
        rc = read_time(json_get(v, "started"), "$.runs.started", &r->started, err);
    if (rc == 0)
        rc = read_time(json_get(v, "ended"), "$.runs.ended", &r->ended, err);
    if (rc == 0 && points)
        rc = add_points(list, s, r, points, err);
    return rc;
}

int staged_import_add_runs(struct staged_import *list, struct staged_import *s,
                           const struct json *runs, struct errbuf *err)
{
    for (const struct json *v = json_first(runs); v; v = json_next(v)) {
        struct imported_run r = {0};
        if (s->count == STAGED_RUNS_MAX)
            return err_bad(err, ERR_LIMIT, "$.runs", "one more", "%d runs", STAGED_RUNS_MAX);
        int rc = take_room(list, s, sizeof(r) + sizeof(struct run_row), err);
        if (rc == 0)
            rc = parse_run(list, s, v, &r, err);
        if (rc < 0) {
            run_finish(&r);
            return rc;
        }
        s->runs = array_room(s->runs, &s->cap, s->count, sizeof(*s->runs));
        s->runs[s->count++] = r;
    }
    return 0;
}
