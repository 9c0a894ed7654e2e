/* Samples per second of one training step, and how near it is to what the machine can do: the
 * step's own matrix products, again, on the same numbers, and one pass of the optimizer over its
 * state. Prints one JSON line. The whole way of a batch is in it: gathered from the data set by a
 * shuffled order, forward, loss, backward, update.
 *
 * usage: step_bench step_cases.json CASE SECONDS */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "worker/evaluate.h"
#include "worker/nn/gemm.h"
#include "worker/setup.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define WARM_STEPS 20
#define LIMIT_SHARE 0.5 /* of the time: for the limit, with as many steps beside it */

/* --- the step's calls ------------------------------------------------------------------------- */

struct product {
    bool a_t, b_t;
    size_t m, n, k;
    const real *a, *b;
    real beta, *c;
};

static struct {
    bool recording, watching;
    size_t count, cap;
    struct product *products; /* of one step */
    size_t allocations;       /* while watching */
} calls;

void __real_gemm(bool a_t, bool b_t, size_t m, size_t n, size_t k, const real *a, const real *b,
                 real beta, real *c);
void __wrap_gemm(bool a_t, bool b_t, size_t m, size_t n, size_t k, const real *a, const real *b,
                 real beta, real *c);
void __wrap_gemm(bool a_t, bool b_t, size_t m, size_t n, size_t k, const real *a, const real *b,
                 real beta, real *c)
{
    if (calls.recording) {
        if (calls.count == calls.cap) {
            calls.cap = calls.cap ? 2 * calls.cap : 64;
            calls.products = xrealloc(calls.products, calls.cap * sizeof *calls.products);
        }
        calls.products[calls.count++] = (struct product){a_t, b_t, m, n, k, a, b, beta, c};
    }
    __real_gemm(a_t, b_t, m, n, k, a, b, beta, c);
}

#define WATCHED(type, name, parameters, arguments)                                                 \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        calls.allocations += calls.watching;                                                       \
        return __real_##name arguments;                                                            \
    }

WATCHED(void *, malloc, (size_t bytes), (bytes))
WATCHED(void *, calloc, (size_t count, size_t bytes), (count, bytes))
WATCHED(void *, realloc, (void *p, size_t bytes), (p, bytes))
WATCHED(void *, aligned_alloc, (size_t align, size_t bytes), (align, bytes))
WATCHED(int, posix_memalign, (void **out, size_t align, size_t bytes), (out, align, bytes))
WATCHED(void *, mmap, (void *at, size_t bytes, int protection, int flags, int file, off_t offset),
        (at, bytes, protection, flags, file, offset))

/* --- a training ------------------------------------------------------------------------------- */

struct training {
    struct run_config config;
    struct samples samples;
    struct split split;
    struct setup setup;
    struct evaluator evaluator;
    size_t batch, at; /* at: where in the order the next batch begins */
};

static void die(const char *message)
{
    fprintf(stderr, "step_bench: %s\n", message);
    exit(1);
}

static double number_of(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    if (!v)
        die(key);
    return json_number(v);
}

static const struct json *find_case(const struct json *root, const char *name)
{
    for (const struct json *c = json_first(root); c; c = json_next(c)) {
        if (strcmp(json_string(json_get(c, "name")), name) == 0)
            return c;
    }
    die("no such case");
    return NULL;
}

/* Uniform numbers: the time does not depend on them. */
static void make_samples(struct training *t, const struct json *c)
{
    struct rng r;
    struct samples *s = &t->samples;
    const struct json *shape = json_get(c, "shape");
    *s = (struct samples){.type = SAMPLES_F32,
                          .count = (size_t)number_of(c, "samples"),
                          .classes = (size_t)number_of(c, "classes"),
                          .outputs = 1};
    s->parts[PART_TRAIN] = s->count;
    for (const struct json *v = json_first(shape); v; v = json_next(v))
        s->shape.dim[s->shape.rank++] = (size_t)json_number(v);
    s->features = shape_count(&s->shape);
    float *x = xmalloc(s->count * s->features * sizeof *x);
    uint16_t *labels = xmalloc(s->count * sizeof *labels);
    rng_init(&r, 110, RNG_TEST, 0);
    for (size_t i = 0; i < s->count * s->features; i++)
        x[i] = (float)rng_uniform(&r);
    for (size_t i = 0; i < s->count; i++)
        labels[i] = (uint16_t)rng_below(&r, s->classes);
    s->values = x;
    s->labels = labels;
    t->split.train_count = s->count;
    t->split.train = xmalloc(s->count * sizeof *t->split.train);
    for (size_t i = 0; i < s->count; i++) {
        size_t j = rng_below(&r, i + 1);
        t->split.train[i] = t->split.train[j];
        t->split.train[j] = (uint32_t)i;
    }
}

static void training_open(struct training *t, const struct json *c)
{
    struct errbuf err = {0};
    memset(t, 0, sizeof *t);
    make_samples(t, c);
    settings_init(&t->config.settings);
    t->config.epochs = 1000000;
    t->config.seed = 110;
    t->batch = (size_t)number_of(c, "batch");
    t->config.settings.v[SETTING_MODEL_TYPE] = MODEL_SEQUENTIAL;
    t->config.settings.v[SETTING_BATCH_SIZE] = (double)t->batch;
    if (layer_list_parse(json_get(c, "layers"), "layers", &t->config.layers, &err) != 0 ||
        setup_open(&t->setup, &t->config, &t->samples, &t->split, &err) != 0)
        die(err.message);
    evaluator_init(&t->evaluator, &t->samples, &t->split, t->batch);
}

static void training_step(struct training *t)
{
    struct step *s = &t->setup.step;
    if (t->at + t->batch > t->samples.count)
        t->at = 0;
    struct targets targets =
        evaluator_gather(&t->evaluator, &s->net, t->split.train + t->at, t->batch);
    t->at += t->batch;
    step_run(s, t->batch, &targets);
}

static void repeat_products(void)
{
    for (size_t i = 0; i < calls.count; i++) {
        const struct product *p = &calls.products[i];
        __real_gemm(p->a_t, p->b_t, p->m, p->n, p->k, p->a, p->b, p->beta, p->c);
    }
}

static void repeat_update(struct training *t)
{
    const struct optim *o = &t->setup.step.optim;
    struct net *n = &t->setup.step.net;
    o->ops->update(o, &(struct optim_piece){.n = n->parameter_count,
                                            .p = n->values,
                                            .g = n->gradients,
                                            .state = {o->state[0], o->state[1]}});
}

/* --- measuring -------------------------------------------------------------------------------- */

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct rate {
    double steps, wall, cpu;
};

/* Processor time beside the wall's: on a busy machine only the former says what a step costs. */
static struct rate measure_rate(struct training *t, double seconds)
{
    struct rate r = {0};
    double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    calls.allocations = 0;
    calls.watching = true;
    while (r.wall < seconds) {
        for (int i = 0; i < 4; i++, r.steps++)
            training_step(t);
        r.wall = seconds_of(CLOCK_MONOTONIC) - wall;
    }
    calls.watching = false;
    r.cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return r;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(size_t count, double *values)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

struct limit {
    double step, products, update; /* seconds, medians */
};

/* What a short time is measured by. The processor's time costs a system call, half a percent of
 * SHORT_SECONDS; shorter steps are rarely interrupted, and the median passes over those. */
#define SHORT_SECONDS 100e-6
static clockid_t limit_clock(struct training *t)
{
    double start = seconds_of(CLOCK_MONOTONIC);
    for (int i = 0; i < WARM_STEPS; i++)
        training_step(t);
    bool is_short = seconds_of(CLOCK_MONOTONIC) - start < WARM_STEPS * SHORT_SECONDS;
    return is_short ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;
}

/* Step, products and update in turn, so that each finds the caches as the others leave them and
 * a slow moment of the machine meets all three. */
static struct limit measure_limit(struct training *t, double seconds)
{
    enum { TRIES_MAX = 20000 };
    double *times[3];
    size_t tries = 0;
    struct limit out;
    clockid_t clock = limit_clock(t);
    for (size_t i = 0; i < 3; i++)
        times[i] = xmalloc(TRIES_MAX * sizeof **times);
    calls.recording = true;
    training_step(t);
    calls.recording = false;
    double start = seconds_of(clock), now = start;
    while (tries < TRIES_MAX && (tries < 5 || now - start < seconds)) {
        double before = seconds_of(clock);
        training_step(t);
        double stepped = seconds_of(clock);
        repeat_products();
        double multiplied = seconds_of(clock);
        repeat_update(t);
        now = seconds_of(clock);
        times[0][tries] = stepped - before;
        times[1][tries] = multiplied - stepped;
        times[2][tries++] = now - multiplied;
    }
    out.step = median(tries, times[0]);
    out.products = median(tries, times[1]);
    out.update = median(tries, times[2]);
    for (size_t i = 0; i < 3; i++)
        free(times[i]);
    return out;
}

static double flops_of_step(void)
{
    double sum = 0;
    for (size_t i = 0; i < calls.count; i++) {
        const struct product *p = &calls.products[i];
        sum += 2.0 * (double)p->m * (double)p->n * (double)p->k;
    }
    return sum;
}

static void report(const char *name, const struct training *t, const struct rate *r,
                   const struct limit *l)
{
    struct buf line = {0};
    struct json_writer w;
    double batch = (double)t->batch;
    jw_init(&w, &line);
    jw_begin_object(&w);
    jw_kv_string(&w, "case", name);
    jw_kv_real(&w, "samples_per_s", batch * r->steps / r->cpu);
    jw_kv_real(&w, "samples_per_s_wall", batch * r->steps / r->wall);
    jw_kv_real(&w, "step_us", 1e6 * l->step);
    jw_kv_real(&w, "products_us", 1e6 * l->products);
    jw_kv_real(&w, "update_us", 1e6 * l->update);
    jw_kv_real(&w, "share_of_limit", (l->products + l->update) / l->step);
    jw_kv_real(&w, "gflops", flops_of_step() / l->products * 1e-9);
    jw_kv_int(&w, "products", (int64_t)calls.count);
    jw_kv_int(&w, "allocations", (int64_t)calls.allocations);
    jw_kv_int(&w, "parameters", (int64_t)t->setup.step.net.parameter_count);
    jw_kv_int(&w, "arena_bytes", (int64_t)t->setup.step.net.arena.bytes);
    jw_kv_string(&w, "core", gemm_core());
    jw_kv_string(&w, "blas", gemm_library());
    jw_end_object(&w);
    puts(line.data);
    buf_finish(&line);
}

static void training_close(struct training *t)
{
    evaluator_finish(&t->evaluator);
    setup_close(&t->setup);
    free((void *)t->samples.values);
    free((void *)t->samples.labels);
    free(t->split.train);
}

int main(int argc, char **argv)
{
    struct errbuf err = {0};
    struct buf text = {0};
    if (argc != 4) {
        fputs("usage: step_bench step_cases.json CASE SECONDS\n", stderr);
        return 2;
    }
    if (buf_read_file(&text, argv[1], FILE_BYTES_MAX, &err) != 0)
        die(err.message);
    struct json *root = json_parse(text.data, text.len, &err);
    if (!root)
        die(err.message);
    struct training *t = xmalloc(sizeof *t);
    gemm_init();
#ifdef __SSE__
    _mm_setcsr(_mm_getcsr() | 0x8040); /* as the worker: denormal numbers are zero */
#endif
    training_open(t, find_case(root, argv[2]));
    for (int i = 0; i < WARM_STEPS; i++)
        training_step(t);
    double seconds = strtod(argv[3], NULL);
    struct rate r = measure_rate(t, seconds * (1 - LIMIT_SHARE));
    struct limit l = measure_limit(t, seconds * LIMIT_SHARE);
    report(argv[2], t, &r, &l);
    training_close(t);
    free(t);
    free(calls.products);
    json_destroy(root);
    buf_finish(&text);
    return 0;
}
