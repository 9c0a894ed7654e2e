/* The later stages of coarse to fine: fine, optimizers, sgd. */
#include <stdio.h>

#include "daemon/plan/search/coarse_to_fine.h"
#include "sweep/buf.h"
#include "sweep/require.h"

/* --- fine ------------------------------------------------------------------------------------ */

static const char *basis(const struct ctf_call *c, char *out, size_t size)
{
    if (c->best != NULL && c->best->number == TRIAL_NONE)
        str_copy(out, size, "the best of earlier sweeps");
    else if (c->best != NULL)
        snprintf(out, size, "#%zu, the best so far", c->best->number);
    else
        snprintf(out, size, "the smallest rate: no run has a finite metric yet");
    return out;
}

/* Dimension i moved by steps × spacing from the best; true when that was something new. */
static bool fine_step(struct ctf_call *c, size_t i, int steps, double spacing)
{
    const struct ctf_plan *p = c->plan;
    const struct dimension *d = &p->study->space->dimensions[i];
    struct assignment a = c->base;
    char value[SPACE_TEXT_MAX], near[64];
    ctf_own_optimizer(p, &a);
    if (!space_has(&a, i) || !space_move(d, a.v[i], steps, spacing, &a.v[i]))
        return false;
    dimension_format(d, a.v[i], value);
    basis(c, near, sizeof(near));
    if (d == p->rate && dimension_cardinality(d) == 0)
        return ctf_propose(c, CTF_FINE, &a, "learning rate %s, %+.3g decades from %s", value,
                           steps * spacing, near);
    return ctf_propose(c, CTF_FINE, &a, "%s %s, %d %s from %s", d->name, value,
                       steps < 0 ? -steps : steps, steps < 0 ? "below" : "above", near);
}

/* Steps of two halving spacings: the nearer ones first, up before down (G2.1: large first). */
static void fine_steps(struct ctf_call *c, size_t goal, double spacing, uint64_t frozen)
{
    size_t dimensions = c->plan->study->space->count;
    uint64_t rate = c->plan->rate_bit & ~frozen;
    for (int level = 0; level < 2; level++, spacing /= 2) {
        for (int steps = 1; steps <= 2; steps++) {
            for (int sign = 1; sign >= -1 && rate; sign -= 2)
                if (c->out->count < goal)
                    (void)fine_step(c, c->plan->rate_at, sign * steps, spacing);
            for (size_t i = 0; i < dimensions; i++)
                for (int sign = 1; sign >= -1 && !((frozen | rate) >> i & 1u); sign -= 2)
                    if (c->out->count < goal)
                        (void)fine_step(c, i, sign * steps, spacing);
        }
    }
}

/* First barrier: half-decade steps of the learning rate, then quarter ones, then neighbours in
 * the rest. Second: quarter and eighth ones together with the neighbours. */
void ctf_fine(struct ctf_call *c, size_t wanted, bool second_barrier)
{
    const struct ctf_plan *p = c->plan;
    size_t from = c->out->count, goal = from + wanted;
    char reason[96], near[64];
    struct assignment base = c->base;
    ctf_own_optimizer(p, &base);
    if (!second_barrier && p->rate != NULL)
        fine_steps(c, goal, 0.5, ~p->rate_bit);
    fine_steps(c, goal, second_barrier || p->rate != NULL ? 0.25 : 0.5, p->choice_bit);
    snprintf(reason, sizeof(reason), "near %s", basis(c, near, sizeof(near)));
    while (c->out->count < goal && ctf_propose_near(c, CTF_FINE, &base, 0, reason))
        ;
    ctf_sort_rates(c, from);
}

/* --- optimizers and sgd ---------------------------------------------------------------------- */

#define OWN_RATES_MAX 5 /* learning rates of one optimizer; further runs vary the rest */

/* Part of a stage's runs: those of one optimizer, from number `skip` on. */
struct share {
    enum ctf_stage stage;
    double optimizer;
    size_t runs, skip, wanted;
};

static void own_rates(struct ctf_call *c, const struct share *sh)
{
    const struct ctf_plan *p = c->plan;
    size_t from = c->out->count, n = 0;
    double rates[RATES_MAX];
    char name[SPACE_TEXT_MAX], rate[SPACE_TEXT_MAX], near[64], reason[256];
    dimension_format(p->choice, sh->optimizer, name);
    if (p->rate != NULL)
        n = rates_of_optimizer(p->rate, name, sh->runs < OWN_RATES_MAX ? sh->runs : OWN_RATES_MAX,
                               rates);
    for (size_t i = sh->skip; i < sh->skip + sh->wanted; i++) {
        struct assignment a = c->base;
        a.v[p->choice_at] = sh->optimizer;
        if (n > 0)
            a.v[p->rate_at] = rates[i < n ? i : (i + n / 2) % n]; /* middle first */
        ctf_rate_text(p, &a, rate);
        snprintf(reason, sizeof(reason), "%s%s%s%s, otherwise as %s (G2.2)",
                 sh->stage == CTF_SGD ? "last tuning with " : "", name,
                 rate[0] ? " at learning rate " : "", rate, basis(c, near, sizeof(near)));
        if (!ctf_propose_near(c, sh->stage, &a, i < n ? 0 : p->rate_bit, reason))
            break;
    }
    ctf_sort_rates(c, from);
}

/* The stage's runs are shared equally, the first listed optimizers getting those left over. */
void ctf_optimizers(struct ctf_call *c, size_t wanted)
{
    const struct ctf_plan *p = c->plan;
    size_t runs = ctf_of_round(p, CTF_OPTIMIZERS), goal = c->out->count + wanted;
    size_t skip = ctf_done_in_round(c, CTF_OPTIMIZERS);
    for (size_t k = 0; k < p->other_count && c->out->count < goal; k++) {
        struct share sh = {CTF_OPTIMIZERS, p->others[k],
                           runs / p->other_count + (k < runs % p->other_count), skip, 0};
        if (skip >= sh.runs) {
            skip -= sh.runs;
            continue;
        }
        size_t take = sh.runs - skip, room = goal - c->out->count;
        sh.wanted = take < room ? take : room;
        own_rates(c, &sh);
        skip = 0;
    }
}

void ctf_sgd(struct ctf_call *c, size_t wanted)
{
    struct share sh = {CTF_SGD, c->plan->sgd_value, ctf_of_round(c->plan, CTF_SGD),
                       ctf_done_in_round(c, CTF_SGD), wanted};
    own_rates(c, &sh);
}
