/* Coarse to fine: the guide's search (G2) in four stages, synchronous, in rounds (rounds.h).
 *
 *   stage       of the N runs by the      barriers
 *               end of a round
 *   coarse      floor(0.40 N)             the learning rates large to small (G2.1); then a
 *                                         balanced design over everything else
 *   fine        N/4, half rounded down    half-decade steps around the best, then quarter ones
 *   optimizers  N/5, to the nearest       one (G2.2)
 *   sgd         the rest, about 0.15 N    one (G2.2: the last tuning with SGD)
 *
 * N of the last round is run_cap without what is kept for treatments (study.kept); what those did
 * not need comes back at the end, for further fine runs around the best of all, with its own
 * optimizer.
 * A stage that does not apply (no other optimizer listed, no sgd) gives its runs to fine. In a
 * finite space no stage gets more runs than it has configurations; what is left over goes to
 * fine, then optimizers, then sgd. So the number of runs of each stage is known from the spec
 * alone, and how many a stage has had says where the search stands.
 *
 * With early_terminate.by_stage runs begin on short budgets, and the best go on from their
 * checkpoints (daemon/plan/stop/by_stage.h, ladder.h): all of a barrier have been judged before the
 * next. */
#include "daemon/plan/search/coarse_to_fine.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/earlier.h"
#include "daemon/plan/search/rounds.h"
#include "daemon/plan/stop/by_stage.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define RUN_CAP_MIN 4 /* one run a stage */

/* --- the plan -------------------------------------------------------------------------------- */

/* Adam if listed (G2.2: first search with Adam), else the first listed that is not sgd. */
static double first_optimizer(const struct dimension *d, double sgd)
{
    double adam = dimension_listed(d, "adam");
    if (!isnan(adam))
        return adam;
    for (size_t i = 0; i < d->value_count; i++)
        if (!(d->values[i] == sgd))
            return d->values[i];
    return dimension_nth(d, 0);
}

static void plan_optimizers(struct ctf_plan *p)
{
    const struct dimension *d = p->choice;
    if (d == NULL)
        return;
    p->sgd_value = dimension_listed(d, "sgd");
    p->optimizer = first_optimizer(d, p->sgd_value);
    p->sgd = !isnan(p->sgd_value) && p->optimizer != p->sgd_value;
    for (size_t i = 0; i < d->value_count; i++) {
        double o = d->values[i];
        if (o != p->optimizer && !(o == p->sgd_value) && p->other_count < CTF_OTHERS_MAX)
            p->others[p->other_count++] = o;
    }
}

static int64_t at_most(int64_t runs, uint64_t limit)
{
    return (uint64_t)runs <= limit ? runs : (int64_t)limit;
}

static int64_t search_cap(const struct study *st)
{
    int64_t n = (int64_t)(st->run_cap - st->kept) - (int64_t)st->before;
    return n < RUN_CAP_MIN ? RUN_CAP_MIN : n;
}

/* As many as there are with that optimizer, but no more than n + 1: at most n are run. */
static uint64_t configurations(const struct ctf_plan *p, double optimizer, int64_t n)
{
    struct assignment at = {{0}};
    if (p->choice != NULL)
        at.v[p->choice_at] = optimizer;
    return space_count(p->study->space, p->choice_bit, &at, (uint64_t)n + 1);
}

/* A stage's share, which never falls below what it had in earlier rounds. */
static int64_t stage_share(int64_t runs, uint64_t limit, int64_t before)
{
    int64_t share = at_most(runs, limit);
    return share > before ? share : before;
}

/* The round that follows one which ended with `end` runs (0: the first). Returns its end. */
static int64_t next_round(struct ctf_plan *p, int64_t end)
{
    int64_t n = rounds_end(p->study, search_cap(p->study), end);
    int64_t *runs = p->runs, *before = p->before;
    /* configurations of the first optimizer, of all those in stage optimizers, and of sgd */
    uint64_t one = configurations(p, p->optimizer, n), others = 0;
    uint64_t last = p->sgd ? configurations(p, p->sgd_value, n) : 0;
    for (size_t i = 0; i < p->other_count; i++)
        others += configurations(p, p->others[i], n);

    memcpy(before, runs, sizeof(p->before));
    uint64_t fine = before[CTF_FINE] > 0 ? (uint64_t)before[CTF_FINE] : 1;
    runs[CTF_COARSE] = at_most(4 * n / 10, one > fine ? one - fine : 1);
    const uint64_t limits[CTF_STAGE_COUNT] = {
        [CTF_FINE] = one - (uint64_t)runs[CTF_COARSE],
        [CTF_OPTIMIZERS] = others,
        [CTF_SGD] = last,
    };
    const int64_t shares[CTF_STAGE_COUNT] = {
        [CTF_FINE] = (n + 1) / 4,
        [CTF_OPTIMIZERS] = (n + 2) / 5,
        [CTF_SGD] = n - 4 * n / 10 - (n + 1) / 4 - (n + 2) / 5,
    };
    int64_t left = n - runs[CTF_COARSE];
    for (int i = CTF_FINE; i < CTF_STAGE_COUNT; i++) {
        runs[i] = stage_share(shares[i], limits[i], before[i]);
        left -= runs[i];
    }
    for (int i = CTF_FINE; i < CTF_STAGE_COUNT && left > 0; i++) {
        int64_t more = at_most(left, limits[i] - (uint64_t)runs[i]);
        runs[i] += more;
        left -= more;
    }
    return n;
}

static bool is_choice(const struct dimension *d)
{
    return d->type == VALUE_CHOICE;
}

/* The dimension with that role, if it is such as the search can use in it, and always there;
 * another is searched as any without a role. */
static const struct dimension *find_role(const struct space *s, enum role role,
                                         bool fits(const struct dimension *), size_t *index)
{
    int i = space_find_role(s, role);
    const struct dimension *d = i >= 0 ? &s->dimensions[i] : NULL;
    *index = i >= 0 ? (size_t)i : 0;
    return d != NULL && d->condition_count == 0 && fits(d) ? d : NULL;
}

static void plan_init(struct ctf_plan *p, const struct study *st)
{
    *p = (struct ctf_plan){.study = st};
    p->rate = find_role(st->space, ROLE_LEARNING_RATE, space_is_rate, &p->rate_at);
    p->choice = find_role(st->space, ROLE_OPTIMIZER, is_choice, &p->choice_at);
    p->rate_bit = p->rate != NULL ? UINT64_C(1) << p->rate_at : 0;
    p->choice_bit = p->choice != NULL ? UINT64_C(1) << p->choice_at : 0;
    plan_optimizers(p);
}

static int check(const struct study *st, struct errbuf *err)
{
    size_t kept = st->kept;
    if (st->run_cap - kept >= RUN_CAP_MIN)
        return 0;
    char value[32], treated[64] = "";
    snprintf(value, sizeof(value), "%zu", st->run_cap);
    if (kept > 0)
        snprintf(treated, sizeof(treated), " (beside %zu kept by treat_share)", kept);
    return err_bad(err, ERR_VALUE, "$.run_cap", value,
                   "%d or more for method coarse_to_fine: one run for each of its stages%s",
                   RUN_CAP_MIN, treated);
}

/* "; at epochs 3, 9 the best 1 / 3 go on": of a search whose stages have rungs of their own. */
static void say_rungs(const struct study *st, enum ctf_stage stage, char *out, size_t size)
{
    const struct stop_settings *s = st->stop;
    int64_t at = stop_first_rung(s, ctf_stage_name(stage), 0, st->epochs);
    if (!s->by_stage || at == 0)
        return;
    struct buf b = {0};
    const char *sep = "; at epoch ";
    for (; at > 0; at = stop_next_rung(s, 0, at, st->epochs), sep = ", ")
        buf_printf(&b, "%s%" PRId64, sep, at);
    buf_printf(&b, stage > CTF_FINE ? " one of each goes on, more if as good as the first"
                                    : " the best 1 / %g go on", s->eta);
    str_copy(out, size, b.data);
    buf_finish(&b);
}

/* Of all stages together. */
static void say_whole(const struct study *st, int64_t total, char *out, size_t size)
{
    int64_t all = search_cap(st), first = rounds_end(st, all, 0);
    char few[64] = "", rounds[64] = "";
    if (total < all)
        snprintf(few, sizeof(few), "; the space has only %" PRId64 " configurations", total);
    if (first < all && first < total)
        snprintf(rounds, sizeof(rounds), "; all stages in rounds, the first of %" PRId64 " runs",
                 first);
    snprintf(out, size, "%s%s", rounds, few);
}

static void outline(const struct study *st, struct search_outline *out)
{
    static const char *const what[CTF_STAGE_COUNT] = {
        [CTF_COARSE] = "learning rates large to small (G2.1), then a balanced design",
        [CTF_FINE] = "log steps around the best, twice narrower",
        [CTF_OPTIMIZERS] = "each other optimizer at learning rates of its own (G2.2)",
        [CTF_SGD] = "the last tuning with SGD (G2.2)",
    };
    struct ctf_plan p;
    plan_init(&p, st);
    for (int64_t end = 0; end < search_cap(st);)
        end = next_round(&p, end);
    int64_t total = 0;
    for (int i = 0; i < CTF_STAGE_COUNT; i++)
        total += p.runs[i];
    *out = (struct search_outline){0};
    for (int i = 0; i < CTF_STAGE_COUNT; i++) {
        if (p.runs[i] == 0)
            continue;
        size_t k = out->count++;
        str_copy(out->stages[k].stage, sizeof(out->stages[k].stage), ctf_stage_name(i));
        out->stages[k].runs = p.runs[i];
        char whole[128] = "", rungs[96] = "";
        say_rungs(st, i, rungs, sizeof(rungs));
        if (i == CTF_COARSE)
            say_whole(st, total, whole, sizeof(whole));
        snprintf(out->stages[k].what, sizeof(out->stages[k].what), "%s%s%s", what[i], rungs, whole);
    }
}

/* --- coarse ---------------------------------------------------------------------------------- */

/* First barrier: the rates, everything else in the middle. */
static void coarse_rates(struct ctf_call *c, size_t wanted)
{
    const struct ctf_plan *p = c->plan;
    struct assignment a;
    space_middle(p->study->space, &a);
    ctf_own_optimizer(p, &a);
    if (p->rate == NULL) {
        (void)ctf_propose(c, CTF_COARSE, &a, "the middle of everything swept");
        return;
    }
    double rates[RATES_MAX];
    size_t n = rates_decades(p->rate, wanted, rates);
    for (size_t i = 0; i < n; i++) {
        char text[SPACE_TEXT_MAX];
        a.v[p->rate_at] = rates[i];
        (void)ctf_propose(c, CTF_COARSE, &a,
                          "learning rate %s of large to small, at the middle of the rest (G2.1)",
                          ctf_rate_text(p, &a, text));
    }
}

static const struct trial *better_but(const struct ctf_plan *p, const struct trial *best,
                                      const struct trial *t, double but)
{
    if (!ctf_goes_by(p, t) || !trial_usable(t) || t->at.v[p->rate_at] == but)
        return best;
    return best == NULL || trial_better(t, best, p->study->maximize) ? t : best;
}

/* The best run so far whose rate is not `but` (NAN: any). */
static const struct trial *best_but(const struct ctf_plan *p, double but)
{
    const struct study *st = p->study;
    const struct trial *best = NULL;
    for (size_t i = 0; i < earlier_count(st->earlier); i++)
        best = better_but(p, best, st->earlier->trials[i], but);
    for (size_t i = 0; i < st->all_count; i++)
        best = better_but(p, best, st->all[i], but);
    return best;
}

/* The best learning rate of the coarse stage, and the best one that differs from it. */
static void best_rates(const struct ctf_call *c, double rates[2])
{
    const struct ctf_plan *p = c->plan;
    const struct trial *first = best_but(p, NAN);
    /* nothing finite: the smallest rate of all */
    rates[0] = first != NULL ? first->at.v[p->rate_at] : c->base.v[p->rate_at];
    const struct trial *second = first != NULL ? best_but(p, rates[0]) : NULL;
    rates[1] = second != NULL ? second->at.v[p->rate_at] : rates[0];
}

/* What is absent whatever the unfrozen ones are. */
static uint64_t absent(const struct space *s, const struct assignment *base, uint64_t frozen)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!space_has(base, i) && !(s->dimensions[i].rests_on & ~frozen))
            bits |= UINT64_C(1) << i;
    return bits;
}

/* Second barrier: everything but the rate in a balanced design. */
static void coarse_design(struct ctf_call *c, size_t wanted)
{
    const struct ctf_plan *p = c->plan;
    uint64_t frozen = p->rate_bit | p->choice_bit;
    double rates[2] = {0, 0};
    if (p->rate != NULL)
        best_rates(c, rates);
    struct assignment *design = xcalloc(wanted, sizeof(*design));
    struct assignment base = c->base;
    ctf_own_optimizer(p, &base);
    frozen |= absent(p->study->space, &base, frozen);
    design_balanced(p->study->space, &base, frozen, wanted, &c->rng, design);
    for (size_t i = 0; i < wanted; i++) {
        char text[SPACE_TEXT_MAX], reason[120] = "balanced design";
        if (p->rate != NULL) {
            design[i].v[p->rate_at] = rates[i % 2];
            snprintf(reason, sizeof(reason),
                     "balanced design at learning rate %s, the %sbest so far",
                     ctf_rate_text(p, &design[i], text),
                     i % 2 && rates[1] != rates[0] ? "second " : "");
        }
        if (!ctf_propose_near(c, CTF_COARSE, &design[i], frozen, reason))
            break;
    }
    free(design);
}

/* --- ask ------------------------------------------------------------------------------------- */

static size_t upto(const struct ctf_call *c, size_t wanted)
{
    return wanted < c->want ? wanted : c->want;
}

/* With the first barrier: the best of earlier sweeps that were trained otherwise, with the
 * optimizer of the stage; at most half of it. */
static void coarse_starts(struct ctf_call *c, size_t wanted)
{
    const struct earlier_start *start;
    for (uint64_t i = 0; i < wanted && (start = earlier_start(c->plan->study->earlier, i)); i++) {
        struct assignment a = start->at;
        char reason[160];
        ctf_own_optimizer(c->plan, &a);
        earlier_start_reason(start, reason, sizeof(reason));
        (void)ctf_propose(c, CTF_COARSE, &a, "%s", reason);
    }
}

static void coarse(struct ctf_call *c, size_t left)
{
    if (c->done[CTF_COARSE] == 0) {
        coarse_starts(c, left / 2);
        coarse_rates(c, left - c->out->count);
    }
    if (c->out->count == 0) /* also where a person has tried those rates */
        coarse_design(c, upto(c, left));
}

static void fine(struct ctf_call *c, size_t left)
{
    size_t done = c->done[CTF_FINE];
    size_t first = (size_t)(c->plan->before[CTF_FINE] + c->plan->runs[CTF_FINE] + 1) / 2;
    if (done < first)
        ctf_fine(c, upto(c, first - done), false);
    else
        ctf_fine(c, upto(c, left), true);
}

static void optimizers(struct ctf_call *c, size_t left)
{
    ctf_optimizers(c, upto(c, left));
}

static void sgd(struct ctf_call *c, size_t left)
{
    ctf_sgd(c, upto(c, left));
}

/* What treatments did not need: near the best of all, whatever its optimizer. */
static void surplus(struct ctf_call *c)
{
    const struct study *st = c->plan->study;
    struct ctf_plan own = *c->plan;
    if (st->count >= st->budget)
        return;
    if (own.choice != NULL)
        own.optimizer = c->base.v[own.choice_at];
    c->plan = &own;
    ctf_fine(c, upto(c, st->budget - st->count), true);
}

/* The first stage of the round that has runs left, if there is anything new in it. */
static void propose_round(struct ctf_call *c)
{
    static void (*const stages[CTF_STAGE_COUNT])(struct ctf_call *, size_t) = {
        [CTF_COARSE] = coarse, [CTF_FINE] = fine, [CTF_OPTIMIZERS] = optimizers, [CTF_SGD] = sgd};
    const struct ctf_plan *p = c->plan;
    for (int i = 0; i < CTF_STAGE_COUNT && c->out->count == 0; i++) {
        if ((size_t)p->runs[i] <= c->done[i])
            continue;
        stages[i](c, (size_t)p->runs[i] - c->done[i]);
        c->out->begin_stage = c->done[i] <= (size_t)p->before[i];
    }
}

/* The first round that has runs left: how many each stage has had says which. */
static void propose(struct ctf_call *c, struct ctf_plan *p)
{
    int64_t all = search_cap(p->study);
    for (int64_t end = 0; end < all && c->out->count == 0;) {
        end = next_round(p, end);
        propose_round(c);
    }
    if (c->out->count == 0)
        surplus(c);
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    struct ctf_plan p;
    struct ctf_call c;
    if (st->live > 0) /* each stage builds on all that came before it */
        return ANSWER_WAIT;
    plan_init(&p, st);
    ctf_call_init(&c, &p, want, out);
    propose(&c, &p);
    tried_finish(&c.tried);
    out->exhausted = out->count == 0 && st->count < st->budget;
    return out->count > 0 ? ANSWER_RUNS : ANSWER_DONE;
}

const struct search_method search_coarse_to_fine = {check, outline, ask};
