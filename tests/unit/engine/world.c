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
    for (size_t i = 0; i < w->sweep_count; i++)
        sweep_row_destroy(w->sweeps[i]);
    for (size_t i = 0; i < w->run_count; i++)
        run_row_destroy(w->runs[i]);
    for (size_t i = 0; i < w->label_count; i++) {
        free(w->labels[i]->tags);
        free(w->labels[i]->evidence_json);
        free(w->labels[i]->facts_json);
        free(w->labels[i]);
    }
    free(w->sweeps);
    free(w->runs);
    free(w->labels);
    free(w->points);
    free(w->decisions);
    free(w->batches);
    free(w->workers);
    for (size_t i = 0; i < sizeof(w->folders) / sizeof(*w->folders); i++) {
        free(w->folders[i].lines);
        free(w->folders[i].config);
    }
    buf_finish(&w->methods);
}

/* --- the store ------------------------------------------------------------------------------- */

static void put_sweep(struct world *w, const struct sweep_row *row)
{
    size_t i = 0;
    while (i < w->sweep_count && w->sweeps[i]->id != row->id)
        i++;
    if (i == w->sweep_count) {
        w->sweeps = xrealloc(w->sweeps, ++w->sweep_count * sizeof(*w->sweeps));
        assert_true(row->id > w->last_sweep_id);
        w->last_sweep_id = row->id;
    } else {
        assert_true(w->sweeps[i]->status == row->status ||
                    sweep_status_may(w->sweeps[i]->status, row->status));
        sweep_row_destroy(w->sweeps[i]);
    }
    w->sweeps[i] = sweep_row_copy(row);
}

static void put_run(struct world *w, const struct run_row *row)
{
    size_t i = 0;
    while (i < w->run_count && w->runs[i]->id != row->id)
        i++;
    if (i == w->run_count) {
        w->runs = xrealloc(w->runs, ++w->run_count * sizeof(*w->runs));
        assert_true(row->id > w->last_run_id);
        assert_non_null(world_sweep(w, row->sweep_id)); /* foreign key */
        w->last_run_id = row->id;
        assert_true(row->number < world_sweep(w, row->sweep_id)->run_cap); /* never more */
    } else {
        assert_true(w->runs[i]->status == row->status ||
                    run_status_may(w->runs[i]->status, row->status));
        run_row_destroy(w->runs[i]);
    }
    w->runs[i] = run_row_copy(row);
}

/* The run that it is about is stored, or comes with it and before it. */
static void add_decision(struct world *w, const struct decision_row *d, const struct store_batch *b)
{
    bool put = false;
    for (size_t i = 0; i < w->run_count; i++)
        put |= w->runs[i]->id == d->run_id && w->runs[i]->sweep_id == d->sweep_id;
    for (size_t i = 0; i < b->count && b->ops[i].u.decision != d; i++)
        put |= b->ops[i].type == STORE_PUT_RUN && b->ops[i].u.run->id == d->run_id &&
               b->ops[i].u.run->sweep_id == d->sweep_id;
    assert_true(put);
    struct world_decision own = {d->sweep_id, d->run_id, d->kind, "", 0, NAN};
    if (d->detail_json != NULL) {
        struct errbuf err;
        struct json *v = json_parse(d->detail_json, strlen(d->detail_json), &err);
        assert_int_equal(json_get_int64(v, "epoch", &own.epoch, &err), 0);
        assert_int_equal(json_get_real(v, "value", &own.value, &err), 0);
        json_destroy(v);
    }
    str_copy(own.reason, sizeof(own.reason), d->reason);
    w->decisions = xrealloc(w->decisions, (w->decision_count + 1) * sizeof(*w->decisions));
    w->decisions[w->decision_count++] = own;
}

static void add_points(struct world *w, const struct points_rows *rows)
{
    for (size_t k = 0; k < rows->count; k++) {
        size_t i = 0;
        while (i < w->point_count &&
               (w->points[i].run_id != rows->run_id ||
                w->points[i].p.point != rows->points[k].point))
            i++;
        if (i < w->point_count) {
            w->nondeterminism += !point_same(&w->points[i].p, &rows->points[k]);
            continue;
        }
        w->points = xrealloc(w->points, (w->point_count + 1) * sizeof(*w->points));
        w->points[w->point_count++] = (struct world_point){rows->run_id, rows->points[k]};
    }
}

static void put_label(struct world *w, const struct label_row *l)
{
    size_t i = 0;
    while (i < w->label_count && w->labels[i]->run_id != l->run_id)
        i++;
    if (i == w->label_count) {
        w->labels = xrealloc(w->labels, ++w->label_count * sizeof(*w->labels));
        w->labels[i] = xcalloc(1, sizeof(**w->labels));
    }
    free(w->labels[i]->tags);
    free(w->labels[i]->evidence_json);
    free(w->labels[i]->facts_json);
    *w->labels[i] = *l;
    w->labels[i]->tags = xstrdup(l->tags);
    w->labels[i]->evidence_json = xstrdup(l->evidence_json);
    w->labels[i]->facts_json = l->facts_json ? xstrdup(l->facts_json) : NULL;
    struct errbuf err;
    struct json *j = json_parse(l->evidence_json, strlen(l->evidence_json), &err);
    assert_non_null(j);
    json_destroy(j);
}

static void put_causes(struct world *w, const struct causes_row *c)
{
    for (size_t i = 0; i < w->label_count; i++)
        if (w->labels[i]->run_id == c->run_id)
            w->labels[i]->causes = c->causes;
}

static void delete_sweep(struct world *w, int64_t id)
{
    for (size_t i = w->sweep_count; i-- > 0;) {
        if (w->sweeps[i]->id != id)
            continue;
        sweep_row_destroy(w->sweeps[i]);
        w->sweeps[i] = w->sweeps[--w->sweep_count];
    }
    for (size_t i = w->run_count; i-- > 0;) {
        if (w->runs[i]->sweep_id != id)
            continue;
        run_row_destroy(w->runs[i]);
        w->runs[i] = w->runs[--w->run_count];
    }
    for (size_t i = w->decision_count; i-- > 0;)
        if (w->decisions[i].sweep_id == id)
            w->decisions[i] = w->decisions[--w->decision_count];
}

static void clear_test(struct world *w, int64_t run_id)
{
    for (size_t i = 0; i < w->run_count; i++)
        if (w->runs[i]->id == run_id)
            w->runs[i]->has_test_loss = w->runs[i]->has_test_acc = false;
}

static void clear_points(struct world *w, int64_t run_id)
{
    for (size_t i = w->point_count; i-- > 0;)
        if (w->points[i].run_id == run_id)
            w->points[i] = w->points[--w->point_count];
}

static void apply(struct world *w, const struct store_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct store_op *op = &b->ops[i];
        if (op->type == STORE_PUT_SWEEP)
            put_sweep(w, op->u.sweep);
        else if (op->type == STORE_PUT_RUN)
            put_run(w, op->u.run);
        else if (op->type == STORE_ADD_DECISION)
            add_decision(w, op->u.decision, b);
        else if (op->type == STORE_ADD_POINTS)
            add_points(w, op->u.points);
        else if (op->type == STORE_PUT_LABEL)
            put_label(w, op->u.label);
        else if (op->type == STORE_PUT_CAUSES)
            put_causes(w, op->u.causes);
        else if (op->type == STORE_CLEAR_TEST)
            clear_test(w, op->u.clear_test_run_id);
        else if (op->type == STORE_CLEAR_POINTS)
            clear_points(w, op->u.clear_points_run_id);
        else if (op->type == STORE_DELETE_SWEEP)
            delete_sweep(w, op->u.delete_sweep_id);
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

static void start_worker(struct world *w, const struct action *a)
{
    int64_t run_id = a->run_id;
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
            idle = any || w->worker_count > 0 ? 0 : idle + 1;
        } else {
            world_work(w, rng_below(&w->rng, w->worker_count));
        }
    }
    world_settle(w);
}

/* --- kill -9 --------------------------------------------------------------------------------- */

static int by_run_id(const void *a, const void *b)
{
    const struct stored_label *x = a, *y = b;
    return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static void restored_labels(const struct world *w, struct store_restored *r)
{
    r->labels = xcalloc(w->label_count + 1, sizeof(*r->labels));
    for (size_t i = 0; i < w->label_count; i++) {
        const struct label_row *l = w->labels[i];
        struct stored_label *out = &r->labels[r->label_count];
        struct errbuf err;
        if (l->facts_json == NULL)
            continue;
        struct json *v = json_parse(l->facts_json, strlen(l->facts_json), &err);
        assert_int_equal(run_facts_parse(v, &out->facts, &err), 0);
        json_destroy(v);
        out->facts.pattern = l->pattern;
        out->facts.confidence = l->confidence;
        out->run_id = l->run_id;
        out->cause = l->causes.count > 0 ? l->causes.items[0].id : CAUSE_COUNT;
        r->label_count++;
    }
    qsort(r->labels, r->label_count, sizeof(*r->labels), by_run_id);
}

static struct store_restored restored_rows(const struct world *w)
{
    struct store_restored r = {.last_sweep_id = w->last_sweep_id, .last_run_id = w->last_run_id};
    r.sweeps = xcalloc(w->sweep_count + 1, sizeof(*r.sweeps));
    r.runs = xcalloc(w->run_count + 1, sizeof(*r.runs));
    for (size_t i = 0; i < w->sweep_count; i++) {
        if (sweep_status_terminal(w->sweeps[i]->status))
            continue;
        r.sweeps[r.sweep_count++] = *w->sweeps[i]; /* borrowed */
        int64_t id = w->sweeps[i]->id;
        for (int64_t n = 0; world_run_row(w, id, n) != NULL; n++)
            r.runs[r.run_count++] = *world_run_row(w, id, n);
    }
    restored_labels(w, &r);
    r.rungs = xcalloc(w->decision_count + 1, sizeof(*r.rungs));
    for (size_t i = 0; i < w->decision_count; i++) {
        const struct world_decision *d = &w->decisions[i];
        if (d->kind == DECISION_PAUSED)
            r.rungs[r.rung_count++] = (struct stored_rung){d->run_id, d->epoch, d->value};
    }
    return r;
}

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
    struct store_restored r = restored_rows(w);
    engine_restore(w->engine, &r, w->now, &w->fx);
    assert_int_equal(w->fx.batch.count, 0);
    free(r.sweeps);
    free(r.runs);
    free(r.labels);
    free(r.rungs);
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

/* --- looks ----------------------------------------------------------------------------------- */

const struct sweep_row *world_sweep(const struct world *w, int64_t id)
{
    for (size_t i = 0; i < w->sweep_count; i++)
        if (w->sweeps[i]->id == id)
            return w->sweeps[i];
    return NULL;
}

const struct run_row *world_run_row(const struct world *w, int64_t sweep_id, int64_t number)
{
    for (size_t i = 0; i < w->run_count; i++)
        if (w->runs[i]->sweep_id == sweep_id && w->runs[i]->number == number)
            return w->runs[i];
    return NULL;
}

size_t world_count(const struct world *w, int64_t sweep_id, enum run_status status)
{
    size_t n = 0;
    for (size_t i = 0; i < w->run_count; i++)
        n += w->runs[i]->sweep_id == sweep_id && w->runs[i]->status == status;
    return n;
}

size_t world_decisions(const struct world *w, int64_t sweep_id, int64_t run_id,
                       enum decision_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < w->decision_count; i++) {
        const struct world_decision *d = &w->decisions[i];
        n += d->sweep_id == sweep_id && (run_id == 0 || d->run_id == run_id) && d->kind == kind;
    }
    return n;
}

static void canonical_points(const struct world *w, int64_t run_id, struct buf *out)
{
    size_t n = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < w->point_count; i++) {
        if (w->points[i].run_id != run_id)
            continue;
        uint64_t bits;
        memcpy(&bits, &w->points[i].p.v[CURVE_VAL_LOSS], sizeof(bits));
        sum += bits * (uint64_t)(2 * w->points[i].p.point + 1);
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
        for (size_t i = 0; i < w->label_count; i++)
            if (w->labels[i]->run_id == r->id)
                canonical_label(w->labels[i], &b);
        canonical_points(w, r->id, &b);
        buf_putc(&b, '\n');
    }
    return buf_take(&b);
}
