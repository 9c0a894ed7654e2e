/* The dense layer against its definition in plain loops: a batch that is one product, and
 * sequences whose vectors are taken in pieces, the last one shorter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "worker/nn/layer.h"

#ifdef SWEEP_REAL_DOUBLE
#define CLOSE 1e-12
#else
#define CLOSE 1e-4
#endif

struct size {
    size_t rows, steps, in, out;
};

static const struct size sizes[] = {
    {5, 1, 7, 3}, {4, 1001, 40, 41}, {9, 1000, 3, 64}, {2, 500, 1, 1}, {300, 1, 33, 2}};

struct fixture {
    struct size size;
    size_t vectors;
    struct plan_layer plan;
    struct layer layer;
    struct pass pass;
    real *x, *y, *dy, *dx;
};

static real *numbers(size_t count, struct rng *r)
{
    real *x = xmalloc(count * sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = r ? (real)(2 * rng_uniform(r) - 1) : (real)NAN;
    return x;
}

/* What the layer has to write itself starts as NaN. */
static void setup(struct fixture *f, const struct size *s)
{
    struct rng r;
    rng_init(&r, 110, RNG_TEST, s->in);
    *f = (struct fixture){.size = *s, .vectors = s->rows * s->steps};
    f->plan = (struct plan_layer){.kind = LAYER_DENSE};
    f->plan.value[LAYER_OPTION_UNITS] = (double)s->out;
    struct layer *l = &f->layer;
    l->ops = &layer_dense;
    l->plan = &f->plan;
    l->in = s->steps > 1 ? (struct shape){2, {s->steps, s->in}} : (struct shape){1, {s->in}};
    l->in_count = s->steps * s->in;
    assert_int_equal(l->ops->shape(l, s->rows, NULL), 0);
    for (size_t i = 0; i < l->tensor_count; i++) {
        l->tensors[i].value = numbers(tensor_count(&l->tensors[i]), &r);
        l->tensors[i].grad = numbers(tensor_count(&l->tensors[i]), NULL);
    }
    f->pass = (struct pass){.rows = s->rows, .training = true};
    f->x = numbers(f->vectors * s->in, &r);
    f->dy = numbers(f->vectors * s->out, &r);
    f->y = numbers(f->vectors * s->out, NULL);
    f->dx = numbers(f->vectors * s->in, NULL);
    l->ops->forward(l, &f->pass, f->x, f->y);
    l->ops->backward(l, &f->pass, &(struct layer_slope){f->x, f->y, f->dy, f->dx});
}

static void teardown(struct fixture *f)
{
    for (size_t i = 0; i < f->layer.tensor_count; i++) {
        free(f->layer.tensors[i].value);
        free(f->layer.tensors[i].grad);
    }
    free(f->x);
    free(f->y);
    free(f->dy);
    free(f->dx);
}

/* Σ a[i·step_a]·b[i·step_b] */
static double dot(size_t n, const real *a, size_t step_a, const real *b, size_t step_b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i * step_a] * (double)b[i * step_b];
    return sum;
}

static void expect(const char *what, double got, double want, double size)
{
    if (!(fabs(got - want) <= CLOSE * (1 + size)))
        fail_msg("%s: got %.17g, want %.17g", what, got, want);
}

static void check_vectors(const struct fixture *f)
{
    size_t in = f->size.in, out = f->size.out;
    const struct tensor *t = f->layer.tensors;
    for (size_t v = 0; v < f->vectors; v++) {
        for (size_t j = 0; j < out; j++)
            expect("y", (double)f->y[v * out + j],
                   (double)t[1].value[j] + dot(in, f->x + v * in, 1, t[0].value + j * in, 1), 1);
        for (size_t i = 0; i < in; i++)
            expect("dx", (double)f->dx[v * in + i],
                   dot(out, f->dy + v * out, 1, t[0].value + i, in), 1);
    }
}

static void check_gradients(const struct fixture *f)
{
    size_t in = f->size.in, out = f->size.out;
    const struct tensor *t = f->layer.tensors;
    const real one = 1;
    double size = sqrt((double)f->vectors);
    for (size_t j = 0; j < out; j++) {
        expect("db", (double)t[1].grad[j], dot(f->vectors, f->dy + j, out, &one, 0), size);
        for (size_t i = 0; i < in; i++)
            expect("dW", (double)t[0].grad[j * in + i],
                   dot(f->vectors, f->dy + j, out, f->x + i, in), size);
    }
}

static void test_against_plain_loops(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        static struct fixture f;
        setup(&f, &sizes[i]);
        check_vectors(&f);
        check_gradients(&f);
        teardown(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_plain_loops)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
