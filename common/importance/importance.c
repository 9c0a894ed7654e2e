#include "sweep/importance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/importance/methods.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const struct {
    const char *name, *says;
} methods[] = {
#define X(id, name, says) [IMPORTANCE_##id] = {name, says},
    IMPORTANCE_MAP(X)
#undef X
};

const char *importance_name(enum importance_method m)
{
    REQUIRE((unsigned)m < IMPORTANCE_COUNT);
    return methods[m].name;
}

const char *importance_says(enum importance_method m)
{
    REQUIRE((unsigned)m < IMPORTANCE_COUNT);
    return methods[m].says;
}

int importance_find(const char *name)
{
    for (int i = 0; i < IMPORTANCE_COUNT; i++)
        if (strcmp(methods[i].name, name) == 0)
            return i;
    return -1;
}

/* --- the runs -------------------------------------------------------------------------------- */

void importance_init(struct importance_runs *r, const struct space *space, bool maximize)
{
    *r = (struct importance_runs){.space = space, .maximize = maximize};
}

void importance_finish(struct importance_runs *r)
{
    free(r->runs);
    free(r->values);
    *r = (struct importance_runs){0};
}

static bool counts(const struct importance_given *run)
{
    if (run->kind != RUN_KIND_SEARCH || !run_status_terminal(run->status))
        return false;
    return run->status != RUN_CANCELLED &&
           (run->status != RUN_FAILED || run_error_is_own(run->error));
}

void importance_take(struct importance_runs *r, const struct importance_given *run)
{
    size_t dims = r->space->count;
    bool finite = run->has_metric && isfinite(run->metric) && run->status != RUN_FAILED;
    struct importance_run own = {.tier = IMPORTANCE_FAILED};
    if (!counts(run))
        return;
    if (finite)
        own = (struct importance_run){run->status == RUN_COMPLETED ? IMPORTANCE_COMPLETED
                                                                  : IMPORTANCE_STOPPED,
                                      r->maximize ? -run->metric : run->metric};
    r->runs = array_room(r->runs, &r->cap, r->count, sizeof(*r->runs));
    if (r->values_cap < r->cap) {
        r->values_cap = r->cap;
        r->values = xrealloc(r->values, (r->cap * dims + 1) * sizeof(*r->values));
    }
    memcpy(r->values + r->count * dims, run->at->v, dims * sizeof(*r->values));
    r->runs[r->count++] = own;
}

/* --- the answer ------------------------------------------------------------------------------ */

size_t importance_used(const struct importance_runs *r, enum importance_method m)
{
    size_t used = 0;
    if (m == IMPORTANCE_PEDANOVA)
        return r->count;
    for (size_t i = 0; i < r->count; i++)
        used += r->runs[i].tier == IMPORTANCE_COMPLETED;
    return used;
}

int importance_compute(const struct importance_runs *r, enum importance_method m, uint64_t seed,
                       double out[SPACE_MAX_DIMENSIONS], struct errbuf *err)
{
    size_t used = importance_used(r, m);
    if (used < 2)
        return err_set(err, ERR_STATE, "%zu run%s of the search ha%s come to a metric; importance "
                       "needs 2, and says little of fewer than 50", used, used == 1 ? "" : "s",
                       used == 1 ? "s" : "ve");
    for (size_t i = 0; i < r->space->count; i++)
        out[i] = 0;
    if (m == IMPORTANCE_PEDANOVA)
        pedanova(r, out);
    else
        fanova(r, seed, out);
    return 0;
}

void importance_shares(const double *importance, size_t count, double *out)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += importance[i];
    for (size_t i = 0; i < count; i++)
        out[i] = sum > 0 ? importance[i] / sum : 0;
}

void importance_order(const double *importance, size_t count, size_t *out)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && importance[out[at - 1]] < importance[i]; at--)
            out[at] = out[at - 1];
        out[at] = i;
    }
}

void importance_write(const struct space *space, const double *importance, struct json_writer *w)
{
    size_t order[SPACE_MAX_DIMENSIONS];
    double shares[SPACE_MAX_DIMENSIONS];
    importance_shares(importance, space->count, shares);
    importance_order(importance, space->count, order);
    jw_begin_array(w);
    for (size_t i = 0; i < space->count; i++) {
        jw_begin_object(w);
        jw_kv_string(w, "parameter", space->dimensions[order[i]].name);
        jw_kv_real(w, "importance", shares[order[i]]);
        jw_kv_real(w, "raw", importance[order[i]]);
        jw_end_object(w);
    }
    jw_end_array(w);
}
