/* Convolution, pooling and normalisation, each layer alone: every gradient of every tensor and of
 * the input against central differences, signed and per element (in double only); convolution
 * against its definition; numbers that torch.nn gives. Outputs, gradients and workspace begin as
 * NaN, and lie in blocks of their exact size, so that address sanitizer sees a write beyond.
 * Built in float too: vectors have twice the lanes there, and the products come from the BLAS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "worker/nn/layer.h"

#ifdef SWEEP_REAL_DOUBLE
#define TOLERANCE 1e-13
#define FAR_FROM_ZERO 0x1p30
#else
#define TOLERANCE 4e-6
#define FAR_FROM_ZERO 0x1p16
#endif

struct rig {
    const char *what;
    struct plan_layer plan;
    struct layer l;
    struct pass pass;
    real *x, *y, *dy, *dx;
};

static real *new_numbers(size_t count, real value)
{
    real *x = xmalloc(count > 0 ? count * sizeof *x : 1);
    for (size_t i = 0; i < count; i++)
        x[i] = value;
    return x;
}

static void draw(struct rng *r, real *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (real)(2 * rng_uniform(r) - 1);
}

struct row {
    const char *what;
    enum layer_kind kind;
    struct shape in;
    size_t rows;
    double channels, kernel, stride, padding, size;
};

static void rig_prepare(struct rig *g, const struct row *row)
{
    *g = (struct rig){.what = row->what, .plan = {.kind = row->kind}};
    g->plan.value[LAYER_OPTION_CHANNELS] = row->channels;
    g->plan.value[LAYER_OPTION_KERNEL] = row->kernel;
    g->plan.value[LAYER_OPTION_STRIDE] = row->stride;
    g->plan.value[LAYER_OPTION_PADDING] = row->padding;
    g->plan.value[LAYER_OPTION_SIZE] = row->size;
    g->l = (struct layer){.ops = layer_ops_of(&g->plan), .plan = &g->plan, .name = "3",
                          .in = row->in, .in_count = shape_count(&row->in)};
}

/* Running variances stay positive, everything else is drawn from [-1, 1). */
static void rig_init(struct rig *g, const struct row *row, size_t most_rows)
{
    struct rng r;
    rng_init(&r, 11, RNG_TEST, 0);
    rig_prepare(g, row);
    struct layer *l = &g->l;
    assert_int_equal(l->ops->shape(l, most_rows, NULL), 0);
    l->out_count = shape_count(&l->out);
    for (size_t k = 0; k < l->tensor_count; k++) {
        struct tensor *t = &l->tensors[k];
        size_t count = tensor_count(t);
        t->value = new_numbers(count, (real)t->start);
        if (t->role != TENSOR_BUFFER) {
            t->grad = new_numbers(count, NAN);
            draw(&r, t->value, count);
        }
    }
    l->keep = new_numbers(l->keep_count, NAN);
    g->pass = (struct pass){.rows = row->rows, .training = true,
                            .scratch = new_numbers(l->scratch_count, NAN)};
    g->x = new_numbers(row->rows * l->in_count, 0);
    g->y = new_numbers(row->rows * l->out_count, NAN);
    g->dy = new_numbers(row->rows * l->out_count, 0);
    g->dx = new_numbers(row->rows * l->in_count, NAN);
    draw(&r, g->x, row->rows * l->in_count);
    draw(&r, g->dy, row->rows * l->out_count);
}

static void rig_finish(struct rig *g)
{
    for (size_t k = 0; k < g->l.tensor_count; k++) {
        free(g->l.tensors[k].value);
        free(g->l.tensors[k].grad);
    }
    real *all[] = {g->l.keep, g->pass.scratch, g->x, g->y, g->dy, g->dx};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        free(all[i]);
}

static void forward(struct rig *g)
{
    g->l.ops->forward(&g->l, &g->pass, g->x, g->y);
}

static void backward(struct rig *g, real *dx)
{
    g->l.ops->backward(&g->l, &g->pass, &(struct layer_slope){g->x, g->y, g->dy, dx});
}

static const struct row layers[] = {
    {"conv", LAYER_CONV2D, {3, {2, 5, 6}}, 3, 3, 3, 1, 0, 0},
    {"conv of one channel", LAYER_CONV2D, {2, {6, 4}}, 2, 2, 2, 1, 0, 0},
    {"conv, padding 1", LAYER_CONV2D, {3, {2, 4, 5}}, 2, 3, 3, 1, 1, 0},
    {"conv, stride 2", LAYER_CONV2D, {3, {2, 7, 6}}, 2, 3, 3, 2, 0, 0},
    {"conv, stride 2, padding 1", LAYER_CONV2D, {3, {2, 6, 5}}, 3, 2, 3, 2, 1, 0},
    {"conv, stride 3 beyond the kernel", LAYER_CONV2D, {3, {1, 8, 7}}, 2, 2, 2, 3, 1, 0},
    {"conv, padding beyond the kernel", LAYER_CONV2D, {3, {1, 3, 2}}, 2, 2, 2, 1, 3, 0},
    {"conv, kernel larger than the input", LAYER_CONV2D, {3, {2, 2, 3}}, 2, 2, 5, 1, 2, 0},
    {"conv 1x1", LAYER_CONV2D, {3, {3, 4, 3}}, 3, 2, 1, 1, 0, 0},
    {"conv 1x1, stride 2", LAYER_CONV2D, {3, {3, 4, 5}}, 2, 2, 1, 2, 0, 0},
    {"conv 1x1, padding 1", LAYER_CONV2D, {3, {2, 2, 3}}, 2, 2, 1, 1, 1, 0},
    {"conv to one position", LAYER_CONV2D, {3, {2, 3, 3}}, 3, 4, 3, 1, 0, 0},
    {"conv of rows longer than a vector", LAYER_CONV2D, {3, {2, 3, 19}}, 2, 2, 3, 1, 1, 0},
    {"conv of rows of two vectors", LAYER_CONV2D, {3, {1, 4, 16}}, 2, 2, 5, 1, 2, 0},
    {"conv of a block and a sample", LAYER_CONV2D, {3, {2, 5, 6}}, 5, 2, 3, 1, 1, 0},
    {"conv of two blocks, stride 2", LAYER_CONV2D, {3, {1, 10, 11}}, 6, 2, 3, 2, 1, 0},
    {"conv of images without blocks", LAYER_CONV2D, {3, {2, 8, 8}}, 2, 2, 3, 1, 1, 0},
    {"conv of images, stride 2", LAYER_CONV2D, {3, {1, 17, 16}}, 2, 2, 3, 2, 1, 0},
    {"conv 1x1 of blocks", LAYER_CONV2D, {3, {3, 3, 3}}, 16, 2, 1, 1, 0, 0},
    {"conv of many channels", LAYER_CONV2D, {3, {9, 4, 5}}, 2, 17, 3, 1, 0, 0},
    {"conv of many channels, images", LAYER_CONV2D, {3, {9, 10, 11}}, 2, 17, 3, 1, 0, 0},
    {"max pool", LAYER_MAX_POOL, {3, {2, 4, 6}}, 3, 0, 0, 0, 0, 2},
    {"max pool of odd sides", LAYER_MAX_POOL, {3, {3, 5, 7}}, 2, 0, 0, 0, 0, 2},
    {"max pool of one row", LAYER_MAX_POOL, {3, {2, 3, 2}}, 2, 0, 0, 0, 0, 2},
    {"max pool of long rows", LAYER_MAX_POOL, {3, {2, 4, 41}}, 2, 0, 0, 0, 0, 2},
    {"max pool of one channel", LAYER_MAX_POOL, {2, {6, 9}}, 2, 0, 0, 0, 0, 3},
    {"max pool, size 1", LAYER_MAX_POOL, {3, {2, 3, 2}}, 2, 0, 0, 0, 0, 1},
    {"max pool, size 3", LAYER_MAX_POOL, {3, {2, 7, 8}}, 2, 0, 0, 0, 0, 3},
    {"avg pool", LAYER_AVG_POOL, {3, {2, 4, 6}}, 3, 0, 0, 0, 0, 2},
    {"avg pool of odd sides", LAYER_AVG_POOL, {3, {3, 5, 7}}, 2, 0, 0, 0, 0, 2},
    {"avg pool of long rows", LAYER_AVG_POOL, {2, {3, 37}}, 2, 0, 0, 0, 0, 2},
    {"avg pool, size 3", LAYER_AVG_POOL, {3, {2, 7, 8}}, 2, 0, 0, 0, 0, 3},
    {"batch norm of features", LAYER_BATCH_NORM, {1, {5}}, 7, 0, 0, 0, 0, 0},
    {"batch norm of steps", LAYER_BATCH_NORM, {2, {3, 4}}, 4, 0, 0, 0, 0, 0},
    {"batch norm of images", LAYER_BATCH_NORM, {3, {3, 3, 7}}, 3, 0, 0, 0, 0, 0},
    {"batch norm of single numbers", LAYER_BATCH_NORM, {3, {4, 1, 1}}, 5, 0, 0, 0, 0, 0},
    {"layer norm of features", LAYER_LAYER_NORM, {1, {19}}, 3, 0, 0, 0, 0, 0},
    {"layer norm of steps", LAYER_LAYER_NORM, {2, {3, 4}}, 3, 0, 0, 0, 0, 0},
    {"layer norm of images", LAYER_LAYER_NORM, {3, {2, 3, 5}}, 3, 0, 0, 0, 0, 0},
};

#ifdef SWEEP_REAL_DOUBLE

#define STEP 1e-6

/* Σ dy·y: its gradient by y is dy. */
static double weighted_output(struct rig *g)
{
    double sum = 0;
    forward(g);
    for (size_t i = 0; i < g->pass.rows * g->l.out_count; i++)
        sum += g->dy[i] * g->y[i];
    return sum;
}

/* How many of the gradients got[0, count) differ from the central differences by x. */
static size_t count_wrong(struct rig *g, real *x, const real *got, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        real keep = x[i];
        x[i] = keep + STEP;
        double above = weighted_output(g);
        x[i] = keep - STEP;
        double want = (above - weighted_output(g)) / (2 * STEP);
        x[i] = keep;
        double error = fabs(got[i] - want);
        if (!(error <= 1e-7 + 1e-6 * fabs(want))) {
            if (wrong++ == 0)
                print_message("# %s: gradient %zu is %.12g, central difference %.12g\n", g->what,
                              i, got[i], want);
        }
    }
    return wrong;
}

static void test_every_gradient(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        struct rig g;
        size_t rows = layers[i].rows;
        rig_init(&g, &layers[i], rows + 1); /* the last batch of an epoch is smaller */
        forward(&g);
        backward(&g, g.dx);
        size_t wrong = count_wrong(&g, g.x, g.dx, rows * g.l.in_count);
        for (size_t k = 0; k < g.l.tensor_count; k++) {
            struct tensor *t = &g.l.tensors[k];
            if (t->role != TENSOR_BUFFER)
                wrong += count_wrong(&g, t->value, t->grad, tensor_count(t));
        }
        assert_int_equal(wrong, 0);
        rig_finish(&g);
    }
}

/* The check itself: one wrong sign among the gradients is found, wherever it is. */
static void test_notices_wrong_sign(void **state)
{
    struct rig g;
    rig_init(&g, &layers[0], layers[0].rows);
    forward(&g);
    backward(&g, g.dx);
    struct tensor *weight = &g.l.tensors[0];
    weight->grad[7] = -weight->grad[7];
    g.dx[100] = -g.dx[100];
    assert_int_equal(count_wrong(&g, weight->value, weight->grad, tensor_count(weight)), 1);
    assert_int_equal(count_wrong(&g, g.x, g.dx, layers[0].rows * g.l.in_count), 1);
    rig_finish(&g);
}

#endif

/* The tensors' gradients do not depend on whether dx is asked for, nor on what workspace, keep
 * and old gradients hold; twice the same is the same to the bit. */
static void test_same_bits(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        struct rig a, b;
        rig_init(&a, &layers[i], layers[i].rows);
        rig_init(&b, &layers[i], layers[i].rows + 2);
        forward(&a);
        forward(&b);
        memset(b.pass.scratch, 0x5a, b.l.scratch_count * sizeof(real));
        backward(&a, a.dx);
        backward(&b, NULL);
        assert_memory_equal(a.y, b.y, layers[i].rows * a.l.out_count * sizeof(real));
        for (size_t k = 0; k < a.l.tensor_count; k++) {
            const struct tensor *t = &a.l.tensors[k], *u = &b.l.tensors[k];
            size_t bytes = tensor_count(t) * sizeof(real);
            assert_memory_equal(t->value, u->value, bytes);
            if (t->grad)
                assert_memory_equal(t->grad, u->grad, bytes);
        }
        backward(&b, b.dx);
        assert_memory_equal(a.dx, b.dx, layers[i].rows * a.l.in_count * sizeof(real));
        rig_finish(&a);
        rig_finish(&b);
    }
}

/* y[o, i, j] = b[o] + Σ w[o, c, a, b]·x[c, i·s + a - p, j·s + b - p] of one sample. */
static double convolution(const struct rig *g, const real *x, size_t o, size_t i, size_t j)
{
    const struct tensor *w = &g->l.tensors[0];
    size_t channels = w->dim[1], k = w->dim[2];
    long height = (long)g->l.in.dim[g->l.in.rank - 2], width = (long)g->l.in.dim[g->l.in.rank - 1];
    long stride = (long)g->plan.value[LAYER_OPTION_STRIDE];
    long padding = (long)g->plan.value[LAYER_OPTION_PADDING];
    double sum = (double)g->l.tensors[1].value[o];
    for (size_t e = 0; e < channels * k * k; e++) {
        long plane = (long)(e / (k * k));
        long row = (long)i * stride + (long)(e / k % k) - padding;
        long column = (long)j * stride + (long)(e % k) - padding;
        if (row >= 0 && row < height && column >= 0 && column < width)
            sum += (double)w->value[o * channels * k * k + e] *
                   (double)x[(plane * height + row) * width + column];
    }
    return sum;
}

static void test_convolution_is_its_definition(void **state)
{
    for (size_t n = 0; n < ARRAY_LEN(layers); n++) {
        if (layers[n].kind != LAYER_CONV2D)
            continue;
        struct rig g;
        rig_init(&g, &layers[n], layers[n].rows);
        forward(&g);
        const size_t *out = g.l.out.dim;
        for (size_t i = 0; i < layers[n].rows * g.l.out_count; i++) {
            const real *x = g.x + i / g.l.out_count * g.l.in_count;
            double want = convolution(&g, x, i / (out[1] * out[2]) % out[0], i / out[2] % out[1],
                                      i % out[2]);
            assert_true(fabs((double)g.y[i] - want) < TOLERANCE);
        }
        rig_finish(&g);
    }
}

static void expect_numbers(const real *got, const double *want, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!(fabs((double)got[i] - want[i]) < TOLERANCE))
            fail_msg("number %zu is %.17g, not %.17g", i, (double)got[i], want[i]);
    }
}

static void set_numbers(real *x, const double *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (real)from[i];
}

/* Worked out by hand: [[1, 2, 3], [4, 5, 6], [7, 8, 9]] under [[1, 0], [0, -1]] + 0.5. */
static void test_convolution_by_hand(void **state)
{
    const struct row row = {"", LAYER_CONV2D, {2, {3, 3}}, 1, 1, 2, 1, 0, 0};
    struct rig g;
    rig_init(&g, &row, 1);
    assert_int_equal(g.l.out.rank, 3);
    assert_int_equal(g.l.tensors[0].fan_in, 4);
    set_numbers(g.x, (const double[]){1, 2, 3, 4, 5, 6, 7, 8, 9}, 9);
    set_numbers(g.l.tensors[0].value, (const double[]){1, 0, 0, -1}, 4);
    set_numbers(g.l.tensors[1].value, (const double[]){0.5}, 1);
    set_numbers(g.dy, (const double[]){1, 2, 3, 4}, 4);
    forward(&g);
    expect_numbers(g.y, (const double[]){-3.5, -3.5, -3.5, -3.5}, 4);
    backward(&g, g.dx);
    expect_numbers(g.l.tensors[0].grad, (const double[]){37, 47, 67, 77}, 4);
    expect_numbers(g.l.tensors[1].grad, (const double[]){10}, 1);
    expect_numbers(g.dx, (const double[]){1, 2, 0, 3, 4 - 1, -2, 0, -3, -4}, 9);
    rig_finish(&g);
}

/* Of equals the first takes the gradient; a row and a column that fill no window get none. */
static void test_max_pool_of_equals(void **state)
{
    const struct row row = {"", LAYER_MAX_POOL, {3, {1, 3, 5}}, 1, 0, 0, 0, 0, 2};
    struct rig g;
    rig_init(&g, &row, 1);
    set_numbers(g.x, (const double[]){0, 0, 1, 2, 9, 0, 0, 2, 2, 9, 9, 9, 9, 9, 9}, 15);
    set_numbers(g.dy, (const double[]){5, 7}, 2);
    forward(&g);
    backward(&g, g.dx);
    expect_numbers(g.y, (const double[]){0, 2}, 2);
    expect_numbers(g.dx, (const double[]){5, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 15);
    rig_finish(&g);
}

/* Wherever in the window it is, NaN must come out: a maximum that drops it hides a broken run. */
static void test_pools_keep_nan(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        if (layers[i].kind != LAYER_MAX_POOL && layers[i].kind != LAYER_AVG_POOL)
            continue;
        size_t size = (size_t)layers[i].size;
        for (size_t e = 0; e < size * size; e++) {
            struct rig g;
            rig_init(&g, &layers[i], layers[i].rows);
            g.x[e / size * g.l.in.dim[g.l.in.rank - 1] + e % size] = NAN;
            forward(&g);
            assert_true(isnan(g.y[0]));
            for (size_t k = 1; k < layers[i].rows * g.l.out_count; k++)
                assert_false(isnan(g.y[k]));
            rig_finish(&g);
        }
    }
}

/* torch.nn.BatchNorm1d(2).double() */
static void test_batch_norm_like_torch(void **state)
{
    const struct row row = {"", LAYER_BATCH_NORM, {1, {2}}, 3, 0, 0, 0, 0, 0};
    struct rig g;
    rig_init(&g, &row, 3);
    struct tensor *t = g.l.tensors;
    assert_int_equal(g.l.tensor_count, 4);
    assert_string_equal(t[3].name, "running_var");
    assert_true(t[0].start == 1 && t[1].start == 0 && t[2].start == 0 && t[3].start == 1);
    set_numbers(t[0].value, (const double[]){1.5, -0.5}, 2);
    set_numbers(t[1].value, (const double[]){0.25, 1}, 2);
    set_numbers(g.x, (const double[]){1, -2, 3, 0.5, -0.5, 4}, 6);
    set_numbers(g.dy, (const double[]){1, 2, -1, 0.5, 0.25, -0.75}, 6);
    forward(&g);
    backward(&g, g.dx);
    expect_numbers(g.y, (const double[]){0.07562896602951352, 1.57569216691484715,
                                         2.16808137367535103, 1.06772849022527616,
                                         -1.49371033970486433, 0.35657934285987691}, 6);
    expect_numbers(g.dx, (const double[]){0.89070642488078622, -0.02772872199475226,
                                          -0.38173483928238072, 0.04753416508133919,
                                          -0.50897158559840550, -0.01980544308658682}, 6);
    expect_numbers(t[0].grad, (const double[]){-1.68558666171470217, -3.33562814359484916}, 2);
    expect_numbers(t[1].grad, (const double[]){0.25, 1.75}, 2);
    expect_numbers(t[2].value, (const double[]){0.11666666666666668, 0.08333333333333334}, 2);
    expect_numbers(t[3].value, (const double[]){1.20833333333333348, 1.80833333333333313}, 2);
    g.pass.training = false; /* the running statistics, which stay as they are */
    forward(&g);
    expect_numbers(g.y, (const double[]){1.45537090155911408, 1.77461931572314446,
                                         4.18451256546654182, 0.84507613685537120,
                                         -0.59148534637145700, -0.45628431355951138}, 6);
    expect_numbers(t[3].value, (const double[]){1.20833333333333348, 1.80833333333333313}, 2);
    rig_finish(&g);
}

/* torch.nn.LayerNorm(3).double() */
static void test_layer_norm_like_torch(void **state)
{
    const struct row row = {"", LAYER_LAYER_NORM, {1, {3}}, 2, 0, 0, 0, 0, 0};
    struct rig g;
    rig_init(&g, &row, 2);
    struct tensor *t = g.l.tensors;
    set_numbers(t[0].value, (const double[]){1.5, -0.5, 2}, 3);
    set_numbers(t[1].value, (const double[]){0.25, 1, -1}, 3);
    set_numbers(g.x, (const double[]){1, -2, 0.5, 3, 0.5, 4}, 6);
    set_numbers(g.dy, (const double[]){1, 2, -1, 0.5, 0.25, -0.75}, 6);
    forward(&g);
    backward(&g, g.dx);
    expect_numbers(g.y, (const double[]){1.58349746206337549, 1.69849867060462500,
                                         0.01599806633400047, 0.75952348954298743,
                                         1.67936465272398316, 1.03809395817194972}, 6);
    expect_numbers(g.dx, (const double[]){1.13685492295330337, 0.22736700255684472,
                                          -1.36422192551014843, 0.79259170290531034,
                                          -0.22645331648398034, -0.56613838642132996}, 6);
    expect_numbers(t[0].grad, (const double[]){1.05883947122324606, -3.13367700878049193,
                                               -1.27228426748148138}, 3);
    expect_numbers(t[1].grad, (const double[]){1.5, 2.25, -1.75}, 3);
    rig_finish(&g);
}

/* One number per channel: the output is the bias and nothing flows back. With a running variance
 * that moved towards 0 at each such batch, an evaluation would soon divide by nothing. */
static void test_batch_norm_of_one_row(void **state)
{
    const struct row row = {"", LAYER_BATCH_NORM, {1, {3}}, 1, 0, 0, 0, 0, 0};
    struct rig g;
    rig_init(&g, &row, 1);
    forward(&g);
    backward(&g, g.dx);
    for (size_t c = 0; c < 3; c++) {
        assert_true(g.y[c] == g.l.tensors[1].value[c]);
        assert_true(g.dx[c] == 0);
        assert_true(g.l.tensors[0].grad[c] == 0);
        assert_true(fabs((double)g.l.tensors[2].value[c] - 0.1 * (double)g.x[c]) < TOLERANCE);
        assert_true(g.l.tensors[3].value[c] == 1);
    }
    rig_finish(&g);
}

/* Digits that a large mean takes away are the input's, not the sums'. */
static void test_normalisation_far_from_zero(void **state)
{
    const struct row rows[] = {{"", LAYER_BATCH_NORM, {1, {1}}, 999, 0, 0, 0, 0, 0},
                               {"", LAYER_BATCH_NORM, {3, {1, 27, 37}}, 1, 0, 0, 0, 0, 0},
                               {"", LAYER_LAYER_NORM, {1, {999}}, 1, 0, 0, 0, 0, 0}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig g;
        rig_init(&g, &rows[i], rows[i].rows);
        for (size_t k = 0; k < 999; k++)
            g.x[k] = (real)(FAR_FROM_ZERO + (double)(k % 3) - 1); /* variance 2/3 */
        for (size_t k = 0; k < tensor_count(&g.l.tensors[0]); k++) {
            g.l.tensors[0].value[k] = 1;
            g.l.tensors[1].value[k] = 0;
        }
        forward(&g);
        for (size_t k = 0; k < 999; k++) {
            double want = ((double)(k % 3) - 1) / sqrt(2.0 / 3 + 1e-5);
            assert_true(fabs((double)g.y[k] - want) < 10 * TOLERANCE);
        }
        rig_finish(&g);
    }
}

static void expect_refused(const struct row *row, const char *part)
{
    struct rig g;
    struct errbuf err = {0};
    rig_prepare(&g, row);
    assert_int_equal(g.l.ops->shape(&g.l, 8, &err), ERR_VALUE);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
    assert_int_equal(g.l.tensor_count, 0);
}

static void test_refused_shapes(void **state)
{
    static const struct {
        struct row row;
        const char *part;
    } cases[] = {
        {{"", LAYER_CONV2D, {1, {10}}, 1, 1, 3, 1, 0, 0}, "[channels, height, width]"},
        {{"", LAYER_CONV2D, {3, {4, 2, 9}}, 1, 1, 3, 1, 0, 0}, "at least 3 (kernel 3, padding 0)"},
        {{"", LAYER_CONV2D, {3, {4, 2, 9}}, 1, 1, 3, 1, 0, 0}, "its input is [4, 2, 9]"},
        {{"", LAYER_CONV2D, {3, {1, 9, 1}}, 1, 1, 5, 2, 1, 0}, "at least 3 (kernel 5, padding 1)"},
        {{"", LAYER_CONV2D, {3, {1, 4096, 4096}}, 1, 16, 3, 1, 0, 0}, "16 channels of 4094"},
        {{"", LAYER_CONV2D, {3, {4096, 64, 64}}, 1, 1, 3, 1, 0, 0}, "3844 columns of 36864"},
        {{"", LAYER_CONV2D, {3, {1 << 26, 1, 1}}, 1, 1, 1, 1, 63, 0}, "2^26"},
        {{"", LAYER_CONV2D, {3, {1 << 27, 1, 1}}, 1, 1, 1, 1, 0, 0}, "2^26"},
        {{"", LAYER_MAX_POOL, {1, {10}}, 1, 0, 0, 0, 0, 2}, "[channels, height, width]"},
        {{"", LAYER_MAX_POOL, {3, {1, 5, 2}}, 1, 0, 0, 0, 0, 3}, "at least 3"},
        {{"", LAYER_AVG_POOL, {2, {1, 5}}, 1, 0, 0, 0, 0, 2}, "its input is [1, 5]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_refused(&cases[i].row, cases[i].part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef SWEEP_REAL_DOUBLE
        cmocka_unit_test(test_every_gradient),
        cmocka_unit_test(test_notices_wrong_sign),
#endif
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_convolution_is_its_definition),
        cmocka_unit_test(test_convolution_by_hand),
        cmocka_unit_test(test_max_pool_of_equals),
        cmocka_unit_test(test_pools_keep_nan),
        cmocka_unit_test(test_batch_norm_like_torch),
        cmocka_unit_test(test_layer_norm_like_torch),
        cmocka_unit_test(test_batch_norm_of_one_row),
        cmocka_unit_test(test_normalisation_far_from_zero),
        cmocka_unit_test(test_refused_shapes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
