/* A sweep's deadline: what does not fit any more is skipped, and at last all that is left. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "daemon/plan/search/search.h"
#include "sweep/buf.h"
#include "sweep/json.h"

#define MICROSECONDS 1e6
#define CHANGE 0.05 /* of what is left: as much as that the plan must change to be said anew */

/* --- when ------------------------------------------------------------------------------------ */

/* To the millisecond: as people read it. */
static double seconds_left(const struct sweep *s, utc_us now)
{
    return now < s->row->deadline ? floor((double)(s->row->deadline - now) / 1e3) / 1e3 : 0;
}

static bool is_at_work(const struct sweep *s)
{
    return s->row->status == SWEEP_QUEUED || s->row->status == SWEEP_RUNNING;
}

utc_us deadlines_next(const struct engine *e, utc_us now)
{
    utc_us at = 0;
    for (size_t i = 0; i < e->sweep_count; i++) {
        const struct sweep *s = e->sweeps[i];
        utc_us own = s->row->deadline;
        if (is_at_work(s) && own > now && (at == 0 || own < at))
            at = own;
    }
    return at;
}

void deadlines_due(struct engine *e, utc_us now)
{
    for (size_t i = 0; i < e->sweep_count; i++) {
        struct sweep *s = e->sweeps[i];
        if (s->row->deadline != 0 && now >= s->row->deadline && is_at_work(s) && !s->overdue)
            s->overdue = s->due = true;
    }
}

/* --- a run ----------------------------------------------------------------------------------- */

static bool is_last(const struct sweep *s, const struct run *r)
{
    return stage_is_of_best(s->trials[r->index]->stage);
}

static char *run_detail(const struct deadline_run *at)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    deadline_run_write(at, &w);
    return buf_take(&text);
}

bool deadline_skip_run(struct engine *e, struct run *r, const struct deadline_run *at, utc_us now,
                       struct effects *fx)
{
    char reason[DEADLINE_REASON_MAX];
    struct decision_row d = {.sweep_id = r->row->sweep_id, .run_id = r->row->id,
                             .kind = DECISION_SKIPPED};
    if (run_status_terminal(r->row->status) || run_is_overdue(r) || !deadline_skips(at, reason))
        return false;
    d.detail_json = run_detail(at);
    store_batch_add_decision(&fx->batch, &d, "%s", reason);
    if (r->row->status == RUN_RUNNING && !run_is_leased(r))
        run_end_overdue(r, reason, fx);
    else if (r->seen_point > 0 || r->row->status == RUN_RUNNING)
        run_end_here(e, r, reason, now, fx);
    else
        run_skip(e, r, reason, now, fx);
    return true;
}

/* --- the whole ------------------------------------------------------------------------------- */

void deadline_take_plan(struct sweep *s, const struct deadline_plan *p, utc_us now,
                        struct effects *fx)
{
    char reason[DEADLINE_REASON_MAX];
    struct decision_row d = {.sweep_id = s->row->id, .kind = DECISION_SKIPPED};
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    deadline_plan_write(p, &w);
    deadline_plan_reason(p, reason);
    d.detail_json = buf_take(&text);
    s->fits = *p;
    free(s->row->fits);
    s->row->fits = xstrdup(d.detail_json);
    s->due = true;
    store_batch_put_sweep(&fx->batch, sweep_row_copy(s->row));
    store_batch_add_decision(&fx->batch, &d, "%s", reason);
    store_batch_add_event(&fx->batch, s->row->id, 0, "skipped", now, "%s", reason);
}

static bool shares_with(const struct engine *e, const struct sweep *s, const struct sweep *o)
{
    return o == s || (!o->leased && o->launcher == 0 && sweep_may_start(e, o) &&
                      o->waiting + o->running > 0);
}

/* Workers that it may count on: open sweeps with something to do share them, and what their runs
 * need beside a slot. */
static int64_t workers_of(const struct engine *e, const struct sweep *s)
{
    const struct resource_pool *pool = e->launchers[0].resources;
    struct resource_room room = {0};
    size_t sharing = 0;
    if (s->leased)
        return s->running > 0 ? (int64_t)s->running : 1;
    if (s->launcher != 0) /* those of its own, and before there are any those it is to have */
        return s->own_slots > 0 ? (int64_t)s->own_slots : sweep_spec(s)->on.slots;
    for (size_t i = 0; i < e->sweep_count; i++) {
        if (!shares_with(e, s, e->sweeps[i]))
            continue;
        sharing++;
        if (pool != NULL)
            resource_room_add(&room, pool, e->sweeps[i]->needs);
    }
    int64_t own = (int64_t)(engine_workers(e) / sharing);
    int64_t most = pool != NULL ? resource_room_runs(&room, pool, s->needs) : own;
    own = own < most ? own : most;
    return own > 0 ? own : 1;
}

/* Of its own: what it goes on from another has trained. */
static double epochs_shown(const struct sweep *s, const struct run *r)
{
    return fmax(r->last_epoch - (double)population_from_epoch(s, r->row), 0);
}

static double busy_seconds(const struct sweep *s, const struct study *st, double usual)
{
    double sum = 0;
    for (size_t i = 0; i < s->live_count; i++) {
        const struct run *r = s->live[i];
        if (r->row->status != RUN_RUNNING)
            continue;
        double pace = deadline_pace(st, &s->trials[r->index]->at);
        double left = (double)population_epochs(s, r->row) - epochs_shown(s, r);
        double seconds = isfinite(pace) ? pace * left : usual;
        sum += seconds > 0 ? seconds : 0;
    }
    return sum;
}

/* Its points so far say how fast a run is that began with this attempt. */
static void measure_running(struct sweep *s, utc_us now)
{
    for (size_t i = 0; i < s->live_count; i++) {
        const struct run *r = s->live[i];
        double shown = epochs_shown(s, r);
        if (r->row->status == RUN_RUNNING && shown > 0 && r->point_at_start == 0 &&
            r->began > 0 && now > r->began)
            s->trials[r->index]->pace = (double)(now - r->began) / MICROSECONDS / shown;
    }
}

/* Runs of run_cap that were started; those that wait in the queue may still be skipped. */
static int64_t begun(const struct sweep *s, const struct study *st)
{
    size_t waiting = 0;
    for (size_t i = 0; i < s->live_count; i++)
        waiting += s->live[i]->row->status == RUN_QUEUED && s->live[i]->row->started == 0 &&
                   !is_last(s, s->live[i]);
    return (int64_t)(s->run_count - st->skipped - st->along - waiting);
}

/* As a whole the plan goes up and down a little with every run: that is no decision. */
static bool is_news(const struct sweep *s, const struct deadline_plan *p)
{
    int64_t runs = s->row->fits != NULL ? s->fits.runs : p->run_cap;
    int64_t last = s->row->fits != NULL ? s->fits.last_runs : p->last;
    runs = runs < p->run_cap ? runs : p->run_cap;
    int64_t step = (int64_t)(CHANGE * (double)(runs - p->begun));
    if (p->runs == runs)
        return p->last_runs != last && p->runs <= p->begun;
    if (p->runs < runs)
        return runs - p->runs > step || p->runs - p->begun < p->workers;
    return p->runs - runs > step + p->workers;
}

/* True: it is another plan than before. */
static bool review_plan(const struct engine *e, struct sweep *s, struct deadline_plan *p,
                        utc_us now, struct effects *fx)
{
    struct study st = sweep_bare_study(s);
    double seconds = deadline_run_seconds(&st);
    utc_us first = s->row->started != 0 ? s->row->started : s->row->created;
    *p = (struct deadline_plan){
        .left = seconds_left(s, now),
        .window = (double)(s->row->deadline - first) / MICROSECONDS,
        .seconds = seconds,
        .busy = busy_seconds(s, &st, seconds > 0 ? seconds : 0),
        .workers = workers_of(e, s),
        .planned = (int64_t)s->run_count,
        .begun = begun(s, &st),
        .run_cap = (int64_t)st.run_cap,
        .skipped = (int64_t)st.skipped,
        .last = (int64_t)st.last,
        .along = (int64_t)st.along,
    };
    deadline_plan_judge(p);
    if (s->finalists > 0 || !is_news(s, p))
        return false;
    deadline_take_plan(s, p, now, fx);
    return true;
}

/* A stage that was planned as a whole shrinks as the sweep does, where others follow it. */
static bool may_shrink(const struct sweep *s)
{
    struct study st = sweep_bare_study(s);
    return (method_traits(s->row->method) & METHOD_STAGES) &&
           s->run_count - st.skipped < st.run_cap;
}

/* How many runs the stage has in a search of what fits now. */
static int64_t stage_places(const struct search_outline *o, const char *stage)
{
    for (size_t i = 0; i < o->count; i++)
        if (strcmp(o->stages[i].stage, stage) == 0)
            return o->stages[i].runs;
    return 1;
}

/* How many of its stage there are up to that one. */
static int64_t place_in_stage(const struct sweep *s, size_t index)
{
    int64_t place = 0;
    for (size_t i = 0; i <= index; i++)
        place += !s->trials[i]->skipped &&
                 strcmp(s->trials[i]->stage, s->trials[index]->stage) == 0;
    return place;
}

/* The first of a stage that is shrunk stay: so each is asked before any of it is skipped. */
static void shrink_stages(struct engine *e, struct sweep *s, const struct deadline_plan *p,
                          utc_us now, struct effects *fx)
{
    struct study st = sweep_study(s);
    struct search_outline outline;
    search_method(s->row->method)->outline(&st, &outline);
    for (size_t i = s->live_count; i-- > 0;) {
        struct run *r = s->live[i];
        if (r->row->status != RUN_QUEUED || r->row->started != 0 ||
            r->row->kind != RUN_KIND_SEARCH)
            continue;
        struct deadline_run at = {.left = p->left,
                                  .pace = NAN,
                                  .epochs = population_epochs(s, r->row),
                                  .place = place_in_stage(s, r->index),
                                  .places = stage_places(&outline, s->trials[r->index]->stage)};
        (void)deadline_skip_run(e, r, &at, now, fx);
    }
}

/* Those that may begin next, and those behind them while none fits. */
static void skip_long(struct engine *e, struct sweep *s, const struct deadline_plan *p,
                      const struct study *st, utc_us now, struct effects *fx)
{
    int64_t stay = 0;
    for (size_t i = 0; i < s->live_count && stay < 2 * p->workers;) {
        struct run *r = s->live[i];
        bool fresh = r->row->status == RUN_QUEUED && r->row->started == 0;
        struct deadline_run at = {.left = p->left, .epochs = population_epochs(s, r->row)};
        if (fresh) {
            at.reserve = is_last(s, r) ? 0 : p->reserve;
            at.pace = deadline_pace(st, &s->trials[r->index]->at);
        }
        if (fresh && deadline_skip_run(e, r, &at, now, fx))
            continue; /* it has left the list */
        stay += fresh;
        i++;
    }
}

/* All that is left. */
static void skip_rest(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    for (size_t i = s->live_count; i-- > 0;) {
        struct run *r = s->live[i];
        struct deadline_run at = {.pace = NAN, .epochs = population_epochs(s, r->row)};
        (void)deadline_skip_run(e, r, &at, now, fx);
    }
}

void deadline_review(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    struct deadline_plan p;
    if (s->row->deadline == 0 || e->given_ids != NULL || !is_at_work(s))
        return;
    measure_running(s, now);
    bool shrunk = review_plan(e, s, &p, now, fx);
    if (!(p.left > 0)) {
        skip_rest(e, s, now, fx);
        return;
    }
    if (shrunk && may_shrink(s))
        shrink_stages(e, s, &p, now, fx);
    struct study st = sweep_bare_study(s);
    skip_long(e, s, &p, &st, now, fx);
}

void deadline_restore(struct sweep *s)
{
    if (!deadline_plan_read(s->row->fits, &s->fits)) {
        free(s->row->fits);
        s->row->fits = NULL;
    }
}

char *deadline_left_out(const struct sweep *s)
{
    size_t skipped = 0;
    for (size_t i = 0; i < s->run_count; i++)
        skipped += s->trials[i]->skipped;
    size_t had = s->run_count - skipped, cap = (size_t)sweep_spec(s)->run_cap;
    bool few = s->row->fits != NULL && s->fits.runs < s->fits.run_cap;
    if (skipped == 0 && !few)
        return NULL;
    return xasprintf("the deadline left time for %zu of %zu runs", had, cap);
}
