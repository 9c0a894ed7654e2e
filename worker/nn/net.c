#include "worker/nn/net.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/nn/init.h"

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Shapes and kinds of the layers; nothing is allocated but the list. */
static void net_layout(struct net *n)
{
    const struct net_plan *p = &n->plan;
    n->layer_count = 2 * p->depth + 1;
    n->layers = xcalloc(n->layer_count, sizeof *n->layers);
    size_t in = p->features;
    for (size_t i = 0; i < n->layer_count; i++) {
        struct layer *l = &n->layers[i];
        l->ops = i % 2 == 0 ? &layer_dense : layer_activation(p->activation);
        l->in = in;
        l->out = i + 1 == n->layer_count ? p->classes : p->width;
        in = l->out;
        n->parameter_count += l->ops->weight_count(l) + l->ops->bias_count(l);
    }
}

/* Numbers per sample of the widest gradient: what a backward buffer must hold. The first
 * layer's input gradient is never computed. */
static size_t widest_output(const struct net *n)
{
    size_t widest = 0;
    for (size_t i = 0; i < n->layer_count; i++)
        widest = max_size(widest, n->layers[i].out);
    return widest;
}

/* Bytes of the arena. Sizes come from a configuration: settings and data caps bound each factor
 * (width <= 2^16, depth <= 2^8, features <= 2^24, rows < 2^32), so 64 bits could overflow only in
 * the product with the rows; it is computed in double first. */
static int net_bytes(const struct net *n, size_t *bytes, struct errbuf *err)
{
    const struct net_plan *p = &n->plan;
    size_t rows = max_size(p->train_rows, p->eval_rows);
    size_t outputs = 0;
    for (size_t i = 0; i < n->layer_count; i++)
        outputs += n->layers[i].ops->in_place ? 0 : n->layers[i].out;
    size_t per_row = p->features + outputs + 2 * widest_output(n);
    double vectors = 2.0 + (double)p->copies;
    double total = (double)rows * (double)per_row + (double)n->parameter_count * vectors;
    if (total * sizeof(real) > 0x1p46)
        return err_set(err, ERR_LIMIT, "the network needs %.0f GiB", total * sizeof(real) / 0x1p30);
    size_t sum = (2 + p->copies) * arena_piece(n->parameter_count * sizeof(real));
    sum += arena_piece(rows * p->features * sizeof(real));
    sum += 2 * arena_piece(rows * widest_output(n) * sizeof(real));
    for (size_t i = 0; i < n->layer_count; i++) {
        if (!n->layers[i].ops->in_place)
            sum += arena_piece(rows * n->layers[i].out * sizeof(real));
    }
    *bytes = sum;
    return 0;
}

static void net_cut_arena(struct net *n)
{
    const struct net_plan *p = &n->plan;
    size_t rows = max_size(p->train_rows, p->eval_rows);
    size_t vector = n->parameter_count * sizeof(real);
    n->parameters = arena_take(&n->arena, vector);
    n->gradients = arena_take(&n->arena, vector);
    for (size_t i = 0; i < p->copies; i++)
        n->copies[i] = arena_take(&n->arena, vector);
    n->input = arena_take(&n->arena, rows * p->features * sizeof(real));
    n->output_grad = arena_take(&n->arena, rows * widest_output(n) * sizeof(real));
    n->spare_grad = arena_take(&n->arena, rows * widest_output(n) * sizeof(real));
    size_t offset = 0;
    real *y = NULL;
    for (size_t i = 0; i < n->layer_count; i++) {
        struct layer *l = &n->layers[i];
        size_t weights = l->ops->weight_count(l), biases = l->ops->bias_count(l);
        if (weights) {
            l->weight = n->parameters + offset;
            l->weight_grad = n->gradients + offset;
        }
        if (biases) {
            l->bias = n->parameters + offset + weights;
            l->bias_grad = n->gradients + offset + weights;
        }
        offset += weights + biases;
        if (!l->ops->in_place)
            y = arena_take(&n->arena, rows * l->out * sizeof(real));
        l->y = y;
    }
}

/* Biases stay 0. */
static void net_draw(struct net *n, uint64_t seed)
{
    enum init init = init_resolve(n->plan.init, n->plan.activation);
    uint64_t drawn = 0;
    for (size_t i = 0; i < n->layer_count; i++) {
        struct layer *l = &n->layers[i];
        if (!l->weight)
            continue;
        double bound = init_bound(init, l->in, l->out, i + 1 == n->layer_count);
        init_weights(l->weight, l->ops->weight_count(l), bound, seed, drawn++);
    }
}

int net_init(struct net *n, const struct net_plan *plan, uint64_t seed, struct errbuf *err)
{
    REQUIRE(plan->copies <= NET_COPIES_MAX);
    struct net fresh = {.plan = *plan};
    net_layout(&fresh);
    size_t bytes = 0;
    int rc = net_bytes(&fresh, &bytes, err);
    if (rc == 0)
        rc = arena_init(&fresh.arena, bytes, "the network", err);
    if (rc != 0) {
        free(fresh.layers);
        return rc;
    }
    net_cut_arena(&fresh);
    net_draw(&fresh, seed);
    *n = fresh;
    return 0;
}

void net_finish(struct net *n)
{
    arena_finish(&n->arena);
    free(n->layers);
    memset(n, 0, sizeof *n);
}

const real *net_forward(struct net *n, size_t rows)
{
    const real *x = n->input;
    for (size_t i = 0; i < n->layer_count; i++) {
        const struct layer *l = &n->layers[i];
        l->ops->forward(l, rows, x, l->y);
        x = l->y;
    }
    return x;
}

void net_backward(struct net *n, size_t rows)
{
    real *dy = n->output_grad, *other = n->spare_grad;
    for (size_t i = n->layer_count; i-- > 0;) {
        const struct layer *l = &n->layers[i];
        const real *x = i > 0 ? n->layers[i - 1].y : n->input;
        if (l->ops->in_place) {
            l->ops->backward(l, rows, l->y, l->y, dy, dy);
            continue;
        }
        l->ops->backward(l, rows, x, l->y, dy, i > 0 ? other : NULL);
        real *swap = dy;
        dy = other;
        other = swap;
    }
}
