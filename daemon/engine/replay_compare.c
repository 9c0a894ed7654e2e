/* Decisions and runs that were made again, against those that are stored. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/replay_private.h"
#include "sweep/buf.h"
#include "sweep/json.h"

size_t replay_run(const struct replay *p, int64_t run_id)
{
    size_t lo = 0, hi = p->in->rows.run_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->ids[mid] < run_id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < p->in->rows.run_count && p->ids[lo] == run_id ? lo : SIZE_MAX;
}

size_t replay_next(const struct replay *p, size_t from, int64_t run_id)
{
    while (from < p->in->count && p->in->decisions[from].run_id != run_id)
        from++;
    return from;
}

/* The first one counts. */
static void differ(struct replay *p, const struct replay_decision *d, int64_t run_id,
                   const char *what, const char *stored, const char *again)
{
    struct replay_report *r = p->out;
    size_t number = replay_run(p, run_id);
    if (r->differs)
        return;
    r->differs = true;
    r->decision_id = d != NULL ? d->id : 0;
    r->run_id = run_id;
    r->number = number != SIZE_MAX ? (int64_t)number : (int64_t)p->in->rows.run_count;
    str_copy(r->what, sizeof(r->what), what);
    r->stored = xstrdup(stored != NULL ? stored : "");
    r->again = xstrdup(again != NULL ? again : "");
}

/* --- decisions ------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static char *decision_text(enum decision_kind kind, const char *reason, const char *detail)
{
    return xasprintf("%s: %s%s%s", kind < DECISION_KIND_COUNT ? decision_name(kind) : "unknown",
                     reason != NULL ? reason : "", detail != NULL ? " " : "",
                     detail != NULL ? detail : "");
}

/* Where its decisions are taken from; NULL: the run is not stored. */
static size_t *place_of(struct replay *p, int64_t run_id)
{
    size_t i = run_id != 0 ? replay_run(p, run_id) : 0;
    if (run_id == 0)
        return &p->next_own;
    return i != SIZE_MAX ? &p->runs[i].next : NULL;
}

static void compare_decision(struct replay *p, const struct decision_row *made)
{
    size_t *at = place_of(p, made->run_id);
    const struct replay_decision *d =
        at != NULL && *at < p->in->count ? &p->in->decisions[*at] : NULL;
    if (d == NULL && !p->whole)
        return; /* the sweep was cut off before */
    char *again = decision_text(made->kind, made->reason, made->detail_json);
    if (d == NULL) {
        differ(p, NULL, made->run_id, "decision", NULL, again);
    } else if (d->kind != made->kind || !same_text(d->reason, made->reason) ||
               !same_text(d->detail, made->detail_json)) {
        char *stored = decision_text(d->kind, d->reason, d->detail);
        differ(p, d, made->run_id, "decision", stored, again);
        free(stored);
    } else {
        p->out->decisions++;
        *at = replay_next(p, *at + 1, made->run_id);
    }
    free(again);
}

/* --- runs ------------------------------------------------------------------------------------ */

static void compare_text(struct replay *p, const struct run_row *r, const char *what,
                         const char *stored, const char *again)
{
    if (!same_text(stored, again))
        differ(p, NULL, r->id, what, stored, again);
}

static void compare_number(struct replay *p, const struct run_row *r, const char *what,
                           double stored, double again)
{
    char a[32], b[32];
    if (stored == again || (isnan(stored) && isnan(again)))
        return;
    json_format_real(stored, a);
    json_format_real(again, b);
    differ(p, NULL, r->id, what, a, b);
}

/* A run that was just made: what it is to try. */
static void compare_made(struct replay *p, const struct run_row *stored, const struct run *r)
{
    const struct run_row *made = r->row;
    char *params = run_params(r), seeds[2][24];
    snprintf(seeds[0], sizeof(seeds[0]), "%" PRIu64, stored->seed);
    snprintf(seeds[1], sizeof(seeds[1]), "%" PRIu64, made->seed);
    compare_text(p, made, "kind", run_kind_name(stored->kind), run_kind_name(made->kind));
    compare_text(p, made, "stage", stored->stage, made->stage);
    compare_text(p, made, "params", stored->params_json, params);
    compare_text(p, made, "seed", seeds[0], seeds[1]);
    compare_text(p, made, "reason", stored->reason, made->reason);
    compare_number(p, made, "epochs", (double)stored->epochs, (double)made->epochs);
    compare_number(p, made, "parent_id", (double)stored->parent_id, (double)made->parent_id);
    free(params);
}

/* One that has ended: what it came to. */
static void compare_ended(struct replay *p, const struct run_row *stored,
                          const struct run_row *made)
{
    p->runs[replay_run(p, made->id)].ended = true;
    p->out->runs++;
    compare_text(p, made, "status", run_status_name(stored->status), run_status_name(made->status));
    if (stored->status == RUN_CANCELLED)
        return;
    compare_text(p, made, "stop_reason", stored->stop_reason, made->stop_reason);
    compare_number(p, made, "metric_value", stored->has_metric ? stored->metric_value : NAN,
                   made->has_metric ? made->metric_value : NAN);
    if (stored->has_metric)
        compare_number(p, made, "best_epoch", stored->best_epoch, made->best_epoch);
    compare_text(p, made, "objectives", stored->objectives, made->objectives);
    if (stored->has_outcome && made->has_outcome)
        compare_number(p, made, "cured", stored->cured, made->cured);
}

static void compare_run(struct replay *p, const struct run_row *made)
{
    size_t i = replay_run(p, made->id);
    const struct sweep *s = engine_sweep(p->engine, p->sweep_id);
    const struct run *live = s != NULL ? sweep_live_run(s, made->id) : NULL;
    if (i == SIZE_MAX) {
        if (p->whole)
            differ(p, NULL, made->id, "run", "none", made->reason);
        return;
    }
    const struct run_row *stored = &p->in->rows.runs[i];
    if (run_status_terminal(made->status))
        compare_ended(p, stored, made);
    else if (made->status == RUN_QUEUED && made->started == 0 && live != NULL)
        compare_made(p, stored, live);
}

void replay_compare(struct replay *p, const struct store_batch *b)
{
    for (size_t i = 0; i < b->count && !p->out->differs; i++) {
        if (b->ops[i].type == STORE_ADD_DECISION)
            compare_decision(p, b->ops[i].u.decision);
        else if (b->ops[i].type == STORE_PUT_RUN)
            compare_run(p, b->ops[i].u.run);
    }
}

/* Runs that have ended, and came to no end here; what was cancelled in the middle has none. */
static void compare_unended(struct replay *p)
{
    for (size_t i = 0; i < p->in->rows.run_count; i++) {
        const struct run_row *r = &p->in->rows.runs[i];
        if (run_status_terminal(r->status) && r->status != RUN_CANCELLED && !p->runs[i].ended)
            differ(p, NULL, r->id, "status", run_status_name(r->status), NULL);
    }
}

void replay_compare_rest(struct replay *p)
{
    for (size_t i = 0; i < p->in->count && !p->out->differs; i++) {
        const struct replay_decision *d = &p->in->decisions[i];
        const size_t *at = place_of(p, d->run_id);
        size_t run = d->run_id != 0 ? replay_run(p, d->run_id) : SIZE_MAX;
        bool open = run != SIZE_MAX && !run_status_terminal(p->in->rows.runs[run].status);
        if (at != NULL && (i < *at || open))
            continue; /* made again, or its run has not ended */
        char *stored = decision_text(d->kind, d->reason, d->detail);
        differ(p, d, d->run_id, "decision", stored, NULL);
        free(stored);
    }
    compare_unended(p);
}
