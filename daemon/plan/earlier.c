#include "daemon/plan/earlier.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define ELITE 0.1 /* share of the completed ones (Nomura et al. 2021, warm starting CMA-ES) … */
#define ELITE_LEAST 3 /* … and so many at least */
#define SAID_MAX 64

/* --- write ----------------------------------------------------------------------------------- */

void earlier_run_write(const struct space *s, const struct earlier_run *r, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "run", r->run_id);
    jw_kv_string(w, "status", run_status_name(r->status));
    if (r->status == RUN_FAILED)
        jw_kv_string(w, "error", run_error_name(r->error));
    if (r->has_metric && isfinite(r->metric_value))
        jw_kv_real(w, "value", r->metric_value);
    if (r->rung > 0)
        jw_kv_int(w, "rung", r->rung);
    if (r->further_count > 0) {
        jw_key(w, "further");
        jw_begin_array(w);
        for (size_t i = 0; i < r->further_count; i++)
            jw_real(w, r->further[i]);
        jw_end_array(w);
    }
    jw_key(w, "params");
    space_params_write(s, &r->at, w);
    jw_end_object(w);
}

void earlier_start_write(const struct space *s, const struct earlier_start *st,
                         struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "sweep", st->sweep_id);
    jw_kv_int(w, "run", st->run_id);
    jw_kv_int(w, "place", st->place);
    jw_key(w, "params");
    space_params_write(s, &st->at, w);
    jw_end_object(w);
}

/* --- read ------------------------------------------------------------------------------------ */

static bool read_params(const struct json *v, const struct space *space, struct assignment *out)
{
    struct errbuf why;
    const struct json *params = json_get(v, "params");
    if (params == NULL || space_params_parse(space, params, out, &why) != 0)
        return false;
    for (size_t i = 0; i < space->count; i++)
        if (space_has(out, i) && !dimension_takes(&space->dimensions[i], out->v[i]))
            return false;
    return true;
}

/* It has room for the values of its space alone. */
static struct trial *trial_of(const struct space *space, const struct assignment *at)
{
    size_t bytes = space->count * sizeof(at->v[0]);
    struct trial *t = xcalloc(1, offsetof(struct trial, at) + bytes);
    memcpy(t->at.v, at->v, bytes);
    t->number = t->parent = TRIAL_NONE;
    t->cause = CAUSE_COUNT;
    t->kind = RUN_KIND_SEARCH;
    str_copy(t->stage, sizeof(t->stage), "enqueued");
    return t;
}

static bool read_end(const struct json *v, struct trial *t)
{
    struct errbuf why;
    const char *status, *error;
    int64_t rung = 0;
    if (json_get_string(v, "status", &status, &why) != 0)
        return false;
    int found = run_status_find(status);
    if (found != RUN_COMPLETED && found != RUN_STOPPED && found != RUN_FAILED)
        return false;
    t->status = (enum run_status)found;
    t->has_metric = json_get_real(v, "value", &t->metric_value, &why) == 0;
    if (found == RUN_FAILED) {
        int kind = json_get_string(v, "error", &error, &why) == 0 ? run_error_find(error) : -1;
        t->error = kind >= 0 ? (enum run_error)kind : RUN_ERROR_CRASHED;
    }
    if (json_get(v, "rung") == NULL || json_get_int64(v, "rung", &rung, &why) != 0)
        return true;
    t->rungs = xcalloc(1, sizeof(*t->rungs));
    t->rungs[0] = (struct rung){rung, t->metric_value};
    t->rung_count = t->rung_cap = 1;
    return true;
}

/* Of the objectives behind the metric. */
static void read_further(const struct json *v, size_t objectives, struct trial *t)
{
    const struct json *list = json_get(v, "further");
    const struct json *m = list && json_type(list) == JSON_ARRAY ? json_first(list) : NULL;
    if (objectives == 0)
        return;
    t->further = xcalloc(objectives, sizeof(*t->further));
    for (size_t i = 0; i + 1 < objectives; i++, m = m != NULL ? json_next(m) : NULL)
        if (m == NULL || json_real(m, &t->further[i]) != 0)
            t->further[i] = NAN;
}

static void read_run(const struct json *v, const struct space *space, int64_t epochs,
                     struct earlier *e)
{
    struct errbuf why;
    struct assignment at = {{0}};
    int64_t id;
    if (json_get_int64(v, "run", &id, &why) != 0 || !read_params(v, space, &at))
        return;
    struct trial *t = trial_of(space, &at);
    t->epochs = epochs;
    if (read_end(v, t)) {
        read_further(v, e->objectives, t);
        e->run_ids[e->count] = id;
        e->trials[e->count++] = t;
        return;
    }
    free(t);
}

static void read_start(const struct json *v, const struct space *space, struct earlier *e)
{
    struct errbuf why;
    struct earlier_start *st = &e->starts[e->start_count];
    if (json_get_int64(v, "sweep", &st->sweep_id, &why) == 0 &&
        json_get_int64(v, "run", &st->run_id, &why) == 0 &&
        json_get_int64(v, "place", &st->place, &why) == 0 && read_params(v, space, &st->at))
        e->start_count++;
}

static const struct json *list_of(const struct json *root, const char *name)
{
    const struct json *v = json_get(root, name);
    return v != NULL && json_type(v) == JSON_ARRAY ? json_first(v) : NULL;
}

/* What does not fit is passed over. */
static void read_lists(const struct json *root, const struct space *space, int64_t epochs,
                       struct earlier *e)
{
    for (const struct json *v = list_of(root, "runs"); v && e->count < EARLIER_RUNS_MAX;
         v = json_next(v))
        read_run(v, space, epochs, e);
    for (const struct json *v = list_of(root, "starts"); v && e->start_count < EARLIER_STARTS_MAX;
         v = json_next(v))
        read_start(v, space, e);
    for (const struct json *v = list_of(root, "said"); v && e->said_count < SAID_MAX;
         v = json_next(v))
        if (json_type(v) == JSON_STRING)
            e->said[e->said_count++] = xstrdup(json_string(v));
}

struct earlier *earlier_read(const char *text, const struct space *space, int64_t epochs,
                             size_t objectives)
{
    struct errbuf why;
    struct json *root = text != NULL ? json_parse(text, strlen(text), &why) : NULL;
    if (root == NULL || json_type(root) != JSON_OBJECT) {
        json_destroy(root);
        return NULL;
    }
    struct earlier *e = xcalloc(1, sizeof(*e));
    e->trials = xcalloc(EARLIER_RUNS_MAX, sizeof(*e->trials));
    e->run_ids = xcalloc(EARLIER_RUNS_MAX, sizeof(*e->run_ids));
    e->starts = xcalloc(EARLIER_STARTS_MAX, sizeof(*e->starts));
    e->said = xcalloc(SAID_MAX, sizeof(*e->said));
    e->objectives = objectives;
    read_lists(root, space, epochs, e);
    json_destroy(root);
    return e;
}

void earlier_destroy(struct earlier *e)
{
    if (e == NULL)
        return;
    for (size_t i = 0; i < e->count; i++) {
        free(e->trials[i]->rungs);
        free(e->trials[i]->further);
        free(e->trials[i]);
    }
    for (size_t i = 0; i < e->said_count; i++)
        free(e->said[i]);
    free(e->trials);
    free(e->run_ids);
    free(e->starts);
    free(e->said);
    free(e);
}

/* --- what methods ask ------------------------------------------------------------------------ */

const struct earlier_start *earlier_start(const struct earlier *e, uint64_t i)
{
    return e != NULL && i < e->start_count ? &e->starts[i] : NULL;
}

void earlier_start_reason(const struct earlier_start *st, char *out, size_t size)
{
    snprintf(out, size, "place %" PRId64 " of sweep %" PRId64 " (run %" PRId64
             "), whose runs were trained otherwise", st->place, st->sweep_id, st->run_id);
}

static bool is_elite(const struct trial *t)
{
    return t->status == RUN_COMPLETED && trial_usable(t);
}

/* The best first, equal ones as they come. */
static size_t sorted(const struct earlier *e, bool maximize, const struct trial **out)
{
    size_t n = 0;
    for (size_t i = 0; i < earlier_count(e); i++) {
        if (!is_elite(e->trials[i]))
            continue;
        const struct trial *t = e->trials[i];
        size_t at = n++;
        for (; at > 0 && trial_better(t, out[at - 1], maximize); at--)
            out[at] = out[at - 1];
        out[at] = t;
    }
    return n;
}

size_t earlier_elite(const struct earlier *e, bool maximize, const struct assignment **out)
{
    const struct trial *by_cost[EARLIER_RUNS_MAX];
    size_t n = sorted(e, maximize, by_cost), best = (size_t)ceil(ELITE * (double)n);
    best = best < ELITE_LEAST ? ELITE_LEAST : best;
    best = best < n ? best : n;
    for (size_t i = 0; i < best; i++)
        out[i] = &by_cost[i]->at;
    if (best > 0 || e == NULL)
        return best;
    for (size_t i = 0; i < e->start_count; i++)
        out[i] = &e->starts[i].at;
    return e->start_count;
}
