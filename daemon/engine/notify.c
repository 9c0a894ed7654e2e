/* The engine's actions: what happens outside once the rows are durable. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"

void action_finish(struct action *a)
{
    if (a == NULL)
        return;
    free(a->config);
    free(a->owner);
    free(a->run_ids);
    free(a->json);
    free(a->error);
    *a = (struct action){0};
}

void effects_finish(struct effects *e)
{
    store_batch_finish(&e->batch);
    for (size_t i = 0; i < e->action_count; i++)
        action_finish(&e->actions[i]);
    free(e->actions);
    *e = (struct effects){0};
}

void effects_join(struct effects *fx, struct effects *more)
{
    for (size_t i = 0; i < more->batch.count; i++)
        store_batch_move(&fx->batch, &more->batch.ops[i]);
    for (size_t i = 0; i < more->action_count; i++)
        *effects_add(fx, more->actions[i].type, 0, 0) = more->actions[i];
    free(more->batch.ops);
    free(more->actions);
    *more = (struct effects){0};
}

struct action *effects_add(struct effects *fx, enum action_type type, int64_t sweep_id,
                           int64_t run_id)
{
    fx->actions = array_room(fx->actions, &fx->action_cap, fx->action_count, sizeof(*fx->actions));
    struct action *a = &fx->actions[fx->action_count++];
    *a = (struct action){.type = type, .sweep_id = sweep_id, .run_id = run_id};
    return a;
}

void effects_reply(struct effects *fx, void *token, char *json)
{
    struct action *a = effects_add(fx, ACTION_REPLY, 0, 0);
    a->token = token;
    a->json = json;
}

void effects_refuse(struct effects *fx, void *token, const struct errbuf *err)
{
    struct action *a = effects_add(fx, ACTION_REPLY, 0, 0);
    a->token = token;
    a->error = xmalloc(sizeof(*a->error));
    *a->error = *err;
}

/* --- notifications --------------------------------------------------------------------------- */

struct note {
    struct buf text;
    struct json_writer w;
};

static void note_begin(struct note *n, int64_t sweep_id)
{
    n->text = (struct buf){0};
    jw_init(&n->w, &n->text);
    jw_begin_object(&n->w);
    jw_kv_int(&n->w, "sweep", sweep_id);
}

static void note_run(struct note *n, const struct run *r)
{
    note_begin(n, r->row->sweep_id);
    jw_kv_int(&n->w, "run", r->row->id);
}

static void note_send(struct note *n, struct effects *fx, const char *method, int64_t sweep_id,
                      int64_t run_id)
{
    jw_end_object(&n->w);
    struct action *a = effects_add(fx, ACTION_NOTIFY, sweep_id, run_id);
    a->method = method;
    a->json = buf_take(&n->text);
}

static void kv_real_or_null(struct json_writer *w, const char *key, bool has, double v)
{
    jw_key(w, key);
    if (has)
        jw_real(w, v);
    else
        jw_null(w);
}

void notify_run_started(struct effects *fx, const struct run *r)
{
    struct note n;
    note_run(&n, r);
    jw_kv_int(&n.w, "number", r->row->number);
    jw_kv_string(&n.w, "stage", r->row->stage);
    jw_kv_string(&n.w, "treated_with", r->row->kind == RUN_KIND_TREATMENT
                                           ? remedy_name(r->row->remedy) : NULL);
    char *params = run_params(r);
    jw_kv_raw(&n.w, "params", params);
    free(params);
    note_send(&n, fx, "run_started", r->row->sweep_id, r->row->id);
}

void notify_run_paused(struct effects *fx, const struct run *r)
{
    struct note n;
    note_run(&n, r);
    jw_kv_int(&n.w, "number", r->row->number);
    note_send(&n, fx, "run_paused", r->row->sweep_id, r->row->id);
}

void notify_point(struct effects *fx, const struct run *r, const struct point *p)
{
    static const enum curve_column columns[] = {CURVE_TRAIN_LOSS, CURVE_VAL_LOSS, CURVE_TRAIN_ACC,
                                                CURVE_VAL_ACC, CURVE_GRAD_NORM};
    struct note n;
    note_run(&n, r);
    jw_kv_int(&n.w, "point", p->point);
    jw_kv_real(&n.w, "epoch", p->epoch);
    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
        kv_real_or_null(&n.w, curve_column_name(columns[i]), point_has(p, columns[i]),
                        p->v[columns[i]]);
    note_send(&n, fx, "point", r->row->sweep_id, r->row->id);
}

void notify_label(struct effects *fx, const struct run *r, const struct label_row *l)
{
    struct note n;
    note_run(&n, r);
    jw_kv_string(&n.w, "pattern", pattern_name(l->pattern));
    jw_kv_real(&n.w, "confidence", l->confidence);
    jw_kv_string(&n.w, "cause", l->causes.count > 0 ? cause_name(l->causes.items[0].id) : NULL);
    note_send(&n, fx, "label", r->row->sweep_id, r->row->id);
}

void notify_run_ended(struct effects *fx, const struct run *r)
{
    const struct run_row *row = r->row;
    struct note n;
    note_run(&n, r);
    jw_kv_int(&n.w, "number", row->number);
    jw_kv_string(&n.w, "status", run_status_name(row->status));
    kv_real_or_null(&n.w, "metric_value", row->has_metric, row->metric_value);
    kv_real_or_null(&n.w, "best_epoch", row->has_metric, row->best_epoch);
    kv_real_or_null(&n.w, "val_loss", row->has_val_loss, row->val_loss);
    kv_real_or_null(&n.w, "val_acc", row->has_val_acc, row->val_acc);
    kv_real_or_null(&n.w, "test_loss", row->has_test_loss, row->test_loss);
    kv_real_or_null(&n.w, "test_acc", row->has_test_acc, row->test_acc);
    jw_kv_string(&n.w, "error", row->error == RUN_ERROR_NONE ? NULL : run_error_name(row->error));
    jw_kv_string(&n.w, "text", row->error_text);
    jw_kv_real(&n.w, "seconds", row->seconds);
    note_send(&n, fx, "run_ended", row->sweep_id, row->id);
}

void notify_stage_planned(struct effects *fx, const struct sweep *s, const char *stage, size_t runs)
{
    struct note n;
    note_begin(&n, s->row->id);
    jw_kv_string(&n.w, "stage", stage);
    jw_kv_int(&n.w, "runs", (int64_t)runs);
    note_send(&n, fx, "stage_planned", s->row->id, 0);
}

static void notify_sweep_ended(struct effects *fx, const struct sweep *s)
{
    struct note n;
    note_begin(&n, s->row->id);
    jw_kv_string(&n.w, "status", sweep_status_name(s->row->status));
    jw_kv_string(&n.w, "reason", s->row->reason);
    jw_kv_int(&n.w, "runs", (int64_t)s->run_count);
    jw_key(&n.w, "best_run");
    if (s->best_count > 0)
        jw_int(&n.w, s->best[0].run_id);
    else
        jw_null(&n.w);
    note_send(&n, fx, "sweep_ended", s->row->id, 0);
}

void notify_sweep(struct effects *fx, const struct sweep *s)
{
    bool terminal = sweep_status_terminal(s->row->status);
    struct note n;
    note_begin(&n, s->row->id);
    jw_kv_string(&n.w, "status", sweep_status_name(s->row->status));
    jw_kv_string(&n.w, "reason", s->row->reason);
    note_send(&n, fx, "sweep_changed", s->row->id, 0);
    if (terminal)
        notify_sweep_ended(fx, s);
    if (terminal || s->row->status == SWEEP_HELD)
        effects_add(fx, ACTION_WAKE_WAITERS, s->row->id, 0);
}
