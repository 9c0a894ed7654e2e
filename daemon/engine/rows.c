#include "daemon/engine/rows.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

static char *copy_text(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

struct sweep_row *sweep_row_copy(const struct sweep_row *r)
{
    struct sweep_row *copy = xmalloc(sizeof(*copy));
    *copy = *r;
    copy->name = copy_text(r->name);
    copy->reason = copy_text(r->reason);
    copy->spec_json = copy_text(r->spec_json);
    copy->data_hash = copy_text(r->data_hash);
    copy->metric = copy_text(r->metric);
    copy->remedy_prior = copy_text(r->remedy_prior);
    copy->data_target = copy_text(r->data_target);
    copy->data_notes = copy_text(r->data_notes);
    copy->importances = copy_text(r->importances);
    copy->submit_id = copy_text(r->submit_id);
    copy->fits = copy_text(r->fits);
    copy->warm = copy_text(r->warm);
    return copy;
}

void sweep_row_finish(struct sweep_row *r)
{
    free(r->name);
    free(r->reason);
    free(r->spec_json);
    free(r->data_hash);
    free(r->remedy_prior);
    free(r->data_target);
    free(r->data_notes);
    free(r->importances);
    free(r->submit_id);
    free(r->fits);
    free(r->warm);
    free(r->metric);
    r->name = r->reason = r->spec_json = r->data_hash = r->remedy_prior = r->metric = NULL;
    r->submit_id = r->fits = r->warm = r->data_target = r->data_notes = r->importances = NULL;
}

void sweep_row_destroy(struct sweep_row *r)
{
    if (r)
        sweep_row_finish(r);
    free(r);
}

/* --- copies ----------------------------------------------------------------------------------- */

void run_row_set_text(char **field, const char *text)
{
    char kept[RUN_TEXT_MAX];
    str_copy(kept, sizeof(kept), text);
    free(*field);
    *field = kept[0] ? xstrdup(kept) : NULL;
}

bool run_row_waits(const struct run_row *r)
{
    return !run_status_terminal(r->status) && r->retry_failures > 0;
}

struct run_row *run_row_copy(const struct run_row *r)
{
    struct run_row *copy = xmalloc(sizeof(*copy));
    *copy = *r;
    copy->reason = copy_text(r->reason);
    copy->stop_reason = copy_text(r->stop_reason);
    copy->handle = copy_text(r->handle);
    copy->core = copy_text(r->core);
    copy->blas = copy_text(r->blas);
    copy->params_json = copy_text(r->params_json);
    copy->objectives = copy_text(r->objectives);
    copy->error_text = copy_text(r->error_text);
    copy->stderr_tail = copy_text(r->stderr_tail);
    copy->config = trainer_config_share(r->config);
    return copy;
}

struct run_row *run_row_take(struct run_row *from)
{
    struct run_row *own = xmalloc(sizeof(*own));
    *own = *from;
    from->reason = from->stop_reason = from->handle = from->core = from->blas = NULL;
    from->params_json = from->error_text = from->stderr_tail = from->objectives = NULL;
    from->config = NULL;
    return own;
}

void run_row_finish(struct run_row *r)
{
    free(r->reason);
    free(r->stop_reason);
    free(r->handle);
    free(r->core);
    free(r->blas);
    free(r->params_json);
    free(r->objectives);
    free(r->error_text);
    free(r->stderr_tail);
    trainer_config_release(r->config);
    r->reason = r->stop_reason = r->handle = r->core = r->blas = NULL;
    r->params_json = r->error_text = r->stderr_tail = r->objectives = NULL;
    r->config = NULL;
}

void run_row_destroy(struct run_row *r)
{
    if (r)
        run_row_finish(r);
    free(r);
}

static void points_rows_destroy(struct points_rows *p)
{
    if (!p)
        return;
    free(p->points);
    free(p);
}

static void layers_rows_destroy(struct layers_rows *l)
{
    if (!l)
        return;
    free(l->layers);
    free(l);
}

static void metrics_rows_destroy(struct metrics_rows *m)
{
    if (!m)
        return;
    free(m->rows);
    free(m);
}

void label_row_destroy(struct label_row *l)
{
    if (!l)
        return;
    free(l->tags);
    free(l->evidence_json);
    free(l->facts_json);
    free(l);
}

static void relabelled_row_destroy(struct relabelled_row *r)
{
    if (!r)
        return;
    label_row_destroy(r->label);
    free(r);
}

static void relabel_run_finish(struct relabel_run *r)
{
    for (size_t i = 0; i < r->layers_count; i++)
        free(r->layers[i].layers);
    free(r->layers);
    free(r->points);
    free(r->params_json);
    free(r->settings_json);
    free(r->tags);
    free(r->evidence_json);
    free(r->causes_json);
    free(r->remedies_json);
    free(r->facts_json);
}

void relabel_window_destroy(struct relabel_window *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        relabel_run_finish(&w->runs[i]);
    free(w->runs);
    free(w->treatments);
    free(w->spec_json);
    free(w->data_facts_json);
    free(w);
}

static void edits_row_destroy(struct edits_row *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->count; i++) {
        free(e->edits[i].from_json);
        free(e->edits[i].to_json);
        free(e->edits[i].runs_json);
    }
    free(e->edits);
    free(e);
}

static void event_row_destroy(struct event_row *e)
{
    if (!e)
        return;
    free(e->detail);
    free(e);
}

static void decision_row_destroy(struct decision_row *d)
{
    if (!d)
        return;
    free(d->reason);
    free(d->detail_json);
    free(d);
}

const char *decision_name(enum decision_kind k)
{
    static const char *const names[] = {
#define X(id, name) [DECISION_##id] = name,
        DECISION_MAP(X)
#undef X
    };
    REQUIRE((size_t)k < ARRAY_LEN(names));
    return names[k];
}

const char *store_op_name(enum store_op_type t)
{
    static const char *const names[] = {
#define X(id, name) [STORE_##id] = name,
        STORE_OP_MAP(X)
#undef X
    };
    REQUIRE((size_t)t < ARRAY_LEN(names));
    return names[t];
}

void store_op_finish(struct store_op *op)
{
    switch (op->type) {
    case STORE_PUT_SWEEP:
        sweep_row_destroy(op->u.sweep);
        break;
    case STORE_PUT_RUN:
        run_row_destroy(op->u.run);
        break;
    case STORE_ADD_POINTS:
        points_rows_destroy(op->u.points);
        break;
    case STORE_PUT_LABEL:
        label_row_destroy(op->u.label);
        break;
    case STORE_ADD_EVENT:
        event_row_destroy(op->u.event);
        break;
    case STORE_ADD_FINDING:
        free(op->u.finding);
        break;
    case STORE_PUT_LAYERS:
        layers_rows_destroy(op->u.layers);
        break;
    case STORE_PUT_CAUSES:
        free(op->u.causes);
        break;
    case STORE_PUT_EDITS:
        edits_row_destroy(op->u.edits);
        break;
    case STORE_PUT_METRICS:
        metrics_rows_destroy(op->u.metrics);
        break;
    case STORE_ADD_DECISION:
        decision_row_destroy(op->u.decision);
        break;
    case STORE_RELABEL:
        relabelled_row_destroy(op->u.relabelled);
        break;
    case STORE_PUT_OUTCOME:
    case STORE_CLEAR_TEST:
    case STORE_CLEAR_POINTS:
    case STORE_DELETE_SWEEP:
        break;
    }
    memset(op, 0, sizeof(*op));
    op->type = STORE_DELETE_SWEEP; /* owns nothing: a second finish is harmless */
}

static struct store_op *batch_append(struct store_batch *b, enum store_op_type type)
{
    b->ops = array_room(b->ops, &b->cap, b->count, sizeof(*b->ops));
    struct store_op *op = &b->ops[b->count++];
    memset(op, 0, sizeof(*op));
    op->type = type;
    return op;
}

void store_batch_move(struct store_batch *b, const struct store_op *op)
{
    *batch_append(b, op->type) = *op;
}

void store_batch_put_sweep(struct store_batch *b, struct sweep_row *r)
{
    batch_append(b, STORE_PUT_SWEEP)->u.sweep = r;
}

void store_batch_put_run(struct store_batch *b, struct run_row *r)
{
    batch_append(b, STORE_PUT_RUN)->u.run = r;
}

void store_batch_add_points(struct store_batch *b, int64_t run_id, const struct point *p, size_t n)
{
    if (n == 0)
        return;
    struct points_rows *rows = xmalloc(sizeof(*rows));
    rows->run_id = run_id;
    rows->count = n;
    rows->points = xcalloc(n, sizeof(*p));
    memcpy(rows->points, p, n * sizeof(*p));
    batch_append(b, STORE_ADD_POINTS)->u.points = rows;
}

void store_batch_put_label(struct store_batch *b, struct label_row *r)
{
    batch_append(b, STORE_PUT_LABEL)->u.label = r;
}

void store_batch_add_event(struct store_batch *b, int64_t sweep_id, int64_t run_id,
                           const char *kind, utc_us now, const char *detail_fmt, ...)
{
    struct event_row *e = xcalloc(1, sizeof(*e));
    struct buf detail = {0};
    va_list ap;

    e->sweep_id = sweep_id;
    e->run_id = run_id;
    e->created = now;
    str_copy(e->kind, sizeof(e->kind), kind);
    va_start(ap, detail_fmt);
    buf_vprintf(&detail, detail_fmt, ap);
    va_end(ap);
    e->detail = buf_take(&detail);
    batch_append(b, STORE_ADD_EVENT)->u.event = e;
}

void store_batch_add_decision(struct store_batch *b, const struct decision_row *d,
                              const char *reason_fmt, ...)
{
    struct decision_row *row = xmalloc(sizeof(*row));
    struct buf reason = {0};
    va_list ap;

    *row = *d;
    va_start(ap, reason_fmt);
    buf_vprintf(&reason, reason_fmt, ap);
    va_end(ap);
    row->reason = buf_take(&reason);
    batch_append(b, STORE_ADD_DECISION)->u.decision = row;
}

void store_batch_add_finding(struct store_batch *b, int64_t sweep_id,
                             const struct record_finding *f)
{
    struct finding_row *row = xmalloc(sizeof(*row));
    row->sweep_id = sweep_id;
    row->finding = *f;
    batch_append(b, STORE_ADD_FINDING)->u.finding = row;
}

void store_batch_clear_test(struct store_batch *b, int64_t run_id)
{
    batch_append(b, STORE_CLEAR_TEST)->u.clear_test_run_id = run_id;
}

void store_batch_clear_points(struct store_batch *b, int64_t run_id)
{
    batch_append(b, STORE_CLEAR_POINTS)->u.clear_points_run_id = run_id;
}

void store_batch_put_layers(struct store_batch *b, int64_t run_id, const struct layer_stats *s)
{
    if (s->count == 0)
        return;
    struct layers_rows *rows = xmalloc(sizeof(*rows));
    rows->run_id = run_id;
    rows->point = s->point;
    rows->count = s->count;
    rows->layers = xmalloc(s->count * sizeof(*rows->layers));
    memcpy(rows->layers, s->layers, s->count * sizeof(*rows->layers));
    batch_append(b, STORE_PUT_LAYERS)->u.layers = rows;
}

void store_batch_put_metrics(struct store_batch *b, int64_t run_id,
                             struct point_metrics *const *m, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += m[i]->count;
    if (count == 0)
        return;
    struct metrics_rows *rows = xmalloc(sizeof(*rows));
    *rows = (struct metrics_rows){.run_id = run_id, .rows = xcalloc(count, sizeof(*rows->rows))};
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m[i]->count; k++)
            rows->rows[rows->count++] = (struct metric_row){m[i]->at.point, m[i]->values[k]};
    batch_append(b, STORE_PUT_METRICS)->u.metrics = rows;
}

void store_batch_put_causes(struct store_batch *b, int64_t run_id, const struct causes *causes,
                            const struct advice *advice)
{
    struct causes_row *row = xmalloc(sizeof(*row));
    row->run_id = run_id;
    row->causes = *causes;
    row->advice = *advice;
    batch_append(b, STORE_PUT_CAUSES)->u.causes = row;
}

void store_batch_put_edits(struct store_batch *b, int64_t sweep_id, struct edit_row *edits,
                           size_t count)
{
    struct edits_row *rows = xmalloc(sizeof(*rows));
    *rows = (struct edits_row){sweep_id, count, edits};
    batch_append(b, STORE_PUT_EDITS)->u.edits = rows;
}

void store_batch_delete_sweep(struct store_batch *b, int64_t sweep_id)
{
    batch_append(b, STORE_DELETE_SWEEP)->u.delete_sweep_id = sweep_id;
}

void store_batch_relabel(struct store_batch *b, const struct relabel_run *r, struct label_row *l)
{
    struct relabelled_row *row = xmalloc(sizeof(*row));
    *row = (struct relabelled_row){.label = l, .old_version = r->version};
    str_copy(row->old_created_at, sizeof(row->old_created_at), r->created_at);
    batch_append(b, STORE_RELABEL)->u.relabelled = row;
}

void store_batch_put_outcome(struct store_batch *b, int64_t run_id, bool cured)
{
    batch_append(b, STORE_PUT_OUTCOME)->u.outcome = (struct outcome_row){run_id, cured};
}

size_t store_batch_rows(const struct store_batch *b)
{
    size_t rows = b->count;
    for (size_t i = 0; i < b->count; i++) {
        const struct store_op *op = &b->ops[i];
        rows += op->type == STORE_ADD_POINTS    ? op->u.points->count
                : op->type == STORE_PUT_METRICS ? op->u.metrics->count
                : op->type == STORE_PUT_LAYERS  ? op->u.layers->count
                                                : 0;
    }
    return rows;
}

void store_batch_finish(struct store_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        store_op_finish(&b->ops[i]);
    free(b->ops);
    *b = (struct store_batch){0};
}
