/* What the engine says of its runs: label and causes, what came of treatments, and what many runs
 * say together. The deciding is in common/label, daemon/causes and daemon/plan. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "daemon/plan/range_edits.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define BARRIER_RUNS_MAX 4096 /* last runs of a sweep that each barrier looks at again */
#define DATA_FAULT_LEAST 3    /* runs … */
#define DATA_FAULT_SHARE 0.5  /* … and share of the labelled ones that must say so */
#define DATA_FAULT_FIRM 0.9   /* confidence of a dataset_problem that counts */

/* --- label ----------------------------------------------------------------------------------- */

void label_diagnose(const struct run *r, bool running, struct diagnosis *d)
{
    double dropout = labelling_dropout(sweep_spec(r->sweep), r->sweep->trials[r->index]);
    labelling_diagnose(&r->kept, running, dropout, d);
}

void label_running(struct run *r, utc_us now, struct effects *fx)
{
    struct diagnosis d;
    size_t fresh = r->kept.count - r->labelled_points;
    if (r->kept.count < r->labelled_points) /* they were thinned */
        fresh = r->kept.count;
    if (fresh == 0 || fresh < r->labelled_points / 64)
        return;
    r->labelled_points = r->kept.count;
    label_diagnose(r, true, &d);
    if (d.pattern == PATTERN_TOO_SHORT || d.pattern == r->announced)
        return;
    r->announced = d.pattern;
    struct label_row *l = labelling_row(r->row->id, &d, now);
    notify_label(fx, r, l);
    store_batch_put_label(&fx->batch, l);
}

/* --- causes ---------------------------------------------------------------------------------- */

/* FNV-1a, never 0. */
static uint64_t causes_hash(const struct causes *c)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < c->count; i++) {
        uint64_t weight;
        memcpy(&weight, &c->items[i].weight, sizeof(weight));
        h = (h ^ (uint64_t)c->items[i].id) * 0x100000001b3u;
        h = (h ^ weight ^ weight >> 32) * 0x100000001b3u;
        for (const char *p = c->items[i].evidence; *p; p++)
            h = (h ^ (unsigned char)*p) * 0x100000001b3u;
    }
    return h | 1;
}

static void find_causes(const struct sweep *s, size_t number, const struct siblings *all,
                        struct causes *out)
{
    labelling_causes(sweep_spec(s), sweep_trials(s), number, all, &s->row->data, out);
}

static void find_advice(const struct sweep *s, size_t number, const struct causes *c,
                        struct advice *out)
{
    labelling_advice(sweep_spec(s), s->trials[number], c, &s->row->data, out);
}

static void take_causes(struct sweep *s, size_t number, const struct causes *c)
{
    s->trials[number]->cause = c->count > 0 ? c->items[0].id : CAUSE_COUNT;
    s->written_causes[number] = causes_hash(c);
}

/* --- an ended run ---------------------------------------------------------------------------- */

static void note_facts(struct run *r, const struct diagnosis *d)
{
    struct trial *t = r->sweep->trials[r->index];
    struct run_facts *facts = trial_facts(t);
    struct run_facts_gather none;
    if (r->gather == NULL)
        run_facts_begin(&none);
    run_facts_end(r->gather != NULL ? r->gather : &none, r->kept.points, r->kept.count, d,
                  facts);
    if (r->parameters > 0)
        facts->parameters = (double)r->parameters;
    t->labelled = true;
}

static void note_outcome(struct run *r)
{
    struct sweep *s = r->sweep;
    struct trial *t = s->trials[r->index];
    trial_update(t, r->row);
    /* a treatment by hand is held against what is known of a run of another sweep */
    struct run_facts far_facts = {.pattern = r->row->treats_pattern};
    struct trial far = {.status = RUN_COMPLETED,
                        .has_metric = r->row->has_parent_metric,
                        .metric_value = r->row->parent_metric,
                        .facts = &far_facts,
                        .config = t->config};
    space_take(&sweep_spec(s)->space, &t->at, &far.at);
    const struct trial *parent = t->parent != TRIAL_NONE ? s->trials[t->parent] : &far;
    struct treat_outcome o = treat_compare(sweep_spec(s), parent, t);
    r->row->has_outcome = true;
    r->row->cured = o.cured;
    r->row->change = o.change;
}

void label_ended(struct run *r, utc_us now, struct effects *fx)
{
    struct sweep *s = r->sweep;
    struct diagnosis d;
    struct siblings all;
    label_diagnose(r, false, &d);
    note_facts(r, &d);
    struct label_row *l = labelling_row(r->row->id, &d, now);
    siblings_init(&all, sweep_spec(s), sweep_trials(s),
                  r->index > SIBLINGS_MAX ? r->index - SIBLINGS_MAX : 0, s->run_count);
    find_causes(s, r->index, &all, &l->causes);
    siblings_finish(&all);
    find_advice(s, r->index, &l->causes, &l->advice);
    take_causes(s, r->index, &l->causes);
    l->facts_json = labelling_facts_text(s->trials[r->index]->facts);
    if (r->row->kind == RUN_KIND_TREATMENT)
        note_outcome(r);
    notify_label(fx, r, l);
    store_batch_put_label(&fx->batch, l);
}

/* --- barriers -------------------------------------------------------------------------------- */

static char *value_text(enum setting_id id, double value)
{
    struct buf b = {0};
    struct json_writer w;
    jw_init(&w, &b);
    setting_to_json(id, value, &w);
    return buf_take(&b);
}

static char *to_text(const struct range_edit *e)
{
    struct buf b = {0};
    struct json_writer w;
    jw_init(&w, &b);
    range_edit_write_to(e, &w);
    return buf_take(&b);
}

static char *runs_text(const struct range_edit *e)
{
    struct buf b = {0};
    struct json_writer w;
    size_t n = e->run_count < EDIT_RUNS_MAX ? e->run_count : EDIT_RUNS_MAX;
    jw_init(&w, &b);
    jw_begin_array(&w);
    for (size_t i = 0; i < n; i++)
        jw_int(&w, e->runs[i]);
    jw_end_array(&w);
    return buf_take(&b);
}

/* What the runs from number `from` on say about the search range by now, in place of what was said
 * before. */
static void propose_edits(struct sweep *s, size_t from, struct effects *fx)
{
    struct range_edits edits;
    range_edits_find(sweep_spec(s), sweep_trials(s) + from, s->run_ids + from, s->run_count - from,
                     &edits);
    if (edits.count == 0 && s->edits == 0)
        return;
    s->edits = edits.count;
    struct edit_row *rows = xcalloc(edits.count + 1, sizeof(*rows));
    for (size_t i = 0; i < edits.count; i++) {
        const struct range_edit *e = &edits.items[i];
        rows[i] = (struct edit_row){.kind = edit_name(e->kind),
                                    .guide_ref = edit_guide_ref(e->kind),
                                    .from_json = value_text(e->setting, e->from),
                                    .to_json = to_text(e),
                                    .runs_json = runs_text(e)};
        str_copy(rows[i].setting, sizeof(rows[i].setting), setting_label(e->setting));
        str_copy(rows[i].sentence, sizeof(rows[i].sentence), e->sentence);
    }
    store_batch_put_edits(&fx->batch, s->row->id, rows, edits.count);
}

/* Whether a barrier has found that run's causes among the same runs: they would be the same. */
static bool is_known(struct sweep *s, size_t number, const struct siblings *siblings)
{
    uint64_t around = siblings_around(siblings, number);
    bool known = s->compared[number] == around;
    s->compared[number] = around;
    return known;
}

/* A function of the history alone, so that a restart changes nothing. */
void label_barrier(struct sweep *s, struct effects *fx)
{
    struct siblings siblings;
    size_t from = s->run_count <= BARRIER_RUNS_MAX ? 0 : s->run_count - BARRIER_RUNS_MAX;
    siblings_init(&siblings, sweep_spec(s), sweep_trials(s), from, s->run_count);
    for (size_t i = from; i < s->run_count; i++) {
        struct causes c;
        struct advice advice;
        uint64_t before = s->written_causes[i];
        if (!s->trials[i]->labelled || is_known(s, i, &siblings))
            continue;
        find_causes(s, i, &siblings, &c);
        take_causes(s, i, &c);
        if (s->written_causes[i] == before)
            continue;
        find_advice(s, i, &c, &advice);
        store_batch_put_causes(&fx->batch, s->run_ids[i], &c, &advice);
    }
    siblings_finish(&siblings);
    if (task_of(sweep_spec(s))->has_remedies)
        propose_edits(s, from, fx);
}

char *label_data_fault(const struct sweep *s)
{
    size_t labelled = 0, nan = 0, problem = 0;
    for (size_t i = 0; i < s->run_count; i++) {
        const struct trial *t = s->trials[i];
        if (!t->labelled)
            continue;
        labelled++;
        if (t->cause == CAUSE_NAN_IN_INPUT)
            nan++;
        else if (t->facts->pattern == PATTERN_DATASET_PROBLEM &&
                 t->facts->confidence >= DATA_FAULT_FIRM)
            problem++;
    }
    if (nan + problem < DATA_FAULT_LEAST ||
        (double)(nan + problem) <= DATA_FAULT_SHARE * (double)labelled)
        return NULL;
    return xasprintf("%zu of %zu runs say that the data is at fault: %zu have NaN or Inf in their "
                     "input (G3.1), %zu are dataset_problem (G4.3); resume to go on all the same",
                     nan + problem, labelled, nan, problem);
}
