/* Each optimizer against a reference written here from the published formulas, one scalar at a
 * time: 300 steps on a badly scaled quadratic whose gradient depends on where the steps led. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sweep/require.h"
#include "worker/optim/optim.h"

_Static_assert(sizeof(real) == sizeof(double), "links the library in double");

/* More than one piece of optim_step, and not a multiple of a vector. */
#define COUNT 2055
#define STEPS 300

struct scalar {
    double p, a, b; /* parameter and two states */
};

typedef void reference_fn(struct scalar *x, double g, int t);

static void reference_sgd(struct scalar *x, double g, int t)
{
    x->p = x->p - 0.05 * g;
}

static void reference_momentum(struct scalar *x, double g, int t)
{
    x->a = t == 1 ? g : 0.8 * x->a + g; /* PyTorch: the buffer starts as the first gradient */
    x->p = x->p - 0.05 * x->a;
}

static void reference_rmsprop(struct scalar *x, double g, int t)
{
    x->a = 0.95 * x->a + (1 - 0.95) * pow(g, 2);
    x->p = x->p - 0.05 * g / (sqrt(x->a) + 1e-6);
}

static void reference_adam(struct scalar *x, double g, int t)
{
    x->a = 0.85 * x->a + 0.15 * g;
    x->b = 0.98 * x->b + 0.02 * pow(g, 2);
    double m = x->a / (1 - pow(0.85, t)), v = x->b / (1 - pow(0.98, t));
    x->p = x->p - 0.05 * m / (sqrt(v) + 1e-6);
}

static void reference_adadelta(struct scalar *x, double g, int t)
{
    x->a = 0.9 * x->a + (1 - 0.9) * pow(g, 2);
    double delta = g * sqrt(x->b + 1e-6) / sqrt(x->a + 1e-6);
    x->b = 0.9 * x->b + (1 - 0.9) * pow(delta, 2);
    x->p = x->p - 0.05 * delta;
}

static struct settings settings_of(enum optimizer kind)
{
    struct settings s;
    settings_init(&s);
    s.v[SETTING_OPTIMIZER] = kind;
    s.v[SETTING_LEARNING_RATE] = 0.05;
    s.v[SETTING_MOMENTUM] = 0.8;
    s.v[SETTING_BETA1] = 0.85;
    s.v[SETTING_BETA2] = 0.98;
    s.v[SETTING_ALPHA] = 0.95;
    s.v[SETTING_RHO] = 0.9;
    s.v[SETTING_EPSILON] = 1e-6;
    return s;
}

/* ½·c·(p - 1)² with c from 0.01 to 10 */
static double gradient(size_t i, double p)
{
    return 0.01 * pow(1000, (double)i / (COUNT - 1)) * (p - 1);
}

static void check(enum optimizer kind, reference_fn *reference)
{
    static real p[COUNT], g[COUNT], state[OPTIM_STATE_MAX][COUNT];
    static struct scalar want[COUNT];
    struct settings s = settings_of(kind);
    struct optim o;
    optim_init(&o, &s);
    for (size_t i = 0; i < COUNT; i++) {
        p[i] = i % 2 ? -2 : 3;
        state[0][i] = state[1][i] = 0;
        want[i] = (struct scalar){p[i], 0, 0};
    }
    for (size_t i = 0; i < o.ops->state_count; i++)
        o.state[i] = state[i];
    for (int t = 1; t <= STEPS; t++) {
        double norm2 = 0;
        for (size_t i = 0; i < COUNT; i++) {
            g[i] = gradient(i, p[i]);
            norm2 += g[i] * g[i];
            reference(&want[i], gradient(i, want[i].p), t);
        }
        double got = optim_step(&o, COUNT, p, g);
        assert_true(fabs(got - norm2) <= 1e-12 * norm2);
        for (size_t i = 0; i < COUNT; i++) {
            if (fabs(p[i] - want[i].p) > 1e-9 * (1 + fabs(want[i].p)))
                fail_msg("%s: step %d, parameter %zu: %.15g, reference %.15g", o.ops->name, t, i,
                         p[i], want[i].p);
        }
    }
}

static void test_trajectories(void **state)
{
    static reference_fn *const references[] = {
        [OPTIMIZER_SGD] = reference_sgd,         [OPTIMIZER_MOMENTUM] = reference_momentum,
        [OPTIMIZER_RMSPROP] = reference_rmsprop, [OPTIMIZER_ADAM] = reference_adam,
        [OPTIMIZER_ADADELTA] = reference_adadelta,
    };
    for (size_t i = 0; i < ARRAY_LEN(references); i++)
        check((enum optimizer)i, references[i]);
}

/* First step of Adam is the learning rate in the gradient's direction, whatever its size. */
static void test_adam_first_step(void **state)
{
    struct settings s = settings_of(OPTIMIZER_ADAM);
    struct optim o;
    real p[2] = {0, 0}, g[2] = {1e3, -1e-2}, m[2] = {0, 0}, v[2] = {0, 0};
    optim_init(&o, &s);
    o.state[0] = m;
    o.state[1] = v;
    optim_step(&o, 2, p, g);
    assert_true(fabs(p[0] + 0.05) < 1e-9);
    assert_true(fabs(p[1] - 0.05) < 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trajectories),
        cmocka_unit_test(test_adam_first_step),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
