#include "worker/nn/net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/nn/init.h"

/* Activations of an evaluation pass: what stays in the second- and third-level cache. */
#define EVAL_BYTES ((size_t)4 << 20)
#define SAMPLE_NUMBERS_MAX ((size_t)1 << 30) /* in and out of one layer */
#define FLOP_PER_PRODUCT 6 /* forward, gradients of weights and of inputs: multiply and add */
#define FLOP_MAX 9e15      /* what a line of the run folder holds exactly */

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* --- the list of layers --------------------------------------------------------------------- */

/* Adds layers[from, from + count) of the plan under the name prefix ("4.body."). */
static void add_layers(struct net *n, size_t from, size_t count, const char *prefix)
{
    const struct model_plan *m = n->plan.model;
    size_t place = 0;
    for (size_t i = from; i < from + count; place++) {
        const struct plan_layer *p = &m->layers[i++];
        struct layer *l = &n->layers[n->layer_count++];
        *l = (struct layer){.ops = layer_ops_of(p), .plan = p, .number = n->layer_count - 1,
                            .outputs = n->plan.outputs};
        snprintf(l->name, sizeof l->name, "%s%zu", prefix, place);
        if (p->kind != LAYER_RESIDUAL)
            continue;
        char inner[LAYER_NAME_MAX + 8];
        snprintf(inner, sizeof inner, "%s.body.", l->name);
        add_layers(n, i, p->inside, inner);
        i += p->inside;
        struct layer *end = &n->layers[n->layer_count++];
        *end = *l;
        end->ops = &layer_residual_end;
        end->partner = l;
        end->number = n->layer_count - 1;
    }
}

/* Shape of one layer from the one before it. */
static int shape_layer(struct net *n, size_t i, size_t rows, struct errbuf *err)
{
    struct layer *l = &n->layers[i];
    l->in = i > 0 ? n->layers[i - 1].out : n->plan.input;
    if (i == 0 && n->plan.model->flatten_input)
        l->in = (struct shape){.rank = 1, .dim = {shape_count(&n->plan.input)}};
    l->in_count = shape_count(&l->in);
    l->tensor_count = 0;
    l->keep_count = l->scratch_count = 0;
    l->products = 0;
    int rc = l->ops->shape(l, rows, err);
    if (rc != 0)
        return rc;
    l->out_count = shape_count(&l->out);
    if (l->out_count == 0 || l->out_count > SAMPLE_NUMBERS_MAX)
        return err_set(err, ERR_LIMIT, "layer %s (%s) gives %zu numbers per sample; allowed: up to "
                       "%zu", l->name, layer_kind_name(l->plan->kind), l->out_count,
                       SAMPLE_NUMBERS_MAX);
    return 0;
}

static int shape_layers(struct net *n, size_t rows, struct errbuf *err)
{
    for (size_t i = 0; i < n->layer_count; i++) {
        int rc = shape_layer(n, i, rows, err);
        if (rc != 0)
            return rc;
    }
    n->output = n->layers[n->layer_count - 1].out;
    return 0;
}

/* Layer i writes over the output of the layer before it. A view does so too: it writes nothing.
 * What a backward pass reads must stay, and so must the input, which tests use again. */
static bool shares_output(const struct net *n, size_t i)
{
    const struct layer_ops *ops = n->layers[i].ops;
    if (ops->view)
        return true;
    if (!ops->in_place || i == 0)
        return false;
    for (size_t k = i; k-- > 0;) {
        if (n->layers[k].ops->reads_y)
            return false;
        if (!n->layers[k].ops->view)
            return true;
    }
    return false; /* only views since the input */
}

/* --- memory --------------------------------------------------------------------------------- */

static void count_numbers(struct net *n)
{
    size_t buffers = 0;
    double products = 0;
    n->parameter_count = 0;
    n->span_count = 0;
    for (size_t i = 0; i < n->layer_count; i++) {
        products += n->layers[i].products;
        for (size_t k = 0; k < n->layers[i].tensor_count; k++) {
            const struct tensor *t = &n->layers[i].tensors[k];
            n->span_count += t->role != TENSOR_BUFFER;
            *(t->role == TENSOR_BUFFER ? &buffers : &n->parameter_count) += tensor_count(t);
        }
    }
    n->value_count = n->parameter_count + buffers;
    n->flop = fmin(FLOP_PER_PRODUCT * products, FLOP_MAX);
}

/* Numbers of the largest gradient that is handed from layer to layer. */
static size_t widest_output(const struct net *n)
{
    size_t widest = 0;
    for (size_t i = 0; i < n->layer_count; i++)
        widest = max_size(widest, n->layers[i].out_count);
    return widest;
}

/* Numbers per sample of all outputs, and of what layers keep beside them; laid out for one row. */
static size_t numbers_per_row(const struct net *n)
{
    size_t sum = shape_count(&n->plan.input);
    for (size_t i = 0; i < n->layer_count; i++)
        sum += (shares_output(n, i) ? 0 : n->layers[i].out_count) + n->layers[i].keep_count;
    return sum;
}

static size_t rows_of(const struct net *n)
{
    return max_size(n->plan.train_rows, n->eval_rows);
}

/* Every piece of the arena in turn: take() either adds up bytes or hands memory out. */
struct cutter {
    struct arena *arena; /* NULL: count only */
    double bytes;        /* in double: the factors come from a configuration */
};

static real *cut(struct cutter *c, double numbers)
{
    if (c->arena)
        return arena_take(c->arena, (size_t)numbers * sizeof(real));
    c->bytes += numbers * sizeof(real) + 64;
    return NULL;
}

static void cut_arena(struct net *n, struct cutter *c)
{
    double rows = (double)rows_of(n), grad = (double)n->plan.train_rows * (double)widest_output(n);
    size_t scratch = 0;
    n->values = cut(c, (double)n->value_count);
    n->gradients = cut(c, (double)n->parameter_count);
    for (size_t i = 0; i < n->plan.copies; i++)
        n->copies[i] = cut(c, (double)n->value_count);
    n->input = cut(c, rows * (double)shape_count(&n->plan.input));
    n->output_grad = cut(c, grad);
    n->spare_grad = cut(c, grad);
    real *y = n->input;
    for (size_t i = 0; i < n->layer_count; i++) {
        struct layer *l = &n->layers[i];
        if (!shares_output(n, i))
            y = cut(c, rows * (double)l->out_count);
        l->y = y;
        l->keep = l->keep_count > 0 && !l->partner ? cut(c, (double)l->keep_count) : NULL;
        scratch = max_size(scratch, l->scratch_count);
    }
    n->scratch = cut(c, (double)scratch);
}

/* Gives each tensor its place: trained ones in order, then the buffers. */
static void place_tensors(struct net *n)
{
    size_t at = 0, buffer = n->parameter_count, spans = 0, weighted = 0;
    n->first_trained = n->first_layer = 0;
    for (size_t i = 0; i < n->layer_count; i++) {
        struct layer *l = &n->layers[i];
        weighted += l->tensor_count > 0;
        bool frozen = l->tensor_count > 0 && weighted <= n->plan.freeze;
        for (size_t k = 0; k < l->tensor_count; k++) {
            struct tensor *t = &l->tensors[k];
            size_t count = tensor_count(t);
            bool trained = t->role != TENSOR_BUFFER;
            size_t *place = trained ? &at : &buffer;
            t->value = n->values + *place;
            t->grad = trained ? n->gradients + *place : NULL;
            if (trained && !frozen)
                n->spans[spans++] = (struct net_span){*place, count, t->role == TENSOR_WEIGHT};
            *place += count;
        }
        if (frozen) {
            n->first_trained = at;
            n->first_layer = i + 1;
        }
    }
    n->span_count = spans;
}

static void draw_weights(struct net *n, uint64_t seed)
{
    uint64_t number = 0;
    for (size_t i = 0; i < n->layer_count; i++) {
        const struct layer *l = &n->layers[i];
        for (size_t k = 0; k < l->tensor_count; k++) {
            const struct tensor *t = &l->tensors[k];
            if (t->role == TENSOR_WEIGHT) {
                init_tensor(t, n->plan.init, l->plan->is_output, seed, number++);
            } else {
                for (size_t j = 0; j < tensor_count(t); j++)
                    t->value[j] = (real)t->start;
            }
        }
    }
}

/* --- the life of a network ------------------------------------------------------------------ */

static size_t count_layers(const struct model_plan *m)
{
    size_t count = m->count;
    for (size_t i = 0; i < m->count; i++)
        count += m->layers[i].kind == LAYER_RESIDUAL;
    return count;
}

static void choose_eval_rows(struct net *n)
{
    size_t fits = EVAL_BYTES / sizeof(real) / numbers_per_row(n);
    n->eval_rows = min_size(n->plan.eval_rows, max_size(n->plan.train_rows, max_size(fits, 1)));
}

static int check_freeze(const struct net *n, struct errbuf *err)
{
    size_t weighted = 0;
    for (size_t i = 0; i < n->layer_count; i++)
        weighted += n->layers[i].tensor_count > 0;
    if (n->plan.freeze < weighted)
        return 0;
    char value[32];
    snprintf(value, sizeof value, "%zu", n->plan.freeze);
    return err_bad(err, ERR_VALUE, "$.train.freeze", value,
                   "fewer than the %zu layers that have weights", weighted);
}

/* Everything but the arena. */
static int net_layout(struct net *n, const struct net_plan *plan, struct errbuf *err)
{
    *n = (struct net){.plan = *plan};
    n->layers = xcalloc(count_layers(plan->model), sizeof *n->layers);
    add_layers(n, 0, plan->model->count, "");
    int rc = shape_layers(n, 1, err);
    if (rc == 0) {
        choose_eval_rows(n);
        rc = shape_layers(n, rows_of(n), err);
    }
    if (rc == 0)
        rc = check_freeze(n, err);
    if (rc != 0) {
        free(n->layers);
        return rc;
    }
    count_numbers(n);
    return 0;
}

/* Of the arena. */
static int count_bytes(struct net *n, size_t *bytes, struct errbuf *err)
{
    struct cutter count = {0};
    cut_arena(n, &count);
    int rc = arena_check(count.bytes, "the network", err);
    if (rc == 0)
        *bytes = (size_t)count.bytes;
    return rc;
}

int net_check(const struct net_plan *plan, struct net_size *out, struct errbuf *err)
{
    struct net n;
    int rc = net_layout(&n, plan, err);
    if (rc != 0)
        return rc;
    size_t bytes;
    rc = count_bytes(&n, &bytes, err);
    if (rc == 0)
        *out = (struct net_size){.output = n.output, .flop = n.flop};
    free(n.layers);
    return rc;
}

int net_init(struct net *n, const struct net_plan *plan, uint64_t seed, struct errbuf *err)
{
    REQUIRE(plan->copies <= NET_COPIES_MAX && plan->init != INIT_AUTO);
    struct net fresh;
    size_t bytes;
    int rc = net_layout(&fresh, plan, err);
    if (rc != 0)
        return rc;
    rc = count_bytes(&fresh, &bytes, err);
    if (rc == 0)
        rc = arena_init(&fresh.arena, bytes, "the network", err);
    if (rc != 0) {
        free(fresh.layers);
        return rc;
    }
    cut_arena(&fresh, &(struct cutter){.arena = &fresh.arena});
    fresh.spans = xcalloc(fresh.span_count + 1, sizeof *fresh.spans);
    fresh.seed = seed;
    place_tensors(&fresh);
    draw_weights(&fresh, seed);
    *n = fresh;
    return 0;
}

void net_finish(struct net *n)
{
    arena_finish(&n->arena);
    free(n->layers);
    free(n->spans);
    memset(n, 0, sizeof *n);
}

/* --- passes --------------------------------------------------------------------------------- */

static struct pass pass_of(const struct net *n, size_t rows, bool training, uint64_t step)
{
    return (struct pass){rows, training, n->seed, step, n->scratch};
}

/* Frozen layers run as in evaluation: their normalisations and dropouts are not trained either. */
const real *net_forward(struct net *n, size_t rows, bool training, uint64_t step)
{
    struct pass p = pass_of(n, rows, false, step);
    const real *x = n->input;
    for (size_t i = 0; i < n->layer_count; i++) {
        const struct layer *l = &n->layers[i];
        p.training = training && i >= n->first_layer;
        l->ops->forward(l, &p, x, l->y);
        x = l->y;
    }
    return x;
}

/* The gradient goes back through two buffers in turn; in-place layers stay in theirs. The first
 * trained layer needs no gradient of its input. */
void net_backward(struct net *n, size_t rows, uint64_t step)
{
    struct pass p = pass_of(n, rows, true, step);
    real *dy = n->output_grad, *other = n->spare_grad;
    for (size_t i = n->layer_count; i-- > n->first_layer;) {
        const struct layer *l = &n->layers[i];
        const real *x = i > 0 ? n->layers[i - 1].y : n->input;
        real *dx = l->ops->in_place ? dy : other;
        struct layer_slope s = {x, l->y, dy, i > n->first_layer ? dx : NULL};
        l->ops->backward(l, &p, &s);
        if (l->ops->in_place)
            continue;
        real *swap = dy;
        dy = other;
        other = swap;
    }
}
