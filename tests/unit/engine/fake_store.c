#include "tests/unit/engine/fake_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sweep/buf.h"
#include "sweep/json.h"

/* A zeroed row behind the others. */
#define APPEND(s, array, count)                                                                   \
    ((s)->array = xrealloc((s)->array, ((s)->count + 1) * sizeof(*(s)->array)),                   \
     memset(&(s)->array[(s)->count], 0, sizeof(*(s)->array)), &(s)->array[(s)->count++])

/* Those of which `gone` is true go, the others keep their order. */
#define REMOVE(s, array, count, row, gone, finish)                                                \
    do {                                                                                          \
        size_t kept = 0;                                                                          \
        for (size_t i = 0; i < (s)->count; i++) {                                                 \
            __typeof__((s)->array) row = &(s)->array[i];                                          \
            if (gone)                                                                             \
                finish(row);                                                                      \
            else                                                                                  \
                (s)->array[kept++] = *row;                                                        \
        }                                                                                         \
        (s)->count = kept;                                                                        \
    } while (0)

static void finish_sweep(struct sweep_row **r)
{
    sweep_row_destroy(*r);
}

static void finish_run(struct run_row **r)
{
    run_row_destroy(*r);
}

static void label_texts_free(struct label_row *l)
{
    free(l->tags);
    free(l->evidence_json);
    free(l->facts_json);
}

static void finish_label(struct fake_label **l)
{
    label_texts_free(&(*l)->row);
    free(*l);
}

static void finish_event(struct fake_event *e)
{
    free(e->detail);
}

static void finish_edit(struct fake_edit *e)
{
    free(e->row.from_json);
    free(e->row.to_json);
    free(e->row.runs_json);
}

static void finish_decision(struct fake_decision *d)
{
    free(d->reason);
    free(d->detail_json);
}

static void finish_nothing(const void *row)
{
    (void)row;
}

struct sweep_row *fake_sweep(const struct fake_store *s, int64_t id)
{
    for (size_t i = 0; i < s->sweep_count; i++)
        if (s->sweeps[i]->id == id)
            return s->sweeps[i];
    return NULL;
}

struct run_row *fake_run(const struct fake_store *s, int64_t id)
{
    for (size_t i = 0; i < s->run_count; i++)
        if (s->runs[i]->id == id)
            return s->runs[i];
    return NULL;
}

struct fake_label *fake_label(const struct fake_store *s, int64_t run_id)
{
    for (size_t i = 0; i < s->label_count; i++)
        if (s->labels[i]->row.run_id == run_id)
            return s->labels[i];
    return NULL;
}

/* --- ops: each is false where the schema refuses it ------------------------------------------ */

static char *copy_text(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

static bool is_json(const char *text)
{
    struct errbuf err;
    struct json *v = text ? json_parse(text, strlen(text), &err) : NULL;
    json_destroy(v);
    return text == NULL || v != NULL;
}

/* The database knows milliseconds. */
static utc_us stored_time(utc_us t)
{
    return t - t % 1000;
}

static bool put_sweep(struct fake_store *s, const struct store_op *op)
{
    const struct sweep_row *r = op->u.sweep;
    if (r->created == 0 || r->spec_json == NULL || !is_json(r->spec_json))
        return false;
    struct sweep_row *copy = sweep_row_copy(r), *old = fake_sweep(s, r->id);
    copy->created = stored_time(r->created);
    copy->started = stored_time(r->started);
    copy->ended = stored_time(r->ended);
    if (old == NULL) {
        *APPEND(s, sweeps, sweep_count) = copy;
        s->last_sweep_id = r->id > s->last_sweep_id ? r->id : s->last_sweep_id;
        return true;
    }
    sweep_row_finish(old);
    *old = *copy;
    free(copy);
    return true;
}

static bool run_accepted(const struct fake_store *s, const struct run_row *r)
{
    for (size_t i = 0; i < s->run_count; i++)
        if (s->runs[i]->sweep_id == r->sweep_id && s->runs[i]->number == r->number &&
            s->runs[i]->id != r->id)
            return false;
    if (r->paused_by != RUN_PAUSER_NONE && r->status != RUN_PAUSED)
        return false;
    return fake_sweep(s, r->sweep_id) != NULL && r->created > 0 && r->number >= 0 &&
           r->until_epoch >= 0 && r->until_epoch <= r->epochs && is_json(r->params_json);
}

static bool put_run(struct fake_store *s, const struct store_op *op)
{
    const struct run_row *r = op->u.run;
    if (!run_accepted(s, r))
        return false;
    struct run_row *copy = run_row_copy(r), *old = fake_run(s, r->id);
    copy->created = stored_time(r->created);
    copy->started = stored_time(r->started);
    copy->ended = stored_time(r->ended);
    if (fake_run(s, r->parent_id) == NULL) /* deleted */
        copy->parent_id = 0;
    if (old == NULL) {
        *APPEND(s, runs, run_count) = copy;
        s->last_run_id = r->id > s->last_run_id ? r->id : s->last_run_id;
        return true;
    }
    run_row_finish(old);
    *old = *copy;
    free(copy);
    return true;
}

static void log_event(struct fake_store *s, int64_t sweep_id, int64_t run_id, const char *kind,
                      const char *detail)
{
    const struct run_row *run = fake_run(s, run_id);
    struct fake_event *e = APPEND(s, events, event_count);
    e->id = ++s->last_event_id;
    e->sweep_id = sweep_id == 0 && run != NULL ? run->sweep_id : sweep_id;
    e->run_id = run_id;
    e->detail = copy_text(detail);
    str_copy(e->kind, sizeof(e->kind), kind);
}

/* One event for all that an op brought again. */
static void log_differences(struct fake_store *s, int64_t run_id, size_t count)
{
    s->nondeterminism += count;
    if (count > 0)
        log_event(s, 0, run_id, "nondeterminism", "stored");
}

static bool add_points(struct fake_store *s, const struct store_op *op)
{
    const struct points_rows *rows = op->u.points;
    size_t differ = 0;
    if (fake_run(s, rows->run_id) == NULL)
        return false;
    for (size_t k = 0; k < rows->count; k++) {
        const struct point *p = &rows->points[k];
        size_t i = 0;
        if (p->point < 1)
            return false;
        while (i < s->point_count &&
               (s->points[i].run_id != rows->run_id || s->points[i].p.point != p->point))
            i++;
        if (i < s->point_count)
            differ += !point_same(&s->points[i].p, p);
        else
            *APPEND(s, points, point_count) = (struct fake_point){rows->run_id, *p};
    }
    log_differences(s, rows->run_id, differ);
    return true;
}

static bool put_metrics(struct fake_store *s, const struct store_op *op)
{
    const struct metrics_rows *rows = op->u.metrics;
    size_t differ = 0;
    if (fake_run(s, rows->run_id) == NULL)
        return false;
    for (size_t k = 0; k < rows->count; k++) {
        const struct metric_row *m = &rows->rows[k], *was = NULL;
        if (m->point < 1)
            return false;
        for (size_t i = 0; i < s->metric_count && was == NULL; i++)
            if (s->metrics[i].run_id == rows->run_id && s->metrics[i].row.point == m->point &&
                strcmp(s->metrics[i].row.metric.name, m->metric.name) == 0)
                was = &s->metrics[i].row;
        if (was == NULL)
            *APPEND(s, metrics, metric_count) = (struct fake_metric){rows->run_id, *m};
        else
            differ += !(isnan(was->metric.value) && isnan(m->metric.value)) &&
                      memcmp(&was->metric.value, &m->metric.value, sizeof(double)) != 0;
    }
    log_differences(s, rows->run_id, differ);
    return true;
}

static bool put_layers(struct fake_store *s, const struct store_op *op)
{
    const struct layers_rows *rows = op->u.layers;
    if (fake_run(s, rows->run_id) == NULL || rows->point < 1)
        return false;
    for (size_t k = 0; k < rows->count; k++) {
        struct fake_layer own = {rows->run_id, rows->point, (int64_t)k + 1, rows->layers[k]};
        REMOVE(s, layers, layer_count, l,
               l->run_id == own.run_id && l->point == own.point && l->layer == own.layer,
               finish_nothing);
        *APPEND(s, layers, layer_count) = own;
    }
    return true;
}

static void format_time(utc_us t, char *out, size_t size)
{
    time_t seconds = (time_t)(t / 1000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(out + n, size - n, ".%03d", (int)(t % 1000000 / 1000));
}

static bool label_accepted(const struct label_row *l)
{
    return l->confidence >= 0 && l->confidence <= 1 && l->pattern != PATTERN_NONE &&
           is_json(l->evidence_json) && is_json(l->facts_json);
}

/* What it does not say stays as it was: the facts, and the time of one that is judged again. */
static void write_label(struct fake_label *to, const struct label_row *l)
{
    struct label_row old = to->row;
    to->row = *l;
    to->row.tags = xstrdup(l->tags ? l->tags : "");
    to->row.evidence_json = xstrdup(l->evidence_json ? l->evidence_json : "{}");
    to->row.facts_json = copy_text(l->facts_json ? l->facts_json : old.facts_json);
    label_texts_free(&old);
    if (l->created > 0)
        format_time(l->created, to->created_at, sizeof(to->created_at));
}

static bool put_label(struct fake_store *s, const struct store_op *op)
{
    const struct label_row *l = op->u.label;
    if (fake_run(s, l->run_id) == NULL || l->created == 0 || !label_accepted(l))
        return false;
    struct fake_label *to = fake_label(s, l->run_id);
    if (to == NULL)
        to = *APPEND(s, labels, label_count) = xcalloc(1, sizeof(*to));
    write_label(to, l);
    return true;
}

/* All labels here are of this version. */
static bool relabel(struct fake_store *s, const struct store_op *op)
{
    const struct relabelled_row *r = op->u.relabelled;
    struct fake_label *to = fake_label(s, r->label->run_id);
    if (to == NULL || r->old_version != DIAGNOSIS_VERSION ||
        strcmp(r->old_created_at, to->created_at) != 0)
        return true;
    if (!label_accepted(r->label))
        return false;
    write_label(to, r->label);
    return true;
}

static bool put_causes(struct fake_store *s, const struct store_op *op)
{
    struct fake_label *l = fake_label(s, op->u.causes->run_id);
    if (l != NULL)
        l->row.causes = op->u.causes->causes;
    return true;
}

static bool put_outcome(struct fake_store *s, const struct store_op *op)
{
    struct run_row *r = fake_run(s, op->u.outcome.run_id);
    if (r != NULL && r->has_outcome)
        r->cured = op->u.outcome.cured;
    return true;
}

static bool clear_test(struct fake_store *s, const struct store_op *op)
{
    struct run_row *r = fake_run(s, op->u.clear_test_run_id);
    if (r != NULL)
        r->has_test_loss = r->has_test_acc = false;
    return true;
}

static bool clear_points(struct fake_store *s, const struct store_op *op)
{
    int64_t id = op->u.clear_points_run_id;
    REMOVE(s, points, point_count, p, p->run_id == id, finish_nothing);
    REMOVE(s, layers, layer_count, l, l->run_id == id, finish_nothing);
    REMOVE(s, metrics, metric_count, m, m->run_id == id, finish_nothing);
    return true;
}

static bool put_edits(struct fake_store *s, const struct store_op *op)
{
    const struct edits_row *rows = op->u.edits;
    REMOVE(s, edits, edit_count, e, e->sweep_id == rows->sweep_id, finish_edit);
    for (size_t k = 0; k < rows->count; k++) {
        const struct edit_row *e = &rows->edits[k];
        if (fake_sweep(s, rows->sweep_id) == NULL || !is_json(e->from_json) ||
            !is_json(e->to_json) || !is_json(e->runs_json))
            return false;
        struct fake_edit *own = APPEND(s, edits, edit_count);
        *own = (struct fake_edit){rows->sweep_id, (int64_t)k + 1, *e};
        own->row.from_json = copy_text(e->from_json);
        own->row.to_json = copy_text(e->to_json);
        own->row.runs_json = xstrdup(e->runs_json ? e->runs_json : "[]");
    }
    return true;
}

static bool add_event(struct fake_store *s, const struct store_op *op)
{
    const struct event_row *e = op->u.event;
    log_event(s, e->sweep_id, e->run_id, e->kind, e->detail);
    return true;
}

static bool add_finding(struct fake_store *s, const struct store_op *op)
{
    const struct finding_row *f = op->u.finding;
    if (fake_sweep(s, f->sweep_id) == NULL)
        return false;
    int64_t id = ++s->last_finding_id;
    *APPEND(s, findings, finding_count) = (struct fake_finding){id, f->sweep_id, f->finding};
    return true;
}

static bool add_decision(struct fake_store *s, const struct store_op *op)
{
    const struct decision_row *d = op->u.decision;
    if (fake_sweep(s, d->sweep_id) == NULL || !is_json(d->detail_json))
        return false;
    struct fake_decision *own = APPEND(s, decisions, decision_count);
    *own = (struct fake_decision){
        .id = ++s->last_decision_id,
        .sweep_id = d->sweep_id,
        .run_id = d->run_id,
        .kind = d->kind,
        .reason = xstrdup(d->reason),
        .detail_json = copy_text(d->detail_json),
        .seen_event = s->event_count > 0 ? s->events[s->event_count - 1].id : 0};
    return true;
}

static bool delete_sweep(struct fake_store *s, const struct store_op *op)
{
    int64_t id = op->u.delete_sweep_id;
#define ITS_RUN(run) (fake_run(s, run) != NULL && fake_run(s, run)->sweep_id == id)
    for (size_t i = 0; i < s->run_count; i++)
        if (s->runs[i]->sweep_id != id && ITS_RUN(s->runs[i]->parent_id))
            s->runs[i]->parent_id = 0;
    REMOVE(s, labels, label_count, l, ITS_RUN((*l)->row.run_id), finish_label);
    REMOVE(s, points, point_count, p, ITS_RUN(p->run_id), finish_nothing);
    REMOVE(s, layers, layer_count, l, ITS_RUN(l->run_id), finish_nothing);
    REMOVE(s, metrics, metric_count, m, ITS_RUN(m->run_id), finish_nothing);
#undef ITS_RUN
    REMOVE(s, runs, run_count, r, (*r)->sweep_id == id, finish_run);
    REMOVE(s, sweeps, sweep_count, r, (*r)->id == id, finish_sweep);
    REMOVE(s, events, event_count, e, e->sweep_id == id, finish_event);
    REMOVE(s, findings, finding_count, f, f->sweep_id == id, finish_nothing);
    REMOVE(s, edits, edit_count, e, e->sweep_id == id, finish_edit);
    REMOVE(s, decisions, decision_count, d, d->sweep_id == id, finish_decision);
    return true;
}

static int64_t op_run_id(const struct store_op *op)
{
    switch (op->type) {
    case STORE_PUT_RUN:
        return op->u.run->id;
    case STORE_ADD_POINTS:
        return op->u.points->run_id;
    case STORE_PUT_LAYERS:
        return op->u.layers->run_id;
    case STORE_PUT_METRICS:
        return op->u.metrics->run_id;
    case STORE_PUT_LABEL:
        return op->u.label->run_id;
    case STORE_RELABEL:
        return op->u.relabelled->label->run_id;
    default:
        return 0;
    }
}

void fake_store_apply(struct fake_store *s, const struct store_op *op)
{
    static bool (*const appliers[STORE_OP_COUNT])(struct fake_store *, const struct store_op *) = {
        [STORE_PUT_SWEEP] = put_sweep,   [STORE_PUT_RUN] = put_run,
        [STORE_ADD_POINTS] = add_points, [STORE_PUT_LABEL] = put_label,
        [STORE_ADD_EVENT] = add_event,   [STORE_ADD_FINDING] = add_finding,
        [STORE_CLEAR_TEST] = clear_test, [STORE_DELETE_SWEEP] = delete_sweep,
        [STORE_PUT_LAYERS] = put_layers, [STORE_PUT_CAUSES] = put_causes,
        [STORE_PUT_EDITS] = put_edits,   [STORE_ADD_DECISION] = add_decision,
        [STORE_RELABEL] = relabel,       [STORE_PUT_OUTCOME] = put_outcome,
        [STORE_PUT_METRICS] = put_metrics, [STORE_CLEAR_POINTS] = clear_points,
    };
    if (appliers[op->type](s, op))
        return;
    s->refused++;
    log_event(s, 0, op_run_id(op), "refused", store_op_name(op->type));
}

void fake_store_finish(struct fake_store *s)
{
    REMOVE(s, labels, label_count, l, true, finish_label);
    REMOVE(s, runs, run_count, r, true, finish_run);
    REMOVE(s, sweeps, sweep_count, r, true, finish_sweep);
    REMOVE(s, events, event_count, e, true, finish_event);
    REMOVE(s, edits, edit_count, e, true, finish_edit);
    REMOVE(s, decisions, decision_count, d, true, finish_decision);
    free(s->labels);
    free(s->runs);
    free(s->sweeps);
    free(s->events);
    free(s->edits);
    free(s->decisions);
    free(s->points);
    free(s->layers);
    free(s->metrics);
    free(s->findings);
    *s = (struct fake_store){0};
}
