/* Each optimizer, with each way of clipping and with penalties, against a reference written here
 * from PyTorch's documentation, one scalar at a time: 300 steps on a badly scaled quadratic whose
 * gradient depends on where the steps led. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/require.h"
#include "worker/optim/optim.h"

_Static_assert(sizeof(real) == sizeof(double), "links the library in double");

#define FROZEN 70  /* numbers before the first trained one */
#define BUFFERS 30 /* behind the last */
#define COUNT 2505 /* trained: more than two pieces of a step, and not a multiple of a vector */
#define TOTAL (FROZEN + COUNT + BUFFERS)
#define RATE 0.05
#define DECAY 0.3

/* Weight, bias, weight, bias; 40 numbers that are not trained lie between the last two. */
static struct net_span spans[] = {
    {FROZEN, 2055, true},
    {FROZEN + 2055, 10, false},
    {FROZEN + 2065, 380, true},
    {FROZEN + 2485, 20, false},
};
#define SPANS ARRAY_LEN(spans)

struct scalar {
    double p, a, b; /* parameter and two states */
};

typedef void reference_fn(struct scalar *x, double g, int t, double decay);

static void reference_sgd(struct scalar *x, double g, int t, double decay)
{
    x->p = x->p - RATE * g;
}

static void reference_momentum(struct scalar *x, double g, int t, double decay)
{
    x->a = t == 1 ? g : 0.8 * x->a + g; /* PyTorch: the buffer starts as the first gradient */
    x->p = x->p - RATE * x->a;
}

static void reference_nesterov(struct scalar *x, double g, int t, double decay)
{
    x->a = t == 1 ? g : 0.8 * x->a + g;
    g = g + 0.8 * x->a;
    x->p = x->p - RATE * g;
}

static void reference_rmsprop(struct scalar *x, double g, int t, double decay)
{
    x->a = 0.95 * x->a + (1 - 0.95) * pow(g, 2);
    x->p = x->p - RATE * g / (sqrt(x->a) + 1e-6);
}

static void reference_adam(struct scalar *x, double g, int t, double decay)
{
    x->a = 0.85 * x->a + 0.15 * g;
    x->b = 0.98 * x->b + 0.02 * pow(g, 2);
    double m = x->a / (1 - pow(0.85, t)), v = x->b / (1 - pow(0.98, t));
    x->p = x->p - RATE * m / (sqrt(v) + 1e-6);
}

static void reference_adamw(struct scalar *x, double g, int t, double decay)
{
    x->p = x->p - RATE * decay * x->p;
    reference_adam(x, g, t, 0);
}

static void reference_adagrad(struct scalar *x, double g, int t, double decay)
{
    x->a = x->a + pow(g, 2);
    x->p = x->p - RATE * g / (sqrt(x->a) + 1e-6);
}

static void reference_adadelta(struct scalar *x, double g, int t, double decay)
{
    x->a = 0.9 * x->a + (1 - 0.9) * pow(g, 2);
    double delta = g * sqrt(x->b + 1e-6) / sqrt(x->a + 1e-6);
    x->b = 0.9 * x->b + (1 - 0.9) * pow(delta, 2);
    x->p = x->p - RATE * delta;
}

static reference_fn *const references[OPTIMIZER_COUNT] = {
    [OPTIMIZER_SGD] = reference_sgd,           [OPTIMIZER_MOMENTUM] = reference_momentum,
    [OPTIMIZER_NESTEROV] = reference_nesterov, [OPTIMIZER_RMSPROP] = reference_rmsprop,
    [OPTIMIZER_ADAM] = reference_adam,         [OPTIMIZER_ADAMW] = reference_adamw,
    [OPTIMIZER_ADAGRAD] = reference_adagrad,   [OPTIMIZER_ADADELTA] = reference_adadelta,
};

static struct settings settings_of(enum optimizer kind)
{
    struct settings s;
    settings_init(&s);
    s.v[SETTING_OPTIMIZER] = kind;
    s.v[SETTING_LEARNING_RATE] = RATE;
    s.v[SETTING_MOMENTUM] = 0.8;
    s.v[SETTING_BETA1] = 0.85;
    s.v[SETTING_BETA2] = 0.98;
    s.v[SETTING_ALPHA] = 0.95;
    s.v[SETTING_RHO] = 0.9;
    s.v[SETTING_EPSILON] = 1e-6;
    s.v[SETTING_WEIGHT_DECAY] = DECAY;
    s.v[SETTING_CLIP_MIN] = -0.5;
    s.v[SETTING_CLIP_MAX] = 0.25;
    s.v[SETTING_CLIP_NORM] = 1.5;
    return s;
}

/* A network as far as an optimizer sees it. */
struct world {
    struct net net;
    struct optim optim;
    real values[TOTAL], gradients[TOTAL], state[OPTIM_STATE_MAX][TOTAL];
    struct scalar want[TOTAL];
    real wanted[TOTAL]; /* the reference's gradients */
};

static void world_init(struct world *w, const struct settings *s)
{
    memset(w, 0, sizeof *w);
    w->net = (struct net){.values = w->values,
                          .gradients = w->gradients,
                          .spans = spans,
                          .span_count = SPANS,
                          .parameter_count = FROZEN + COUNT,
                          .value_count = TOTAL,
                          .first_trained = FROZEN};
    for (size_t i = 0; i < TOTAL; i++) {
        w->values[i] = i % 2 ? -2 : 3;
        w->want[i].p = w->values[i];
    }
    optim_init(&w->optim, s);
    for (size_t i = 0; i < w->optim.ops->state_count; i++)
        w->optim.state[i] = w->state[i];
}

/* ½·c·(p - 1)² with c from 0.01 to 10 */
static double gradient(size_t i, double p)
{
    return 0.01 * pow(1000, (double)i / (TOTAL - 1)) * (p - 1);
}

static double squares(const struct net_span *span, const real *x)
{
    double sum = 0;
    for (size_t i = span->first; i < span->first + span->count; i++)
        sum += pow(x[i], 2);
    return sum;
}

/* As torch.nn.utils.clip_grad_value_ (with two bounds) and clip_grad_norm_. */
static double reference_clip(const struct settings *s, double g, double span2, double all2)
{
    double limit = s->v[SETTING_CLIP_NORM];
    switch ((enum clip)s->v[SETTING_CLIP]) {
    case CLIP_NONE:
        return g;
    case CLIP_VALUE:
        return fmin(fmax(g, s->v[SETTING_CLIP_MIN]), s->v[SETTING_CLIP_MAX]);
    case CLIP_NORM:
        return g * fmin(limit / (sqrt(span2) + 1e-6), 1);
    case CLIP_GLOBAL_NORM:
        return g * fmin(limit / (sqrt(all2) + 1e-6), 1);
    default:
        return NAN;
    }
}

static void reference_step(struct world *w, const struct settings *s, int t)
{
    enum optimizer kind = (enum optimizer)s->v[SETTING_OPTIMIZER];
    double all2 = 0, l2 = s->v[SETTING_L2_GRADIENT] ? s->v[SETTING_L2] : 0;
    for (size_t k = 0; k < SPANS; k++) {
        for (size_t i = spans[k].first; i < spans[k].first + spans[k].count; i++)
            w->wanted[i] = gradient(i, w->want[i].p);
        all2 += squares(&spans[k], w->wanted);
    }
    for (size_t k = 0; k < SPANS; k++) {
        double span2 = squares(&spans[k], w->wanted);
        for (size_t i = spans[k].first; i < spans[k].first + spans[k].count; i++) {
            double g = reference_clip(s, w->wanted[i], span2, all2);
            if (spans[k].is_weight)
                g += l2 * w->want[i].p;
            references[kind](&w->want[i], g, t, spans[k].is_weight ? DECAY : 0);
        }
    }
}

static void check(const struct settings *s, int steps)
{
    static struct world w;
    world_init(&w, s);
    for (int t = 1; t <= steps; t++) {
        double norm2 = 0;
        for (size_t i = 0; i < TOTAL; i++)
            w.gradients[i] = gradient(i, w.values[i]);
        for (size_t k = 0; k < SPANS; k++)
            norm2 += squares(&spans[k], w.gradients);
        assert_true(fabs(optim_step(&w.optim, &w.net) - norm2) <= 1e-12 * norm2);
        reference_step(&w, s, t);
        for (size_t i = 0; i < TOTAL; i++) {
            double want = w.want[i].p;
            if (!(fabs(w.values[i] - want) <= 1e-9 * (1 + fabs(want))))
                fail_msg("optimizer %g, clip %g, l2 %g: step %d, parameter %zu: %.15g, "
                         "reference %.15g",
                         s->v[SETTING_OPTIMIZER], s->v[SETTING_CLIP], s->v[SETTING_L2], t, i,
                         (double)w.values[i], want);
        }
    }
    assert_int_equal(w.optim.step, steps);
}

static void test_trajectories(void **state)
{
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        struct settings s = settings_of((enum optimizer)kind);
        check(&s, 300);
    }
}

static void test_clip_and_penalty(void **state)
{
    static const enum optimizer kinds[] = {OPTIMIZER_SGD, OPTIMIZER_NESTEROV, OPTIMIZER_ADAMW};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (int clip = CLIP_NONE; clip <= CLIP_GLOBAL_NORM; clip++) {
            for (int l2 = 0; l2 < 3; l2++) { /* off, followed, reported only */
                struct settings s = settings_of(kinds[k]);
                s.v[SETTING_CLIP] = clip;
                s.v[SETTING_L2] = l2 ? 0.02 : 0;
                s.v[SETTING_L2_GRADIENT] = l2 != 2;
                check(&s, 100); /* later, rounding errors grow where adamw's v is next to 0 */
            }
        }
    }
}

/* The guide's bounds (0.1, 5) turn every negative gradient into +0.1 (G3.3). */
static void test_guide_bounds(void **state)
{
    static struct world w;
    struct settings s = settings_of(OPTIMIZER_SGD);
    s.v[SETTING_CLIP] = CLIP_VALUE;
    s.v[SETTING_CLIP_MIN] = 0.1;
    s.v[SETTING_CLIP_MAX] = 5;
    world_init(&w, &s);
    w.gradients[FROZEN] = -3;
    w.gradients[FROZEN + 1] = 0;
    w.gradients[FROZEN + 2] = 4;
    w.gradients[FROZEN + 3] = 6;
    static const double followed[] = {0.1, 0.1, 4, 5};
    assert_true(fabs(optim_step(&w.optim, &w.net) - 61) < 1e-12);
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs(w.values[FROZEN + i] - (w.want[FROZEN + i].p - RATE * followed[i])) <
                    1e-15);
}

/* A broken gradient breaks the parameters: nothing on the way makes a number of it. A norm takes
 * all of its tensor, or of the network, along. */
static void test_nan_stays(void **state)
{
    static const size_t broken[] = {
        [CLIP_NONE] = 1, [CLIP_VALUE] = 1, [CLIP_NORM] = 10, [CLIP_GLOBAL_NORM] = COUNT - 40};
    static struct world w;
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        for (int clip = CLIP_NONE; clip <= CLIP_GLOBAL_NORM; clip++) {
            struct settings s = settings_of((enum optimizer)kind);
            s.v[SETTING_CLIP] = clip;
            s.v[SETTING_L2] = 0.1;
            world_init(&w, &s);
            w.gradients[FROZEN + 2057] = NAN; /* in the first bias */
            assert_true(isnan(optim_step(&w.optim, &w.net)));
            size_t count = 0;
            for (size_t i = 0; i < TOTAL; i++)
                count += isnan(w.values[i]);
            assert_int_equal(count, broken[clip]);
            assert_true(isnan(w.values[FROZEN + 2057]));
        }
    }
}

/* The norm of a gradient that has all but vanished. */
static void test_norm_of_small(void **state)
{
    static struct world w;
    struct settings s = settings_of(OPTIMIZER_SGD);
    world_init(&w, &s);
    for (size_t i = FROZEN; i < FROZEN + 2055; i++)
        w.gradients[i] = 1e-100;
    assert_true(fabs(optim_step(&w.optim, &w.net) / 2055e-200 - 1) < 1e-12);
}

/* Adam's first step is the learning rate against the gradient's direction, whatever its size. */
static void test_adam_first_step(void **state)
{
    static struct world w;
    struct settings s = settings_of(OPTIMIZER_ADAM);
    world_init(&w, &s);
    w.gradients[FROZEN] = 1e3;
    w.gradients[FROZEN + 1] = -1e-2;
    optim_step(&w.optim, &w.net);
    assert_true(fabs(w.values[FROZEN] - (3 - RATE)) < 1e-9);
    assert_true(fabs(w.values[FROZEN + 1] - (-2 + RATE)) < 1e-5);
}

static void test_penalty(void **state)
{
    static struct world w;
    struct settings s = settings_of(OPTIMIZER_SGD);
    s.v[SETTING_L2] = 0.01;
    world_init(&w, &s);
    double sum = squares(&spans[0], w.values) + squares(&spans[2], w.values);
    assert_true(fabs(optim_penalty(&s, &w.net) - 0.005 * sum) < 1e-10);
    s.v[SETTING_L2_GRADIENT] = 0;
    assert_true(fabs(optim_penalty(&s, &w.net) - 0.005 * sum) < 1e-10);
    s.v[SETTING_L2] = 0;
    assert_true(optim_penalty(&s, &w.net) == 0);
}

/* With a rate of 1 a step of sgd is the gradient itself: what is left of it is the noise, normal,
 * with the variance of its step, and the same for the same seed. */
static void test_noise(void **state)
{
    static struct world w, again;
    struct settings settings = settings_of(OPTIMIZER_SGD);
    double sum = 0, squared = 0, counted = 0;
    settings.v[SETTING_LEARNING_RATE] = 1;
    settings.v[SETTING_GRADIENT_NOISE] = 0.3;
    world_init(&w, &settings);
    world_init(&again, &settings);
    w.optim.seed = again.optim.seed = 5;
    for (int step = 0; step < 400; step++) {
        real before[TOTAL];
        memcpy(before, w.values, sizeof before);
        memset(w.gradients, 0, sizeof w.gradients);
        memset(again.gradients, 0, sizeof again.gradients);
        assert_true(optim_step(&w.optim, &w.net) == 0); /* of the data term */
        optim_step(&again.optim, &again.net);
        assert_memory_equal(w.values, again.values, sizeof w.values);
        double scale = sqrt(0.3 * pow(1 + step, -0.55));
        for (size_t s = 0; s < SPANS; s++)
            for (size_t i = spans[s].first; i < spans[s].first + spans[s].count; i++) {
                double x = (before[i] - w.values[i]) / scale;
                sum += x;
                squared += x * x;
                counted++;
            }
        assert_memory_equal(before, w.values, FROZEN * sizeof(real));
    }
    /* five deviations of the mean and of the variance */
    assert_true(fabs(sum / counted) < 5 / sqrt(counted));
    assert_true(fabs(squared / counted - 1) < 5 * sqrt(2 / counted));
    again.optim.seed = 6;
    optim_step(&w.optim, &w.net);
    optim_step(&again.optim, &again.net);
    assert_memory_not_equal(w.values, again.values, sizeof w.values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trajectories),  cmocka_unit_test(test_clip_and_penalty),
        cmocka_unit_test(test_guide_bounds),  cmocka_unit_test(test_nan_stays),
        cmocka_unit_test(test_norm_of_small), cmocka_unit_test(test_adam_first_step),
        cmocka_unit_test(test_penalty),       cmocka_unit_test(test_noise),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
