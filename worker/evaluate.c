#include "worker/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"

_Static_assert(sizeof(real) == sizeof(float), "samples are gathered as float");

enum { RIGHT, SAID, MISSED, COUNTS };        /* of a class */
enum { MEAN, SPREAD, ERROR, MOMENTS };       /* of an output */

void evaluator_init(struct evaluator *e, const struct samples *samples, const struct split *split,
                    size_t rows)
{
    *e = (struct evaluator){.samples = samples, .split = split};
    if (samples->classes > 0) {
        e->labels = xmalloc(rows * samples->outputs * sizeof *e->labels);
        e->counts = xmalloc(samples->classes * COUNTS * sizeof *e->counts);
    } else {
        e->targets = xmalloc(rows * samples->outputs * sizeof *e->targets);
        e->moments = xmalloc(samples->outputs * MOMENTS * sizeof *e->moments);
    }
}

void evaluator_finish(struct evaluator *e)
{
    free(e->labels);
    free(e->targets);
    free(e->counts);
    free(e->moments);
    memset(e, 0, sizeof *e);
}

struct targets evaluator_gather(struct evaluator *e, struct net *n, const uint32_t *index,
                                size_t count)
{
    samples_gather(e->samples, index, count, &e->split->scaling, n->input, e->labels, e->targets);
    return (struct targets){.labels = e->labels, .values = e->targets};
}

static void count_classes(struct evaluator *e, const struct loss *l, size_t rows, const real *z)
{
    for (size_t r = 0; r < rows; r++) {
        size_t said = loss_class(l, z + r * l->outputs), is = e->labels[r];
        if (said == is) {
            e->counts[is * COUNTS + RIGHT]++;
            continue;
        }
        e->counts[is * COUNTS + MISSED]++;
        if (said < e->samples->classes)
            e->counts[said * COUNTS + SAID]++;
    }
}

/* Welford 1962, `seen` targets before these. */
static void add_moments(struct evaluator *e, size_t seen, size_t rows, const real *z)
{
    size_t outputs = e->samples->outputs;
    for (size_t r = 0; r < rows; r++) {
        for (size_t k = 0; k < outputs; k++) {
            double *m = e->moments + k * MOMENTS;
            double target = (double)e->targets[r * outputs + k];
            double error = (double)z[r * outputs + k] - target, off = target - m[MEAN];
            m[MEAN] += off / (double)(seen + r + 1);
            m[SPREAD] += off * (target - m[MEAN]);
            m[ERROR] += error * error;
        }
    }
}

/* Mean F1 over the classes that are there or were said (scikit-learn's f1_score, macro):
 * F1 = 2·right / (2·right + said + missed). */
static double mean_f1(const struct evaluator *e)
{
    double sum = 0;
    size_t classes = 0;
    for (size_t i = 0; i < e->samples->classes; i++) {
        const size_t *c = e->counts + i * COUNTS;
        size_t all = 2 * c[RIGHT] + c[SAID] + c[MISSED];
        if (all == 0)
            continue;
        sum += 2 * (double)c[RIGHT] / (double)all;
        classes++;
    }
    return classes > 0 ? sum / (double)classes : 0;
}

/* Outputs whose targets are all equal have no variance to explain and are left out. */
static bool mean_r2(const struct evaluator *e, double *r2)
{
    double sum = 0;
    size_t outputs = 0;
    for (size_t k = 0; k < e->samples->outputs; k++) {
        const double *m = e->moments + k * MOMENTS;
        if (m[SPREAD] == 0)
            continue;
        sum += 1 - m[ERROR] / m[SPREAD];
        outputs++;
    }
    *r2 = outputs > 0 ? sum / (double)outputs : 0;
    return outputs > 0;
}

struct evaluation evaluate(struct evaluator *e, struct step *s, const uint32_t *index,
                           size_t count)
{
    struct net *n = &s->net;
    bool classifies = e->samples->classes > 0;
    size_t answers = classifies ? e->samples->outputs : 1;
    struct loss_sum all = {0};
    if (classifies)
        memset(e->counts, 0, e->samples->classes * COUNTS * sizeof *e->counts);
    else
        memset(e->moments, 0, e->samples->outputs * MOMENTS * sizeof *e->moments);
    for (size_t done = 0; done < count; done += n->eval_rows) {
        size_t rows = count - done < n->eval_rows ? count - done : n->eval_rows;
        struct targets t = evaluator_gather(e, n, index + done, rows);
        const real *z = net_forward(n, rows, false, 0);
        if (e->watch)
            watch_outputs(e->watch, rows, false);
        struct loss_sum sum = loss_compute(&s->loss, rows * answers, z, &t, NULL);
        all.loss += sum.loss;
        all.weight += sum.weight;
        all.correct += sum.correct;
        if (classifies)
            count_classes(e, &s->loss, rows * answers, z);
        else
            add_moments(e, done, rows, z);
    }
    struct evaluation result = {.loss = all.loss / all.weight, .has_acc = classifies};
    if (classifies) {
        result.acc = (double)all.correct / (double)(count * answers);
        result.f1 = mean_f1(e);
    } else {
        result.has_r2 = mean_r2(e, &result.r2);
    }
    return result;
}
