#include "worker/optim/optim.h"

#include <string.h>

#include "sweep/require.h"
#include "sweep/rng.h"
#include "worker/optim/clip.h"

/* Numbers per piece: gradient, parameters and two states of a piece stay in the first-level
 * cache between the norm and the update. A multiple of REAL_LANES. */
#define PIECE 1024

static const struct optim_ops *const optimizers[] = {
#define X(id, name, rate) [OPTIMIZER_##id] = &optim_##name,
    OPTIMIZER_MAP(X)
#undef X
};

void optim_init(struct optim *o, const struct settings *s)
{
    size_t kind = (size_t)s->v[SETTING_OPTIMIZER];
    REQUIRE(kind < ARRAY_LEN(optimizers));
    *o = (struct optim){
        .ops = optimizers[kind],
        .learning_rate = s->v[SETTING_LEARNING_RATE],
        .momentum = s->v[SETTING_MOMENTUM],
        .beta1 = s->v[SETTING_BETA1],
        .beta2 = s->v[SETTING_BETA2],
        .alpha = s->v[SETTING_ALPHA],
        .rho = s->v[SETTING_RHO],
        .epsilon = s->v[SETTING_EPSILON],
        .weight_decay = kind == OPTIMIZER_ADAMW ? s->v[SETTING_WEIGHT_DECAY] : 0,
        .l2 = s->v[SETTING_L2_GRADIENT] ? s->v[SETTING_L2] : 0,
        .clip = (enum clip)s->v[SETTING_CLIP],
        .clip_min = s->v[SETTING_CLIP_MIN],
        .clip_max = s->v[SETTING_CLIP_MAX],
        .clip_norm = s->v[SETTING_CLIP_NORM],
        .noise = s->v[SETTING_GRADIENT_NOISE],
    };
}

/* The span from spans[*i] on, with those behind it that follow without a gap and are alike;
 * *i moves past them. Biases are short: one pass over a whole network beats one per tensor. */
static struct net_span next_run(const struct net *n, bool by_tensor, bool by_role, size_t *i)
{
    struct net_span run = n->spans[(*i)++];
    while (!by_tensor && *i < n->span_count) {
        const struct net_span *next = &n->spans[*i];
        if (next->first != run.first + run.count || (by_role && next->is_weight != run.is_weight))
            break;
        run.count += next->count;
        (*i)++;
    }
    return run;
}

static double run_squares(const struct net_span *run, const real *x)
{
    double sum = 0;
    for (size_t i = 0; i < run->count; i += PIECE) {
        size_t n = run->count - i < PIECE ? run->count - i : PIECE;
        sum += clip_squares(n, x + run->first + i);
    }
    return sum;
}

static double all_squares(const struct net *n, const real *x)
{
    double sum = 0;
    for (size_t i = 0; i < n->span_count;) {
        struct net_span run = next_run(n, false, false, &i);
        sum += run_squares(&run, x);
    }
    return sum;
}

/* g += l2·p: the gradient of l2/2·‖p‖² */
REAL_KERNEL
static void add_penalty(size_t n, real l2, const real *restrict p, real *restrict g)
{
    for (size_t i = 0; i < n; i++)
        g[i] += l2 * p[i];
}

static void add_noise(struct rng *r, size_t n, real deviation, real *g)
{
    for (size_t i = 0; i < n; i++)
        g[i] += deviation * (real)rng_normal(r);
}

/* --- watching ------------------------------------------------------------------------------- */

/* Norms of one step by span; the pieces come in their order. */
struct norms {
    struct optim_watch *watch;
    const struct net_span *spans; /* of the network */
    size_t span;                  /* that the piece at hand begins in, or that begins behind it */
    real before[PIECE];           /* the piece as it was */
};

static void norms_begin(struct norms *g, struct optim_watch *w, const struct net *n)
{
    g->watch = w;
    g->spans = n->spans;
    g->span = 0;
    memset(w->gradient2, 0, n->span_count * sizeof *w->gradient2);
    memset(w->moved2, 0, n->span_count * sizeof *w->moved2);
}

/* out[span] += Σ x² over what x[n], the numbers from `at` on, has of each span. */
static void add_by_span(const struct norms *g, size_t at, size_t n, const real *x, double *out)
{
    for (size_t s = g->span, done = 0; done < n; s++) {
        size_t end = g->spans[s].first + g->spans[s].count;
        size_t part = end - at - done < n - done ? end - at - done : n - done;
        out[s] += clip_squares(part, x + done);
        done += part;
    }
}

static void norms_before(struct norms *g, size_t at, size_t n, const real *p, const real *gradient)
{
    while (g->spans[g->span].first + g->spans[g->span].count <= at)
        g->span++;
    memcpy(g->before, p, n * sizeof *p);
    add_by_span(g, at, n, gradient, g->watch->gradient2);
}

static void norms_after(struct norms *g, size_t at, size_t n, const real *p)
{
    for (size_t i = 0; i < n; i++)
        g->before[i] = p[i] - g->before[i];
    add_by_span(g, at, n, g->before, g->watch->moved2);
}

/* --- the step ------------------------------------------------------------------------------- */

/* One step over a network: what its spans have in common. */
struct walk {
    struct optim *optim;
    struct net *net;
    struct norms *norms; /* or NULL */
    real coefficient;    /* of clipping by norm, 1 when off */
    double norm2;        /* of the gradient before clipping, so far */
    real noise;          /* deviation; 0: none */
    struct rng rng;      /* of it */
};

static void update(const struct optim *o, struct net *net, size_t at, size_t n, real decay)
{
    o->ops->update(o, &(struct optim_piece){
                          .n = n,
                          .decay = decay,
                          .p = net->values + at,
                          .g = net->gradients + at,
                          .state = {o->state[0] ? o->state[0] + at : NULL,
                                    o->state[1] ? o->state[1] + at : NULL},
                      });
}

/* Adds to norm2 if it sums. */
static void step_span(struct walk *w, const struct net_span *run, bool sums)
{
    struct optim *o = w->optim;
    real l2 = run->is_weight ? (real)o->l2 : 0, decay = run->is_weight ? (real)o->weight_decay : 0;
    for (size_t i = 0; i < run->count; i += PIECE) {
        size_t at = run->first + i, n = run->count - i < PIECE ? run->count - i : PIECE;
        real *p = w->net->values + at, *g = w->net->gradients + at;
        if (sums)
            w->norm2 += clip_squares(n, g);
        if (w->norms)
            norms_before(w->norms, at, n, p, g);
        if (w->coefficient != 1)
            clip_scale(n, w->coefficient, g);
        if (o->clip == CLIP_VALUE)
            clip_bound(n, (real)o->clip_min, (real)o->clip_max, g);
        if (w->noise > 0)
            add_noise(&w->rng, n, w->noise, g);
        if (l2 != 0)
            add_penalty(n, l2, p, g);
        update(o, w->net, at, n, decay);
        if (w->norms)
            norms_after(w->norms, at, n, p);
    }
}

/* The variance falls as (1 + t)^-0.55, t steps done. */
static void begin_noise(struct walk *w, const struct optim *o)
{
    if (o->noise == 0)
        return;
    w->noise = (real)sqrt(o->noise * pow(1 + (double)o->step, -0.55));
    rng_init(&w->rng, o->seed, RNG_NOISE, o->step);
}

/* One pass; a second over the gradients, before, only where their norm decides about them. */
double optim_step(struct optim *o, struct net *n)
{
    bool by_tensor = o->clip == CLIP_NORM, by_role = o->l2 != 0 || o->weight_decay != 0;
    bool global = o->clip == CLIP_GLOBAL_NORM;
    struct norms norms;
    struct walk w = {.optim = o, .net = n, .norms = o->watch ? &norms : NULL, .coefficient = 1};
    if (global) {
        w.norm2 = all_squares(n, n->gradients);
        w.coefficient = clip_coefficient(w.norm2, o->clip_norm);
    }
    if (o->watch)
        norms_begin(&norms, o->watch, n);
    begin_noise(&w, o);
    o->step++;
    if (o->ops->prepare)
        o->ops->prepare(o);
    for (size_t i = 0; i < n->span_count;) {
        struct net_span run = next_run(n, by_tensor, by_role, &i);
        if (by_tensor) {
            double squares = run_squares(&run, n->gradients);
            w.coefficient = clip_coefficient(squares, o->clip_norm);
            w.norm2 += squares;
        }
        step_span(&w, &run, !by_tensor && !global);
    }
    return w.norm2;
}

double optim_penalty(const struct settings *s, const struct net *n)
{
    double l2 = s->v[SETTING_L2], sum = 0;
    for (size_t i = 0; l2 != 0 && i < n->span_count; i++) {
        if (n->spans[i].is_weight)
            sum += run_squares(&n->spans[i], n->values);
    }
    return l2 / 2 * sum;
}
