/* A residual block (He et al. 2016; G3.2): y = body(x) + x. It lies in the network as two layers
 * with the body between them. The beginning passes x on; the end adds it. On the way back the end
 * keeps the gradient and the beginning adds it. */
#include "worker/nn/layer.h"

#include <stdio.h>
#include <string.h>

#include "sweep/err.h"

REAL_KERNEL
static void add(size_t n, const real *a, const real *b, real *sum)
{
    for (size_t i = 0; i < n; i++)
        sum[i] = a[i] + b[i];
}

static int begin_shape(struct layer *l, size_t rows, struct errbuf *err)
{
    l->out = l->in;
    l->keep_count = rows * l->in_count;
    return 0;
}

static void begin_forward(const struct layer *l, const struct pass *p, const real *x, real *y)
{
}

/* keep: dy of the block's end */
static void begin_backward(const struct layer *l, const struct pass *p, const struct layer_slope *s)
{
    if (s->dx)
        add(p->rows * l->in_count, s->dy, l->keep, s->dx);
}

static int end_shape(struct layer *l, size_t rows, struct errbuf *err)
{
    const struct shape *begin = &l->partner->in;
    if (l->in.rank != begin->rank || memcmp(l->in.dim, begin->dim, sizeof l->in.dim) != 0) {
        char needs[SHAPE_TEXT_MAX + 64], text[SHAPE_TEXT_MAX];
        snprintf(needs, sizeof needs, "layers that end with the shape they begin with, %s",
                 shape_format(begin, text));
        return layer_refuse(l, needs, err);
    }
    l->out = l->in;
    return 0;
}

static void end_forward(const struct layer *l, const struct pass *p, const real *x, real *y)
{
    add(p->rows * l->in_count, x, l->partner->y, y);
}

static void end_backward(const struct layer *l, const struct pass *p, const struct layer_slope *s)
{
    size_t bytes = p->rows * l->in_count * sizeof *s->dy;
    memcpy(l->partner->keep, s->dy, bytes);
    if (s->dx && s->dx != s->dy)
        memcpy(s->dx, s->dy, bytes);
}

const struct layer_ops layer_residual_begin = {
    .in_place = true,
    .reads_y = true,
    .view = true,
    .shape = begin_shape,
    .forward = begin_forward,
    .backward = begin_backward,
};

const struct layer_ops layer_residual_end = {
    .in_place = true,
    .shape = end_shape,
    .forward = end_forward,
    .backward = end_backward,
};
