/* One ask of coarse to fine: what it knows, and how it proposes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/plan/earlier.h"
#include "daemon/plan/search/coarse_to_fine.h"
#include "sweep/buf.h"
#include "sweep/require.h"

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

/* In a finite space a stage may have had more before than its round has in all. */
static size_t beyond(int64_t runs, int64_t before)
{
    return runs > before ? (size_t)(runs - before) : 0;
}

size_t ctf_of_round(const struct ctf_plan *p, enum ctf_stage stage)
{
    return beyond(p->runs[stage], p->before[stage]);
}

size_t ctf_done_in_round(const struct ctf_call *c, enum ctf_stage stage)
{
    return beyond((int64_t)c->done[stage], c->plan->before[stage]);
}

void ctf_own_optimizer(const struct ctf_plan *p, struct assignment *a)
{
    if (p->choice != NULL)
        a->v[p->choice_at] = p->optimizer;
    space_complete(p->study->space, a);
}

const char *ctf_rate_text(const struct ctf_plan *p, const struct assignment *a,
                          char out[SPACE_TEXT_MAX])
{
    out[0] = '\0';
    if (p->rate != NULL)
        dimension_format(p->rate, a->v[p->rate_at], out);
    return out;
}

/* A run of the person's choice may have any optimizer, as those of the later stages do: what is
 * best with one says little of another. */
static bool has_own_optimizer(const struct ctf_plan *p, const struct trial *t)
{
    return p->choice == NULL || t->at.v[p->choice_at] == p->optimizer;
}

bool ctf_goes_by(const struct ctf_plan *p, const struct trial *t)
{
    bool own = strcmp(t->stage, "enqueued") != 0;
    if (t->kind == RUN_KIND_TREATMENT)
        return p->study->carries && trial_carries(p->study, t);
    return t->kind == RUN_KIND_SEARCH && (own || has_own_optimizer(p, t));
}

/* What was tried with the settings that the next runs will have. */
static void find_tried(struct ctf_call *c)
{
    const struct study *st = c->plan->study;
    uint64_t ground = st->carries && c->best != NULL ? c->best->ground : 0;
    tried_init(&c->tried, st->space);
    for (size_t i = 0; i < st->all_count; i++) {
        const struct trial *t = st->all[i];
        if (st->carries ? t->ground == ground : t->kind == RUN_KIND_SEARCH)
            (void)tried_add(&c->tried, &t->at);
    }
}

static void book_best(struct ctf_call *c, const struct trial *t)
{
    const struct study *st = c->plan->study;
    if (ctf_goes_by(c->plan, t) && trial_usable(t) &&
        (c->best == NULL || trial_better(t, c->best, st->maximize)))
        c->best = t;
}

static void find_best(struct ctf_call *c)
{
    const struct study *st = c->plan->study;
    for (size_t i = 0; i < earlier_count(st->earlier); i++)
        book_best(c, st->earlier->trials[i]);
    for (size_t i = 0; i < st->all_count; i++)
        book_best(c, st->all[i]);
}

void ctf_call_init(struct ctf_call *c, const struct ctf_plan *p, size_t want,
                   struct proposals *out)
{
    const struct study *st = p->study;
    *c = (struct ctf_call){.plan = p, .want = want, .out = out};
    for (size_t i = 0; i < st->count; i++)
        for (int k = 0; k < CTF_STAGE_COUNT; k++)
            c->done[k] += strcmp(st->trials[i]->stage, ctf_stage_name(k)) == 0;
    find_best(c);
    find_tried(c);
    space_middle(st->space, &c->base);
    ctf_own_optimizer(p, &c->base);
    double rates[RATES_MAX];
    if (c->best != NULL)
        space_take(st->space, &c->best->at, &c->base);
    else if (p->rate != NULL)
        c->base.v[p->rate_at] = rates[rates_decades(p->rate, RATES_MAX, rates) - 1];
    /* the number of runs so far names the place where the search stands: a stream for each */
    rng_init(&c->rng, st->seed, RNG_SEARCH, st->count);
}

bool ctf_propose(struct ctf_call *c, enum ctf_stage stage, const struct assignment *at,
                 const char *reason_fmt, ...)
{
    struct assignment own = *at;
    space_complete(c->plan->study->space, &own);
    if (!space_allows(c->plan->study->space, &own) || !tried_add(&c->tried, &own))
        return false;
    char reason[512];
    va_list ap;
    va_start(ap, reason_fmt);
    vsnprintf(reason, sizeof(reason), reason_fmt, ap);
    va_end(ap);
    proposals_add(c->out, &own, ctf_stage_name(stage), "%s", reason);
    if (c->plan->study->carries && c->best != NULL && c->best->ground != 0)
        c->out->items[c->out->count - 1].ground = c->best->number;
    return true;
}

bool ctf_propose_near(struct ctf_call *c, enum ctf_stage stage, const struct assignment *at,
                      uint64_t frozen, const char *reason)
{
    const struct space *s = c->plan->study->space;
    uint64_t choice = c->plan->choice_bit;
    struct assignment other;
    if (ctf_propose(c, stage, at, "%s", reason))
        return true;
    if (!space_near(s, at, frozen | choice, &c->tried, &c->rng, &other) &&
        !space_near(s, at, choice, &c->tried, &c->rng, &other))
        return false;
    return ctf_propose(c, stage, &other, "%s; tried before, so the nearest untried", reason);
}

void ctf_sort_rates(const struct ctf_call *c, size_t from)
{
    struct proposals *p = c->out;
    size_t at = c->plan->rate_at;
    if (c->plan->rate == NULL)
        return;
    for (size_t i = from + 1; i < p->count; i++) { /* insertion: stable, at most a batch */
        struct proposal item = p->items[i];
        size_t k = i;
        for (; k > from && p->items[k - 1].at.v[at] < item.at.v[at]; k--)
            p->items[k] = p->items[k - 1];
        p->items[k] = item;
    }
}
