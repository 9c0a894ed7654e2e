/* Sweeps and runs as a whole, and what hangs on runs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/store/contract.h"
#include "tests/unit/store/fixture.h"

/* --- sweeps and runs ------------------------------------------------------------------------- */

static struct sweep_row *full_sweep(void)
{
    struct sweep_row *r = new_sweep(1, true);
    r->status = SWEEP_HELD;
    r->reason = xstrdup("why");
    r->method = METHOD_GRID;
    r->after = 3;
    r->priority = -2;
    r->data_features = 4;
    r->data = (struct data_facts){.train_samples = 100, .steps = 300, .has_nan = true};
    r->remedy_prior = xstrdup("[]");
    r->data_accepted = 1;
    r->submit_id = xstrdup("tonight");
    r->fits = xstrdup("{}");
    r->warm = xstrdup("{}");
    r->deadline = r->created + 3000;
    r->started = r->created + 1000;
    r->ended = r->created + 2000;
    return r;
}

static void check_whole_rows(struct contract *c)
{
    contract_comes_back(c, full_sweep(), contract_full_run());
    contract_comes_back(c, new_sweep(1, false), new_run(2, 1, 1)); /* nothing of before is left */
    struct run_row *other = contract_full_run(); /* another program's */
    trainer_config_release(other->config);
    other->config = NULL;
    other->until_epoch = 0;
    contract_comes_back(c, new_sweep(1, true), other);
}

/* What is finer than a millisecond is not kept. */
static void check_times(struct contract *c)
{
    struct store_batch b = {0};
    struct sweep_row *sweep = new_sweep(1, false);
    struct run_row *run = new_run(1, 1, 0);
    char is[200] = "none";
    utc_us base = sweep->created;

    sweep->created = base + 999;
    sweep->started = base + 1001;
    run->created = base + 1999;
    run->ended = base + 2001;
    store_batch_put_sweep(&b, sweep);
    store_batch_put_run(&b, run);
    contract_put(c, &b);
    const struct store_restored *r = c->type->restore(c->store);
    if (r->sweep_count == 1 && r->run_count == 1)
        snprintf(is, sizeof(is), "%d %d %d %d\n", (int)(r->sweeps[0].created - base),
                 (int)(r->sweeps[0].started - base), (int)(r->runs[0].created - base),
                 (int)(r->runs[0].ended - base));
    contract_same(c, "times", is, "0 1000 1000 2000\n");
}

/* Sweeps that go on, with all their runs by number; ids also of those that do not. */
static void check_open_sweeps(struct contract *c)
{
    static const enum sweep_status statuses[] = {SWEEP_PAUSED, SWEEP_COMPLETED, SWEEP_CANCELLED,
                                                 SWEEP_HELD, SWEEP_QUEUED};
    struct store_batch b = {0};
    for (size_t i = 5; i > 0; i--) {
        struct sweep_row *r = new_sweep((int64_t)i, false);
        r->status = statuses[i - 1];
        store_batch_put_sweep(&b, r);
    }
    store_batch_put_run(&b, new_run(1, 5, 1));
    store_batch_put_run(&b, new_run(2, 5, 0));
    store_batch_put_run(&b, new_run(4, 1, 1));
    store_batch_put_run(&b, new_ranked_run(3, 1, 0, 0.5));
    store_batch_put_run(&b, new_run(9, 2, 0));
    contract_put(c, &b);
    contract_restored(c, "last 5 9\nsweep 1\nsweep 4\nsweep 5\n"
                         "run 3 = 1.0\nrun 4 = 1.1\nrun 2 = 5.0\nrun 1 = 5.1\n");
}

static void check_test_scores(struct contract *c)
{
    struct store_batch b = {0};
    struct run_row *run = contract_full_run(), *other = contract_full_run();
    other->id = 3;
    other->number = 2;
    contract_put_run(c);
    store_batch_put_run(&b, run);
    store_batch_put_run(&b, other);
    store_batch_clear_test(&b, 2);
    store_batch_clear_test(&b, 99); /* gone: nothing */
    contract_put(c, &b);
    contract_rows(c, CONTRACT_RUNS, "1|1|0|queued|-|-|-|-\n2|1|1|failed|1|1|-|-\n"
                                    "3|1|2|failed|1|1|+inf|0.875\n");
    contract_rows(c, CONTRACT_EVENTS, "");
}

static void check_outcome(struct contract *c)
{
    struct store_batch b = {0};
    contract_put_run(c);
    store_batch_put_run(&b, contract_full_run());
    store_batch_put_outcome(&b, 2, false);
    store_batch_put_outcome(&b, 1, true);  /* has none: stays so */
    store_batch_put_outcome(&b, 99, true); /* gone */
    contract_put(c, &b);
    contract_rows(c, CONTRACT_RUNS, "1|1|0|queued|-|-|-|-\n2|1|1|failed|1|0|+inf|0.875\n");
    contract_rows(c, CONTRACT_EVENTS, "");
}

/* --- what hangs on runs ---------------------------------------------------------------------- */

static void put_points(struct contract *c, int64_t run_id, const struct point *p, size_t n)
{
    struct store_batch b = {0};
    store_batch_add_points(&b, run_id, p, n);
    contract_put(c, &b);
}

static void check_points(struct contract *c)
{
    struct point p[3] = {new_point(1, NAN, 0.1), new_point(2, INFINITY, 0.25), new_point(3, 1, 2)};
    contract_put_run(c);
    point_set(&p[0], CURVE_SECONDS, 1);
    put_points(c, 1, p, 2);
    point_set(&p[0], CURVE_SECONDS, 2); /* not canonical: may differ */
    p[0].v[CURVE_TRAIN_LOSS] = -NAN;    /* all NaNs are equal */
    put_points(c, 1, p, 3);
    contract_rows(c, CONTRACT_EVENTS, "");
    p[1].v[CURVE_VAL_LOSS] = nextafter(0.25, 1);
    p[2].measured &= ~(1u << CURVE_VAL_LOSS);
    put_points(c, 1, p, 3); /* one event for both */
    put_points(c, 1, p + 2, 1);
    contract_rows(c, CONTRACT_EVENTS,
                  "1|1|1|nondeterminism|stored\n2|1|1|nondeterminism|stored\n");
    contract_rows(c, CONTRACT_CURVES, "1|1|1|nan|0.1\n1|2|2|+inf|0.25\n1|3|3|1|2\n");
}

static void check_metrics(struct contract *c)
{
    contract_put_run(c);
    contract_put_metrics(c, 1, NAN, -INFINITY);
    contract_put_metrics(c, 1, -NAN, -INFINITY);
    contract_rows(c, CONTRACT_EVENTS, "");
    contract_put_metrics(c, 1, 0.5, 0.25);
    contract_rows(c, CONTRACT_EVENTS, "1|1|1|nondeterminism|stored\n");
    contract_rows(c, CONTRACT_METRICS, "1|1|val/loss|nan\n1|2|val/loss|-inf\n");
}

/* Layers of run 1 at that point. */
static void put_layers(struct contract *c, int64_t point, size_t count, double norm)
{
    static struct layer_stats s;
    struct store_batch b = {0};
    s = (struct layer_stats){.point = point, .count = count};
    for (size_t i = 0; i < count; i++) {
        s.layers[i] = (struct layer_stat){.grad_norm = norm, .weight_norm = NAN,
                                          .update_ratio = NAN, .dead = 0.5, .saturated = INFINITY,
                                          .not_a_number = 1u << LAYER_STAT_weight_norm};
        snprintf(s.layers[i].name, LAYER_STAT_NAME_MAX, "l%zu", i);
    }
    store_batch_put_layers(&b, 1, &s);
    contract_put(c, &b);
}

static void check_layers(struct contract *c)
{
    contract_put_run(c);
    put_layers(c, 1, 2, 1.5);
    put_layers(c, 2, 1, 2.5);
    put_layers(c, 1, 1, 3.5);
    contract_rows(c, CONTRACT_LAYERS, "1|1|1|l0|3.5|nan|-|0.5|+inf\n1|1|2|l1|1.5|nan|-|0.5|+inf\n"
                                      "1|2|1|l0|2.5|nan|-|0.5|+inf\n");
}

/* Of that run alone; the same points may come again and be others. */
static void check_points_cleared(struct contract *c)
{
    struct point p = new_point(1, 0.5, 0.25);
    struct store_batch b = {0};
    contract_put_run(c);
    store_batch_put_run(&b, new_run(2, 1, 1));
    store_batch_add_points(&b, 2, &p, 1);
    contract_put(c, &b);
    put_points(c, 1, &p, 1);
    put_layers(c, 1, 1, 1.5);
    contract_put_metrics(c, 1, 0.5, 0.25);
    contract_put_metrics(c, 2, 1, 2);
    contract_rows(c, CONTRACT_LAYERS, "1|1|1|l0|1.5|nan|-|0.5|+inf\n");
    store_batch_clear_points(&b, 1);
    store_batch_clear_points(&b, 99); /* gone: nothing */
    contract_put(c, &b);
    contract_rows(c, CONTRACT_CURVES, "2|1|1|0.5|0.25\n");
    contract_rows(c, CONTRACT_LAYERS, "");
    contract_rows(c, CONTRACT_METRICS, "2|1|val/loss|1\n2|2|val/loss|2\n");
    p.v[CURVE_VAL_LOSS] = 0.125;
    put_points(c, 1, &p, 1);
    contract_rows(c, CONTRACT_CURVES, "1|1|1|0.5|0.125\n2|1|1|0.5|0.25\n");
    contract_rows(c, CONTRACT_EVENTS, "");
}

static struct causes one_cause(enum cause_id id)
{
    return (struct causes){.count = 1, .items = {{.id = id, .weight = 0.5, .evidence = "e"}}};
}

#define TOO_DEEP_JSON                                                                             \
    "too_deep|[{\"cause\":\"too_deep\",\"weight\":0.5,\"evidence\":\"e\",\"guide_ref\":\"G3.4\"}]"

/* The facts of a run that goes on are not known yet; those that are stay, whoever speaks next. */
static void check_labels(struct contract *c)
{
    struct store_batch b = {0};
    struct label_row *treated = contract_label(2, PATTERN_BOTTLENECK, "{\"spread\":0.25}");
    contract_put_run(c);
    store_batch_put_run(&b, new_ranked_run(2, 1, 1, 0.5));
    treated->causes = one_cause(CAUSE_TOO_DEEP);
    treated->runner_up = PATTERN_OVERFITTING;
    store_batch_put_label(&b, treated);
    store_batch_put_label(&b, contract_label(1, PATTERN_LEARNING, NULL));
    contract_put(c, &b);
    contract_restored(c, "last 1 2\nsweep 1\nrun 1 = 1.0\nrun 2 = 1.1\n"
                         "label|2|bottleneck|0.75|2|0.25|too_deep\n");
    /* the first has not ended */
    store_batch_put_label(&b, contract_label(1, PATTERN_LEARNING, "{\"spread\":0.5}"));
    store_batch_put_label(&b, contract_label(2, PATTERN_CONVERGED, NULL));
    contract_put(c, &b);
    contract_restored(c, "last 1 2\nsweep 1\nrun 1 = 1.0\nrun 2 = 1.1\n"
                         "label|2|converged|0.75|2|0.25|-\n");
    contract_rows(c, CONTRACT_LABELS,
                  "1|" LABEL("learning", "{\"spread\":0.5}") "|-|-|" CREATED "\n"
                  "2|" LABEL("converged", "{\"spread\":0.25}") "|-|-|" CREATED "\n");
}

/* By run, of ended runs of open sweeps. */
static void check_labels_restored(struct contract *c)
{
    struct store_batch b = {0};
    struct sweep_row *ended = new_sweep(2, false);
    contract_put_run(c);
    ended->status = SWEEP_COMPLETED;
    store_batch_put_sweep(&b, ended);
    store_batch_put_run(&b, new_ranked_run(2, 2, 0, 0.5));
    store_batch_put_run(&b, new_ranked_run(4, 1, 1, 0.5));
    store_batch_put_run(&b, new_ranked_run(3, 1, 2, 0.5));
    for (int64_t run = 4; run >= 2; run--)
        store_batch_put_label(&b, contract_label(run, PATTERN_LEARNING, "{\"spread\":0.5}"));
    contract_put(c, &b);
    contract_restored(c, "last 2 4\nsweep 1\nrun 1 = 1.0\nrun 4 = 1.1\nrun 3 = 1.2\n"
                         "label|3|learning|0.75|2|0.5|-\nlabel|4|learning|0.75|2|0.5|-\n");
}

static void check_causes(struct contract *c)
{
    const struct causes deep = one_cause(CAUSE_TOO_DEEP), none = {0};
    struct store_batch b = {0};
    contract_put_run(c);
    store_batch_put_run(&b, new_run(2, 1, 1));
    store_batch_put_label(&b, new_label(1, PATTERN_BOTTLENECK));
    store_batch_put_causes(&b, 1, &deep, &(struct advice){0});
    store_batch_put_causes(&b, 2, &deep, &(struct advice){0}); /* has no label */
    contract_put(c, &b);
    contract_rows(c, CONTRACT_LABELS,
                  "1|" LABEL("bottleneck", "-") "|" TOO_DEEP_JSON "|" CREATED "\n");
    store_batch_put_causes(&b, 1, &none, &(struct advice){0});
    contract_put(c, &b);
    contract_rows(c, CONTRACT_LABELS, "1|" LABEL("bottleneck", "-") "|-|-|" CREATED "\n");
    contract_rows(c, CONTRACT_EVENTS, "");
}

static void relabel(struct store_batch *b, int64_t run_id, int64_t version, const char *at)
{
    struct relabel_run r = {.version = version};
    struct label_row *l = new_label(run_id, PATTERN_CONVERGED);
    str_copy(r.created_at, sizeof(r.created_at), at);
    l->created = 0; /* the time stays */
    store_batch_relabel(b, &r, l);
}

/* In place of the label that was looked at, and no other. */
static void check_relabel(struct contract *c)
{
    struct store_batch b = {0};
    contract_put_run(c);
    for (int64_t run = 2; run <= 3; run++)
        store_batch_put_run(&b, new_run(run, 1, run - 1));
    for (int64_t run = 1; run <= 3; run++)
        store_batch_put_label(&b, contract_label(run, PATTERN_LEARNING, "{}"));
    relabel(&b, 1, DIAGNOSIS_VERSION, CREATED);
    relabel(&b, 2, DIAGNOSIS_VERSION - 1, CREATED);
    relabel(&b, 3, DIAGNOSIS_VERSION, "2026-11-24 00:50:58.124");
    relabel(&b, 4, DIAGNOSIS_VERSION, CREATED); /* gone */
    contract_put(c, &b);
    contract_rows(c, CONTRACT_LABELS, "1|" LABEL("converged", "{}") "|-|-|" CREATED "\n"
                                      "2|" LABEL("learning", "{}") "|-|-|" CREATED "\n"
                                      "3|" LABEL("learning", "{}") "|-|-|" CREATED "\n");
    contract_rows(c, CONTRACT_EVENTS, "");
}

const struct contract_check contract_of_runs[] = {
    {"whole rows", RUN_OPS, check_whole_rows},
    {"times", RUN_OPS, check_times},
    {"open sweeps", RUN_OPS, check_open_sweeps},
    {"test scores", RUN_OPS | OP(CLEAR_TEST), check_test_scores},
    {"outcome", RUN_OPS | OP(PUT_OUTCOME), check_outcome},
    {"points", RUN_OPS | OP(ADD_POINTS), check_points},
    {"metrics", RUN_OPS | OP(PUT_METRICS), check_metrics},
    {"layers", RUN_OPS | OP(PUT_LAYERS), check_layers},
    {"points cleared",
     RUN_OPS | OP(ADD_POINTS) | OP(PUT_METRICS) | OP(PUT_LAYERS) | OP(CLEAR_POINTS),
     check_points_cleared},
    {"labels", RUN_OPS | OP(PUT_LABEL), check_labels},
    {"labels restored", RUN_OPS | OP(PUT_LABEL), check_labels_restored},
    {"causes", RUN_OPS | OP(PUT_LABEL) | OP(PUT_CAUSES), check_causes},
    {"relabel", RUN_OPS | OP(PUT_LABEL) | OP(RELABEL), check_relabel},
    {0},
};
