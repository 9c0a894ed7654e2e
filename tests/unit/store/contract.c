#include "tests/unit/store/contract.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store/fixture.h"

void contract_same(struct contract *c, const char *what, const char *is, const char *should)
{
    if (strcmp(is, should) != 0)
        buf_printf(&c->failures, "%s: is\n%sshould be\n%s", what, is, should);
}

void contract_submit(struct contract *c, struct store_batch *b, void (*cb)(void *arg), void *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->count; i++) {
        if ((int)b->ops[i].type == c->lost)
            store_op_finish(&b->ops[i]);
        else
            b->ops[kept++] = b->ops[i];
    }
    b->count = kept;
    c->type->submit(c->store, b, cb, arg);
}

void contract_put(struct contract *c, struct store_batch *b)
{
    contract_submit(c, b, NULL, NULL);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In place of the lines the same lines, sorted. */
static void sort_lines(struct buf *text)
{
    struct buf sorted = {0};
    size_t count = 0, cap = 0;
    char **lines = NULL, *rest = text->data, *line;

    while (rest && (line = strsep(&rest, "\n")) != NULL && line[0]) {
        lines = array_room(lines, &cap, count, sizeof(*lines));
        lines[count++] = line;
    }
    if (count > 0)
        qsort(lines, count, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < count; i++)
        buf_printf(&sorted, "%s\n", lines[i]);
    free(lines);
    buf_finish(text);
    *text = sorted;
}

void contract_rows(struct contract *c, enum contract_table t, const char *lines)
{
    static const char *const names[CONTRACT_TABLE_COUNT] = {
        [CONTRACT_SWEEPS] = "sweeps",     [CONTRACT_RUNS] = "runs",
        [CONTRACT_CURVES] = "curves",     [CONTRACT_LABELS] = "labels",
        [CONTRACT_EVENTS] = "events",     [CONTRACT_FINDINGS] = "findings",
        [CONTRACT_LAYERS] = "layers",     [CONTRACT_METRICS] = "metrics",
        [CONTRACT_EDITS] = "edits",       [CONTRACT_DECISIONS] = "decisions",
    };
    struct buf is = {0};
    c->type->rows(c->store, t, &is);
    sort_lines(&is);
    contract_same(c, names[t], is.data ? is.data : "", lines);
    buf_finish(&is);
}

void contract_restored(struct contract *c, const char *lines)
{
    char *is = contract_brief(c->type->restore(c->store));
    contract_same(c, "restored", is, lines);
    free(is);
}

/* --- rows ------------------------------------------------------------------------------------ */

void contract_set(char **member, const char *text)
{
    free(*member);
    *member = xstrdup(text);
}

void contract_put_run(struct contract *c)
{
    struct store_batch b = {0};
    store_batch_put_sweep(&b, new_sweep(1, false));
    store_batch_put_run(&b, new_run(1, 1, 0));
    contract_put(c, &b);
}

struct run_row *contract_full_run(void)
{
    struct run_row *r = new_ranked_run(2, 1, 1, 0.1 + 0.2);
    r->kind = RUN_KIND_TREATMENT;
    r->parent_id = 1;
    r->remedy = REMEDY_BATCH_NORM;
    r->treats_pattern = PATTERN_BOTTLENECK;
    r->treats_cause = CAUSE_TOO_DEEP;
    r->has_outcome = r->cured = r->has_parent_metric = true;
    r->change = -1.0 / 3.0;
    r->parent_metric = NAN;
    r->status = RUN_FAILED;
    r->stop_reason = xstrdup("flat");
    r->config->settings.v[SETTING_OPTIMIZER] = OPTIMIZER_RMSPROP;
    r->config->start_from = 3;
    r->attempts = r->until_epoch = 2;
    r->handle = xstrdup("4711");
    r->has_val_acc = r->has_test_loss = r->has_test_acc = true;
    r->val_acc = NAN;
    r->test_loss = INFINITY;
    r->test_acc = 0.875;
    r->error = RUN_ERROR_CRASHED;
    r->error_text = xstrdup("signal 11");
    r->signal = 11;
    r->stderr_tail = xstrdup("boom");
    r->core = xstrdup("Haswell");
    r->blas = xstrdup("OpenBLAS 0.3.21");
    r->started = r->created + 1000;
    r->ended = r->created + 2000;
    r->seconds = 0.125;
    return r;
}

void contract_comes_back(struct contract *c, struct sweep_row *sweep, struct run_row *run)
{
    struct store_batch b = {0};
    struct run_row *first = new_run(1, 1, 0), runs[2];
    struct sweep_row *sweep_copy = sweep_row_copy(sweep);
    struct run_row *first_copy = run_row_copy(first), *run_copy = run_row_copy(run);

    store_batch_put_sweep(&b, sweep);
    store_batch_put_run(&b, first);
    store_batch_put_run(&b, run);
    contract_put(c, &b);
    runs[0] = *first_copy;
    runs[1] = *run_copy;
    char *is = contract_whole(c->type->restore(c->store));
    char *should = contract_whole(&(struct store_restored){
        .sweep_count = 1, .sweeps = sweep_copy, .run_count = 2, .runs = runs});
    contract_same(c, "whole rows", is, should);
    free(is);
    free(should);
    sweep_row_destroy(sweep_copy);
    run_row_destroy(first_copy);
    run_row_destroy(run_copy);
}

void contract_put_metrics(struct contract *c, int64_t run_id, double first, double second)
{
    const double values[] = {first, second};
    struct store_batch b = {0};
    struct point_metrics *m[2];

    for (int i = 0; i < 2; i++) {
        m[i] = metrics_create(&(struct point){.point = i + 1, .epoch = i + 1}, 1);
        str_copy(m[i]->values[0].name, METRIC_NAME_MAX, "val/loss");
        m[i]->values[0].value = values[i];
    }
    store_batch_put_metrics(&b, run_id, m, 2);
    contract_put(c, &b);
    free(m[0]);
    free(m[1]);
}

struct label_row *contract_label(int64_t run_id, enum pattern p, const char *facts)
{
    struct label_row *l = new_label(run_id, p);
    l->facts_json = facts ? xstrdup(facts) : NULL;
    return l;
}

/* --- the checks ------------------------------------------------------------------------------ */

const struct contract_check *contract_check_at(size_t i)
{
    static const struct contract_check *const tables[] = {contract_of_runs, contract_of_sweeps};
    for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
        for (const struct contract_check *check = tables[t]; check->name; check++)
            if (i-- == 0)
                return check;
    return NULL;
}

char *contract_failures(const struct contract_store *s, const struct contract_check *check,
                        int lost)
{
    struct contract c = {.type = s, .store = s->open(), .lost = lost};
    check->run(&c);
    s->close(c.store);
    if (c.failures.len > 0) {
        struct buf named = {0};
        buf_printf(&named, "%s: %s", check->name, c.failures.data);
        buf_finish(&c.failures);
        c.failures = named;
    }
    return buf_take(&c.failures);
}
