#include "tests/unit/engine/world.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/json.h"
#include "tests/unit/engine/support.h"

void world_init(struct world *w, size_t workers, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->workers_max = workers;
    w->engine = engine_create("/runs");
    engine_set_capacity(w->engine, 0, workers);
    w->now = 1000;
    rng_init(&w->rng, seed, RNG_TEST, 7);
}

void world_finish(struct world *w)
{
    engine_destroy(w->engine);
    effects_finish(&w->fx);
    for (size_t i = 0; i < w->batch_count; i++)
        effects_finish(&w->batches[i].fx);
    fake_store_finish(&w->store);
    free(w->batches);
    free(w->workers);
    for (size_t i = 0; i < sizeof(w->folders) / sizeof(*w->folders); i++) {
        free(w->folders[i].lines);
        free(w->folders[i].config);
    }
    buf_finish(&w->methods);
}

/* --- the store ------------------------------------------------------------------------------- */

/* What the engine promises of each row, whatever the store would accept. */
static void expect_sweep(const struct world *w, const struct sweep_row *row)
{
    const struct sweep_row *old = fake_sweep(&w->store, row->id);
    if (old == NULL)
        assert_true(row->id > w->store.last_sweep_id);
    else
        assert_true(old->status == row->status || sweep_status_may(old->status, row->status));
}

static void expect_run(const struct world *w, const struct run_row *row)
{
    const struct run_row *old = fake_run(&w->store, row->id);
    if (old != NULL) {
        assert_true(old->status == row->status || run_status_may(old->status, row->status));
        return;
    }
    assert_true(row->id > w->store.last_run_id);
    assert_non_null(world_sweep(w, row->sweep_id));
    assert_true(row->number < world_sweep(w, row->sweep_id)->run_cap); /* never more */
}

/* The run that it is about, if any, is stored, or came with it and before it. */
static void expect_decision(const struct world *w, const struct decision_row *d)
{
    const struct run_row *run = fake_run(&w->store, d->run_id);
    if (d->run_id == 0) {
        assert_non_null(world_sweep(w, d->sweep_id));
        return;
    }
    assert_non_null(run);
    assert_int_equal(run->sweep_id, d->sweep_id);
}

static void apply(struct world *w, const struct store_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct store_op *op = &b->ops[i];
        if (op->type == STORE_PUT_SWEEP)
            expect_sweep(w, op->u.sweep);
        else if (op->type == STORE_PUT_RUN)
            expect_run(w, op->u.run);
        else if (op->type == STORE_ADD_DECISION)
            expect_decision(w, op->u.decision);
        fake_store_apply(&w->store, op);
        assert_int_equal(w->store.refused, 0);
    }
}

/* --- the pool -------------------------------------------------------------------------------- */

static void add_line(struct world *w, int64_t run_id, int64_t line)
{
    struct world_folder *f = &w->folders[run_id];
    f->lines = xrealloc(f->lines, (f->count + 1) * sizeof(*f->lines));
    f->lines[f->count++] = line;
}

/* A curve that falls towards the landscape's value; far too large a step gives NaN. */
static struct point train(const struct world *w, const struct run_config *c, int64_t number)
{
    struct point p = {.point = number, .epoch = (double)number};
    double loss = landscape(&c->settings) + 1.0 / (double)(number * number);
    if (c->settings.v[SETTING_LEARNING_RATE] > 0.09 && c->settings.v[SETTING_DEPTH] >= 4)
        loss = NAN;
    double val = loss + (number == WORLD_POINTS ? 0.04 : 0);
    if (w->overfit && c->settings.v[SETTING_L2] == 0 && number > 2)
        val = loss + 0.2 * (double)(number - 2);
    point_set(&p, CURVE_TRAIN_LOSS, loss * 0.9);
    point_set(&p, CURVE_VAL_LOSS, val);
    point_set(&p, CURVE_VAL_ACC, 1 / (1 + loss));
    return p;
}

/* What the file has and the engine has not heard, up to three points at a time. */
static void tell_lines(struct world *w, struct world_worker *k)
{
    const struct world_folder *f = &w->folders[k->run_id];
    while (k->sent < f->count) {
        struct point p[3];
        size_t n = 0;
        if (f->lines[k->sent] <= 0) {
            struct record_start line = {.core = "Haswell", .blas = "test"};
            line.resumed_point = -f->lines[k->sent++];
            engine_run_start_line(w->engine, k->run_id, &line);
        }
        while (n < 3 && k->sent < f->count && f->lines[k->sent] > 0)
            p[n++] = train(w, &k->config, f->lines[k->sent++]);
        engine_run_points(w->engine, k->run_id, p, n, w->now, &w->fx);
    }
}

static bool refuse_start(struct world *w, int64_t run_id)
{
    const struct run_exit x = {.error = RUN_ERROR_SPAWN, .text = "no such file"};
    if (w->now >= w->starts_from && run_id != w->never_starts)
        return false;
    w->failed_starts++;
    engine_run_ended(w->engine, run_id, &x, w->now, &w->fx);
    return true;
}

/* "…/12/checkpoint": the one of run 12 has to be there. */
static void check_inherited(const struct world *w, const char *path)
{
    const char *end = strrchr(path, '/'), *name = end;
    while (name > path && name[-1] != '/')
        name--;
    assert_true(w->folders[strtoll(name, NULL, 10)].checkpoint > 0);
}

static void start_worker(struct world *w, const struct action *a)
{
    int64_t run_id = a->run_id;
    if (refuse_start(w, run_id))
        return;
    struct world_worker worker = {.run_id = run_id, .launcher = a->launcher};
    struct errbuf err = {0};
    struct json *v = json_parse(a->config, strlen(a->config), &err);
    bool program = v != NULL && json_get(v, "task") != NULL; /* the test itself reports for it */
    if (v == NULL || (!program && run_config_parse(v, &worker.config, &err) != 0))
        fail_msg("%s: %s", err.message, a->config);
    json_destroy(v);
    assert_in_range(run_id, 1, 4095);
    worker.attempt = ++w->starts[run_id];
    for (size_t i = 0; i < w->worker_count; i++)
        assert_true(w->workers[i].run_id != run_id); /* never two for one run */
    w->workers = xrealloc(w->workers, (w->worker_count + 1) * sizeof(*w->workers));
    w->workers[w->worker_count++] = worker;
    if (w->worker_count > w->most_running)
        w->most_running = w->worker_count;
    char handle[RUN_HANDLE_MAX];
    snprintf(handle, sizeof(handle), "%" PRId64, 5000 + run_id);
    engine_run_spawned(w->engine, run_id, handle, w->now, &w->fx);
    const char *checkpoint = worker.config.checkpoint;
    if (!program)
        assert_string_equal(checkpoint + strlen(checkpoint) - 11, "/checkpoint");
    struct world_folder *f = &w->folders[run_id];
    if (worker.config.start_checkpoint[0] && f->checkpoint == 0)
        check_inherited(w, worker.config.start_checkpoint);
    if (f->checkpoint == 0)
        f->count = 0;
    f->rung = 0;
    if (f->config == NULL)
        f->config = xmalloc(sizeof(*f->config));
    *f->config = worker.config;
    w->workers[w->worker_count - 1].trained = f->checkpoint;
    w->resumed += f->checkpoint > 0;
    add_line(w, run_id, -f->checkpoint);
    tell_lines(w, &w->workers[w->worker_count - 1]);
}

static void check_json(const char *text)
{
    struct errbuf err = {0};
    struct json *j = json_parse(text, strlen(text), &err);
    if (j == NULL)
        fail_msg("%s: %s", err.message, text);
    json_destroy(j);
}

static void act(struct world *w, struct action *a)
{
    switch (a->type) {
    case ACTION_START_RUN:
        start_worker(w, a);
        break;
    case ACTION_TERM_RUN:
        for (size_t i = 0; i < w->worker_count; i++)
            w->workers[i].termed |= w->workers[i].run_id == a->run_id;
        break;
    case ACTION_DROP_CHECKPOINT:
        w->folders[a->run_id].checkpoint = 0;
        break;
    case ACTION_DROP_WEIGHTS:
        w->dropped[a->run_id]++;
        break;
    case ACTION_DELETE_RUNS:
        w->deleted_sweep = a->sweep_id;
        w->deleted_runs = a->run_id_count;
        break;
    case ACTION_NOTIFY:
        check_json(a->json);
        buf_printf(&w->methods, "%s ", a->method);
        w->notes++;
        break;
    case ACTION_REPLY:
        w->replies++;
        w->refusals += a->error != NULL;
        if (a->error != NULL) {
            w->last_error = *a->error;
        } else {
            check_json(a->json);
            str_copy(w->last_reply, sizeof(w->last_reply), a->json);
        }
        break;
    case ACTION_WAKE_WAITERS:
        w->wakes++;
        break;
    case ACTION_IMPORTED: /* what follows is the daemon's to call */
        break;
    }
}

void world_flush(struct world *w)
{
    w->now++;
    engine_schedule(w->engine, w->now, &w->fx);
    if (w->fx.batch.count == 0 && w->fx.action_count == 0)
        return;
    w->batches = xrealloc(w->batches, (w->batch_count + 1) * sizeof(*w->batches));
    w->batches[w->batch_count++].fx = w->fx;
    w->fx = (struct effects){0};
}

bool world_commit(struct world *w)
{
    if (w->batch_count == 0)
        return false;
    struct effects fx = w->batches[0].fx;
    memmove(w->batches, w->batches + 1, --w->batch_count * sizeof(*w->batches));
    apply(w, &fx.batch);
    for (size_t i = 0; i < fx.action_count; i++)
        act(w, &fx.actions[i]);
    effects_finish(&fx);
    return true;
}

void world_settle(struct world *w)
{
    do
        world_flush(w);
    while (world_commit(w));
}

static void remove_worker(struct world *w, size_t i)
{
    w->workers[i] = w->workers[--w->worker_count];
}

static void train_point(struct world *w, struct world_worker *k)
{
    k->trained++;
    w->steps++;
    add_line(w, k->run_id, k->trained);
    if (w->checkpoint_every > 0 && k->trained % w->checkpoint_every == 0)
        w->folders[k->run_id].checkpoint = k->trained;
}

static void reach_rung(struct world *w, const struct world_worker *k, struct record_result *out)
{
    struct world_folder *f = &w->folders[k->run_id];
    f->checkpoint = f->rung = k->trained;
    *out = (struct record_result){
        .status = RUN_PAUSED, .epoch = k->trained, .seconds = (double)k->trained};
}

void world_work(struct world *w, size_t i)
{
    struct world_worker *k = &w->workers[i];
    struct record_result ok = {.status = RUN_COMPLETED, .seconds = 1.5};
    struct run_exit x = {.result = &ok};
    int64_t until = k->config.until_epoch; /* a point an epoch */
    int64_t last = until > 0 && until < WORLD_POINTS ? until : WORLD_POINTS;
    enum run_error fate = w->fate ? w->fate(&k->config, k->attempt, &last) : RUN_ERROR_NONE;
    if (k->termed)
        x = (struct run_exit){.error = RUN_ERROR_EXITED, .text = "exit status 75"};
    else if (k->trained < last)
        train_point(w, k);
    if (k->termed && w->checkpoint_every > 0)
        w->folders[k->run_id].checkpoint = k->trained;
    if (!k->termed && fate == RUN_ERROR_NONE && k->trained >= last && last < WORLD_POINTS)
        reach_rung(w, k, &ok);
    tell_lines(w, k);
    if (!k->termed && k->trained < last)
        return;
    if (!k->termed && fate != RUN_ERROR_NONE)
        x = (struct run_exit){.error = fate, .signal = 9, .text = "gone", .stderr_tail = "last\n"};
    int64_t run_id = k->run_id;
    bool lost = k->adopted && x.result == NULL;
    remove_worker(w, i);
    if (lost)
        engine_run_lost(w->engine, run_id, w->now, &w->fx);
    else
        engine_run_ended(w->engine, run_id, &x, w->now, &w->fx);
}

void world_run(struct world *w)
{
    for (int idle = 0; idle < 3;) {
        uint64_t dice = rng_below(&w->rng, 4);
        if (dice == 0 || w->worker_count == 0) {
            world_flush(w);
            bool any = false;
            for (uint64_t n = rng_below(&w->rng, 3) + 1; n > 0; n--)
                any = world_commit(w) || any;
            utc_us wake = engine_wake_at(w->engine, w->now);
            if (!any && w->worker_count == 0 && wake > w->now)
                w->now = wake;
            idle = any || w->worker_count > 0 || wake > 0 ? 0 : idle + 1;
        } else {
            world_work(w, rng_below(&w->rng, w->worker_count));
        }
    }
    world_settle(w);
}

/* --- kill -9 --------------------------------------------------------------------------------- */

/* No worker, but its result is there. */
static void read_to_rung(struct world *w, int64_t run_id)
{
    const struct world_folder *f = &w->folders[run_id];
    struct world_worker gone = {.run_id = run_id, .config = *f->config};
    struct record_result rung = {
        .status = RUN_PAUSED, .epoch = f->rung, .seconds = (double)f->rung};
    engine_run_adopted(w->engine, run_id, 0, w->now, &w->fx);
    tell_lines(w, &gone);
    engine_run_ended(w->engine, run_id, &(struct run_exit){.result = &rung}, w->now, &w->fx);
}

static void adopt_or_lose(struct world *w, int64_t run_id, unsigned lose)
{
    for (size_t i = 0; i < w->worker_count; i++) {
        struct world_worker *k = &w->workers[i];
        if (k->run_id != run_id)
            continue;
        if (rng_below(&w->rng, 256) < lose) {
            remove_worker(w, i);
            break;
        }
        k->adopted = true;
        k->sent = 0; /* its file is read from the beginning */
        engine_run_adopted(w->engine, run_id, k->launcher, w->now, &w->fx);
        tell_lines(w, k);
        return;
    }
    if (w->folders[run_id].rung > 0)
        read_to_rung(w, run_id);
    else
        engine_run_lost(w->engine, run_id, w->now, &w->fx);
}

void world_crash(struct world *w, size_t workers, unsigned lose)
{
    engine_destroy(w->engine);
    effects_finish(&w->fx);
    for (size_t i = 0; i < w->batch_count; i++)
        effects_finish(&w->batches[i].fx);
    w->batch_count = 0;
    w->now += 100;
    w->workers_max = workers;
    w->engine = engine_create("/runs");
    engine_set_capacity(w->engine, 0, workers);
    struct store_restored r;
    fake_store_restore(&w->store, &r);
    engine_restore(w->engine, &r, w->now, &w->fx);
    assert_int_equal(w->fx.batch.count, 0);
    fake_restored_finish(&r);
    int64_t ids[64];
    size_t n = engine_running_ids(w->engine, ids, 64);
    /* workers of runs that nobody asks for any more (cancelled) end unseen */
    for (size_t i = w->worker_count; i-- > 0;) {
        bool asked = false;
        for (size_t k = 0; k < n; k++)
            asked = asked || ids[k] == w->workers[i].run_id;
        if (!asked)
            remove_worker(w, i);
    }
    for (size_t i = 0; i < n; i++)
        adopt_or_lose(w, ids[i], lose);
    assert_int_equal(w->worker_count, engine_running(w->engine));
}

void world_wander(struct world *w, uint32_t most)
{
    for (size_t k = rng_below(&w->rng, most); k-- > 0;) {
        world_flush(w);
        while (rng_below(&w->rng, 4) && world_commit(w))
            ;
        if (w->worker_count > 0)
            world_work(w, rng_below(&w->rng, w->worker_count));
    }
}

void world_stumble(struct world *w, size_t crashes, uint32_t one_in, unsigned lose)
{
    for (size_t step = 0; crashes > 0 && step < 10000; step++) {
        if (rng_below(&w->rng, one_in) == 0) {
            world_crash(w, 1 + rng_below(&w->rng, 7), lose);
            crashes--;
        } else if (rng_below(&w->rng, 2) == 0) {
            world_flush(w);
        } else if (rng_below(&w->rng, 2) == 0) {
            world_commit(w);
        } else if (w->worker_count > 0) {
            world_work(w, rng_below(&w->rng, w->worker_count));
        }
    }
}

/* --- looks ----------------------------------------------------------------------------------- */

const struct sweep_row *world_sweep(const struct world *w, int64_t id)
{
    return fake_sweep(&w->store, id);
}

const struct run_row *world_run_row(const struct world *w, int64_t sweep_id, int64_t number)
{
    for (size_t i = 0; i < w->store.run_count; i++)
        if (w->store.runs[i]->sweep_id == sweep_id && w->store.runs[i]->number == number)
            return w->store.runs[i];
    return NULL;
}

size_t world_count(const struct world *w, int64_t sweep_id, enum run_status status)
{
    size_t n = 0;
    for (size_t i = 0; i < w->store.run_count; i++)
        n += w->store.runs[i]->sweep_id == sweep_id && w->store.runs[i]->status == status;
    return n;
}

size_t world_decisions(const struct world *w, int64_t sweep_id, int64_t run_id,
                       enum decision_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < w->store.decision_count; i++) {
        const struct fake_decision *d = &w->store.decisions[i];
        n += d->sweep_id == sweep_id && (run_id == 0 || d->run_id == run_id) && d->kind == kind;
    }
    return n;
}

static void canonical_points(const struct world *w, int64_t run_id, struct buf *out)
{
    size_t n = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < w->store.point_count; i++) {
        if (w->store.points[i].run_id != run_id)
            continue;
        uint64_t bits;
        memcpy(&bits, &w->store.points[i].p.v[CURVE_VAL_LOSS], sizeof(bits));
        sum += bits * (uint64_t)(2 * w->store.points[i].p.point + 1);
        n++;
    }
    buf_printf(out, " points %zu %016" PRIx64, n, sum);
}

static void canonical_label(const struct label_row *l, struct buf *out)
{
    buf_printf(out, " %s %.17g %s", pattern_name(l->pattern), l->confidence, l->tags);
    for (size_t i = 0; i < l->causes.count; i++)
        buf_printf(out, " %s", cause_name(l->causes.items[i].id));
}

char *world_canonical(const struct world *w, int64_t sweep_id)
{
    struct buf b = {0};
    const struct sweep_row *s = world_sweep(w, sweep_id);
    buf_printf(&b, "%s\n", sweep_status_name(s->status));
    const struct run_row *r;
    for (int64_t n = 0; (r = world_run_row(w, sweep_id, n)) != NULL; n++) {
        buf_printf(&b, "%" PRId64 " %s %s %s %s %s %" PRIu64 " %d %.17g %g %.17g %s", r->number,
                   run_kind_name(r->kind), r->stage, r->params_json, run_status_name(r->status),
                   r->reason, r->seed, r->has_metric, r->metric_value, r->best_epoch, r->val_acc,
                   run_error_name(r->error));
        if (r->kind == RUN_KIND_TREATMENT)
            buf_printf(&b, " %s of %s %s: %d %.17g", remedy_name(r->remedy),
                       pattern_name(r->treats_pattern), cause_name(r->treats_cause), r->cured,
                       r->change);
        if (fake_label(&w->store, r->id) != NULL)
            canonical_label(&fake_label(&w->store, r->id)->row, &b);
        canonical_points(w, r->id, &b);
        buf_putc(&b, '\n');
    }
    return buf_take(&b);
}
