#include "worker/train.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include "sweep/buf.h"
#include "sweep/curve.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/rng.h"
#include "worker/nn/loss.h"
#include "worker/optim/optim.h"
#include "worker/tally.h"

_Static_assert(sizeof(real) == sizeof(float), "samples are gathered as float");

/* Rows evaluated at once: large enough for full speed of the products, small enough for the
 * second-level cache. */
#define EVAL_ROWS 512

/* What lives only while epochs run. */
struct state {
    struct optim optim;
    loss_fn *loss;
    uint32_t *order;     /* [train_count], this epoch's order */
    uint16_t *labels;    /* of the batch */
    struct tally tally;
    real *best;          /* copy of the best parameters, in the arena; NULL: not wanted */
    bool have_best;
    double best_value;
    int64_t points;
};

double train_clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t batch_size(const struct train *t)
{
    return least((size_t)t->config->settings.v[SETTING_BATCH_SIZE], t->split->train_count);
}

int train_open(struct train *t, struct errbuf *err)
{
    const struct settings *s = &t->config->settings;
    struct optim optim;
    optim_init(&optim, s);
    struct net_plan plan = {
        .features = t->samples->features,
        .classes = t->samples->classes,
        .depth = (size_t)s->v[SETTING_DEPTH],
        .width = (size_t)s->v[SETTING_WIDTH],
        .activation = (enum activation)s->v[SETTING_ACTIVATION],
        .init = (enum init)s->v[SETTING_INIT],
        .train_rows = batch_size(t),
        .eval_rows = least(EVAL_ROWS, t->split->validation_count),
        .copies = optim.ops->state_count + (t->config->weights[0] ? 1 : 0),
    };
    return net_init(&t->net, &plan, t->config->seed, err);
}

void train_close(struct train *t)
{
    net_finish(&t->net);
    t->best = NULL;
}

/* The order depends on seed and epoch alone, so any epoch can be begun anew. */
static void shuffle_epoch(const struct train *t, struct state *st, int64_t epoch)
{
    memcpy(st->order, t->split->train, t->split->train_count * sizeof *st->order);
    if (t->config->settings.v[SETTING_SHUFFLE] == 0)
        return;
    struct rng r;
    rng_init(&r, t->config->seed, RNG_SHUFFLE, (uint64_t)epoch);
    rng_shuffle(&r, st->order, t->split->train_count);
}

static void train_batch(struct train *t, struct state *st, const uint32_t *rows, size_t count)
{
    struct net *n = &t->net;
    samples_gather(t->samples, rows, count, t->split->fill, n->input, st->labels);
    const real *z = net_forward(n, count);
    struct loss_sum sum = st->loss(count, n->plan.classes, z, st->labels, n->output_grad);
    net_backward(n, count);
    double norm2 = optim_step(&st->optim, n->parameter_count, n->parameters, n->gradients);
    tally_add(&st->tally, count, sum, norm2);
}

static void evaluate(struct train *t, struct state *st, struct point *p)
{
    struct net *n = &t->net;
    size_t total = t->split->validation_count;
    struct loss_sum all = {0, 0};
    for (size_t done = 0; done < total; done += EVAL_ROWS) {
        size_t count = least(EVAL_ROWS, total - done);
        samples_gather(t->samples, t->split->validation + done, count, t->split->fill, n->input,
                       st->labels);
        const real *z = net_forward(n, count);
        struct loss_sum sum = st->loss(count, n->plan.classes, z, st->labels, n->output_grad);
        all.loss += sum.loss;
        all.correct += sum.correct;
    }
    if (total > 0) {
        point_set(p, CURVE_VAL_LOSS, all.loss / (double)total);
        point_set(p, CURVE_VAL_ACC, (double)all.correct / (double)total);
    }
}

/* Keeps the parameters when the metric is better than at every point before. */
static void keep_best(struct train *t, struct state *st, const struct point *p)
{
    enum curve_column column = metric_column(t->config->metric);
    if (!st->best || !point_has(p, column))
        return;
    if (st->have_best && !metric_better(p->v[column], st->best_value, t->config->maximize))
        return;
    memcpy(st->best, t->net.parameters, t->net.parameter_count * sizeof *st->best);
    st->best_value = p->v[column];
    st->have_best = true;
}

/* Reports the point; a training loss that is no number is the last word (G3). */
static int end_point(struct train *t, struct state *st, double epoch)
{
    struct point p = {.point = ++st->points, .epoch = epoch};
    tally_report(&st->tally, &p);
    tally_clear(&st->tally);
    point_set(&p, CURVE_LEARNING_RATE, t->config->settings.v[SETTING_LEARNING_RATE]);
    evaluate(t, st, &p);
    point_set(&p, CURVE_SECONDS, train_clock_seconds() - t->start_seconds);
    keep_best(t, st, &p);
    double loss = p.v[CURVE_TRAIN_LOSS];
    if (!isfinite(loss)) {
        char value[32], when[32];
        json_format_real(loss, value);
        json_format_real(ceil(epoch), when);
        t->stopped = true;
        snprintf(t->reason, sizeof t->reason, "not_a_number: training loss is %s at epoch %s",
                 value, when);
    }
    return t->report(t->context, &p);
}

/* Point k of P comes after batch ⌊k·batches/P⌋; with more points than batches, after each. */
static int run_epoch(struct train *t, struct state *st, int64_t epoch)
{
    size_t total = t->split->train_count, size = batch_size(t);
    size_t batches = (total + size - 1) / size;
    size_t points = (size_t)t->config->settings.v[SETTING_POINTS_PER_EPOCH];
    shuffle_epoch(t, st, epoch);
    for (size_t b = 0; b < batches && !t->stopped; b++) {
        size_t first = b * size, count = least(size, total - first);
        train_batch(t, st, st->order + first, count);
        if ((b + 1) * points / batches == b * points / batches)
            continue;
        int rc = end_point(t, st, (double)(epoch - 1) + (double)(first + count) / (double)total);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Numbers below 1e-38 cost a hundred times the others on many processors, and mean nothing here:
 * a moment of Adam whose gradient has stopped decays into them. */
static void flush_denormals(void)
{
#ifdef __SSE__
    _mm_setcsr(_mm_getcsr() | 0x8040); /* flush to zero, denormals are zero */
#endif
}

int train_run(struct train *t, struct errbuf *err)
{
    struct state st = {.loss = loss_function((enum loss)t->config->settings.v[SETTING_LOSS])};
    flush_denormals();
    optim_init(&st.optim, &t->config->settings);
    for (size_t i = 0; i < st.optim.ops->state_count; i++)
        st.optim.state[i] = t->net.copies[i];
    if (t->config->weights[0])
        st.best = t->net.copies[st.optim.ops->state_count];
    size_t rows = t->net.plan.train_rows > EVAL_ROWS ? t->net.plan.train_rows : EVAL_ROWS;
    st.order = xmalloc(t->split->train_count * sizeof *st.order);
    st.labels = xmalloc(rows * sizeof *st.labels);
    int rc = 0;
    for (int64_t epoch = 1; rc == 0 && epoch <= t->config->epochs && !t->stopped; epoch++)
        rc = run_epoch(t, &st, epoch);
    if (rc != 0)
        err_set(err, rc, "a point could not be reported");
    bool wanted = st.have_best && !(t->config->has_weights_floor &&
                                    metric_better(t->config->weights_floor, st.best_value,
                                                  t->config->maximize));
    t->best = wanted ? st.best : NULL;
    free(st.order);
    free(st.labels);
    return rc;
}
