/* What an engine begins with again. */
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "tests/unit/engine/fake_store.h"

/* only: that sweep alone; 0: those that are open. */
static bool is_wanted(const struct fake_store *s, int64_t only, int64_t sweep_id)
{
    const struct sweep_row *r = fake_sweep(s, sweep_id);
    return only != 0 ? sweep_id == only : r != NULL && !sweep_status_terminal(r->status);
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int sweeps_by_id(const void *a, const void *b)
{
    return order(((const struct sweep_row *)a)->id, ((const struct sweep_row *)b)->id);
}

static int runs_by_number(const void *a, const void *b)
{
    const struct run_row *x = a, *y = b;
    int by_sweep = order(x->sweep_id, y->sweep_id);
    return by_sweep != 0 ? by_sweep : order(x->number, y->number);
}

static int labels_by_run(const void *a, const void *b)
{
    const struct stored_label *x = a, *y = b;
    return order(x->run_id, y->run_id);
}

static bool read_label(const struct fake_store *s, int64_t only, const struct label_row *l,
                       struct stored_label *out)
{
    const struct run_row *run = fake_run(s, l->run_id);
    struct errbuf err;
    if (l->facts_json == NULL || !run_status_terminal(run->status) ||
        !is_wanted(s, only, run->sweep_id))
        return false;
    struct json *v = json_parse(l->facts_json, strlen(l->facts_json), &err);
    bool read = run_facts_parse(v, &out->facts, &err) == 0;
    json_destroy(v);
    out->facts.pattern = l->pattern;
    out->facts.confidence = l->confidence;
    out->facts.tags = diagnosis_tags_parse(l->tags);
    out->run_id = l->run_id;
    out->cause = l->causes.count > 0 ? l->causes.items[0].id : CAUSE_COUNT;
    return read;
}

static bool read_rung(const struct fake_store *s, int64_t only, const struct fake_decision *d,
                      struct stored_rung *out)
{
    bool read = d->run_id != 0 && d->detail_json != NULL && is_wanted(s, only, d->sweep_id) &&
                stored_rung_read(d->run_id, d->kind, d->detail_json, out);
    out->sweep_id = d->sweep_id;
    return read;
}

/* The engine takes over what it owns. */
static void copy_run(struct store_restored *r, const struct run_row *stored)
{
    struct run_row *copy = run_row_copy(stored);
    r->runs[r->run_count++] = *copy;
    free(copy);
}

static bool is_leased(const struct fake_store *s, int64_t only, int64_t run_id)
{
    const struct run_row *run = fake_run(s, run_id);
    return run != NULL && run->handle != NULL &&
           strncmp(run->handle, "lease:", 6) == 0 &&
           !run_status_terminal(run->status) && is_wanted(s, only, run->sweep_id);
}

static int points_by_run(const void *a, const void *b)
{
    const struct stored_point *x = a, *y = b;
    int by_run = order(x->run_id, y->run_id);
    return by_run != 0 ? by_run : order(x->point.point, y->point.point);
}

static int metrics_by_run(const void *a, const void *b)
{
    const struct stored_metric *x = a, *y = b;
    int by_run = order(x->run_id, y->run_id);
    return by_run != 0 ? by_run : order(x->point, y->point);
}

static bool has_objectives(const struct fake_store *s, int64_t run_id)
{
    const struct sweep_row *r = fake_sweep(s, fake_run(s, run_id)->sweep_id);
    return strstr(r->spec_json, "\"objectives\"") != NULL;
}

static void read_metrics(const struct fake_store *s, int64_t only, struct store_restored *r)
{
    r->metrics = xcalloc(s->metric_count + 1, sizeof(*r->metrics));
    for (size_t i = 0; i < s->metric_count; i++) {
        const struct fake_metric *m = &s->metrics[i];
        if (!is_leased(s, only, m->run_id) || !has_objectives(s, m->run_id))
            continue;
        for (size_t k = 0; k < s->point_count; k++)
            if (s->points[k].run_id == m->run_id && s->points[k].p.point == m->row.point)
                r->metrics[r->metric_count++] = (struct stored_metric){
                    m->run_id, m->row.point, s->points[k].p.epoch, m->row.metric};
    }
    qsort(r->metrics, r->metric_count, sizeof(*r->metrics), metrics_by_run);
}

static bool read_extension(const struct fake_store *s, int64_t only, const struct fake_decision *d,
                           struct stored_extension *out)
{
    return d->kind == DECISION_EXTENDED && is_wanted(s, only, d->sweep_id) &&
           stored_extension_read(d->sweep_id, d->detail_json, out);
}

static void restore(const struct fake_store *s, int64_t only, struct store_restored *out)
{
    struct store_restored r = {.last_sweep_id = s->last_sweep_id, .last_run_id = s->last_run_id};
    r.sweeps = xcalloc(s->sweep_count + 1, sizeof(*r.sweeps));
    r.runs = xcalloc(s->run_count + 1, sizeof(*r.runs));
    r.labels = xcalloc(s->label_count + 1, sizeof(*r.labels));
    r.rungs = xcalloc(s->decision_count + 1, sizeof(*r.rungs));
    for (size_t i = 0; i < s->sweep_count; i++)
        if (is_wanted(s, only, s->sweeps[i]->id))
            r.sweeps[r.sweep_count++] = *s->sweeps[i];
    for (size_t i = 0; i < s->run_count; i++)
        if (is_wanted(s, only, s->runs[i]->sweep_id))
            copy_run(&r, s->runs[i]);
    for (size_t i = 0; i < s->label_count; i++)
        r.label_count += read_label(s, only, &s->labels[i]->row, &r.labels[r.label_count]);
    r.extensions = xcalloc(s->decision_count + 1, sizeof(*r.extensions));
    for (size_t i = 0; i < s->decision_count; i++)
        r.extension_count +=
            read_extension(s, only, &s->decisions[i], &r.extensions[r.extension_count]);
    for (size_t i = 0; i < s->decision_count; i++)
        r.rung_count += read_rung(s, only, &s->decisions[i], &r.rungs[r.rung_count]);
    r.points = xcalloc(s->point_count + 1, sizeof(*r.points));
    for (size_t i = 0; i < s->point_count; i++)
        if (is_leased(s, only, s->points[i].run_id))
            r.points[r.point_count++] =
                (struct stored_point){s->points[i].run_id, s->points[i].p};
    read_metrics(s, only, &r);
    qsort(r.points, r.point_count, sizeof(*r.points), points_by_run);
    qsort(r.sweeps, r.sweep_count, sizeof(*r.sweeps), sweeps_by_id);
    qsort(r.runs, r.run_count, sizeof(*r.runs), runs_by_number);
    qsort(r.labels, r.label_count, sizeof(*r.labels), labels_by_run);
    *out = r;
}

void fake_store_restore(const struct fake_store *s, struct store_restored *out)
{
    restore(s, 0, out);
}

void fake_store_ended(const struct fake_store *s, int64_t sweep_id, struct store_restored *out)
{
    restore(s, sweep_id, out);
}

void fake_restored_finish(struct store_restored *r)
{
    for (size_t i = 0; i < r->run_count; i++)
        run_row_finish(&r->runs[i]);
    free(r->sweeps);
    free(r->runs);
    free(r->labels);
    free(r->rungs);
    free(r->points);
    free(r->metrics);
    free(r->extensions);
    *r = (struct store_restored){0};
}
