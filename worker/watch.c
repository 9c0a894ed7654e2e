#include "worker/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "worker/optim/clip.h"

/* tanh' = 1 - y² and σ' = y(1-y) are below 6 % and 12 % of their largest value beyond these. */
#define TANH_REACH ((real)0.97)
#define SIGMOID_REACH ((real)0.47) /* about 1/2 */
#define COUNTED 4096               /* outputs that are counted in 32 bits at a time */

/* --- which layers --------------------------------------------------------------------------- */

static bool is(const struct layer *l, enum layer_trait trait)
{
    return layer_is(l->plan->kind, trait);
}

/* The activation behind layer i, normalisations and the like between them left out. */
static const struct layer *activation_behind(const struct net *n, size_t i)
{
    if (is(&n->layers[i], LAYER_TRAIT_KEEPS_UNITS))
        return NULL; /* a normalisation has weights too; the activation is that of what it norms */
    for (size_t k = i + 1; k < n->layer_count; k++) {
        if (is(&n->layers[k], LAYER_TRAIT_ACTIVATION))
            return &n->layers[k];
        if (!is(&n->layers[k], LAYER_TRAIT_KEEPS_UNITS))
            return NULL;
    }
    return NULL;
}

static size_t unit_count(const struct shape *s)
{
    return s->rank == 2 ? s->dim[1] : s->dim[0]; /* features of a step, channels, or all */
}

static void select_saturation(struct watched *w, real centre, real reach)
{
    w->centre = centre;
    w->reach = reach;
}

static void select_activation(struct watched *w)
{
    switch ((enum activation)w->active->plan->value[LAYER_OPTION_FUNCTION]) {
    case ACTIVATION_RELU:
    case ACTIVATION_LEAKY_RELU:
        w->units = unit_count(&w->active->out);
        break;
    case ACTIVATION_TANH:
        select_saturation(w, 0, TANH_REACH);
        break;
    case ACTIVATION_SIGMOID:
        select_saturation(w, (real)0.5, SIGMOID_REACH);
        break;
    default:
        break;
    }
}

/* What lies in place on a recurrent layer's states. Dropout leaves them alone in evaluation. */
static void select_states(struct watched *w, const struct net *n, size_t i)
{
    const struct layer *next = i + 1 < n->layer_count ? &n->layers[i + 1] : NULL;
    bool shared = next && next->y == w->layer->y && !next->ops->view;
    if (shared && !is(next, LAYER_TRAIT_DROPOUT))
        return;
    w->active = w->layer;
    w->overwritten = shared;
    select_saturation(w, 0, TANH_REACH);
}

static void select_layer(struct watched *w, const struct net *n, size_t i, size_t *span)
{
    *w = (struct watched){.layer = &n->layers[i], .first_span = *span};
    for (size_t k = 0; k < w->layer->tensor_count; k++) {
        const struct tensor *t = &w->layer->tensors[k];
        size_t first = (size_t)(t->value - n->values);
        w->span_count += *span < n->span_count && n->spans[*span].first == first;
        *span = w->first_span + w->span_count;
    }
    w->active = activation_behind(n, i);
    if (w->active)
        select_activation(w);
    else if (is(w->layer, LAYER_TRAIT_RECURRENT))
        select_states(w, n, i);
}

/* --- life ----------------------------------------------------------------------------------- */

static size_t count_weighted(const struct net *n)
{
    size_t count = 0;
    for (size_t i = 0; i < n->layer_count; i++)
        count += n->layers[i].tensor_count > 0;
    return count;
}

/* Of more layers than there is room for, those in the middle are left out. */
static bool is_left_out(size_t number, size_t all)
{
    size_t half = LAYER_STATS_MAX / 2;
    return all > LAYER_STATS_MAX && number >= half && number < all - half;
}

static void share_out_units(struct watch *w)
{
    for (size_t i = 0; i < w->count; i++)
        w->unit_count += w->layers[i].units;
    w->alive = xmalloc((w->unit_count + 1) * sizeof *w->alive);
    real *at = w->alive;
    for (size_t i = 0; i < w->count; i++) {
        w->layers[i].alive = w->layers[i].units > 0 ? at : NULL;
        at += w->layers[i].units;
    }
}

void watch_init(struct watch *w, const struct net *n)
{
    size_t all = count_weighted(n), number = 0, span = 0;
    *w = (struct watch){0};
    w->layers = xcalloc(all + 1, sizeof *w->layers);
    for (size_t i = 0; i < n->layer_count; i++) {
        if (n->layers[i].tensor_count == 0)
            continue;
        select_layer(&w->layers[w->count], n, i, &span);
        w->count += !is_left_out(number++, all);
    }
    share_out_units(w);
    w->optim.gradient2 = xcalloc(n->span_count + 1, sizeof *w->optim.gradient2);
    w->optim.moved2 = xcalloc(n->span_count + 1, sizeof *w->optim.moved2);
}

void watch_finish(struct watch *w)
{
    free(w->layers);
    free(w->alive);
    free(w->optim.gradient2);
    free(w->optim.moved2);
    memset(w, 0, sizeof *w);
}

/* --- outputs -------------------------------------------------------------------------------- */

void watch_begin(struct watch *w)
{
    memset(w->alive, 0, w->unit_count * sizeof *w->alive);
    for (size_t i = 0; i < w->count; i++)
        w->layers[i].beyond = w->layers[i].outputs = 0;
}

/* NaN counts as alive: the unit is not what is wrong then. */
REAL_KERNEL
static void mark_alive(size_t rows, size_t units, const real *y, real *alive)
{
    for (size_t r = 0; r < rows; r++, y += units) {
        for (size_t u = 0; u < units; u++)
            alive[u] = y[u] <= 0 ? alive[u] : 1;
    }
}

static bool any_alive(size_t n, const real *y)
{
    for (size_t i = 0; i < n; i++) {
        if (!(y[i] <= 0))
            return true;
    }
    return false;
}

/* y[rows, channels, area]. A channel that was seen alive is not looked at again. */
static void mark_channels(size_t rows, size_t channels, size_t area, const real *y, real *alive)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < channels; c++, y += area) {
            if (alive[c] == 0 && any_alive(area, y))
                alive[c] = 1;
        }
    }
}

REAL_KERNEL
static size_t count_beyond(size_t n, const real *y, real centre, real reach)
{
    size_t count = 0;
    while (n > 0) {
        size_t now = n < COUNTED ? n : COUNTED;
        uint32_t some = 0;
        for (size_t i = 0; i < now; i++)
            some += y[i] - centre > reach || y[i] - centre < -reach;
        count += some;
        y += now;
        n -= now;
    }
    return count;
}

static void watch_layer(struct watched *w, size_t rows)
{
    const struct layer *a = w->active;
    size_t outputs = rows * a->out_count;
    w->outputs += outputs;
    if (w->reach > 0)
        w->beyond += count_beyond(outputs, a->y, w->centre, w->reach);
    if (w->alive && a->out.rank == 3)
        mark_channels(rows, w->units, a->out_count / w->units, a->y, w->alive);
    else if (w->alive)
        mark_alive(outputs / w->units, w->units, a->y, w->alive);
}

void watch_outputs(struct watch *w, size_t rows, bool training)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->layers[i].active && !(training && w->layers[i].overwritten))
            watch_layer(&w->layers[i], rows);
    }
}

/* --- results -------------------------------------------------------------------------------- */

static double sum_of(const double *squares, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += squares[i];
    return sum;
}

static double weight_norm(const struct layer *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->tensor_count; i++) {
        if (l->tensors[i].role != TENSOR_BUFFER)
            sum += clip_squares(tensor_count(&l->tensors[i]), l->tensors[i].value);
    }
    return sqrt(sum);
}

static double dead_share(const struct watched *w)
{
    size_t dead = 0;
    if (!w->alive || w->outputs == 0)
        return NAN;
    for (size_t u = 0; u < w->units; u++)
        dead += w->alive[u] == 0;
    return (double)dead / (double)w->units;
}

static void sum_up(const struct watch *w, const struct watched *l, struct layer_stat *s)
{
    str_copy(s->name, sizeof s->name, l->layer->name);
    s->weight_norm = weight_norm(l->layer);
    s->grad_norm = s->update_ratio = NAN;
    if (l->span_count > 0) {
        s->grad_norm = sqrt(sum_of(w->optim.gradient2 + l->first_span, l->span_count));
        s->update_ratio = sqrt(sum_of(w->optim.moved2 + l->first_span, l->span_count)) /
                          s->weight_norm;
    }
    s->not_a_number = 0;
    if (l->span_count > 0 && isnan(s->grad_norm))
        s->not_a_number |= 1u << LAYER_STAT_grad_norm;
    if (l->span_count > 0 && isnan(s->update_ratio))
        s->not_a_number |= 1u << LAYER_STAT_update_ratio;
    if (isnan(s->weight_norm))
        s->not_a_number |= 1u << LAYER_STAT_weight_norm;
    s->dead = dead_share(l);
    s->saturated = l->reach > 0 && l->outputs > 0 ? (double)l->beyond / (double)l->outputs : NAN;
}

void watch_end(struct watch *w)
{
    w->stats.count = w->count;
    for (size_t i = 0; i < w->count; i++)
        sum_up(w, &w->layers[i], &w->stats.layers[i]);
}
