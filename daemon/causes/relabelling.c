#include "daemon/causes/relabelling.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/trainer.h"

struct labelled_run {
    struct trial trial;
    bool has_label;          /* one that may be replaced */
    bool has_facts;          /* stored ones: */
    struct run_facts facts;
    struct run_facts now;    /* the trial's: those, or measured again */
    struct label_row *label; /* the new one */
};

/* One pass over a window. */
struct pass {
    const struct relabel_window *window;
    struct spec spec;
    struct data_facts data;
    struct labelled_run *runs;     /* as many as the window's */
    const struct trial **trials;   /* theirs */
    utc_us now;
};

/* --- rows → trials ---------------------------------------------------------------------------- */

static int read_sweep(struct pass *p, struct errbuf *err)
{
    const struct relabel_window *w = p->window;
    int rc = spec_parse_text(w->spec_json, strlen(w->spec_json), &p->spec, err);
    p->data = (struct data_facts){
        .train_samples = w->data_samples, .features = w->data_features, .classes = w->data_classes};
    if (rc < 0 || !*w->data_facts_json)
        return rc;
    struct json *v = json_parse(w->data_facts_json, strlen(w->data_facts_json), err);
    if (v)
        rc = data_facts_parse(v, &p->data, err);
    json_destroy(v);
    return rc;
}

/* A run of the search has the sweep's fixed settings and its own parameters. Not one with the
 * change of a treatment: it has more parameters than are swept. */
static int read_searched(const struct pass *p, const char *params, struct trial *t,
                         struct errbuf *err)
{
    struct json *v = json_parse(params, strlen(params), err);
    int rc = v ? space_params_parse(&p->spec.space, v, &t->at, err) : ERR_DATA;
    json_destroy(v);
    return rc;
}

static int read_config(const struct pass *p, const struct relabel_run *r, struct trial *t,
                       struct errbuf *err)
{
    struct run_row row = {0};
    if (r->params_json && read_searched(p, r->params_json, t, err) == 0)
        return 0;
    if (!r->settings_json)
        return err->code;
    int rc = run_row_read_settings(&row, r->settings_json, err);
    t->config = row.config;
    if (rc == 0 && t->config == NULL && task_of(&p->spec)->has_settings)
        rc = err_set(err, ERR_DATA, "it has no settings");
    return rc;
}

static bool read_facts(const struct relabel_run *r, struct run_facts *out)
{
    struct errbuf why;
    const char *text = r->facts_json;
    struct json *v = text && *text ? json_parse(text, strlen(text), &why) : NULL;
    bool ok = v && run_facts_parse(v, out, &why) == 0;
    json_destroy(v);
    return ok;
}

static void read_run(struct pass *p, size_t i)
{
    const struct relabel_run *r = &p->window->runs[i];
    struct labelled_run *run = &p->runs[i];
    struct errbuf why;
    run->trial = (struct trial){.number = i,
                                .kind = r->kind,
                                .status = r->status,
                                .epochs = r->epochs,
                                .has_metric = r->has_metric,
                                .metric_value = r->metric_value,
                                .remedy = r->remedy,
                                .cause = CAUSE_COUNT};
    bool ok = read_config(p, r, &run->trial, &why) == 0;
    run->has_label = ok && r->has_label;
    run->has_facts = ok && read_facts(r, &run->facts);
    run->trial.labelled = run->has_facts;
    run->now = run->facts;
    run->trial.facts = &run->now;
    p->trials[i] = &run->trial;
}

/* --- labels ----------------------------------------------------------------------------------- */

/* For a run that was labelled before facts were stored. */
static void gather_layers(const struct relabel_run *r, struct run_facts_gather *g)
{
    struct layer_stats *s = xcalloc(1, sizeof(*s));
    for (size_t i = 0; i < r->layers_count; i++) {
        const struct layers_rows *rows = &r->layers[i];
        s->point = rows->point;
        s->count = rows->count;
        memcpy(s->layers, rows->layers, rows->count * sizeof(*rows->layers));
        run_facts_layers(g, s);
    }
    free(s);
}

/* What is stored of the layers stays; all that the curve says is measured again. */
static void begin_facts(const struct labelled_run *run, const struct relabel_run *r,
                        struct run_facts_gather *g)
{
    run_facts_begin(g);
    if (!run->has_facts) {
        gather_layers(r, g);
        return;
    }
    g->facts = run->facts;
    g->kept = 1;
    g->grad_ratio[0] = run->facts.grad_ratio;
    g->update_ratio[0] = run->facts.update_ratio;
}

static void label_run(struct pass *p, size_t i)
{
    const struct relabel_run *r = &p->window->runs[i];
    const struct kept_points kept = {.points = r->points, .count = r->point_count};
    struct labelled_run *run = &p->runs[i];
    double dropout = labelling_dropout(&p->spec, &run->trial);
    struct run_facts_gather g;
    struct diagnosis d;
    begin_facts(run, r, &g);
    labelling_diagnose(&kept, false, dropout, &d);
    run_facts_end(&g, kept.points, kept.count, &d, &run->now);
    run->trial.labelled = true;
    run->label = labelling_row(r->id, &d, r->created);
}

/* Also the neighbours behind that have no facts, without which the causes of the last runs would be
 * others the next time. */
static void label_runs(struct pass *p)
{
    const struct relabel_window *w = p->window;
    for (size_t i = w->from; i < w->count; i++) {
        const struct labelled_run *run = &p->runs[i];
        bool wanted = i < w->to || (!run->has_facts && w->runs[i].point_count > 0);
        if (run->has_label && wanted)
            label_run(p, i);
    }
}

static void find_causes(struct pass *p)
{
    const struct relabel_window *w = p->window;
    struct siblings all;
    siblings_init(&all, &p->spec, p->trials, 0, w->count);
    for (size_t i = w->from; i < w->to; i++) {
        struct label_row *l = p->runs[i].label;
        if (!l)
            continue;
        labelling_causes(&p->spec, p->trials, i, &all, &p->data, &l->causes);
        labelling_advice(&p->spec, p->trials[i], &l->causes, &p->data, &l->advice);
    }
    siblings_finish(&all);
}

/* --- outcomes --------------------------------------------------------------------------------- */

/* The pattern of that run by now. */
static enum pattern pattern_of(const struct pass *p, int64_t run_id, enum pattern stored)
{
    const struct relabel_window *w = p->window;
    size_t lo = w->from, hi = w->to;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (w->runs[mid].id < run_id)
            lo = mid + 1;
        else
            hi = mid;
    }
    bool found = lo < w->to && w->runs[lo].id == run_id && p->runs[lo].label;
    return found ? p->runs[lo].label->pattern : stored;
}

static void update_outcome(const struct pass *p, const struct relabel_treatment *t,
                           struct store_batch *out)
{
    const struct trial trial = {.status = t->status,
                                .has_metric = t->has_metric,
                                .metric_value = t->metric_value};
    enum pattern own = pattern_of(p, t->run_id, t->pattern);
    enum pattern parent = pattern_of(p, t->parent_id, t->parent_pattern);
    if (own == PATTERN_NONE || parent == PATTERN_NONE)
        return;
    bool cured = trial_usable(&trial) && remedy_cured(parent, own, t->change);
    if (cured != t->cured)
        store_batch_put_outcome(out, t->run_id, cured);
}

/* --- what is written -------------------------------------------------------------------------- */

static bool same_causes(const struct relabel_run *r, const struct causes *c)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    if (c->count > 0)
        causes_write(c, &w);
    bool same = strcmp(r->causes_json, text.len > 0 ? text.data : "") == 0;
    buf_finish(&text);
    return same;
}

static bool same_advice(const struct relabel_run *r, const struct advice *a)
{
    char *text = advice_names(a);
    bool same = strcmp(r->remedies_json ? r->remedies_json : "", text ? text : "") == 0;
    free(text);
    return same;
}

static bool same_label(const struct relabel_run *r, const struct label_row *l)
{
    return r->pattern == l->pattern && r->runner_up == l->runner_up &&
           r->confidence == l->confidence && strcmp(r->tags, l->tags) == 0 &&
           strcmp(r->evidence_json, l->evidence_json) == 0 && same_causes(r, &l->causes);
}

static void count_label(struct relabelling *c, const struct relabel_run *r,
                        const struct label_row *l, bool same)
{
    c->looked++;
    c->changed += !same;
    if ((unsigned)r->pattern < PATTERN_COUNT)
        c->moved[r->pattern][l->pattern]++;
}

static void put_label(struct pass *p, size_t i, struct relabelling *c, struct store_batch *out)
{
    const struct relabel_run *r = &p->window->runs[i];
    struct labelled_run *run = &p->runs[i];
    struct label_row *l = run->label;
    bool same = same_label(r, l);
    count_label(c, r, l, same);
    if (same && r->version == DIAGNOSIS_VERSION && same_advice(r, &l->advice))
        return;
    if (!same)
        l->created = p->now;
    if (!run->has_facts || !run_facts_same(&run->facts, &run->now))
        l->facts_json = labelling_facts_text(&run->now);
    store_batch_relabel(out, r, l);
    run->label = NULL; /* the batch's */
}

/* --- a window --------------------------------------------------------------------------------- */

static void label_window(struct pass *p, struct relabelling *r, struct store_batch *out)
{
    const struct relabel_window *w = p->window;
    p->runs = xcalloc(w->count, sizeof(*p->runs));
    p->trials = xcalloc(w->count, sizeof(struct trial *));
    for (size_t i = 0; i < w->count; i++)
        read_run(p, i);
    label_runs(p);
    find_causes(p);
    for (size_t i = 0; i < w->treatment_count; i++)
        update_outcome(p, &w->treatments[i], out);
    for (size_t i = w->from; i < w->to; i++)
        if (p->runs[i].label)
            put_label(p, i, r, out);
    for (size_t i = 0; i < w->count; i++) {
        trainer_config_release(p->runs[i].trial.config);
        label_row_destroy(p->runs[i].label);
    }
    free(p->trials);
    free(p->runs);
}

void relabelling_step(struct relabelling *r, const struct relabel_window *w, utc_us now,
                       struct store_batch *out)
{
    struct pass p = {.window = w, .now = now};
    struct errbuf why;
    bool readable = read_sweep(&p, &why) == 0;
    bool more = readable && w->to < w->count; /* neighbours behind: there is another window */
    if (readable && w->from < w->to)
        label_window(&p, r, out);
    spec_finish(&p.spec);
    r->number = more ? w->first_number + (int64_t)w->to : 0;
    r->sweep_id = more ? w->sweep_id : w->sweep_id + 1;
}
