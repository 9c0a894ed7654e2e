#include "worker/optim/optim.h"

#include <string.h>

#include "sweep/require.h"
#include "worker/optim/clip.h"

/* Numbers per piece: gradient, parameters and two states of a piece stay in the first-level
 * cache between the norm and the update. A multiple of REAL_LANES. */
#define PIECE 1024

static const struct optim_ops *const optimizers[] = {
    [OPTIMIZER_SGD] = &optim_sgd,           [OPTIMIZER_MOMENTUM] = &optim_momentum,
    [OPTIMIZER_NESTEROV] = &optim_nesterov, [OPTIMIZER_RMSPROP] = &optim_rmsprop,
    [OPTIMIZER_ADAM] = &optim_adam,         [OPTIMIZER_ADAMW] = &optim_adamw,
    [OPTIMIZER_ADAGRAD] = &optim_adagrad,   [OPTIMIZER_ADADELTA] = &optim_adadelta,
};
_Static_assert(ARRAY_LEN(optimizers) == OPTIMIZER_COUNT, "a row for each optimizer");

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

/* coefficient: of clipping by norm, 1 when off. Adds to *norm2 unless it is NULL. norms: or NULL */
static void step_span(struct optim *o, struct net *net, const struct net_span *run,
                      real coefficient, double *norm2, struct norms *norms)
{
    real l2 = run->is_weight ? (real)o->l2 : 0, decay = run->is_weight ? (real)o->weight_decay : 0;
    for (size_t i = 0; i < run->count; i += PIECE) {
        size_t at = run->first + i, n = run->count - i < PIECE ? run->count - i : PIECE;
        real *p = net->values + at, *g = net->gradients + at;
        if (norm2)
            *norm2 += clip_squares(n, g);
        if (norms)
            norms_before(norms, at, n, p, g);
        if (coefficient != 1)
            clip_scale(n, coefficient, g);
        if (o->clip == CLIP_VALUE)
            clip_bound(n, (real)o->clip_min, (real)o->clip_max, g);
        if (l2 != 0)
            add_penalty(n, l2, p, g);
        o->ops->update(o, n, decay, p, g, o->state[0] ? o->state[0] + at : NULL,
                       o->state[1] ? o->state[1] + at : NULL);
        if (norms)
            norms_after(norms, at, n, p);
    }
}

/* One pass; a second over the gradients, before, only where their norm decides about them. */
double optim_step(struct optim *o, struct net *n)
{
    bool by_tensor = o->clip == CLIP_NORM, by_role = o->l2 != 0 || o->weight_decay != 0;
    bool global = o->clip == CLIP_GLOBAL_NORM;
    double norm2 = global ? all_squares(n, n->gradients) : 0;
    real coefficient = global ? clip_coefficient(norm2, o->clip_norm) : 1;
    struct norms norms;
    if (o->watch)
        norms_begin(&norms, o->watch, n);
    o->step++;
    if (o->ops->prepare)
        o->ops->prepare(o);
    for (size_t i = 0; i < n->span_count;) {
        struct net_span run = next_run(n, by_tensor, by_role, &i);
        if (by_tensor) {
            double squares = run_squares(&run, n->gradients);
            coefficient = clip_coefficient(squares, o->clip_norm);
            norm2 += squares;
        }
        step_span(o, n, &run, coefficient, by_tensor || global ? NULL : &norm2,
                  o->watch ? &norms : NULL);
    }
    return norm2;
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
