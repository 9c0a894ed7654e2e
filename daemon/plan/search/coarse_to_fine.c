/* Coarse to fine: the guide's search (G2) in four stages, synchronous.
 *
 *   stage       of run_cap N              barriers
 *   coarse      floor(0.40 N)             the learning rates large to small (G2.1); then a
 *                                         balanced design over everything else
 *   fine        N/4, half rounded down    half-decade steps around the best, then quarter ones
 *   optimizers  N/5, to the nearest       one (G2.2)
 *   sgd         the rest, about 0.15 N    one (G2.2: the last tuning with SGD)
 *
 * N is run_cap without what is kept for treatments (spec_treat_cap); what those did not need comes
 * back at the end, for further fine runs around the best of all, with its own optimizer.
 * A stage that does not apply (no other optimizer listed, no sgd) gives its runs to fine. In a
 * finite space no stage gets more runs than it has configurations; what is left over goes to
 * fine, then optimizers, then sgd. So the number of runs of each stage is known from the spec
 * alone, and how many a stage has had says where the search stands. */
#include "daemon/plan/search/coarse_to_fine.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/search/methods.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define RUN_CAP_MIN 4 /* one run a stage */

const char *ctf_stage_name(enum ctf_stage stage)
{
    static const char *const names[] = {
#define X(id, name) name,
        CTF_STAGE_MAP(X)
#undef X
    };
    REQUIRE((size_t)stage < ARRAY_LEN(names));
    return names[stage];
}

/* --- the plan -------------------------------------------------------------------------------- */

static bool listed(const struct dimension *d, double value)
{
    for (size_t i = 0; i < d->value_count; i++)
        if (d->values[i] == value)
            return true;
    return false;
}

/* Adam if listed (G2.2: first search with Adam), else the first listed that is not sgd. */
static double first_optimizer(const struct dimension *d)
{
    if (listed(d, OPTIMIZER_ADAM))
        return OPTIMIZER_ADAM;
    for (size_t i = 0; i < d->value_count; i++)
        if (d->values[i] != OPTIMIZER_SGD)
            return d->values[i];
    return dimension_nth(d, 0);
}

static void plan_optimizers(struct ctf_plan *p)
{
    const struct dimension *d = spec_dimension(p->spec, SETTING_OPTIMIZER);
    if (d == NULL || d->value_count == 0) {
        p->optimizer = p->spec->fixed.v[SETTING_OPTIMIZER];
        return;
    }
    p->optimizer = first_optimizer(d);
    for (size_t i = 0; i < d->value_count; i++) {
        double o = d->values[i];
        bool known = o == p->optimizer || o == OPTIMIZER_SGD;
        for (size_t k = 0; k < p->other_count; k++)
            known = known || p->others[k] == o;
        if (!known && p->other_count < ARRAY_LEN(p->others))
            p->others[p->other_count++] = o;
    }
    p->sgd = p->optimizer != OPTIMIZER_SGD && listed(d, OPTIMIZER_SGD);
}

static int64_t at_most(int64_t runs, uint64_t limit)
{
    return (uint64_t)runs <= limit ? runs : (int64_t)limit;
}

static int64_t search_cap(const struct spec *s)
{
    int64_t n = s->run_cap - spec_treat_cap(s);
    return n < RUN_CAP_MIN ? RUN_CAP_MIN : n;
}

static void plan_runs(struct ctf_plan *p)
{
    int64_t n = search_cap(p->spec);
    int64_t *runs = p->runs;
    /* configurations of one optimizer, and of all those in stage optimizers */
    uint64_t one = space_size(p->spec, p->optimizer_bit);
    uint64_t others = one > UINT64_MAX / (p->other_count + 1) ? UINT64_MAX : one * p->other_count;

    runs[CTF_COARSE] = at_most(4 * n / 10, one > 1 ? one - 1 : 1);
    runs[CTF_FINE] = at_most((n + 1) / 4, one - (uint64_t)runs[CTF_COARSE]);
    runs[CTF_OPTIMIZERS] = p->other_count ? at_most((n + 2) / 5, others) : 0;
    runs[CTF_SGD] = p->sgd ? at_most(n - 4 * n / 10 - (n + 1) / 4 - (n + 2) / 5, one) : 0;

    const uint64_t limits[CTF_STAGE_COUNT] = {
        [CTF_COARSE] = (uint64_t)runs[CTF_COARSE],
        [CTF_FINE] = one - (uint64_t)runs[CTF_COARSE],
        [CTF_OPTIMIZERS] = p->other_count ? others : 0,
        [CTF_SGD] = p->sgd ? one : 0,
    };
    int64_t left = n;
    for (int i = 0; i < CTF_STAGE_COUNT; i++)
        left -= runs[i];
    for (int i = CTF_FINE; i < CTF_STAGE_COUNT; i++) {
        int64_t more = at_most(left, limits[i] - (uint64_t)runs[i]);
        runs[i] += more;
        left -= more;
    }
}

static void plan_init(struct ctf_plan *p, const struct spec *s)
{
    *p = (struct ctf_plan){.spec = s, .rate = spec_dimension(s, SETTING_LEARNING_RATE)};
    p->rate_bit = space_bit(s, SETTING_LEARNING_RATE);
    p->optimizer_bit = space_bit(s, SETTING_OPTIMIZER);
    plan_optimizers(p);
    plan_runs(p);
}

static int check(const struct spec *s, struct errbuf *err)
{
    int64_t kept = spec_treat_cap(s);
    if (s->run_cap - kept >= RUN_CAP_MIN)
        return 0;
    char value[32], treated[64] = "";
    snprintf(value, sizeof(value), "%" PRId64, s->run_cap);
    if (kept > 0)
        snprintf(treated, sizeof(treated), " (beside %" PRId64 " kept by treat_share)", kept);
    return err_bad(err, ERR_VALUE, "$.run_cap", value,
                   "%d or more for method coarse_to_fine: one run for each of its stages%s",
                   RUN_CAP_MIN, treated);
}

static void outline(const struct spec *s, struct search_outline *out)
{
    static const char *const what[CTF_STAGE_COUNT] = {
        [CTF_COARSE] = "learning rates large to small (G2.1), then a balanced design",
        [CTF_FINE] = "log steps around the best, twice narrower",
        [CTF_OPTIMIZERS] = "each other optimizer at learning rates of its own (G2.2)",
        [CTF_SGD] = "the last tuning with SGD (G2.2)",
    };
    struct ctf_plan p;
    plan_init(&p, s);
    int64_t total = 0;
    for (int i = 0; i < CTF_STAGE_COUNT; i++)
        total += p.runs[i];
    *out = (struct search_outline){0};
    for (int i = 0; i < CTF_STAGE_COUNT; i++) {
        if (p.runs[i] == 0)
            continue;
        size_t k = out->count++;
        str_copy(out->stages[k].stage, sizeof(out->stages[k].stage), ctf_stage_name(i));
        str_copy(out->stages[k].what, sizeof(out->stages[k].what), what[i]);
        out->stages[k].runs = p.runs[i];
        if (i == CTF_COARSE && total < search_cap(s))
            snprintf(out->stages[k].what, sizeof(out->stages[k].what),
                     "%s; the space has only %" PRId64 " configurations", what[i], total);
    }
}

/* --- one call -------------------------------------------------------------------------------- */

static void call_init(struct ctf_call *c, const struct ctf_plan *p, const struct trial *trials,
                      size_t count, struct proposals *out)
{
    *c = (struct ctf_call){.plan = p, .trials = trials, .count = count, .out = out};
    tried_init(&c->tried, p->spec);
    for (size_t i = 0; i < count; i++) {
        (void)tried_add(&c->tried, &trials[i].settings);
        for (int k = 0; k < CTF_STAGE_COUNT; k++)
            c->done[k] += strcmp(trials[i].stage, ctf_stage_name(k)) == 0;
        if (trial_usable(&trials[i]) &&
            (!c->has_best || trial_better(p->spec, &trials[i], &trials[c->best]))) {
            c->has_best = true;
            c->best = i;
        }
    }
    space_middle(p->spec, &c->base);
    c->base.v[SETTING_OPTIMIZER] = p->optimizer;
    double rates[RATES_MAX];
    if (c->has_best)
        c->base = trials[c->best].settings;
    else if (p->rate != NULL)
        c->base.v[SETTING_LEARNING_RATE] = rates[rates_decades(p->rate, RATES_MAX, rates) - 1];
    /* the number of runs so far names the place where the search stands: a stream for each */
    rng_init(&c->rng, p->spec->seed, RNG_SEARCH, count);
}

bool ctf_propose(struct ctf_call *c, enum ctf_stage stage, const struct settings *settings,
                 const char *reason_fmt, ...)
{
    if (!tried_add(&c->tried, settings))
        return false;
    char reason[512];
    va_list ap;
    va_start(ap, reason_fmt);
    vsnprintf(reason, sizeof(reason), reason_fmt, ap);
    va_end(ap);
    proposals_add(c->out, settings, ctf_stage_name(stage), "%s", reason);
    return true;
}

bool ctf_propose_near(struct ctf_call *c, enum ctf_stage stage, const struct settings *settings,
                      uint64_t frozen, const char *reason)
{
    const struct spec *s = c->plan->spec;
    struct settings other;
    if (ctf_propose(c, stage, settings, "%s", reason))
        return true;
    frozen |= c->plan->optimizer_bit;
    if (!space_near(s, settings, frozen, &c->tried, &c->rng, &other) &&
        !space_near(s, settings, c->plan->optimizer_bit, &c->tried, &c->rng, &other))
        return false;
    return ctf_propose(c, stage, &other, "%s; tried before, so the nearest untried", reason);
}

void ctf_sort_rates(struct proposals *p, size_t from)
{
    for (size_t i = from + 1; i < p->count; i++) { /* insertion: stable, at most a batch */
        struct proposal item = p->items[i];
        size_t k = i;
        for (; k > from && p->items[k - 1].settings.v[SETTING_LEARNING_RATE] <
                               item.settings.v[SETTING_LEARNING_RATE];
             k--)
            p->items[k] = p->items[k - 1];
        p->items[k] = item;
    }
}

/* --- coarse ---------------------------------------------------------------------------------- */

/* First barrier: the rates, everything else in the middle. */
static void coarse_rates(struct ctf_call *c, size_t wanted)
{
    const struct ctf_plan *p = c->plan;
    struct settings s;
    space_middle(p->spec, &s);
    s.v[SETTING_OPTIMIZER] = p->optimizer;
    if (p->rate == NULL) {
        (void)ctf_propose(c, CTF_COARSE, &s, "the middle of everything swept");
        return;
    }
    double rates[RATES_MAX];
    size_t n = rates_decades(p->rate, wanted, rates);
    for (size_t i = 0; i < n; i++) {
        char text[32];
        s.v[SETTING_LEARNING_RATE] = rates[i];
        setting_format(SETTING_LEARNING_RATE, rates[i], text);
        (void)ctf_propose(c, CTF_COARSE, &s,
                          "learning rate %s of large to small, at the middle of the rest (G2.1)",
                          text);
    }
}

/* The best learning rate of the coarse stage, and the best one that differs from it. */
static void best_rates(const struct ctf_call *c, double rates[2])
{
    size_t best[2] = {0, 0};
    size_t found = 0;
    for (int pick = 0; pick < 2; pick++) {
        bool any = false;
        for (size_t i = 0; i < c->count; i++) {
            const struct trial *t = &c->trials[i];
            if (!trial_usable(t) ||
                (pick == 1 && t->settings.v[SETTING_LEARNING_RATE] == rates[0]))
                continue;
            if (!any || trial_better(c->plan->spec, t, &c->trials[best[pick]])) {
                best[pick] = i;
                any = true;
            }
        }
        if (!any)
            break;
        rates[pick] = c->trials[best[pick]].settings.v[SETTING_LEARNING_RATE];
        found++;
    }
    if (found == 0) /* nothing finite: the smallest rate of all */
        rates[0] = c->base.v[SETTING_LEARNING_RATE];
    if (found < 2)
        rates[1] = rates[0];
}

/* Second barrier: everything but the rate in a balanced design. */
static void coarse_design(struct ctf_call *c, size_t wanted)
{
    const struct ctf_plan *p = c->plan;
    uint64_t frozen = p->rate_bit | p->optimizer_bit;
    double rates[2];
    best_rates(c, rates);
    struct settings *design = xcalloc(wanted, sizeof(*design));
    struct settings base = c->base;
    base.v[SETTING_OPTIMIZER] = p->optimizer;
    design_balanced(p->spec, &base, frozen, wanted, &c->rng, design);
    for (size_t i = 0; i < wanted; i++) {
        char text[32], reason[120];
        if (p->rate != NULL)
            design[i].v[SETTING_LEARNING_RATE] = rates[i % 2];
        setting_format(SETTING_LEARNING_RATE, design[i].v[SETTING_LEARNING_RATE], text);
        snprintf(reason, sizeof(reason), "balanced design at learning rate %s, the %sbest so far",
                 text, i % 2 && rates[1] != rates[0] ? "second " : "");
        if (!ctf_propose_near(c, CTF_COARSE, &design[i], frozen,
                              p->rate != NULL ? reason : "balanced design"))
            break;
    }
    free(design);
}

/* --- next ------------------------------------------------------------------------------------ */

static size_t upto(size_t wanted)
{
    return wanted < SEARCH_BATCH_MAX ? wanted : SEARCH_BATCH_MAX;
}

static void coarse(struct ctf_call *c, size_t left)
{
    if (c->done[CTF_COARSE] == 0)
        coarse_rates(c, left);
    else
        coarse_design(c, upto(left));
}

static void fine(struct ctf_call *c, size_t left)
{
    size_t first = ((size_t)c->plan->runs[CTF_FINE] + 1) / 2, done = c->done[CTF_FINE];
    if (done < first)
        ctf_fine(c, upto(first - done), false);
    else
        ctf_fine(c, upto(left), true);
}

static void optimizers(struct ctf_call *c, size_t left)
{
    ctf_optimizers(c, upto(left));
}

static void sgd(struct ctf_call *c, size_t left)
{
    ctf_sgd(c, upto(left));
}

/* What treatments did not need: near the best of all, whatever its optimizer. */
static void surplus(struct ctf_call *c, size_t budget)
{
    struct ctf_plan own = *c->plan;
    if (c->count >= budget)
        return;
    own.optimizer = c->base.v[SETTING_OPTIMIZER];
    c->plan = &own;
    ctf_fine(c, upto(budget - c->count), true);
}

static void next(const struct spec *s, size_t budget, const struct trial *trials, size_t count,
                 struct proposals *out)
{
    static void (*const stages[CTF_STAGE_COUNT])(struct ctf_call *, size_t) = {
        [CTF_COARSE] = coarse, [CTF_FINE] = fine, [CTF_OPTIMIZERS] = optimizers, [CTF_SGD] = sgd};
    struct ctf_plan p;
    struct ctf_call c;
    size_t before = out->count;
    plan_init(&p, s);
    call_init(&c, &p, trials, count, out);
    for (int i = 0; i < CTF_STAGE_COUNT && out->count == before; i++)
        if ((size_t)p.runs[i] > c.done[i])
            stages[i](&c, (size_t)p.runs[i] - c.done[i]);
    if (out->count == before)
        surplus(&c, budget);
    tried_finish(&c.tried);
}

const struct search_method search_coarse_to_fine = {check, outline, next};
