/* What hangs on sweeps, and what is about all rows: deleting, refusing, order. */
#include <stdlib.h>

#include "tests/unit/store/contract.h"
#include "tests/unit/store/fixture.h"

/* --- what hangs on sweeps -------------------------------------------------------------------- */

static void decide(struct store_batch *b, int64_t sweep_id, int64_t run_id, enum decision_kind kind,
                   const char *detail)
{
    struct decision_row d = {.sweep_id = sweep_id, .run_id = run_id, .kind = kind};
    d.detail_json = detail ? xstrdup(detail) : NULL;
    store_batch_add_decision(b, &d, "of %d", (int)run_id);
}

/* In their order, each with the last event it could see. */
static void check_decisions(struct contract *c)
{
    struct store_batch b = {0};
    contract_put_run(c);
    decide(&b, 1, 1, DECISION_PROPOSED, NULL); /* before any event */
    store_batch_add_event(&b, 1, 0, "stage_planned", 1, "one");
    store_batch_put_run(&b, new_run(2, 1, 1));
    decide(&b, 1, 2, DECISION_ENQUEUED, "{\"metric\":0.5}");
    store_batch_add_event(&b, 0, 2, "run_started", 1, "two");
    decide(&b, 1, 0, DECISION_STOPPED, NULL);
    decide(&b, 1, 2, DECISION_TREATED, "no JSON");
    contract_put(c, &b);
    contract_rows(c, CONTRACT_DECISIONS, "1|1|1|proposed|of 1|-|-\n"
                                         "2|1|2|enqueued|of 2|{\"metric\":0.5}|1\n"
                                         "3|1|-|stopped|of 0|-|2\n");
    contract_rows(c, CONTRACT_EVENTS, "1|1|-|stage_planned|one\n2|1|2|run_started|two\n"
                                      "3|-|-|refused|decision\n");
}

/* As they were reached, to the bit; of open sweeps. */
static void check_rungs(struct contract *c)
{
    struct store_batch b = {0};
    struct sweep_row *ended = new_sweep(2, false);
    contract_put_run(c);
    ended->status = SWEEP_CANCELLED;
    store_batch_put_sweep(&b, ended);
    store_batch_put_run(&b, new_run(2, 1, 1));
    store_batch_put_run(&b, new_run(3, 2, 0));
    decide(&b, 1, 2, DECISION_PAUSED, "{\"epoch\":1,\"value\":0.30000000000000004}");
    decide(&b, 2, 3, DECISION_PAUSED, "{\"epoch\":1,\"value\":0.5}");
    decide(&b, 1, 1, DECISION_PAUSED, "{\"epoch\":1,\"value\":1}");
    decide(&b, 1, 1, DECISION_PROMOTED, "{\"epoch\":1,\"value\":1}");
    decide(&b, 1, 1, DECISION_PAUSED, "{\"epoch\":2,\"value\":\"+inf\"}");
    decide(&b, 1, 2, DECISION_PAUSED, "{\"epoch\":2,\"value\":\"nan\"}");
    decide(&b, 1, 1, DECISION_PAUSED, "{\"epoch\":3,\"value\":\"-inf\"}");
    decide(&b, 1, 1, DECISION_PAUSED, "{\"value\":1}"); /* at no epoch: none */
    decide(&b, 1, 1, DECISION_PAUSED, NULL);
    decide(&b, 1, 1, DECISION_AUDITED, "{\"epoch\":3,\"value\":2}");
    decide(&b, 1, 2, DECISION_PROMOTED, "{\"epoch\":2,\"value\":2,\"flush\":7}");
    decide(&b, 1, 2, DECISION_STOPPED, "{\"epoch\":4,\"value\":2,\"flush\":0}");
    decide(&b, 1, 2, DECISION_STOPPED, "{\"epoch\":4,\"value\":2}");
    contract_put(c, &b);
    contract_restored(c, "last 2 3\nsweep 1\nrun 1 = 1.0\nrun 2 = 1.1\n"
                         "rung|2|1|0.30000000000000004\nrung|1|1|1\nrung|1|2|+inf\n"
                         "rung|2|2|nan\nrung|1|3|-inf\nrung|1|3|2|audited\n"
                         "rung|2|2|2|promoted|7\nrung|2|4|2|stopped|0\n");
}

static struct edit_row *new_edits(size_t count)
{
    struct edit_row *edits = xcalloc(count + 1, sizeof(*edits));
    for (size_t i = 0; i < count; i++) {
        edits[i] = (struct edit_row){.kind = "cut", .setting = "depth", .sentence = "deep"};
        edits[i].to_json = xstrdup(i ? "[2]" : "[1]");
        edits[i].guide_ref = i ? "G1.1" : NULL;
    }
    return edits;
}

static void check_edits(struct contract *c)
{
    struct store_batch b = {0};
    contract_put_run(c);
    store_batch_put_sweep(&b, new_sweep(2, false));
    store_batch_put_edits(&b, 1, new_edits(2), 2);
    store_batch_put_edits(&b, 2, new_edits(1), 1);
    contract_put(c, &b);
    contract_rows(c, CONTRACT_EDITS, "1|1|cut|depth|-|[1]|[]|-|deep\n"
                                     "1|2|cut|depth|-|[2]|[]|G1.1|deep\n"
                                     "2|1|cut|depth|-|[1]|[]|-|deep\n");
    struct edit_row *other = new_edits(1);
    contract_set(&other[0].from_json, "3");
    contract_set(&other[0].runs_json, "[1]");
    store_batch_put_edits(&b, 1, other, 1);
    store_batch_put_edits(&b, 2, new_edits(0), 0);
    contract_put(c, &b);
    contract_rows(c, CONTRACT_EDITS, "1|1|cut|depth|3|[1]|[1]|-|deep\n");
}

static void add_finding(struct store_batch *b, int64_t sweep_id, int64_t row)
{
    struct record_finding f = {.row = row, .column = 5, .count = 17, .text = "here"};
    str_copy(f.kind, sizeof(f.kind), "nan_in_input");
    store_batch_add_finding(b, sweep_id, &f);
}

static void check_findings(struct contract *c)
{
    struct store_batch b = {0};
    contract_put_run(c);
    add_finding(&b, 1, 3);
    add_finding(&b, 1, 0);
    contract_put(c, &b);
    contract_rows(c, CONTRACT_FINDINGS, "1|1|nan_in_input|3|5|17|here\n"
                                        "2|1|nan_in_input|-|5|17|here\n");
}

/* A log: it may speak of what no longer is, and knows the sweep of a run that is. */
static void check_events(struct contract *c)
{
    struct store_batch b = {0};
    contract_put_run(c);
    store_batch_add_event(&b, 0, 1, "of_a_run", 1, "a");
    store_batch_add_event(&b, 7, 8, "of_nothing", 1, "b");
    store_batch_add_event(&b, 0, 0, "of_all", 1, "c");
    contract_put(c, &b);
    contract_rows(c, CONTRACT_EVENTS, "1|1|1|of_a_run|a\n2|7|8|of_nothing|b\n3|-|-|of_all|c\n");
}

/* --- everything at once ---------------------------------------------------------------------- */

/* Whatever can hang on sweep and run. */
static void put_all_of(struct contract *c, int64_t sweep_id, int64_t run_id)
{
    struct store_batch b = {0};
    struct point p = new_point(1, 1, 2);
    contract_put_metrics(c, run_id, 1, 2);
    store_batch_add_points(&b, run_id, &p, 1);
    store_batch_put_label(&b, contract_label(run_id, PATTERN_LEARNING, "{}"));
    store_batch_put_layers(&b, run_id, &(struct layer_stats){.point = 1, .count = 1});
    store_batch_put_edits(&b, sweep_id, new_edits(1), 1);
    add_finding(&b, sweep_id, 1);
    decide(&b, sweep_id, run_id, DECISION_PAUSED, "{\"epoch\":1,\"value\":0.5}");
    contract_put(c, &b);
}

/* Of the other sweep all stays, but for the parent that is gone. */
static void check_delete(struct contract *c)
{
    struct store_batch b = {0};
    struct run_row *child = contract_full_run(), *again = contract_full_run();
    contract_put_run(c);
    store_batch_put_sweep(&b, new_sweep(2, false));
    child->sweep_id = again->sweep_id = 2;
    store_batch_put_run(&b, child);
    store_batch_put_sweep(&b, new_sweep(3, false));
    store_batch_put_run(&b, new_run(3, 3, 0));
    contract_put(c, &b);
    for (int64_t id = 1; id <= 3; id++)
        put_all_of(c, id, id);
    for (int64_t id = 1; id <= 3; id++)
        store_batch_add_event(&b, id, id, "kept", 1, "x");
    store_batch_delete_sweep(&b, 1);
    store_batch_delete_sweep(&b, 3);
    store_batch_delete_sweep(&b, 99); /* gone already */
    contract_put(c, &b);
    contract_rows(c, CONTRACT_SWEEPS, "2|running\n");
    contract_rows(c, CONTRACT_RUNS, "2|2|1|failed|-|1|+inf|0.875\n");
    contract_rows(c, CONTRACT_CURVES, "2|1|1|1|2\n");
    contract_rows(c, CONTRACT_LABELS, "2|" LABEL("learning", "{}") "|-|-|" CREATED "\n");
    contract_rows(c, CONTRACT_EVENTS, "2|2|2|kept|x\n");
    contract_rows(c, CONTRACT_FINDINGS, "2|2|nan_in_input|1|5|17|here\n");
    contract_rows(c, CONTRACT_LAYERS, "2|1|1||0|0|0|0|0\n");
    contract_rows(c, CONTRACT_METRICS, "2|1|val/loss|1\n2|2|val/loss|2\n");
    contract_rows(c, CONTRACT_EDITS, "2|1|cut|depth|-|[1]|[]|-|deep\n");
    contract_rows(c, CONTRACT_DECISIONS,
                  "2|2|2|paused|of 2|{\"epoch\":1,\"value\":0.5}|-\n");
    contract_restored(c, "last 3 3\nsweep 2\nrun 2 = 2.1\nlabel|2|learning|0.75|2|nan|-\n"
                         "rung|2|1|0.5\n");
    store_batch_put_run(&b, again); /* still names its parent, as an engine that did not hear */
    contract_put(c, &b);
    contract_rows(c, CONTRACT_RUNS, "2|2|1|failed|-|1|+inf|0.875\n");
    contract_rows(c, CONTRACT_EVENTS, "2|2|2|kept|x\n");
}

/* What nothing is there for. */
static void check_foreign_keys(struct contract *c)
{
    struct store_batch b = {0};
    contract_put_run(c);
    put_all_of(c, 8, 9);
    store_batch_put_run(&b, new_run(9, 8, 0));
    store_batch_put_sweep(&b, new_sweep(2, false)); /* is done none the less */
    contract_put(c, &b);
    contract_rows(c, CONTRACT_EVENTS,
                  "1|-|9|refused|metrics\n2|-|9|refused|points\n3|-|9|refused|label\n"
                  "4|-|9|refused|layers\n5|-|-|refused|edits\n6|-|-|refused|finding\n"
                  "7|-|-|refused|decision\n8|-|9|refused|run\n");
    contract_restored(c, "last 2 1\nsweep 1\nsweep 2\nrun 1 = 1.0\n");
}

/* What can never be: each leaves an event, and the row as it was. */
static void check_refused_rows(struct contract *c)
{
    struct store_batch b = {0};
    struct run_row *far = new_run(1, 1, 0), *paused = new_run(1, 1, 0), *bad = new_run(1, 1, 0);
    struct sweep_row *sweep = new_sweep(1, false);
    struct label_row *sure = new_label(1, PATTERN_LEARNING), *odd = new_label(1, PATTERN_LEARNING);
    struct point p = new_point(0, 1, 2);

    contract_put_run(c);
    store_batch_put_run(&b, new_run(2, 1, 0)); /* a second one of that number */
    far->until_epoch = far->epochs + 1;
    store_batch_put_run(&b, far);
    paused->paused_by = RUN_PAUSER_RUNG; /* and queued */
    store_batch_put_run(&b, paused);
    contract_set(&bad->params_json, "{");
    store_batch_put_run(&b, bad);
    contract_set(&sweep->spec_json, "{");
    store_batch_put_sweep(&b, sweep);
    sure->confidence = 1.5;
    store_batch_put_label(&b, sure);
    contract_set(&odd->evidence_json, "{");
    store_batch_put_label(&b, odd);
    store_batch_add_points(&b, 1, &p, 1);
    contract_put(c, &b);
    contract_rows(c, CONTRACT_EVENTS,
                  "1|-|2|refused|run\n2|1|1|refused|run\n3|1|1|refused|run\n4|1|1|refused|run\n"
                  "5|-|-|refused|sweep\n6|1|1|refused|label\n7|1|1|refused|label\n"
                  "8|1|1|refused|points\n");
    contract_rows(c, CONTRACT_LABELS, "");
    contract_rows(c, CONTRACT_CURVES, "");
    contract_comes_back(c, new_sweep(1, false), new_run(2, 1, 1));
}

struct called {
    struct buf *order;
    int batch;
};

static void on_committed(void *arg)
{
    const struct called *call = arg;
    buf_printf(call->order, "%d ", call->batch);
}

/* Batches that wait together are done, and said to be done, as they were submitted. */
static void check_order(struct contract *c)
{
    enum { BATCHES = 5 };
    static const enum run_status statuses[BATCHES] = {RUN_QUEUED, RUN_RUNNING, RUN_QUEUED,
                                                      RUN_RUNNING, RUN_FAILED};
    struct called calls[BATCHES + 1];
    struct buf order = {0};
    contract_put_run(c);
    for (int i = 0; i <= BATCHES; i++) {
        struct store_batch b = {0};
        struct run_row *r = i < BATCHES ? new_run(1, 1, 0) : NULL;
        struct point p = new_point(i / 2 + 1, i, i);
        if (r) { /* the last batch is empty */
            r->status = statuses[i];
            store_batch_put_run(&b, r);
            store_batch_add_points(&b, 1, &p, 1);
        }
        calls[i] = (struct called){&order, i};
        contract_submit(c, &b, on_committed, &calls[i]);
    }
    contract_rows(c, CONTRACT_RUNS, "1|1|0|failed|-|-|-|-\n");
    contract_rows(c, CONTRACT_CURVES, "1|1|1|0|0\n1|2|2|2|2\n1|3|3|4|4\n");
    contract_same(c, "committed", order.data ? order.data : "", "0 1 2 3 4 5 ");
    buf_finish(&order);
}

const struct contract_check contract_of_sweeps[] = {
    {"decisions", OP(PUT_SWEEP) | OP(ADD_EVENT) | OP(ADD_DECISION), check_decisions},
    {"rungs", RUN_OPS | OP(ADD_DECISION), check_rungs},
    {"edits", OP(PUT_SWEEP) | OP(PUT_EDITS), check_edits},
    {"findings", OP(PUT_SWEEP) | OP(ADD_FINDING), check_findings},
    {"events", RUN_OPS | OP(ADD_EVENT), check_events},
    {"delete",
     RUN_OPS | OP(DELETE_SWEEP) | OP(ADD_POINTS) | OP(PUT_METRICS) | OP(PUT_LABEL) |
         OP(PUT_LAYERS) | OP(PUT_EDITS) | OP(ADD_FINDING) | OP(ADD_DECISION) | OP(ADD_EVENT),
     check_delete},
    {"foreign keys", RUN_OPS | OP(ADD_POINTS) | OP(ADD_FINDING), check_foreign_keys},
    {"refused rows", RUN_OPS | OP(PUT_LABEL) | OP(ADD_POINTS), check_refused_rows},
    {"order", RUN_OPS, check_order},
    {0},
};
