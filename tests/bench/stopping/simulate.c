/* What each stopping rule is worth on recorded curves (record.py).
 *
 * usage: simulate FILE.curves …   Prints a table for each file: means over orders and seeds
 * of sweeps of RUNS configurations drawn from it, one worker.
 *
 * A file: "sweepd curves 1\n", three 32-bit numbers (configurations, seeds, epochs), then for each
 * configuration and seed the CPU seconds of an epoch (32-bit float), the training and the
 * validation losses, each a code of 24 bits: 0 is NaN or not there, 2^24 - 1 infinite, else on a
 * log scale from 1e-8 to 1e8. All little-endian. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/causes/labelling.h"
#include "daemon/plan/stop/ladder.h"
#include "sweep/buf.h"
#include "sweep/diagnosis.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define MAGIC "sweepd curves 1\n"
#define RUNS 100
#define ORDERS 20
#define EPOCHS_MAX 27
#define RUNGS_MAX EPOCHS_MAX

/* --- the recording --------------------------------------------------------------------------- */

struct recorded {
    double seconds; /* of an epoch */
    double train[EPOCHS_MAX], val[EPOCHS_MAX];
};

struct table {
    uint32_t configurations, seeds, epochs;
    struct recorded *runs; /* by configuration, then seed */
};

static double decode(const unsigned char *p)
{
    uint32_t code = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    if (code == 0)
        return NAN;
    if (code == 0xffffff)
        return INFINITY;
    return exp(log(1e-8) + (log(1e8) - log(1e-8)) * (code - 1) / (double)((1 << 24) - 3));
}

static int read_run(FILE *f, uint32_t epochs, struct recorded *out)
{
    unsigned char codes[2 * 3 * EPOCHS_MAX];
    float seconds;
    if (fread(&seconds, sizeof(seconds), 1, f) != 1 || fread(codes, 6, epochs, f) != epochs)
        return -1;
    out->seconds = (double)seconds;
    for (uint32_t i = 0; i < epochs; i++) {
        out->train[i] = decode(&codes[3 * i]);
        out->val[i] = decode(&codes[3 * (epochs + i)]);
    }
    return 0;
}

static int read_table(const char *path, struct table *t)
{
    char magic[sizeof(MAGIC)] = "";
    uint32_t sizes[3];
    FILE *f = fopen(path, "rb");
    if (f == NULL || fread(magic, sizeof(MAGIC) - 1, 1, f) != 1 || strcmp(magic, MAGIC) != 0 ||
        fread(sizes, sizeof(sizes), 1, f) != 1 || sizes[0] < RUNS || sizes[0] > 1000000 ||
        sizes[1] < 1 || sizes[1] > 100 || sizes[2] < 2 || sizes[2] > EPOCHS_MAX)
        return -1;
    *t = (struct table){.configurations = sizes[0], .seeds = sizes[1], .epochs = sizes[2]};
    size_t count = (size_t)sizes[0] * sizes[1];
    t->runs = xcalloc(count, sizeof(*t->runs));
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = read_run(f, t->epochs, &t->runs[i]);
    fclose(f);
    return rc;
}

/* The best up to that epoch; NaN: none. */
static double best_by(const struct recorded *r, int64_t epoch)
{
    double best = NAN;
    for (int64_t i = 0; i < epoch; i++)
        if (isfinite(r->val[i]) && !(r->val[i] >= best))
            best = r->val[i];
    return best;
}

/* --- rules ----------------------------------------------------------------------------------- */

#define COMMON .lag = 1, .eta = 3, .startup = 5
#define HALVES .lag = 1, .eta = 3, .startup = 2
static const struct {
    const char *name;
    struct stop_settings stop;
} rules[] = {
    {"none", {.rule = STOP_NONE}},
    {"median, every epoch", {COMMON, .rule = STOP_MEDIAN, .min_iter = 1, .every = 1}},
    {"median, 1-3-9", {COMMON, .rule = STOP_MEDIAN, .min_iter = 1}},
    {"percentile 25, 1-3-9", {COMMON, .rule = STOP_PERCENTILE, .min_iter = 1, .percentile = 25}},
    {"percentile 75, 1-3-9", {COMMON, .rule = STOP_PERCENTILE, .min_iter = 1, .percentile = 75}},
    {"successive_halving", {HALVES, .rule = STOP_SUCCESSIVE_HALVING, .min_iter = 1}},
    {"successive_halving, 3-9", {HALVES, .rule = STOP_SUCCESSIVE_HALVING, .min_iter = 3}},
    {"successive_halving, promote",
     {HALVES, .rule = STOP_SUCCESSIVE_HALVING, .min_iter = 1, .promote = true}},
    {"hyperband", {HALVES, .rule = STOP_HYPERBAND, .min_iter = 1}},
    {"hyperband, promote", {HALVES, .rule = STOP_HYPERBAND, .min_iter = 1, .promote = true}},
    {"curve, from 5", {COMMON, .rule = STOP_CURVE, .min_iter = 5, .every = 1, .threshold = 0.05}},
    {"label, from 5", {COMMON, .rule = STOP_LABEL, .min_iter = 5, .every = 1}},
};

/* --- one sweep ------------------------------------------------------------------------------- */

struct sweep {
    const struct table *table;
    struct stop_settings stop;
    const struct recorded *runs[RUNS];
    struct trial trials[RUNS];
    struct rung rungs[RUNS][RUNGS_MAX];
    const struct trial *pointers[RUNS];
    int64_t trained[RUNS], budget[RUNS]; /* budget 0: it waits */
    size_t begun;
    struct ladder *ladder;
    double seconds, best;
    double scale_best, scale_median, whole; /* of all to their ends */
    double regret[5]; /* at those shares of the whole time */
};

static const double shares[] = {0.1, 0.2, 0.35, 0.5, 1};

static double regret(const struct sweep *s)
{
    return isnan(s->best) ? 1 : (s->best - s->scale_best) / (s->scale_median - s->scale_best);
}

/* Time goes on by an epoch: what was known at the marks that it passes. */
static void spend(struct sweep *s, double seconds)
{
    for (size_t i = 0; i < ARRAY_LEN(shares); i++)
        if (s->seconds < shares[i] * s->whole && s->seconds + seconds >= shares[i] * s->whole)
            s->regret[i] = fmin(regret(s), 1);
    s->seconds += seconds;
}

static void train(struct sweep *s, size_t i)
{
    const struct recorded *r = s->runs[i];
    struct trial *t = &s->trials[i];
    bool broke = false; /* the loss is no number: the trainer ends there */
    for (int64_t e = s->trained[i]; e < s->budget[i] && !broke; e++) {
        spend(s, r->seconds);
        if (isfinite(r->val[e]) && !(r->val[e] >= s->best))
            s->best = r->val[e];
        broke = isnan(r->val[e]);
    }
    bool ends = broke || s->budget[i] == (int64_t)s->table->epochs;
    s->trained[i] = s->budget[i];
    s->budget[i] = 0;
    t->metric_value = best_by(r, s->trained[i]);
    t->has_metric = true;
    t->status = ends ? RUN_COMPLETED : RUN_PAUSED;
    if (!ends)
        t->rungs[t->rung_count++] = (struct rung){s->trained[i], t->metric_value};
}

static void read_label(const struct sweep *s, size_t i, struct rung_view *v)
{
    struct kept_points k = {0};
    struct diagnosis d;
    for (int64_t e = 0; e < v->epoch; e++) {
        struct point p = {.point = e + 1, .epoch = (double)e + 1};
        point_set(&p, CURVE_TRAIN_LOSS, s->runs[i]->train[e]);
        point_set(&p, CURVE_VAL_LOSS, s->runs[i]->val[e]);
        kept_points_add(&k, &p);
    }
    labelling_diagnose(&k, true, NAN, &d);
    v->label = d.pattern;
    v->confidence = d.confidence;
    kept_points_finish(&k);
}

static void ask(const struct sweep *s, const struct study *st, size_t i, struct rung_verdict *out)
{
    static const double epochs[EPOCHS_MAX] = {1,  2,  3,  4,  5,  6,  7,  8,  9,
                                              10, 11, 12, 13, 14, 15, 16, 17, 18,
                                              19, 20, 21, 22, 23, 24, 25, 26, 27};
    struct rung_view v;
    *out = (struct rung_verdict){.verdict = VERDICT_WAIT};
    if (s->stop.promote) {
        ladder_decide(s->ladder, st, &s->trials[i], out);
        return;
    }
    if (stop_view(st, &s->trials[i], &v)) {
        v.curve = (struct rung_curve){(size_t)v.epoch, epochs, s->runs[i]->val};
        if (s->stop.rule == STOP_LABEL)
            read_label(s, i, &v);
        stop_judge(&v, out);
    }
    stop_view_finish(&v);
}

static void decide_all(struct sweep *s)
{
    struct study st = {.stop = &s->stop, .count = s->begun, .trials = s->pointers};
    struct rung_verdict v;
    if (s->stop.promote)
        ladder_advance(s->ladder, &st);
    for (size_t i = 0; i < s->begun; i++) {
        if (s->trials[i].status != RUN_PAUSED)
            continue;
        ask(s, &st, i, &v);
        if (v.verdict == VERDICT_WAIT)
            continue;
        int64_t next = stop_next_rung(&s->stop, i, s->trained[i], s->table->epochs);
        s->trials[i].status = v.verdict == VERDICT_STOP ? RUN_STOPPED : RUN_QUEUED;
        if (v.verdict == VERDICT_GO_ON)
            s->budget[i] = next > 0 ? next : (int64_t)s->table->epochs;
    }
}

static bool work(struct sweep *s)
{
    for (size_t i = 0; i < s->begun; i++)
        if (s->budget[i] > 0) {
            train(s, i);
            return true;
        }
    if (s->begun == RUNS)
        return s->stop.promote && ladder_flush(s->ladder);
    int64_t first = stop_next_rung(&s->stop, s->begun, 0, s->table->epochs);
    s->budget[s->begun] = first > 0 ? first : (int64_t)s->table->epochs;
    train(s, s->begun++);
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void begin(struct sweep *s, const struct table *t, const struct stop_settings *stop,
                  uint64_t order)
{
    uint32_t *items = xcalloc(t->configurations, sizeof(*items));
    double ends[RUNS];
    struct rng r;
    *s = (struct sweep){.table = t, .stop = *stop, .best = NAN, .ladder = ladder_create()};
    rng_init(&r, order, RNG_TEST, 0);
    for (uint32_t i = 0; i < t->configurations; i++)
        items[i] = i;
    rng_shuffle(&r, items, t->configurations);
    for (size_t i = 0; i < RUNS; i++) {
        s->runs[i] = &t->runs[items[i] * t->seeds + order % t->seeds];
        s->trials[i] = (struct trial){.number = i, .epochs = t->epochs, .rungs = s->rungs[i]};
        s->pointers[i] = &s->trials[i];
        double end = best_by(s->runs[i], t->epochs);
        ends[i] = isnan(end) ? INFINITY : end;
        for (uint32_t e = 0; e < t->epochs; e++)
            s->whole += isnan(s->runs[i]->val[e]) ? 0 : s->runs[i]->seconds;
    }
    qsort(ends, RUNS, sizeof(*ends), by_value);
    s->scale_best = ends[0];
    s->scale_median = ends[RUNS / 2];
    for (size_t i = 0; i < ARRAY_LEN(shares); i++)
        s->regret[i] = NAN;
    free(items);
}

/* --- the table ------------------------------------------------------------------------------- */

struct sums {
    double regret[5], end, seconds, stopped, good_stopped, good, best_stopped, sweeps;
};

static void add(struct sums *sum, const struct sweep *s)
{
    double ends[RUNS];
    for (size_t i = 0; i < RUNS; i++) {
        double end = best_by(s->runs[i], s->table->epochs);
        ends[i] = isnan(end) ? INFINITY : end;
    }
    double sorted[RUNS];
    memcpy(sorted, ends, sizeof(ends));
    qsort(sorted, RUNS, sizeof(*sorted), by_value);
    for (size_t i = 0; i < RUNS; i++) {
        bool stopped = s->trials[i].status == RUN_STOPPED, good = ends[i] <= sorted[RUNS / 20 - 1];
        sum->stopped += stopped;
        sum->good_stopped += stopped && good;
        sum->best_stopped += stopped && ends[i] <= sorted[0];
    }
    for (size_t i = 0; i < ARRAY_LEN(shares); i++)
        sum->regret[i] += isnan(s->regret[i]) ? fmin(regret(s), 1) : s->regret[i];
    sum->end += fmin(regret(s), 1);
    sum->seconds += s->seconds / s->whole;
    sum->sweeps++;
}

static void simulate(const struct table *t, size_t rule, struct sums *sum)
{
    static struct sweep s;
    for (uint64_t order = 0; order < (uint64_t)ORDERS * t->seeds; order++) {
        begin(&s, t, &rules[rule].stop, order);
        while (work(&s))
            decide_all(&s);
        add(sum, &s);
        ladder_destroy(s.ladder);
    }
}

static void report(const char *path, const struct table *t)
{
    printf("\n%s: %u configurations, %u seeds; %d sweeps of %d\n"
           "| rule | time | regret at 10 %% | 20 %% | 35 %% | 50 %% | its end | stopped | of them "
           "best 5 %% | best stopped |\n|---|---|---|---|---|---|---|---|---|---|\n",
           path, t->configurations, t->seeds, ORDERS * (int)t->seeds, RUNS);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct sums sum = {0};
        simulate(t, i, &sum);
        printf("| %s | %.2f | %.4f | %.4f | %.4f | %.4f | %.4f | %.1f %% | %.2f %% | %.0f %% |\n",
               rules[i].name, sum.seconds / sum.sweeps, sum.regret[0] / sum.sweeps,
               sum.regret[1] / sum.sweeps, sum.regret[2] / sum.sweeps, sum.regret[3] / sum.sweeps,
               sum.end / sum.sweeps, 100 * sum.stopped / sum.sweeps / RUNS,
               sum.stopped > 0 ? 100 * sum.good_stopped / sum.stopped : 0,
               100 * sum.best_stopped / sum.sweeps);
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct table t = {0};
        if (read_table(argv[i], &t) != 0) {
            fprintf(stderr, "%s: no recording of at least %d configurations\n", argv[i], RUNS);
            return 1;
        }
        report(argv[i], &t);
        free(t.runs);
    }
    return argc < 2;
}
