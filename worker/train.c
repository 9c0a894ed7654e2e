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
#define LOG_MODULE "train"
#include "sweep/log.h"
#include "sweep/rng.h"
#include "sweep/sha256.h"
#include "worker/interrupt.h"
#include "worker/nn/gemm.h"
#include "worker/tally.h"

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

static const double *settings_of(const struct train *t)
{
    return t->setup.settings.v;
}

/* --- checkpoints ---------------------------------------------------------------------------- */

/* Hash of all that decides the bits: the configuration without its paths, the data's content, the
 * kernels, and the size of what is written. */
static void identify(struct train *t)
{
    struct run_config *c = xmalloc(sizeof *c);
    struct buf text = {0};
    struct json_writer w;
    struct sha256 sum;
    const size_t sizes[] = {sizeof(struct progress), sizeof(struct schedule), sizeof(real)};
    *c = *t->config;
    c->weights[0] = c->checkpoint[0] = '\0';
    c->has_weights_floor = false;
    c->checkpoint_seconds = 0;
    c->until_epoch = 0; /* a run that may go further is the same run */
    jw_init(&w, &text);
    run_config_write(c, &w);
    sha256_init(&sum);
    sha256_add(&sum, text.data, text.len);
    sha256_add(&sum, t->samples->hash, sizeof t->samples->hash);
    sha256_add(&sum, gemm_core(), strlen(gemm_core()));
    sha256_add(&sum, gemm_library(), strlen(gemm_library()));
    sha256_add(&sum, SWEEPD_VERSION, sizeof SWEEPD_VERSION);
    sha256_add(&sum, sizes, sizeof sizes);
    sha256_hex(&sum, t->identity);
    buf_finish(&text);
    free(c);
}

/* Its own checkpoint; where it has none, that of the run it goes on from. */
static int resume(struct train *t, struct errbuf *err)
{
    struct errbuf why;
    const struct run_config *config = t->config;
    struct checkpointed c = {&t->setup.step, t->setup.best, &t->progress};
    int rc = ERR_NOT_FOUND;
    if (config->checkpoint[0]) {
        identify(t);
        rc = checkpoint_read(config->checkpoint, t->identity, &c, &why);
    }
    if (rc == 0)
        t->resumed_point = t->progress.points;
    else if (rc != ERR_NOT_FOUND)
        log_warn("%s; the run starts anew", why.message);
    return rc == 0 || !config->start_checkpoint[0]
               ? 0
               : checkpoint_inherit(config->start_checkpoint, &c, err);
}

/* A checkpoint that cannot be written costs the run nothing but a later start. */
static void write_checkpoint(struct train *t)
{
    struct errbuf err;
    struct progress p = t->progress;
    if (!t->config->checkpoint[0] || (t->sync && t->sync(t->context) != 0))
        return;
    p.seconds += train_clock_seconds() - t->start_seconds;
    struct checkpointed c = {&t->setup.step, t->setup.best, &p};
    if (checkpoint_write(t->config->checkpoint, t->identity, &c, &err) != 0)
        log_warn("checkpoint: %s", err.message);
    t->checkpoint_at = train_clock_seconds();
}

/* --- points --------------------------------------------------------------------------------- */

static void set_evaluation(struct train *t, struct point *p)
{
    const struct split *split = t->split;
    struct net *n = &t->setup.step.net;
    average_exchange(&t->setup.step.average, n->value_count, n->values);
    if (split->validation_count > 0) {
        t->evaluator.watch = t->layers ? &t->watch : NULL;
        struct evaluation v = evaluate(&t->evaluator, &t->setup.step, split->validation,
                                       split->validation_count);
        t->evaluator.watch = NULL;
        point_set(p, CURVE_VAL_LOSS, v.loss);
        if (v.has_acc) {
            point_set(p, CURVE_VAL_ACC, v.acc);
            point_set(p, CURVE_VAL_F1, v.f1);
        }
        if (v.has_r2)
            point_set(p, CURVE_VAL_R2, v.r2);
    }
    if (settings_of(t)[SETTING_TRAIN_LOSS_EVAL] != 0)
        point_set(p, CURVE_TRAIN_LOSS_EVAL,
                  evaluate(&t->evaluator, &t->setup.step, split->train, split->train_count).loss);
    average_exchange(&t->setup.step.average, n->value_count, n->values);
}

/* Keeps the values when the metric is better than at every point before. */
static void keep_best(struct train *t, const struct point *p)
{
    enum curve_column column = metric_column(t->config->metric);
    struct progress *g = &t->progress;
    if (!point_has(p, column) ||
        (g->have_best && !metric_better(p->v[column], g->best_value, t->config->maximize)))
        return;
    const struct net *n = &t->setup.step.net;
    if (t->setup.best)
        memcpy(t->setup.best, average_of(&t->setup.step.average, n->values),
               n->value_count * sizeof *t->setup.best);
    g->best_value = p->v[column];
    g->best_epoch = p->epoch;
    g->have_best = true;
}

static void stop(struct train *t, const char *reason)
{
    t->stopped = true;
    str_copy(t->reason, sizeof t->reason, reason);
}

/* A training loss that is no number is the last word (G3). */
static void stop_at_nan(struct train *t, const struct point *p)
{
    char value[32], when[32], reason[160];
    double loss = p->v[CURVE_TRAIN_LOSS];
    if (isfinite(loss))
        return;
    json_format_real(loss, value);
    json_format_real(ceil(p->epoch), when);
    snprintf(reason, sizeof reason, "not_a_number: training loss is %s at epoch %s", value, when);
    stop(t, reason);
}

/* G4.8: cut the run when it no longer gets better; its best weights are kept as it goes. */
static void stop_out_of_patience(struct train *t, const struct point *p)
{
    struct progress *g = &t->progress;
    const double *v = settings_of(t);
    enum curve_column column = metric_column(t->config->metric);
    bool maximize = t->config->maximize;
    if (v[SETTING_PATIENCE] == 0 || !point_has(p, column))
        return;
    double value = p->v[column] + (maximize ? -v[SETTING_MIN_DELTA] : v[SETTING_MIN_DELTA]);
    if (!g->has_patience_best || metric_better(value, g->patience_best, maximize)) {
        g->has_patience_best = true;
        g->patience_best = p->v[column];
        g->bad_epochs = 0;
        return;
    }
    if (++g->bad_epochs < (int64_t)v[SETTING_PATIENCE] || t->stopped)
        return;
    char best[32], when[32], reason[160];
    json_format_real(g->best_value, best);
    json_format_real(g->best_epoch, when);
    snprintf(reason, sizeof reason,
             "early_stopping: no better %s for %lld epochs; best %s at epoch %s (G4.8)",
             metric_name(t->config->metric), (long long)g->bad_epochs, best, when);
    stop(t, reason);
}

static int report_layers(struct train *t)
{
    if (!t->layers)
        return 0;
    watch_end(&t->watch);
    t->watch.stats.point = t->progress.points;
    return t->layers(t->context, &t->watch.stats);
}

static int end_point(struct train *t, double epoch, bool end_of_epoch)
{
    struct progress *g = &t->progress;
    struct step *s = &t->setup.step;
    struct point p = {.point = ++g->points, .epoch = epoch};
    tally_report(&g->tally, t->samples->classes > 0, &p);
    tally_clear(&g->tally);
    point_set(&p, CURVE_LEARNING_RATE, s->optim.learning_rate);
    if (settings_of(t)[SETTING_L2] > 0)
        point_set(&p, CURVE_PENALTY,
                  optim_penalty(&t->setup.settings, &s->net) * loss_report(&s->loss));
    if (end_of_epoch)
        average_end_epoch(&s->average, g->epoch, s->net.value_count, s->net.values);
    set_evaluation(t, &p);
    point_set(&p, CURVE_SECONDS, g->seconds + train_clock_seconds() - t->start_seconds);
    keep_best(t, &p);
    stop_at_nan(t, &p);
    if (end_of_epoch) {
        enum curve_column column = metric_column(t->config->metric);
        if (point_has(&p, column))
            schedule_end_epoch(&s->schedule, p.v[column], t->config->maximize);
        stop_out_of_patience(t, &p);
    }
    int rc = t->report(t->context, &p);
    return rc != 0 ? rc : report_layers(t);
}

/* --- epochs --------------------------------------------------------------------------------- */

/* The order depends on seed and epoch alone, so any epoch can be begun anew. */
static void shuffle_epoch(const struct train *t, uint32_t *order)
{
    memcpy(order, t->split->train, t->split->train_count * sizeof *order);
    if (settings_of(t)[SETTING_SHUFFLE] == 0)
        return;
    struct rng r;
    rng_init(&r, t->config->seed, RNG_SHUFFLE, (uint64_t)t->progress.epoch);
    rng_shuffle(&r, order, t->split->train_count);
}

/* watched: a point follows. */
static void train_batch(struct train *t, const uint32_t *rows, size_t count, bool watched)
{
    struct step *s = &t->setup.step;
    struct targets targets = evaluator_gather(&t->evaluator, &s->net, rows, count);
    s->optim.watch = watched ? &t->watch.optim : NULL;
    struct step_result r = step_run(s, count, &targets);
    if (watched)
        watch_begin(&t->watch);
    if (watched && t->split->validation_count == 0)
        watch_outputs(&t->watch, count, true);
    size_t answers = t->samples->classes > 0 ? t->samples->outputs : 1;
    tally_add(&t->progress.tally, count * answers, r.sum, r.norm2);
}

/* Point k of P comes after batch ⌊k·batches/P⌋; with more points than batches, after each. The
 * last batch always ends one. */
static int run_epoch(struct train *t, uint32_t *order)
{
    struct progress *g = &t->progress;
    size_t total = t->split->train_count, size = t->setup.step.net.plan.train_rows;
    size_t batches = (total + size - 1) / size;
    size_t points = (size_t)settings_of(t)[SETTING_POINTS_PER_EPOCH];
    shuffle_epoch(t, order);
    for (size_t b = (size_t)g->batch; b < batches && !t->stopped; b++) {
        size_t first = b * size, count = least(size, total - first);
        bool ends_point = (b + 1) * points / batches != b * points / batches;
        train_batch(t, order + first, count, ends_point && t->layers);
        g->batch = (int64_t)b + 1;
        if (ends_point) {
            double done = (double)(first + count) / (double)total;
            int rc = end_point(t, (double)(g->epoch - 1) + done, b + 1 == batches);
            if (rc != 0)
                return rc;
        }
        if (interrupt_seen()) {
            t->interrupted = true;
            return 0;
        }
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

/* The last one that it may train now. */
static int64_t last_epoch(const struct train *t)
{
    const struct run_config *c = t->config;
    return c->until_epoch > 0 && c->until_epoch < c->epochs ? c->until_epoch : c->epochs;
}

static bool checkpoint_due(const struct train *t)
{
    return t->progress.epoch > last_epoch(t) ||
           train_clock_seconds() - t->checkpoint_at >= t->config->checkpoint_seconds;
}

static void next_epoch(struct train *t)
{
    t->progress.epoch++;
    t->progress.batch = 0;
    if (t->progress.epoch <= t->config->epochs && !t->stopped && checkpoint_due(t))
        write_checkpoint(t);
}

void train_close(struct train *t)
{
    watch_finish(&t->watch);
    evaluator_finish(&t->evaluator);
    setup_close(&t->setup);
}

int train_open(struct train *t, struct errbuf *err)
{
    int rc = setup_open(&t->setup, t->config, t->samples, t->split, err);
    if (rc != 0)
        return rc;
    const struct net *n = &t->setup.step.net;
    size_t rows = n->plan.train_rows > n->eval_rows ? n->plan.train_rows : n->eval_rows;
    evaluator_init(&t->evaluator, t->samples, t->split, rows);
    watch_init(&t->watch, n);
    t->progress = (struct progress){.epoch = 1};
    t->checkpoint_at = t->start_seconds;
    rc = resume(t, err);
    if (rc != 0)
        train_close(t);
    return rc;
}

int train_run(struct train *t, struct errbuf *err)
{
    uint32_t *order = xmalloc(t->split->train_count * sizeof *order);
    int rc = 0;
    flush_denormals();
    while (rc == 0 && t->progress.epoch <= last_epoch(t) && !t->stopped) {
        rc = run_epoch(t, order);
        if (t->interrupted)
            break;
        next_epoch(t);
    }
    if (t->interrupted && !t->stopped)
        write_checkpoint(t);
    else
        t->interrupted = false; /* it had come to its end */
    t->paused = !t->interrupted && !t->stopped && t->progress.epoch <= t->config->epochs;
    if (rc != 0)
        err_set(err, rc, "a point could not be reported");
    free(order);
    return rc;
}

const real *train_best(const struct train *t)
{
    const struct progress *g = &t->progress;
    const struct run_config *c = t->config;
    if (!t->setup.best || !g->have_best ||
        (c->has_weights_floor && metric_better(c->weights_floor, g->best_value, c->maximize)))
        return NULL;
    return t->setup.best;
}

bool train_test(struct train *t, struct evaluation *out)
{
    const real *best = train_best(t);
    struct net *n = &t->setup.step.net;
    if (!best || t->split->test_count == 0)
        return false;
    memcpy(n->values, best, n->value_count * sizeof *best);
    *out = evaluate(&t->evaluator, &t->setup.step, t->split->test, t->split->test_count);
    return true;
}
