/* The ground of the engine: which sweeps are open, which runs they have, which have a slot. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "daemon/plan/stop/ladder.h"
#include "daemon/plan/search/memo.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

/* --- sweeps and slots ------------------------------------------------------------------------ */

/* Index of the first open sweep with an id >= sweep_id. */
static size_t sweep_position(const struct engine *e, int64_t sweep_id)
{
    size_t lo = 0, hi = e->sweep_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (e->sweeps[mid]->row->id < sweep_id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct sweep *engine_sweep(const struct engine *e, int64_t sweep_id)
{
    size_t i = sweep_position(e, sweep_id);
    return i < e->sweep_count && e->sweeps[i]->row->id == sweep_id ? e->sweeps[i] : NULL;
}

void engine_add_sweep(struct engine *e, struct sweep *s)
{
    e->sweeps = array_room(e->sweeps, &e->sweep_cap, e->sweep_count, sizeof(struct sweep *));
    size_t i = sweep_position(e, s->row->id);
    memmove(&e->sweeps[i + 1], &e->sweeps[i], (e->sweep_count - i) * sizeof(struct sweep *));
    e->sweeps[i] = s;
    e->sweep_count++;
}

void engine_drop_sweep(struct engine *e, struct sweep *s)
{
    REQUIRE(s->running == 0);
    size_t i = sweep_position(e, s->row->id);
    REQUIRE(i < e->sweep_count && e->sweeps[i] == s);
    e->sweep_count--;
    e->closed++;
    memmove(&e->sweeps[i], &e->sweeps[i + 1], (e->sweep_count - i) * sizeof(struct sweep *));
    sweep_destroy(s);
}

struct run *engine_running_run(const struct engine *e, int64_t run_id)
{
    for (size_t i = 0; i < e->running_count; i++)
        if (e->running[i]->row->id == run_id)
            return e->running[i];
    return NULL;
}

struct run *sweep_live_run(const struct sweep *s, int64_t run_id)
{
    for (size_t i = 0; i < s->live_count; i++)
        if (s->live[i]->row->id == run_id)
            return s->live[i];
    return NULL;
}

bool run_is_leased(const struct run *r)
{
    return r->sweep->leased;
}

bool sweep_may_start(const struct engine *e, const struct sweep *s)
{
    if (s->row->status != SWEEP_QUEUED && s->row->status != SWEEP_RUNNING)
        return false;
    const struct sweep *before = s->row->after ? engine_sweep(e, s->row->after) : NULL;
    return before == NULL || before == s || sweep_status_terminal(before->row->status);
}

size_t engine_workers(const struct engine *e)
{
    size_t n = 0;
    for (size_t i = 0; i < ENGINE_LAUNCHERS_MAX; i++)
        n += e->launchers[i].slots;
    return n;
}

void engine_take_slot(struct engine *e, struct run *r)
{
    e->running = array_room(e->running, &e->running_cap, e->running_count, sizeof(struct run *));
    e->running[e->running_count++] = r;
    e->launchers[r->launcher].taken++;
    needs_take(e, r);
    r->sweep->running++;
}

void engine_move_slot(struct engine *e, struct run *r, size_t launcher)
{
    REQUIRE(launcher < ENGINE_LAUNCHERS_MAX && e->launchers[r->launcher].taken > 0);
    e->launchers[r->launcher].taken--;
    e->launchers[launcher].taken++;
    if (launcher == r->launcher)
        return;
    needs_give(e, r);
    r->launcher = launcher;
    needs_take(e, r);
}

void engine_free_slot(struct engine *e, struct run *r)
{
    size_t i = 0;
    while (i < e->running_count && e->running[i] != r)
        i++;
    REQUIRE(i < e->running_count && r->sweep->running > 0);
    e->running_count--;
    e->launchers[r->launcher].taken--;
    needs_give(e, r);
    memmove(&e->running[i], &e->running[i + 1], (e->running_count - i) * sizeof(struct run *));
    r->sweep->running--;
}

/* --- a restart ------------------------------------------------------------------------------- */

size_t restored_first(const void *rows, size_t count, size_t size, int64_t run_id)
{
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int64_t id;
        memcpy(&id, (const char *)rows + mid * size, sizeof(id));
        if (id < run_id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* --- runs ------------------------------------------------------------------------------------ */

static void run_destroy(struct run *r)
{
    run_row_destroy(r->row);
    kept_points_finish(&r->kept);
    objectives_forget(r);
    free(r->gather);
    free(r->protocol_error);
    free(r);
}

void run_put(const struct run *r, struct effects *fx)
{
    REQUIRE(r != NULL);
    struct run_row *row = run_row_copy(r->row);
    if (row->config == NULL)
        row->config = run_config(r);
    if (row->params_json == NULL)
        row->params_json = run_params(r);
    store_batch_put_run(&fx->batch, row);
}

struct sweep *sweep_create(struct sweep_row *row, const struct spec *spec)
{
    struct sweep *s = xcalloc(1, sizeof(*s));
    s->row = row;
    s->cache = xcalloc(1, sizeof(*s->cache));
    s->cache->spec = xmalloc(sizeof(*spec));
    *s->cache->spec = *spec;
    s->method = search_method(spec->method);
    s->leased = task_of(spec)->is_leased;
    s->needs = needs_create(spec);
    s->launcher = (size_t)spec->on.launcher;
    s->due = true;
    s->memo = memo_create();
    return s;
}

static void trial_destroy(struct trial *t)
{
    trainer_config_release(t->config);
    free(t->facts);
    for (size_t i = 0; i < t->rung_count; i++)
        free(t->rungs[i].further);
    free(t->rungs);
    free(t->further);
    free(t);
}

void sweep_destroy(struct sweep *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->live_count; i++)
        run_destroy(s->live[i]);
    free(s->live);
    memo_destroy(s->memo);
    for (size_t i = 0; i < s->run_count; i++)
        trial_destroy(s->trials[i]);
    free(s->trials);
    free(s->searched);
    free(s->run_ids);
    free(s->written_causes);
    free(s->compared);
    free(s->needs);
    ladder_destroy(s->ladder);
    remedy_prior_finish(&s->prior);
    earlier_destroy(s->earlier);
    spec_cache_destroy(s->cache);
    sweep_row_destroy(s->row);
    free(s);
}

/* --- runs of a sweep ------------------------------------------------------------------------- */

size_t sweep_run_number(const struct sweep *s, int64_t run_id)
{
    size_t lo = 0, hi = s->run_count; /* ids grow with the numbers */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->run_ids[mid] < run_id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->run_count && s->run_ids[lo] == run_id ? lo : TRIAL_NONE;
}

struct study sweep_bare_study(const struct sweep *s)
{
    struct study st;
    study_init(&st, sweep_spec(s));
    st.live = s->live_count;
    st.count = s->searched_count;
    st.trials = s->searched;
    st.all_count = s->run_count;
    st.all = sweep_trials(s);
    st.memo = s->memo;
    st.extended = s->extended_from > 0;
    st.before = s->finalists_before;
    st.along = s->contenders;
    size_t mine = st.last > st.before ? st.last - st.before : 0; /* of the last runs */
    st.run_cap += st.last - mine;
    st.last = mine != 1 ? mine : 0; /* nothing could be chosen by one */
    st.run_cap += mine - st.last;
    st.earlier = s->earlier;
    st.skipped = s->skipped;
    st.run_cap -= s->skipped < st.run_cap ? s->skipped : st.run_cap;
    st.kept = st.kept < st.run_cap ? st.kept : st.run_cap;
    return st;
}

struct study sweep_study(const struct sweep *s)
{
    struct study st = sweep_bare_study(s);
    if (s->row->fits != NULL)
        deadline_shrink(&st, &s->fits,
                        s->run_count - s->skipped - s->finalists - s->contenders);
    return st;
}

void sweep_note_skipped(struct sweep *s, size_t index)
{
    const struct trial *t = s->trials[index];
    s->skipped += !stage_is_of_best(t->stage);
    for (size_t i = s->searched_count; i-- > 0;) {
        if (s->searched[i] != t)
            continue;
        s->searched_count--;
        memmove(&s->searched[i], &s->searched[i + 1],
                (s->searched_count - i) * sizeof(*s->searched));
        return;
    }
}

/* The values of what is swept: the trainer's from its settings, another task's from its parameters.
 * What cannot be read any more has the middle of everything. */
static void read_assignment(const struct spec *s, const struct run_row *row, struct assignment *out)
{
    struct errbuf why;
    if (row->config != NULL) {
        trainer_assignment(s, &row->config->settings, out);
        return;
    }
    const char *text = row->params_json != NULL ? row->params_json : "{}";
    struct json *params = json_parse(text, strlen(text), &why);
    if (params == NULL || space_params_parse(&s->space, params, out, &why) != 0)
        space_middle(&s->space, out);
    json_destroy(params);
}

static struct trial *trial_create(const struct sweep *s, struct run_row *row)
{
    const struct spec *spec = sweep_spec(s);
    struct assignment at;
    read_assignment(spec, row, &at);
    struct trial *t = xcalloc(1, offsetof(struct trial, at) + spec->space.count * sizeof(at.v[0]));
    memcpy(t->at.v, at.v, spec->space.count * sizeof(at.v[0]));
    t->number = s->run_count;
    t->kind = row->kind;
    t->cause = CAUSE_COUNT;
    t->parent = row->parent_id ? sweep_run_number(s, row->parent_id) : TRIAL_NONE;
    t->remedy = row->remedy;
    t->treats_pattern = row->treats_pattern;
    t->treats_cause = row->treats_cause;
    t->epochs = row->epochs;
    t->config = trainer_config_share(row->config);
    trial_drop_plain(s, t, row);
    str_copy(t->stage, sizeof(t->stage), row->stage);
    trial_update(t, row);
    trial_take_objectives(t, spec, row);
    t->skipped = row->status == RUN_CANCELLED && row->stop_reason != NULL;
    if (row->status == RUN_COMPLETED || (row->status == RUN_STOPPED && row->until_epoch > 0))
        t->pace = row->seconds / (double)((row->until_epoch > 0 ? row->until_epoch : row->epochs) -
                                          population_from_epoch(s, row));
    return t;
}

static struct run *live_add(struct sweep *s, struct run_row *row, size_t index)
{
    struct run *r = xcalloc(1, sizeof(*r));
    r->sweep = s;
    r->row = row;
    r->index = index;
    r->announced = PATTERN_NONE;
    s->live = array_room(s->live, &s->live_cap, s->live_count, sizeof(struct run *));
    s->live[s->live_count++] = r;
    s->waiting += row->status == RUN_QUEUED;
    return r;
}

static void grow(struct sweep *s)
{
    s->run_cap = s->run_cap ? s->run_cap * 2 : 16;
    s->trials = xrealloc(s->trials, s->run_cap * sizeof(struct trial *));
    s->searched = xrealloc(s->searched, s->run_cap * sizeof(struct trial *));
    s->run_ids = xrealloc(s->run_ids, s->run_cap * sizeof(*s->run_ids));
    s->written_causes = xrealloc(s->written_causes, s->run_cap * sizeof(*s->written_causes));
    s->compared = xrealloc(s->compared, s->run_cap * sizeof(*s->compared));
}

struct run *sweep_add_run(struct sweep *s, struct run_row *row)
{
    if (s->run_count == s->run_cap)
        grow(s);
    size_t index = s->run_count;
    s->trials[index] = trial_create(s, row);
    s->run_ids[index] = row->id;
    s->written_causes[index] = s->compared[index] = 0;
    s->treatments += row->kind == RUN_KIND_TREATMENT;
    s->finalists += strcmp(row->stage, STAGE_FINALISTS) == 0;
    s->contenders += strcmp(row->stage, STAGE_CONTENDERS) == 0;
    if (row->kind == RUN_KIND_SEARCH && strcmp(row->stage, STAGE_ENQUEUED) != 0)
        s->searched[s->searched_count++] = s->trials[index];
    if (s->trials[index]->skipped)
        sweep_note_skipped(s, index);
    s->run_count++;
    s->due = true;
    if (!run_status_terminal(row->status))
        return live_add(s, row, index);
    sweep_book_ended(s, row, NULL);
    run_row_destroy(row);
    return NULL;
}

void sweep_note_extended(struct sweep *s, size_t from)
{
    s->finalists_before += s->finalists + s->contenders;
    s->finalists = s->contenders = 0;
    s->extended_from = from;
}

void sweep_remove_live(struct sweep *s, struct run *r)
{
    size_t i = 0;
    while (i < s->live_count && s->live[i] != r)
        i++;
    REQUIRE(i < s->live_count);
    s->live_count--;
    memmove(&s->live[i], &s->live[i + 1], (s->live_count - i) * sizeof(struct run *));
    trial_update(s->trials[r->index], r->row);
    trial_take_objectives(s->trials[r->index], sweep_spec(s), r->row);
    double own = r->last_epoch - (double)population_from_epoch(s, r->row);
    if (own > 0 && r->row->seconds > 0)
        s->trials[r->index]->pace = r->row->seconds / own;
    s->due = true;
    run_destroy(r);
}

/* --- its begin ------------------------------------------------------------------------------- */

void sweep_begin(struct sweep *s, utc_us now)
{
    double hours = sweep_spec(s)->max_hours;
    utc_us at = now + (utc_us)(hours * 3600e6);
    if (s->row->started != 0)
        return;
    s->row->started = now;
    if (hours > 0 && (s->row->deadline == 0 || at < s->row->deadline))
        s->row->deadline = at;
}

/* --- status ---------------------------------------------------------------------------------- */

void sweep_set_status(struct sweep *s, enum sweep_status to, const char *reason, utc_us now,
                      struct effects *fx)
{
    REQUIRE(sweep_status_may(s->row->status, to));
    s->row->status = to;
    s->due = true;
    free(s->row->reason);
    s->row->reason = reason != NULL ? xstrdup(reason) : NULL;
    if (sweep_status_terminal(to))
        s->row->ended = now;
    store_batch_put_sweep(&fx->batch, sweep_row_copy(s->row));
    char kind[32];
    snprintf(kind, sizeof(kind), "sweep_%s", sweep_status_name(to));
    store_batch_add_event(&fx->batch, s->row->id, 0, kind, now, "%s", reason ? reason : "");
    notify_sweep(fx, s);
}
