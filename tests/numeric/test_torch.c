/* Whole trainings against PyTorch: from the same weights, on the same samples in the same order,
 * the loss of every step must be PyTorch's (reference/README.md). Built twice: in double the
 * formulas are compared, in float also that rounding stays rounding. The same steps are watched
 * for calls that take memory.
 *
 * usage: test_torch DIR (of the references) */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "worker/setup.h"

#ifdef SWEEP_REAL_DOUBLE
#define KIND "double"
#define STEPS 200
#define TOLERANCE 1e-9
#define EVALUATION_TOLERANCE 1e-6 /* why it is wider: torch_reference.py */
#define NUDGE 1e-6 /* what the planted faults are off by */
#else
#define KIND "float"
#define STEPS 20
#define TOLERANCE 1e-4
#define EVALUATION_TOLERANCE 1e-2
#define NUDGE 0.03
#endif
#define FILE_BYTES_MAX ((size_t)1 << 20)
#define LOSSES (STEPS + 1) /* and the loss of all rows in evaluation mode */

static const char *references;

/* --- memory ----------------------------------------------------------------------------------- */

static struct {
    bool watching;
    size_t calls; /* while watching */
} memory;

#define WATCHED(type, name, parameters, arguments)                                                 \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        memory.calls += memory.watching;                                                           \
        return __real_##name arguments;                                                            \
    }

/* The linker sends every call of the program's here (-Wl,--wrap). */
WATCHED(void *, malloc, (size_t bytes), (bytes))
WATCHED(void *, calloc, (size_t count, size_t bytes), (count, bytes))
WATCHED(void *, realloc, (void *p, size_t bytes), (p, bytes))
WATCHED(void *, aligned_alloc, (size_t align, size_t bytes), (align, bytes))
WATCHED(int, posix_memalign, (void **out, size_t align, size_t bytes), (out, align, bytes))
WATCHED(void *, mmap, (void *at, size_t bytes, int protection, int flags, int file, off_t offset),
        (at, bytes, protection, flags, file, offset))

/* --- a group: data and cases ------------------------------------------------------------------ */

struct group {
    const char *name;
    struct json *root;
    struct samples samples;
    struct split split;
    size_t batch;
};

static double number_of(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    assert_non_null(v);
    return json_number(v);
}

static double *numbers_of(const struct json *rows, size_t count)
{
    double *out = xcalloc(count, sizeof *out);
    size_t at = 0;
    for (const struct json *row = json_first(rows); row; row = json_next(row)) {
        for (const struct json *v = json_first(row); v; v = json_next(v)) {
            assert_true(at < count);
            out[at++] = json_number(v);
        }
    }
    assert_int_equal(at, count);
    return out;
}

static void read_answers(struct samples *s, const struct json *root)
{
    size_t count = s->count * s->outputs;
    double *y = numbers_of(json_get(root, "y"), count);
    uint16_t *labels = xcalloc(count, sizeof *labels);
    float *targets = xcalloc(count, sizeof *targets);
    for (size_t i = 0; i < count; i++) {
        labels[i] = (uint16_t)(s->classes ? y[i] : 0);
        targets[i] = (float)y[i];
    }
    s->labels = s->classes ? labels : NULL;
    s->targets = s->classes ? NULL : targets;
    free(s->classes ? (void *)targets : (void *)labels);
    free(y);
}

static void read_features(struct samples *s, const struct json *root)
{
    double *x = numbers_of(json_get(root, "x"), s->count * s->features);
    float *values = xcalloc(s->count * s->features, sizeof *values);
    for (size_t i = 0; i < s->count * s->features; i++)
        values[i] = (float)x[i];
    s->values = values;
    free(x);
}

static void group_open(struct group *g, const char *name)
{
    struct errbuf err = {0};
    struct buf text = {0};
    char *path = xasprintf("%s/%s.json", references, name);
    *g = (struct group){.name = name};
    if (buf_read_file(&text, path, FILE_BYTES_MAX, &err) != 0)
        fail_msg("%s", err.message);
    g->root = json_parse(text.data, text.len, &err);
    if (!g->root)
        fail_msg("%s: %s", path, err.message);
    struct samples *s = &g->samples;
    *s = (struct samples){.type = SAMPLES_F32,
                          .count = json_count(json_get(g->root, "x")),
                          .classes = (size_t)number_of(g->root, "classes"),
                          .outputs = (size_t)number_of(g->root, "outputs")};
    s->parts[PART_TRAIN] = s->count;
    const struct json *shape = json_get(g->root, "shape");
    for (const struct json *v = json_first(shape); v; v = json_next(v))
        s->shape.dim[s->shape.rank++] = (size_t)json_number(v);
    s->features = shape_count(&s->shape);
    read_features(s, g->root);
    read_answers(s, g->root);
    g->batch = (size_t)number_of(g->root, "batch");
    g->split.train_count = s->count;
    g->split.train = xcalloc(s->count, sizeof *g->split.train);
    for (size_t i = 0; i < s->count; i++)
        g->split.train[i] = (uint32_t)i;
    buf_finish(&text);
    free(path);
}

static void group_close(struct group *g)
{
    json_destroy(g->root);
    free((void *)g->samples.values);
    free((void *)g->samples.labels);
    free((void *)g->samples.targets);
    free(g->split.train);
}

static const struct json *group_case(const struct group *g, const char *name)
{
    const struct json *cases = json_get(g->root, "cases");
    for (const struct json *c = json_first(cases); c; c = json_next(c)) {
        if (strcmp(json_string(json_get(c, "name")), name) == 0)
            return c;
    }
    fail_msg("no case %s in group %s", name, g->name);
    return NULL;
}

/* --- training --------------------------------------------------------------------------------- */

static struct run_config config_of(const struct group *g, const struct json *one)
{
    struct errbuf err = {0};
    struct run_config c = {.epochs = (int64_t)number_of(g->root, "epochs"), .seed = 110};
    const struct json *given = json_get(one, "settings");
    const struct json *layers = json_get(json_get(given, "model"), "layers");
    settings_init(&c.settings);
    if (settings_from_json(&c.settings, given, NULL, &err) != 0 ||
        layer_list_parse(layers, "$.model.layers", &c.layers, &err) != 0)
        fail_msg("%s/%s: %s", g->name, json_string(json_get(one, "name")), err.message);
    c.settings.v[SETTING_BATCH_SIZE] = (double)g->batch;
    snprintf(c.start_weights, sizeof c.start_weights, "%s/%s.safetensors", references, g->name);
    return c;
}

/* Rows [first, first + rows) as they are; the trainer's own way knows float only. */
static struct targets gather(const struct group *g, struct net *n, size_t first, size_t rows,
                             real *targets)
{
    const struct samples *s = &g->samples;
    const float *x = (const float *)s->values + first * s->features;
    for (size_t i = 0; i < rows * s->features; i++)
        n->input[i] = x[i];
    for (size_t i = 0; s->targets && i < rows * s->outputs; i++)
        targets[i] = s->targets[first * s->outputs + i];
    return (struct targets){
        .labels = s->labels ? s->labels + first * s->outputs : NULL,
        .values = s->labels ? NULL : targets,
    };
}

static double evaluate_all(const struct group *g, struct step *s, real *targets)
{
    size_t rows = g->samples.count;
    struct net *n = &s->net;
    assert_true(n->eval_rows >= rows);
    struct targets t = gather(g, n, 0, rows, targets);
    average_exchange(&s->average, n->value_count, n->values);
    const real *z = net_forward(n, rows, false, s->optim.step);
    average_exchange(&s->average, n->value_count, n->values);
    size_t answers = rows * (shape_count(&n->output) / s->loss.outputs);
    struct loss_sum sum = loss_compute(&s->loss, answers, z, &t, NULL);
    return sum.loss / sum.weight;
}

/* The losses of STEPS steps and of the evaluation, the first tensor being larger than it should
 * by `nudge`. Returns the calls that took memory between the first step's end and the last's. */
static size_t train(const struct group *g, const struct run_config *c, double nudge, double *out)
{
    struct errbuf err = {0};
    struct setup setup;
    const struct samples *s = &g->samples;
    real *targets = xcalloc(s->count * s->outputs, sizeof *targets);
    if (setup_open(&setup, c, s, &g->split, &err) != 0)
        fail_msg("%s: %s", g->name, err.message);
    struct step *step = &setup.step;
    for (size_t i = 0; i < step->net.spans[0].count; i++)
        step->net.values[step->net.spans[0].first + i] *= (real)(1 + nudge);
    memory.calls = 0;
    size_t in_epoch = 0, batches = (s->count + g->batch - 1) / g->batch;
    double epoch = 0;
    for (size_t i = 0; i < STEPS; i++) {
        size_t first = in_epoch * g->batch;
        size_t rows = s->count - first < g->batch ? s->count - first : g->batch;
        struct targets t = gather(g, &step->net, first, rows, targets);
        memory.watching = i > 0; /* BLAS takes its buffers at its first call */
        struct step_result r = step_run(step, rows, &t);
        memory.watching = false;
        out[i] = r.sum.loss / r.sum.weight;
        epoch += out[i];
        if (++in_epoch == batches) {
            schedule_end_epoch(&step->schedule, epoch / (double)batches, false);
            average_end_epoch(&step->average, (int64_t)(i + 1) / (int64_t)batches,
                              step->net.value_count, step->net.values);
            in_epoch = 0;
            epoch = 0;
        }
    }
    out[STEPS] = evaluate_all(g, step, targets);
    setup_close(&setup);
    free(targets);
    return memory.calls;
}

/* --- comparison ------------------------------------------------------------------------------- */

/* Largest relative difference and where, that of the evaluation measured by its own tolerance;
 * what is not a number differs from everything. */
static double difference(const double *want, const double *got, size_t count, size_t *where)
{
    double worst = 0;
    *where = 0;
    for (size_t i = 0; i < count; i++) {
        double off = fabs(got[i] - want[i]) / fabs(want[i]);
        if (i == STEPS)
            off *= TOLERANCE / EVALUATION_TOLERANCE;
        if (!(off <= worst)) {
            worst = isnan(off) ? (double)INFINITY : off;
            *where = i;
        }
    }
    return worst;
}

static void losses_of(const struct json *one, double want[LOSSES])
{
    const struct json *list = json_get(one, KIND);
    size_t at = 0;
    assert_int_equal(json_count(list), LOSSES);
    for (const struct json *v = json_first(list); v; v = json_next(v))
        want[at++] = json_number(v);
}

/* Off by more than the tolerance? Says so. */
static bool differs(const struct group *g, const struct json *one, double *worst)
{
    double want[LOSSES], got[LOSSES];
    size_t where;
    struct run_config c = config_of(g, one);
    const char *name = json_string(json_get(one, "name"));
    losses_of(one, want);
    size_t calls = train(g, &c, 0, got);
    double off = difference(want, got, LOSSES, &where);
    *worst = off > *worst ? off : *worst;
    if (off > TOLERANCE)
        print_error("%s/%s: step %zu of " KIND " has loss %.17g, PyTorch %.17g: off by %.2g\n",
                    g->name, name, where + 1, got[where], want[where], off);
    if (calls > 0)
        print_error("%s/%s: steps took memory %zu times\n", g->name, name, calls);
    return off > TOLERANCE || calls > 0;
}

static void test_group(void **state)
{
    struct group g;
    size_t wrong = 0, count = 0;
    double worst = 0;
    group_open(&g, *state);
    const struct json *cases = json_get(g.root, "cases");
    for (const struct json *c = json_first(cases); c; c = json_next(c), count++)
        wrong += differs(&g, c, &worst);
    group_close(&g);
    print_message("# %s: %zu cases in " KIND ", largest difference %.2g\n", (char *)*state, count,
                  worst);
    assert_true(count > 0);
    assert_int_equal(wrong, 0);
}

/* --- the comparison itself -------------------------------------------------------------------- */

/* Weights that are a little off, and a learning rate, must not pass for the right ones, whatever
 * the optimizer. */
static void test_notices_faults(void **state)
{
    struct group g;
    double want[LOSSES], got[LOSSES];
    size_t where, optimizers = 0;
    group_open(&g, *state);
    const struct json *cases = json_get(g.root, "cases");
    for (const struct json *one = json_first(cases); one; one = json_next(one), optimizers++) {
        struct run_config c = config_of(&g, one);
        losses_of(one, want);
        train(&g, &c, 0, got);
        assert_true(difference(want, got, LOSSES, &where) <= TOLERANCE);
        train(&g, &c, NUDGE, got);
        assert_true(difference(want, got, LOSSES, &where) > TOLERANCE);
        c.settings.v[SETTING_LEARNING_RATE] *= 1 + NUDGE;
        train(&g, &c, 0, got);
        assert_true(difference(want, got, LOSSES, &where) > TOLERANCE);
    }
    assert_int_equal(optimizers, OPTIMIZER_COUNT);
    group_close(&g);
}

/* Each constant of an optimizer shows in the losses. */
static void test_notices_constants(void **state)
{
    static const struct {
        const char *name;
        enum setting_id id;
        double value;
    } planted[] = {
        {"momentum", SETTING_MOMENTUM, 0.91}, {"nesterov", SETTING_MOMENTUM, 0.91},
        {"nesterov", SETTING_OPTIMIZER, OPTIMIZER_MOMENTUM},
        {"rmsprop", SETTING_ALPHA, 0.98},     {"adam", SETTING_BETA1, 0.91},
        {"adam", SETTING_BETA2, 0.998},       {"adam", SETTING_EPSILON, 1e-4},
        {"adamw", SETTING_WEIGHT_DECAY, 0.1}, {"adamw", SETTING_OPTIMIZER, OPTIMIZER_ADAM},
        {"adadelta", SETTING_RHO, 0.94},      {"adadelta", SETTING_EPSILON, 1e-6},
    };
    struct group g;
    double want[LOSSES], got[LOSSES];
    size_t where;
    group_open(&g, *state);
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        const struct json *one = group_case(&g, planted[i].name);
        struct run_config c = config_of(&g, one);
        losses_of(one, want);
        c.settings.v[planted[i].id] = planted[i].value;
        train(&g, &c, 0, got);
        if (!(difference(want, got, LOSSES, &where) > TOLERANCE))
            fail_msg("%s with another constant (setting %d) passes", planted[i].name,
                     (int)planted[i].id);
    }
    group_close(&g);
}

static void test_nan_differs(void **state)
{
    size_t where;
    const double want[3] = {1, 2, 3}, got[3] = {1, NAN, 3};
    assert_true(difference(want, want, 3, &where) == 0);
    assert_true(difference(want, got, 3, &where) > TOLERANCE);
    assert_int_equal(where, 1);
}

#define GROUP(group) {#group, test_group, NULL, NULL, (char[]){#group}}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        GROUP(dense), GROUP(batch_norm), GROUP(lstm), GROUP(gru), GROUP(conv), GROUP(rnn),
        GROUP(lstm_both_ends), GROUP(gru_both_ends), GROUP(rnn_both_ends), GROUP(lstm_stacked),
        GROUP(conv_norm), GROUP(residual), GROUP(regularised), GROUP(regression),
        GROUP(regression_steps), GROUP(binary),
        cmocka_unit_test_prestate(test_notices_faults, (char[]){"conv"}),
        cmocka_unit_test_prestate(test_notices_constants, (char[]){"dense"}),
        cmocka_unit_test(test_nan_differs),
    };
    if (argc != 2)
        return 2;
    references = argv[1];
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
