/* The later stages of coarse to fine: fine, optimizers, sgd. */
#include <stdio.h>

#include "daemon/plan/search/coarse_to_fine.h"
#include "sweep/require.h"

/* --- fine ------------------------------------------------------------------------------------ */

static const char *basis(const struct ctf_call *c, char *out, size_t size)
{
    if (c->has_best)
        snprintf(out, size, "run %zu, the best so far", c->best);
    else
        snprintf(out, size, "the smallest rate: no run has a finite metric yet");
    return out;
}

/* One dimension moved by steps × spacing from the best; true when that was something new. */
static bool fine_step(struct ctf_call *c, const struct dimension *d, int steps, double spacing)
{
    struct settings s = c->base;
    char value[32], near[64];
    s.v[SETTING_OPTIMIZER] = c->plan->optimizer;
    if (!space_move(d, s.v[d->setting], steps, spacing, &s.v[d->setting]))
        return false;
    setting_format(d->setting, s.v[d->setting], value);
    basis(c, near, sizeof(near));
    if (d == c->plan->rate && dimension_cardinality(d) == 0)
        return ctf_propose(c, CTF_FINE, &s, "learning rate %s, %+.3g decades from %s", value,
                           steps * spacing, near);
    return ctf_propose(c, CTF_FINE, &s, "%s %s, %d %s from %s", d->name, value,
                       steps < 0 ? -steps : steps, steps < 0 ? "below" : "above", near);
}

/* Steps of two halving spacings: the nearer ones first, up before down (G2.1: large first). */
static void fine_steps(struct ctf_call *c, size_t goal, double spacing, uint64_t frozen)
{
    const struct spec *s = c->plan->spec;
    uint64_t rate = c->plan->rate_bit & ~frozen;
    for (int level = 0; level < 2; level++, spacing /= 2) {
        for (int steps = 1; steps <= 2; steps++) {
            for (int sign = 1; sign >= -1 && rate; sign -= 2)
                if (c->out->count < goal)
                    (void)fine_step(c, c->plan->rate, sign * steps, spacing);
            for (size_t i = 0; i < s->dimension_count; i++)
                for (int sign = 1; sign >= -1 && !((frozen | rate) >> i & 1u); sign -= 2)
                    if (c->out->count < goal)
                        (void)fine_step(c, &s->dimensions[i], sign * steps, spacing);
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
    struct settings base = c->base;
    base.v[SETTING_OPTIMIZER] = p->optimizer;
    if (!second_barrier && p->rate != NULL)
        fine_steps(c, goal, 0.5, ~p->rate_bit);
    fine_steps(c, goal, second_barrier || p->rate != NULL ? 0.25 : 0.5, p->optimizer_bit);
    snprintf(reason, sizeof(reason), "near %s", basis(c, near, sizeof(near)));
    while (c->out->count < goal && ctf_propose_near(c, CTF_FINE, &base, 0, reason))
        ;
    ctf_sort_rates(c->out, from);
}

/* --- optimizers and sgd ---------------------------------------------------------------------- */

#define OWN_RATES_MAX 5 /* learning rates of one optimizer; further runs vary the rest */

/* Runs `skip` … `skip + wanted` out of `share` of one optimizer. */
static void own_rates(struct ctf_call *c, enum ctf_stage stage, double optimizer, size_t share,
                      size_t skip, size_t wanted)
{
    const struct ctf_plan *p = c->plan;
    size_t from = c->out->count, n = 0;
    double rates[RATES_MAX];
    char name[32], rate[32], near[64], reason[192];
    setting_choice_name(SETTING_OPTIMIZER, (int)optimizer, name);
    if (p->rate != NULL)
        n = rates_of_optimizer(p->rate, (enum optimizer)(int)optimizer,
                               share < OWN_RATES_MAX ? share : OWN_RATES_MAX, rates);
    for (size_t i = skip; i < skip + wanted; i++) {
        struct settings s = c->base;
        s.v[SETTING_OPTIMIZER] = optimizer;
        if (n > 0)
            s.v[SETTING_LEARNING_RATE] = rates[i < n ? i : (i + n / 2) % n]; /* middle first */
        setting_format(SETTING_LEARNING_RATE, s.v[SETTING_LEARNING_RATE], rate);
        snprintf(reason, sizeof(reason), "%s%s at learning rate %s, otherwise as %s (G2.2)",
                 stage == CTF_SGD ? "last tuning with " : "", name, rate,
                 basis(c, near, sizeof(near)));
        if (!ctf_propose_near(c, stage, &s, i < n ? 0 : p->rate_bit, reason))
            break;
    }
    ctf_sort_rates(c->out, from);
}

/* The stage's runs are shared equally, the first listed optimizers getting those left over. */
void ctf_optimizers(struct ctf_call *c, size_t wanted)
{
    const struct ctf_plan *p = c->plan;
    size_t runs = (size_t)p->runs[CTF_OPTIMIZERS], goal = c->out->count + wanted;
    size_t skip = c->done[CTF_OPTIMIZERS];
    for (size_t k = 0; k < p->other_count && c->out->count < goal; k++) {
        size_t share = runs / p->other_count + (k < runs % p->other_count);
        if (skip >= share) {
            skip -= share;
            continue;
        }
        size_t take = share - skip, room = goal - c->out->count;
        own_rates(c, CTF_OPTIMIZERS, p->others[k], share, skip, take < room ? take : room);
        skip = 0;
    }
}

void ctf_sgd(struct ctf_call *c, size_t wanted)
{
    own_rates(c, CTF_SGD, OPTIMIZER_SGD, (size_t)c->plan->runs[CTF_SGD], c->done[CTF_SGD],
              wanted);
}
