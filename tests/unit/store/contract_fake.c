/* The store of the engine's tests. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/json.h"
#include "tests/unit/engine/fake_store.h"
#include "tests/unit/store/contract.h"

struct fake {
    struct fake_store store;
    struct store_restored restored;
};

static void *fake_open(void)
{
    return xcalloc(1, sizeof(struct fake));
}

static void fake_close(void *store)
{
    struct fake *f = store;
    fake_restored_finish(&f->restored);
    fake_store_finish(&f->store);
    free(f);
}

static void fake_submit(void *store, struct store_batch *b, void (*cb)(void *arg), void *arg)
{
    struct fake *f = store;
    for (size_t i = 0; i < b->count; i++)
        fake_store_apply(&f->store, &b->ops[i]);
    store_batch_finish(b);
    if (cb)
        cb(arg);
}

static const struct store_restored *fake_restore(void *store)
{
    struct fake *f = store;
    fake_restored_finish(&f->restored);
    fake_store_restore(&f->store, &f->restored);
    return &f->restored;
}

/* --- rows ------------------------------------------------------------------------------------ */

static void text_or_none(struct buf *out, const char *text)
{
    row_text(out, text && text[0] ? text : NULL);
}

static void sweep_rows(const struct fake_store *s, struct buf *out)
{
    for (size_t i = 0; i < s->sweep_count; i++) {
        row_int(out, s->sweeps[i]->id);
        row_text(out, sweep_status_name(s->sweeps[i]->status));
        row_end(out);
    }
}

static void run_rows(const struct fake_store *s, struct buf *out)
{
    for (size_t i = 0; i < s->run_count; i++) {
        const struct run_row *r = s->runs[i];
        row_int(out, r->id);
        row_int(out, r->sweep_id);
        row_int(out, r->number);
        row_text(out, run_status_name(r->status));
        row_count(out, r->parent_id);
        row_text(out, !r->has_outcome ? NULL : r->cured ? "1" : "0");
        row_real(out, r->has_test_loss, r->test_loss);
        row_real(out, r->has_test_acc, r->test_acc);
        row_end(out);
    }
}

static void curve_rows(const struct fake_store *s, struct buf *out)
{
    for (size_t i = 0; i < s->point_count; i++) {
        const struct point *p = &s->points[i].p;
        row_int(out, s->points[i].run_id);
        row_int(out, p->point);
        row_real(out, true, p->epoch);
        row_real(out, point_has(p, CURVE_TRAIN_LOSS), p->v[CURVE_TRAIN_LOSS]);
        row_real(out, point_has(p, CURVE_VAL_LOSS), p->v[CURVE_VAL_LOSS]);
        row_end(out);
    }
}

static void cause_columns(const struct causes *c, struct buf *out)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    if (c->count > 0)
        causes_write(c, &w);
    row_text(out, c->count > 0 ? cause_name(c->items[0].id) : NULL);
    row_text(out, text.data);
    buf_finish(&text);
}

static void label_rows(const struct fake_store *s, struct buf *out)
{
    for (size_t i = 0; i < s->label_count; i++) {
        const struct label_row *l = &s->labels[i]->row;
        row_int(out, l->run_id);
        row_text(out, pattern_name(l->pattern));
        text_or_none(out, pattern_name(l->runner_up));
        row_real(out, true, l->confidence);
        row_text(out, l->tags);
        row_text(out, l->evidence_json);
        row_text(out, l->facts_json);
        cause_columns(&l->causes, out);
        row_text(out, s->labels[i]->created_at);
        row_end(out);
    }
}

static void event_rows(const struct fake_store *s, struct buf *out)
{
    for (size_t i = 0; i < s->event_count; i++) {
        const struct fake_event *e = &s->events[i];
        row_int(out, e->id);
        row_count(out, e->sweep_id);
        row_count(out, e->run_id);
        row_text(out, e->kind);
        text_or_none(out, e->detail);
        row_end(out);
    }
}

static void finding_rows(const struct fake_store *s, struct buf *out)
{
    for (size_t i = 0; i < s->finding_count; i++) {
        const struct record_finding *f = &s->findings[i].finding;
        row_int(out, s->findings[i].id);
        row_int(out, s->findings[i].sweep_id);
        row_text(out, f->kind);
        row_count(out, f->row);
        row_count(out, f->column);
        row_int(out, f->count);
        row_text(out, f->text);
        row_end(out);
    }
}

static void layer_rows(const struct fake_store *s, struct buf *out)
{
    for (size_t i = 0; i < s->layer_count; i++) {
        const struct fake_layer *l = &s->layers[i];
        row_int(out, l->run_id);
        row_int(out, l->point);
        row_int(out, l->layer);
        row_text(out, l->stat.name);
#define X(member, doc)                                                                            \
    row_real(out, !isnan(l->stat.member) || l->stat.not_a_number >> LAYER_STAT_##member & 1,      \
             l->stat.member);
        LAYER_STAT_MAP(X)
#undef X
        row_end(out);
    }
}

static void metric_rows(const struct fake_store *s, struct buf *out)
{
    for (size_t i = 0; i < s->metric_count; i++) {
        const struct metric_row *m = &s->metrics[i].row;
        row_int(out, s->metrics[i].run_id);
        row_int(out, m->point);
        row_text(out, m->metric.name);
        row_real(out, true, m->metric.value);
        row_end(out);
    }
}

static void edit_rows(const struct fake_store *s, struct buf *out)
{
    for (size_t i = 0; i < s->edit_count; i++) {
        const struct edit_row *e = &s->edits[i].row;
        row_int(out, s->edits[i].sweep_id);
        row_int(out, s->edits[i].position);
        row_text(out, e->kind);
        row_text(out, e->setting);
        text_or_none(out, e->from_json);
        text_or_none(out, e->to_json);
        row_text(out, e->runs_json);
        text_or_none(out, e->guide_ref);
        row_text(out, e->sentence);
        row_end(out);
    }
}

static void decision_rows(const struct fake_store *s, struct buf *out)
{
    for (size_t i = 0; i < s->decision_count; i++) {
        const struct fake_decision *d = &s->decisions[i];
        row_int(out, d->id);
        row_int(out, d->sweep_id);
        row_count(out, d->run_id);
        row_text(out, decision_name(d->kind));
        row_text(out, d->reason);
        text_or_none(out, d->detail_json);
        row_count(out, d->seen_event);
        row_end(out);
    }
}

static void fake_rows(void *store, enum contract_table t, struct buf *out)
{
    static void (*const printers[CONTRACT_TABLE_COUNT])(const struct fake_store *, struct buf *) = {
        [CONTRACT_SWEEPS] = sweep_rows,     [CONTRACT_RUNS] = run_rows,
        [CONTRACT_CURVES] = curve_rows,     [CONTRACT_LABELS] = label_rows,
        [CONTRACT_EVENTS] = event_rows,     [CONTRACT_FINDINGS] = finding_rows,
        [CONTRACT_LAYERS] = layer_rows,     [CONTRACT_METRICS] = metric_rows,
        [CONTRACT_EDITS] = edit_rows,       [CONTRACT_DECISIONS] = decision_rows,
    };
    struct fake *f = store;
    printers[t](&f->store, out);
}

const struct contract_store contract_fake = {
    "the fake", fake_open, fake_close, fake_submit, fake_restore, fake_rows};
