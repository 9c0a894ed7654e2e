#include "worker/nn/recurrent.h"

#include <string.h>

#include "sweep/require.h"
#include "worker/nn/gemm.h"
#include "worker/nn/transpose.h"

/* Products that need not wait for a state take the steps in chunks of about so many rows: enough
 * to run at full speed, few enough that the result is still in the cache when the steps need it. */
#define CHUNK_ROWS 320
/* Small layers take chunks for the library's direct kernels, if they can be of some rows. */
#define DIRECT_ROWS_MIN 32
#define LINE_REALS 16
#define TENSORS_PER_DIRECTION 4

enum { WEIGHT_IH, WEIGHT_HH, BIAS_IH, BIAS_HH };

/* One direction of one pass. */
struct direction {
    const struct layer *layer;
    const struct recurrent_kind *kind;
    const struct tensor *tensor; /* the direction's four */
    size_t rows, steps, features, units;
    size_t gates;                /* G */
    size_t chunk;                /* steps of a chunk */
    bool direct;                 /* its products are small enough for the direct kernels */
    bool reverse, sequence;
    size_t y_row, y_step, y_first; /* in y: numbers of a row and of a step, the direction's place */
    /* States: of step s at place s + 1, zeros before the first step; in keep. In evaluation all
     * steps share one place in scratch (the strides are 0). */
    real *h, *own;
    size_t h_stride, own_stride;
};

static const char *const names[2][TENSORS_PER_DIRECTION] = {
    {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"},
    {"weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse"},
};

static size_t directions(const struct layer *l)
{
    return layer_option(l, LAYER_OPTION_BIDIRECTIONAL) ? 2 : 1;
}

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Most rows of a direct product, 0 when they are too few. */
static size_t direct_rows(size_t gates, size_t features, size_t units)
{
    size_t rows = GEMM_DIRECT_MAX / (gates * max_size(features, units));
    return rows >= DIRECT_ROWS_MIN ? min_size(rows, CHUNK_ROWS) : 0;
}

static size_t piece(size_t count)
{
    return (count + LINE_REALS - 1) / LINE_REALS * LINE_REALS;
}

/* Cuts the next piece off. */
static real *take(real **at, size_t count)
{
    real *p = *at;
    *at += piece(count);
    return p;
}

static void add_tensors(struct layer *l, size_t gates, size_t units, size_t direction)
{
    size_t features = l->in.dim[1];
    const size_t dim[TENSORS_PER_DIRECTION][2] = {
        {gates, features}, {gates, units}, {gates, 0}, {gates, 0}};
    for (size_t i = 0; i < TENSORS_PER_DIRECTION; i++) {
        bool is_weight = i == WEIGHT_IH || i == WEIGHT_HH;
        struct tensor *t = layer_add_tensor(l, names[direction][i],
                                            is_weight ? TENSOR_WEIGHT : TENSOR_BIAS,
                                            is_weight ? 2 : 1, dim[i]);
        /* A gate at a time: each is a map onto the units of its own. */
        t->fan_in = is_weight ? dim[i][1] : 0;
        t->fan_out = is_weight ? units : 0;
    }
}

/* Numbers of scratch with so many rows. Fewer rows never need more: a chunk has at most
 * CHUNK_ROWS rows, or those of one step. */
static size_t scratch_count(const struct recurrent_kind *kind, size_t rows, size_t steps,
                            size_t features, size_t units)
{
    size_t gates = kind->gates * units, states = piece(rows * units);
    size_t in_chunk = min_size(max_size(rows, CHUNK_ROWS), rows * steps);
    size_t both = piece(in_chunk * features) + piece(in_chunk * gates);
    size_t forward = piece(gates * units) + piece(rows * gates) + states +
                     piece(rows * kind->own * units);
    if (direct_rows(gates, features, units))
        forward += piece(gates * features);
    size_t backward = (kind->splits ? piece(in_chunk * gates) : 0) + 2 * states;
    return both + max_size(forward, backward);
}

int recurrent_shape(struct layer *l, const struct recurrent_kind *kind, size_t rows,
                    struct errbuf *err)
{
    if (l->in.rank != 2)
        return layer_refuse(l, "a sequence [steps, features]", err);
    size_t steps = l->in.dim[0], units = layer_option(l, LAYER_OPTION_UNITS);
    size_t count = directions(l), width = count * units;
    if (layer_option(l, LAYER_OPTION_RETURN))
        l->out = (struct shape){.rank = 2, .dim = {steps, width}};
    else
        l->out = (struct shape){.rank = 1, .dim = {width}};
    for (size_t i = 0; i < count; i++)
        add_tensors(l, kind->gates * units, units, i);
    size_t places = (steps + 1) * rows;
    l->keep_count = count * (piece(places * units) + piece(places * kind->own * units));
    l->scratch_count = scratch_count(kind, rows, steps, l->in.dim[1], units);
    l->products = (double)(steps * kind->gates) * (double)(l->in.dim[1] + units) * (double)width;
    return 0;
}

static struct direction direction_of(const struct layer *l, const struct recurrent_kind *kind,
                                     const struct pass *p, size_t direction)
{
    size_t units = layer_option(l, LAYER_OPTION_UNITS), width = units * directions(l);
    bool sequence = layer_option(l, LAYER_OPTION_RETURN);
    size_t most = direct_rows(kind->gates * units, l->in.dim[1], units);
    bool direct = p->rows <= most;
    size_t chunk = max_size((direct ? most : CHUNK_ROWS) / p->rows, 1);
    struct direction w = {
        .layer = l,
        .kind = kind,
        .tensor = l->tensors + direction * TENSORS_PER_DIRECTION,
        .rows = p->rows,
        .steps = l->in.dim[0],
        .features = l->in.dim[1],
        .units = units,
        .gates = kind->gates * units,
        .chunk = min_size(chunk, l->in.dim[0]),
        .direct = direct,
        .reverse = direction == 1,
        .sequence = sequence,
        .y_row = sequence ? l->in.dim[0] * width : width,
        .y_step = sequence ? width : 0,
        .y_first = direction * units,
        .h_stride = p->rows * units,
        .own_stride = p->rows * kind->own * units,
    };
    if (p->training) {
        size_t h_count = (w.steps + 1) * w.h_stride, own_count = (w.steps + 1) * w.own_stride;
        real *at = l->keep + direction * (piece(h_count) + piece(own_count));
        w.h = take(&at, h_count);
        w.own = take(&at, own_count);
    }
    return w;
}

static size_t time_of(const struct direction *w, size_t step)
{
    return w->reverse ? w->steps - 1 - step : step;
}

/* Rows of `count` numbers, each so far from the one before as from_row and to_row say. */
struct rows {
    size_t rows, count;
    size_t from_row, to_row;
};

/* to[r] = from[r] */
static void copy_rows(const struct rows *w, const real *from, real *to)
{
    for (size_t r = 0; r < w->rows; r++)
        memcpy(to + r * w->to_row, from + r * w->from_row, w->count * sizeof *to);
}

/* to[r] += from[r] */
REAL_KERNEL
static void add_rows(const struct rows *w, const real *from, real *to)
{
    size_t count = w->count;
    for (size_t r = 0; r < w->rows; r++) {
        const real *restrict f = from + r * w->from_row;
        real *restrict t = to + r * w->to_row;
        for (size_t i = 0; i < count; i++)
            t[i] += f[i];
    }
}

/* xs = x of the steps [first, end), time-major. */
static void gather(const struct direction *w, size_t first, size_t end, const real *x, real *xs)
{
    struct rows rows = {w->rows, w->features, w->steps * w->features, w->features};
    for (size_t s = first; s < end; s++, xs += w->rows * w->features)
        copy_rows(&rows, x + time_of(w, s) * w->features, xs);
}

/* The way back; the second direction adds to what the first has written. */
static void scatter(const struct direction *w, size_t first, size_t end, const real *xs, real *x)
{
    struct rows rows = {w->rows, w->features, w->features, w->steps * w->features};
    for (size_t s = first; s < end; s++, xs += w->rows * w->features)
        (w->reverse ? add_rows : copy_rows)(&rows, xs, x + time_of(w, s) * w->features);
}

/* sum[j] += Σ_r d[r,j], rows in order. */
REAL_KERNEL
static void add_column_sums(size_t rows, size_t columns, const real *restrict d,
                            real *restrict sum)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t j = 0; j < columns; j++)
            sum[j] += d[r * columns + j];
    }
}

/* Scratch of the forward pass. */
struct forward {
    const real *w_ih, *w_hh_t; /* w_ih is transposed for direct products, w_hh always */
    real *xs;                  /* [chunk,rows,features] x */
    real *from_x;              /* [chunk,rows,G] */
    real *from_h;              /* [rows,G] */
};

/* The product of a few rows is fastest with neither factor transposed. */
static const real *transposed(const struct tensor *t, real **at)
{
    real *to = take(at, t->dim[0] * t->dim[1]);
    transpose(t->dim[0], t->dim[1], t->value, to);
    return to;
}

static struct forward forward_of(struct direction *w, const struct pass *p)
{
    const struct tensor *t = w->tensor;
    real *at = p->scratch;
    struct forward a = {.w_ih = w->direct ? transposed(&t[WEIGHT_IH], &at) : t[WEIGHT_IH].value,
                        .w_hh_t = transposed(&t[WEIGHT_HH], &at),
                        .xs = take(&at, w->chunk * w->rows * w->features),
                        .from_x = take(&at, w->chunk * w->rows * w->gates),
                        .from_h = take(&at, w->rows * w->gates)};
    if (!p->training) {
        w->h = take(&at, w->h_stride);
        w->own = take(&at, w->own_stride);
    }
    REQUIRE((size_t)(at - p->scratch) <= w->layer->scratch_count);
    memset(w->h, 0, w->h_stride * sizeof *w->h);
    memset(w->own, 0, w->own_stride * sizeof *w->own);
    if (!p->training)
        w->h_stride = w->own_stride = 0;
    return a;
}

/* x·W_ihᵀ of the steps [first, end). */
static void forward_chunk(const struct direction *w, const struct forward *a, size_t first,
                          size_t end, const real *x)
{
    gather(w, first, end, x, a->xs);
    gemm(false, !w->direct, (end - first) * w->rows, w->gates, w->features, a->xs, a->w_ih, 0,
         a->from_x);
}

static void forward_direction(struct direction *w, const struct pass *p, const real *x, real *y)
{
    struct forward a = forward_of(w, p);
    struct recurrent_step step = {.rows = w->rows,
                                  .units = w->units,
                                  .from_h = a.from_h,
                                  .bias_x = w->tensor[BIAS_IH].value,
                                  .bias_h = w->tensor[BIAS_HH].value};
    for (size_t s = 0; s < w->steps; s++) {
        if (s % w->chunk == 0)
            forward_chunk(w, &a, s, min_size(s + w->chunk, w->steps), x);
        step.h_before = w->h + s * w->h_stride;
        step.own_before = w->own + s * w->own_stride;
        step.h = w->h + (s + 1) * w->h_stride;
        step.own = w->own + (s + 1) * w->own_stride;
        step.from_x = a.from_x + s % w->chunk * w->rows * w->gates;
        gemm(false, false, w->rows, w->gates, w->units, step.h_before, a.w_hh_t, 0, a.from_h);
        w->kind->step(&step);
        if (w->sequence || s + 1 == w->steps)
            copy_rows(&(struct rows){w->rows, w->units, w->units, w->y_row}, step.h,
                      y + w->y_first + time_of(w, s) * w->y_step);
    }
}

void recurrent_forward(const struct layer *l, const struct recurrent_kind *kind,
                       const struct pass *p, const real *x, real *y)
{
    for (size_t i = 0; i < directions(l); i++) {
        struct direction w = direction_of(l, kind, p, i);
        forward_direction(&w, p, x, y);
    }
}

/* Scratch of the backward pass. */
struct backward {
    real *xs;                  /* [chunk,rows,features] x, then dx */
    real *d_from_x, *d_from_h; /* [chunk,rows,G] */
    real *dh, *dc;             /* [rows,H] */
};

/* Takes the gradient backward through the steps [first, end). */
static void backward_steps(const struct direction *w, const struct backward *b, size_t first,
                           size_t end, const real *dy)
{
    struct recurrent_slope slope = {
        .rows = w->rows, .units = w->units, .dh = b->dh, .dc = b->dc};
    for (size_t s = end; s-- > first;) {
        if (w->sequence || s + 1 == w->steps)
            add_rows(&(struct rows){w->rows, w->units, w->y_row, w->units},
                     dy + w->y_first + time_of(w, s) * w->y_step, b->dh);
        slope.h_before = w->h + s * w->h_stride;
        slope.h = slope.h_before + w->h_stride;
        slope.own_before = w->own + s * w->own_stride;
        slope.own = slope.own_before + w->own_stride;
        slope.d_from_x = b->d_from_x + (s - first) * w->rows * w->gates;
        slope.d_from_h = b->d_from_h + (s - first) * w->rows * w->gates;
        w->kind->slope(&slope);
        if (s > 0)
            gemm(false, false, w->rows, w->units, w->gates, slope.d_from_h,
                 w->tensor[WEIGHT_HH].value, w->kind->leaks, b->dh);
    }
}

/* What the steps [first, end) add to the gradients, and their dx. */
static void backward_chunk(const struct direction *w, const struct backward *b, size_t first,
                           size_t end, const struct layer_slope *s)
{
    const struct tensor *t = w->tensor;
    size_t count = (end - first) * w->rows;
    real beta = end == w->steps ? 0 : 1; /* the last chunk comes first */
    gather(w, first, end, s->x, b->xs);
    gemm(true, false, w->gates, w->features, count, b->d_from_x, b->xs, beta, t[WEIGHT_IH].grad);
    gemm(true, false, w->gates, w->units, count, b->d_from_h, w->h + first * w->h_stride, beta,
         t[WEIGHT_HH].grad);
    add_column_sums(count, w->gates, b->d_from_x, t[BIAS_IH].grad);
    if (w->kind->splits)
        add_column_sums(count, w->gates, b->d_from_h, t[BIAS_HH].grad);
    if (s->dx) {
        gemm(false, false, count, w->features, w->gates, b->d_from_x, t[WEIGHT_IH].value, 0,
             b->xs);
        scatter(w, first, end, b->xs, s->dx);
    }
}

static void backward_direction(const struct direction *w, const struct pass *p,
                               const struct layer_slope *s)
{
    const struct tensor *t = w->tensor;
    real *at = p->scratch;
    struct backward b = {.xs = take(&at, w->chunk * w->rows * w->features),
                         .d_from_x = take(&at, w->chunk * w->rows * w->gates),
                         .dh = take(&at, w->rows * w->units),
                         .dc = take(&at, w->rows * w->units)};
    b.d_from_h = w->kind->splits ? take(&at, w->chunk * w->rows * w->gates) : b.d_from_x;
    REQUIRE((size_t)(at - p->scratch) <= w->layer->scratch_count);
    memset(b.dh, 0, w->rows * w->units * sizeof *b.dh);
    memset(b.dc, 0, w->rows * w->units * sizeof *b.dc);
    memset(t[BIAS_IH].grad, 0, w->gates * sizeof(real));
    memset(t[BIAS_HH].grad, 0, w->gates * sizeof(real));
    for (size_t end = w->steps; end > 0;) {
        size_t first = (end - 1) / w->chunk * w->chunk;
        backward_steps(w, &b, first, end, s->dy);
        backward_chunk(w, &b, first, end, s);
        end = first;
    }
    if (!w->kind->splits)
        memcpy(t[BIAS_HH].grad, t[BIAS_IH].grad, w->gates * sizeof(real));
}

void recurrent_backward(const struct layer *l, const struct recurrent_kind *kind,
                        const struct pass *p, const struct layer_slope *s)
{
    for (size_t i = 0; i < directions(l); i++) {
        struct direction w = direction_of(l, kind, p, i);
        backward_direction(&w, p, s);
    }
}
