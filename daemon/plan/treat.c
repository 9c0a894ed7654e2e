#include "daemon/plan/treat.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/stop/by_stage.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define PROMISING_SHARE 4    /* the best fourth of the runs … */
#define PROMISING_LEAST 3    /* … but at least so many */
#define PRIOR_FIRST 0.5      /* chance of success of the guide's first remedy before any trial … */
#define PRIOR_NEXT 0.8       /* … of each further one by this factor less */
#define PRIOR_WEIGHT 4.0     /* trials that the prior is worth */

/* --- outcome --------------------------------------------------------------------------------- */

struct treat_outcome treat_compare(const struct spec *s, const struct trial *parent,
                                   const struct trial *child)
{
    struct treat_outcome o = {.change = NAN};
    struct settings before, own;
    if (!trial_usable(child))
        return o;
    trial_settings(s, parent, &before);
    trial_settings(s, child, &own);
    if (trial_usable(parent) && settings_same(&before, &own, SETTING_OF_SAMPLES)) {
        double from = parent->metric_value, by = child->metric_value - from;
        o.change = (s->maximize ? -by : by) / fmax(fabs(from), 1e-12);
    }
    o.cured =
        child->labelled && remedy_cured(trial_pattern(parent), trial_pattern(child), o.change);
    return o;
}

/* --- which remedy ---------------------------------------------------------------------------- */

void treat_order(const struct remedy_prior *prior, enum pattern pattern, enum cause_id cause,
                 struct rng *r, enum remedy *remedies, size_t count)
{
    double scores[REMEDIES_MAX], chance = PRIOR_FIRST;
    REQUIRE(count <= REMEDIES_MAX);
    for (size_t i = 0; i < count; i++, chance *= PRIOR_NEXT) {
        int64_t tried = 0, cured = 0;
        remedy_prior_count(prior, pattern, cause, remedies[i], &tried, &cured);
        double a = PRIOR_WEIGHT * chance + (double)cured;
        double b = PRIOR_WEIGHT * (1 - chance) + (double)(tried - cured);
        scores[i] = r != NULL ? rng_beta(r, a, b) : a / (a + b);
    }
    for (size_t i = 1; i < count; i++) { /* insertion: stable */
        enum remedy remedy = remedies[i];
        double score = scores[i];
        size_t k = i;
        for (; k > 0 && scores[k - 1] < score; k--) {
            scores[k] = scores[k - 1];
            remedies[k] = remedies[k - 1];
        }
        scores[k] = score;
        remedies[k] = remedy;
    }
}

bool treat_can_gain(enum remedy r)
{
    return r != REMEDY_EARLY_STOPPING && r != REMEDY_EVAL_TRAIN;
}

/* --- the history ----------------------------------------------------------------------------- */

/* Numbers of the runs that ended by themselves, or by a rule that judges whole curves; not of other
 * seeds: a treatment is held against a parent of its own seed. */
static size_t ended(const struct treat_input *in, size_t *order)
{
    size_t n = 0;
    for (size_t i = 0; i < in->count; i++) {
        const struct trial *t = in->trials[i];
        if (t->kind != RUN_KIND_REPEAT &&
            (t->status == RUN_COMPLETED ||
             (t->status == RUN_STOPPED && !stop_cut_short(&in->spec->stop, t))))
            order[n++] = i;
    }
    return n;
}

/* Best first, ties by number. */
static int compare_trials(const void *a, const void *b, void *arg)
{
    const struct treat_input *in = arg;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    const struct trial *s = in->trials[x], *t = in->trials[y];
    if (trial_better(s, t, in->spec->maximize))
        return -1;
    if (trial_better(t, s, in->spec->maximize))
        return 1;
    return (x > y) - (x < y);
}

/* The treatments of the sweep, an index, so that no search over all its runs is needed. */
struct history {
    const struct treat_input *in;
    size_t *treatments; /* numbers */
    size_t count;
    struct remedy_prior known; /* what earlier sweeps taught, and this one */
};

static const struct trial *treatment_at(const struct history *h, size_t i)
{
    return h->in->trials[h->treatments[i]];
}

static void history_init(struct history *h, const struct treat_input *in)
{
    *h = (struct history){.in = in, .treatments = xcalloc(in->count, sizeof(size_t))};
    for (size_t i = 0; i < in->prior->count; i++)
        remedy_prior_add(&h->known, &in->prior->items[i]);
    for (size_t i = 0; i < in->count; i++) {
        const struct trial *t = in->trials[i];
        struct remedy_count c = {t->treats_pattern, t->treats_cause, t->remedy, 1, t->cured};
        if (t->kind != RUN_KIND_TREATMENT)
            continue;
        h->treatments[h->count++] = i;
        if (t->has_outcome)
            remedy_prior_add(&h->known, &c);
    }
}

static void history_finish(struct history *h)
{
    remedy_prior_finish(&h->known);
    free(h->treatments);
}

static size_t root_of(const struct history *h, size_t number)
{
    const struct trial *const *trials = h->in->trials;
    while (trials[number]->kind == RUN_KIND_TREATMENT && trials[number]->parent < number)
        number = trials[number]->parent;
    return number;
}

/* Treatments of that run and of its treatments. */
static size_t tries(const struct history *h, size_t root)
{
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++)
        n += root_of(h, h->treatments[i]) == root;
    return n;
}

static bool improved(const struct history *h, size_t number)
{
    for (size_t i = 0; i < h->count; i++)
        if (treatment_at(h, i)->parent == number &&
            trial_better(treatment_at(h, i), h->in->trials[number], h->in->spec->maximize))
            return true;
    return false;
}

static bool already_treated(const struct history *h, size_t number, enum remedy r)
{
    for (size_t i = 0; i < h->count; i++)
        if (treatment_at(h, i)->parent == number && treatment_at(h, i)->remedy == r)
            return true;
    return false;
}

static const struct layer_list *layers_of(const struct treat_input *in, const struct trial *t)
{
    const struct layer_list *own = trial_layers(t);
    return own != NULL ? own : &in->spec->trainer.layers;
}

static void treatment_of(const struct treat_input *in, const struct trial *t,
                         struct treatment *out)
{
    trial_settings(in->spec, t, &out->settings);
    out->layers = *layers_of(in, t);
    out->epochs = t->epochs;
    out->start_from = trial_start_from(t);
}

/* at: the values of u that are swept. */
static bool is_tried(const struct treat_input *in, const struct trial *t,
                     const struct treatment *u, const struct assignment *at)
{
    struct settings own;
    if (t->epochs != u->epochs || trial_start_from(t) != u->start_from ||
        (t->config == NULL && !space_same(&in->spec->space, &t->at, at)))
        return false;
    trial_settings(in->spec, t, &own);
    return memcmp(&own, &u->settings, sizeof(own)) == 0 &&
           layer_list_same(layers_of(in, t), &u->layers);
}

static bool was_tried(const struct treat_input *in, const struct treatment *u)
{
    struct assignment at;
    trainer_assignment(in->spec, &u->settings, &at);
    for (size_t i = 0; i < in->count; i++)
        if (is_tried(in, in->trials[i], u, &at))
            return true;
    return false;
}

/* The donor, where it is the same network. */
static int64_t donor_for(const struct treat_input *in, size_t number)
{
    const struct trial *t = in->trials[number];
    if (in->donor == 0 || in->donor_number == number)
        return 0;
    const struct trial *d = in->trials[in->donor_number];
    struct settings own, theirs;
    trial_settings(in->spec, t, &own);
    trial_settings(in->spec, d, &theirs);
    bool same = settings_same(&own, &theirs, SETTING_OF_MODEL) &&
                layer_list_same(layers_of(in, t), layers_of(in, d));
    return same ? in->donor : 0;
}

/* --- proposals ------------------------------------------------------------------------------- */

void treat_proposals_finish(struct treat_proposals *p)
{
    free(p->items);
    *p = (struct treat_proposals){0};
}

static void propose(struct treat_proposals *p, const struct treat_proposal *item)
{
    p->items = array_room(p->items, &p->cap, p->count, sizeof(*p->items));
    p->items[p->count++] = *item;
}

void treat_reason(enum remedy r, const char *parent, enum pattern pattern, enum cause_id cause,
                  char out[TREAT_REASON_MAX])
{
    const char *ref = remedy_guide_ref(r);
    bool known = cause != CAUSE_UNKNOWN;
    snprintf(out, TREAT_REASON_MAX, "%s%s%s%s: %s is %s%s%s", remedy_does(r),
             ref ? " (" : "", ref ? ref : "", ref ? ")" : "", parent, pattern_name(pattern),
             known ? ", cause " : "", known ? cause_name(cause) : "");
}

/* Two runs of one batch that come to the same configuration are one too many. */
static bool proposed(const struct treat_proposals *p, const struct treatment *u)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct treatment *t = &p->items[i].treatment;
        if (memcmp(&t->settings, &u->settings, sizeof(u->settings)) == 0 &&
            t->epochs == u->epochs && t->start_from == u->start_from &&
            layer_list_same(&t->layers, &u->layers))
            return true;
    }
    return false;
}

/* The constraints are the person's: a remedy breaks none. */
static bool is_allowed(const struct spec *s, const struct treatment *t)
{
    struct assignment at;
    trainer_assignment(s, &t->settings, &at);
    return space_allows(&s->space, &at);
}

/* What is known of a run that is a treatment itself; false: it is none. */
static bool past_of(const struct treat_input *in, size_t number, struct remedy_past *out)
{
    const struct trial *t = in->trials[number];
    if (t->kind != RUN_KIND_TREATMENT || t->parent >= number)
        return false;
    bool helped = trial_better(t, in->trials[t->parent], in->spec->maximize);
    *out = (struct remedy_past){.remedy = t->remedy, .cause = t->treats_cause, .helped = helped};
    return true;
}

/* Those that the specification does not leave out, in their order. */
static size_t wanted(const struct spec *s, enum remedy *remedies, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!remedy_in(s->without, remedies[i]))
            remedies[n++] = remedies[i];
    return n;
}

/* One treatment of that run, unless no remedy is left. */
static void treat(const struct history *h, size_t number, struct treat_proposals *out)
{
    const struct treat_input *in = h->in;
    const struct trial *t = in->trials[number];
    struct treat_proposal p = {.parent = number, .pattern = trial_pattern(t)};
    struct settings own;
    trial_settings(in->spec, t, &own);
    struct data_facts data = data_facts_of_run(in->data, &own);
    struct remedy_context context = {.data = &data, .donor = donor_for(in, number)};
    enum remedy remedies[REMEDIES_MAX];
    struct rng rng;
    char parent[24];
    p.cause = t->cause < CAUSE_COUNT ? t->cause : CAUSE_UNKNOWN;
    struct remedy_past past;
    size_t count = remedies_next(p.pattern, p.cause, past_of(in, number, &past) ? &past : NULL,
                                 remedies);
    count = wanted(in->spec, remedies, count);
    rng_init(&rng, in->spec->seed, RNG_TREAT, in->count + out->count);
    treat_order(&h->known, p.pattern, p.cause, &rng, remedies, count);
    for (size_t i = 0; i < count; i++) {
        treatment_of(in, t, &p.treatment);
        if (!treat_can_gain(remedies[i]) || already_treated(h, number, remedies[i]) ||
            !remedy_apply(remedies[i], &context, &p.treatment) ||
            was_tried(in, &p.treatment) || proposed(out, &p.treatment) ||
            !is_allowed(in->spec, &p.treatment))
            continue;
        p.remedy = remedies[i];
        snprintf(parent, sizeof(parent), "#%zu", number);
        treat_reason(p.remedy, parent, p.pattern, p.cause, p.reason);
        propose(out, &p);
        return;
    }
}

/* A treatment that came to nothing: its parent is the one to treat. */
static bool in_vain(const struct history *h, size_t number)
{
    const struct trial *t = h->in->trials[number];
    return t->kind == RUN_KIND_TREATMENT && t->parent < number &&
           !trial_better(t, h->in->trials[t->parent], h->in->spec->maximize);
}

static bool may_treat(const struct history *h, size_t number)
{
    const struct trial *t = h->in->trials[number];
    return t->labelled && pattern_is_sick(trial_pattern(t)) && !improved(h, number) &&
           !in_vain(h, number) && tries(h, root_of(h, number)) < TREAT_TRIES;
}

void treat_next(const struct treat_input *in, struct treat_proposals *out)
{
    if (in->budget == 0 || in->count == 0)
        return;
    struct history h;
    size_t *order = xcalloc(in->count, sizeof(*order));
    size_t n = ended(in, order);
    qsort_r(order, n, sizeof(*order), compare_trials, (void *)(uintptr_t)in);
    size_t promising = (n + PROMISING_SHARE - 1) / PROMISING_SHARE;
    if (promising < PROMISING_LEAST)
        promising = PROMISING_LEAST;
    history_init(&h, in);
    for (size_t i = 0; i < n && i < promising && out->count < in->budget; i++)
        if (may_treat(&h, order[i]))
            treat(&h, order[i], out);
    history_finish(&h);
    free(order);
}
