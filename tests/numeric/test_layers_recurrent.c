/* rnn, gru and lstm in double: the forward pass against the definition in plain loops, every
 * gradient against central differences, per element and signed; each kind, one direction and
 * both, last state and sequence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "worker/nn/layer.h"

_Static_assert(sizeof(real) == sizeof(double), "links the library in double");

#define STEP 1e-6
#define GATES_MAX 4

struct size {
    size_t rows, steps, features, units;
};

/* The second is cut into several chunks of steps, the last one shorter. */
static const struct size sizes[] = {{3, 4, 2, 3}, {110, 5, 1, 2}, {1, 1, 3, 1}, {1, 7, 1, 2}};

static const enum layer_kind kinds[] = {LAYER_RNN, LAYER_GRU, LAYER_LSTM};
static const size_t gates_of[LAYER_KIND_COUNT] = {
    [LAYER_RNN] = 1, [LAYER_GRU] = 3, [LAYER_LSTM] = 4};

struct fixture {
    struct size size;
    struct plan_layer plan;
    struct layer layer;
    struct pass pass;
    size_t x_count, y_count;
    real *x, *y, *dy, *dx;
};

static const struct layer_ops *ops_of(enum layer_kind kind)
{
    return kind == LAYER_RNN ? &layer_rnn : kind == LAYER_GRU ? &layer_gru : &layer_lstm;
}

static real *numbers(size_t count, double spread, struct rng *r)
{
    real *x = xmalloc((count + 1) * sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = r ? spread * (2 * rng_uniform(r) - 1) : (real)NAN;
    return x;
}

/* Whatever the layer has to write itself starts as NaN. */
static void setup(struct fixture *f, enum layer_kind kind, const struct size *size, bool both,
                  bool sequence)
{
    *f = (struct fixture){.size = *size, .plan = {.kind = kind}};
    f->plan.value[LAYER_OPTION_UNITS] = (double)size->units;
    f->plan.value[LAYER_OPTION_BIDIRECTIONAL] = both;
    f->plan.value[LAYER_OPTION_RETURN] = sequence;
    struct layer *l = &f->layer;
    l->ops = ops_of(kind);
    l->plan = &f->plan;
    l->in = (struct shape){.rank = 2, .dim = {size->steps, size->features}};
    assert_int_equal(l->ops->shape(l, size->rows + 1, NULL), 0);
    struct rng r;
    rng_init(&r, 110, RNG_TEST, (uint64_t)kind);
    for (size_t i = 0; i < l->tensor_count; i++) {
        l->tensors[i].value = numbers(tensor_count(&l->tensors[i]), 1, &r);
        l->tensors[i].grad = numbers(tensor_count(&l->tensors[i]), 0, NULL);
    }
    f->x_count = size->rows * shape_count(&l->in);
    f->y_count = size->rows * shape_count(&l->out);
    f->x = numbers(f->x_count, 1, &r);
    f->dy = numbers(f->y_count, 1, &r);
    f->y = numbers(f->y_count, 0, NULL);
    f->dx = numbers(f->x_count, 0, NULL);
    l->keep = numbers(l->keep_count, 0, NULL);
    f->pass = (struct pass){
        .rows = size->rows, .training = true, .scratch = numbers(l->scratch_count, 0, NULL)};
}

static void teardown(struct fixture *f)
{
    struct layer *l = &f->layer;
    for (size_t i = 0; i < l->tensor_count; i++) {
        free(l->tensors[i].value);
        free(l->tensors[i].grad);
    }
    free(l->keep);
    free(f->pass.scratch);
    free(f->x);
    free(f->y);
    free(f->dx);
    free(f->dy);
}

static void forward(struct fixture *f)
{
    f->layer.ops->forward(&f->layer, &f->pass, f->x, f->y);
}

typedef void case_fn(struct fixture *f);

static void every_case(case_fn *check)
{
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
            for (int option = 0; option < 4; option++) {
                struct fixture f;
                setup(&f, kinds[k], &sizes[s], option & 1, option & 2);
                check(&f);
                teardown(&f);
            }
        }
    }
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* out[j] = W[j,:]·v + b[j] */
static void affine(const struct tensor *w, const struct tensor *b, const double *v, double *out)
{
    for (size_t j = 0; j < w->dim[0]; j++) {
        out[j] = b->value[j];
        for (size_t k = 0; k < w->dim[1]; k++)
            out[j] += w->value[j * w->dim[1] + k] * v[k];
    }
}

/* One step of one sample: torch.nn.RNN, GRU, LSTM as their documentation has it. a, b: what x and
 * h give to each gate. */
static void define(enum layer_kind kind, size_t units, const double *a, const double *b, double *h,
                   double *c)
{
    for (size_t u = 0; u < units; u++) {
        double s[GATES_MAX] = {0};
        for (size_t g = 0; g < gates_of[kind]; g++)
            s[g] = a[g * units + u] + b[g * units + u];
        if (kind == LAYER_RNN) {
            h[u] = tanh(s[0]);
        } else if (kind == LAYER_GRU) {
            double n = tanh(a[2 * units + u] + sigmoid(s[0]) * b[2 * units + u]);
            h[u] = (1 - sigmoid(s[1])) * n + sigmoid(s[1]) * h[u];
        } else {
            c[u] = sigmoid(s[1]) * c[u] + sigmoid(s[0]) * tanh(s[2]);
            h[u] = sigmoid(s[3]) * tanh(c[u]);
        }
    }
}

static void check_direction(struct fixture *f, size_t row, size_t direction)
{
    const struct size *z = &f->size;
    const struct tensor *t = f->layer.tensors + 4 * direction;
    bool sequence = f->layer.out.rank == 2;
    size_t width = f->layer.out.dim[f->layer.out.rank - 1];
    double h[8] = {0}, c[8] = {0}, a[8 * GATES_MAX], b[8 * GATES_MAX];
    for (size_t s = 0; s < z->steps; s++) {
        size_t time = direction ? z->steps - 1 - s : s;
        affine(&t[0], &t[2], f->x + (row * z->steps + time) * z->features, a);
        affine(&t[1], &t[3], h, b);
        define(f->plan.kind, z->units, a, b, h, c);
        if (!sequence && s + 1 < z->steps)
            continue;
        size_t place = sequence ? row * z->steps + time : row;
        for (size_t u = 0; u < z->units; u++) {
            double got = f->y[place * width + direction * z->units + u];
            if (!(fabs(got - h[u]) < 1e-14))
                fail_msg("%s, row %zu, time %zu, unit %zu: %.17g, by definition %.17g",
                         layer_kind_name(f->plan.kind), row, time, u, got, h[u]);
        }
    }
}

static void check_forward(struct fixture *f)
{
    forward(f);
    for (size_t row = 0; row < f->size.rows; row++) {
        for (size_t d = 0; d < f->layer.tensor_count / 4; d++)
            check_direction(f, row, d);
    }
}

static void test_forward_is_the_definition(void **state)
{
    every_case(check_forward);
}

/* L = Σ dy·y, so that dL/dy = dy. */
static double loss(struct fixture *f)
{
    double sum = 0;
    forward(f);
    for (size_t i = 0; i < f->y_count; i++)
        sum += f->dy[i] * f->y[i];
    return sum;
}

static double difference(struct fixture *f, real *at)
{
    double old = *at;
    *at = old + STEP;
    double above = loss(f);
    *at = old - STEP;
    double below = loss(f);
    *at = old;
    return (above - below) / (2 * STEP);
}

/* Rounding in L is about 1e-16·rows·steps. */
static bool agrees(double got, double want)
{
    return fabs(got - want) <= 2e-8 + 1e-6 * fabs(want);
}

/* Each wrong sign must be seen as well, unless the number is nearly 0. */
static void check_numbers(struct fixture *f, const char *what, real *at, const real *grad,
                          size_t count)
{
    size_t telling = 0;
    for (size_t i = 0; i < count; i++) {
        double want = difference(f, &at[i]);
        if (!agrees(grad[i], want))
            fail_msg("%s, %zu steps, %s %zu: gradient %.12g, central difference %.12g",
                     layer_kind_name(f->plan.kind), f->size.steps, what, i, grad[i], want);
        telling += !agrees(-grad[i], want);
    }
    assert_true(telling * 2 > count);
}

static void check_gradients(struct fixture *f)
{
    struct layer *l = &f->layer;
    forward(f);
    l->ops->backward(l, &f->pass, &(struct layer_slope){f->x, f->y, f->dy, f->dx});
    check_numbers(f, "dx", f->x, f->dx, f->x_count);
    for (size_t i = 0; i < l->tensor_count; i++) {
        struct tensor *t = &l->tensors[i];
        bool unused = f->size.steps == 1 && strstr(t->name, "weight_hh"); /* h before is 0 */
        for (size_t k = 0; unused && k < tensor_count(t); k++)
            assert_true(t->grad[k] == 0);
        if (!unused)
            check_numbers(f, t->name, t->value, t->grad, tensor_count(t));
    }
}

static void test_every_gradient(void **state)
{
    every_case(check_gradients);
}

static void check_without_dx(struct fixture *f)
{
    struct layer *l = &f->layer;
    struct tensor *t = &l->tensors[l->tensor_count - 3]; /* the last weight_hh */
    size_t bytes = tensor_count(t) * sizeof(real);
    forward(f);
    l->ops->backward(l, &f->pass, &(struct layer_slope){f->x, f->y, f->dy, f->dx});
    real *first = xmalloc(bytes);
    memcpy(first, t->grad, bytes);
    forward(f);
    l->ops->backward(l, &f->pass, &(struct layer_slope){f->x, f->y, f->dy, NULL});
    assert_memory_equal(first, t->grad, bytes);
    free(first);
}

static void test_gradients_do_not_need_dx(void **state)
{
    every_case(check_without_dx);
}

/* In evaluation the layer keeps nothing; keep is left alone. */
static void check_evaluation(struct fixture *f)
{
    forward(f);
    real *trained = f->y, *keep = f->layer.keep;
    f->y = numbers(f->y_count, 0, NULL);
    f->layer.keep = NULL;
    f->pass.training = false;
    forward(f);
    assert_memory_equal(trained, f->y, f->y_count * sizeof(real));
    f->layer.keep = keep;
    free(trained);
}

static void test_evaluation_gives_the_same(void **state)
{
    every_case(check_evaluation);
}

/* A NaN reaches the states after it in its own row, and all weight gradients. */
static void check_nan(struct fixture *f)
{
    struct layer *l = &f->layer;
    size_t in_row = f->x_count / f->size.rows, out_row = f->y_count / f->size.rows;
    size_t width = l->out.dim[l->out.rank - 1];
    f->x[f->x_count - 1] = (real)NAN; /* last row, last step */
    forward(f);
    for (size_t i = 0; i < f->y_count - out_row; i++)
        assert_true(isfinite(f->y[i]));
    for (size_t i = f->y_count - width; i < f->y_count; i++)
        assert_true(isnan(f->y[i]));
    l->ops->backward(l, &f->pass, &(struct layer_slope){f->x, f->y, f->dy, f->dx});
    assert_true(isnan(l->tensors[0].grad[0]) && isnan(l->tensors[2].grad[0]));
    assert_true(isnan(f->dx[f->x_count - 1]));
    if (f->size.rows > 1)
        assert_true(isfinite(f->dx[f->x_count - 1 - in_row]));
}

static void test_nan_stays_nan(void **state)
{
    every_case(check_nan);
}

/* Gates shut so far that they are 0 give 0, and gradients that are numbers. */
static void check_shut(struct fixture *f)
{
    struct layer *l = &f->layer;
    for (size_t i = 0; i < l->tensor_count; i++) {
        for (size_t k = 0; l->tensors[i].role == TENSOR_BIAS && k < tensor_count(&l->tensors[i]); k++)
            l->tensors[i].value[k] = -1000;
    }
    forward(f);
    l->ops->backward(l, &f->pass, &(struct layer_slope){f->x, f->y, f->dy, f->dx});
    for (size_t i = 0; f->plan.kind == LAYER_LSTM && i < f->y_count; i++)
        assert_true(f->y[i] == 0);
    for (size_t i = 0; i < l->tensor_count; i++) {
        for (size_t k = 0; k < tensor_count(&l->tensors[i]); k++)
            assert_true(isfinite(l->tensors[i].grad[k]));
    }
}

static void test_shut_gates(void **state)
{
    every_case(check_shut);
}

static void check_tensors(struct fixture *f)
{
    static const char *const names[] = {
        "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0",
        "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse"};
    const struct layer *l = &f->layer;
    size_t units = f->size.units, both = f->plan.value[LAYER_OPTION_BIDIRECTIONAL] != 0;
    assert_int_equal(l->tensor_count, both ? 8 : 4);
    assert_int_equal(l->out.dim[l->out.rank - 1], units << both);
    for (size_t i = 0; i < l->tensor_count; i++) {
        const struct tensor *t = &l->tensors[i];
        bool weight = i % 4 < 2;
        assert_string_equal(t->name, names[i]);
        assert_int_equal(t->rank, weight ? 2 : 1);
        assert_int_equal(t->dim[0], gates_of[f->plan.kind] * units);
        assert_int_equal(t->role, weight ? TENSOR_WEIGHT : TENSOR_BIAS);
        if (weight) {
            assert_int_equal(t->dim[1], i % 4 == 0 ? f->size.features : units);
            assert_int_equal(t->fan_in, t->dim[1]);
            assert_int_equal(t->fan_out, units);
        }
    }
}

static void test_tensors_are_pytorchs(void **state)
{
    every_case(check_tensors);
}

static void test_needs_a_sequence(void **state)
{
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct plan_layer plan = {.kind = kinds[k]};
        struct layer l = {.plan = &plan, .name = "3", .in = {.rank = 1, .dim = {10}}};
        struct errbuf err;
        assert_int_equal(ops_of(kinds[k])->shape(&l, 5, &err), ERR_VALUE);
        assert_non_null(strstr(err.message, "sequence"));
        assert_non_null(strstr(err.message, "[10]"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward_is_the_definition),
        cmocka_unit_test(test_every_gradient),
        cmocka_unit_test(test_gradients_do_not_need_dx),
        cmocka_unit_test(test_evaluation_gives_the_same),
        cmocka_unit_test(test_nan_stays_nan),
        cmocka_unit_test(test_shut_gates),
        cmocka_unit_test(test_tensors_are_pytorchs),
        cmocka_unit_test(test_needs_a_sequence),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
