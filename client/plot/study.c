#include "client/plot/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"

#define STRENGTH_RUNS_LEAST 4
#define STRENGTH_PIECES 6 /* that the values of a number are cut into */

static void run_finish(struct study_run *r)
{
    free(r->values);
    free(r->objectives);
    free(r->stage);
    free(r->cause);
    free(r->why);
    free(r->curve.epoch);
    free(r->curve.train);
    free(r->curve.val);
}

void study_finish(struct study *s)
{
    for (size_t i = 0; i < s->run_count; i++)
        run_finish(&s->runs[i]);
    for (size_t i = 0; i < s->parameter_count; i++) {
        for (size_t k = 0; k < s->parameters[i].choice_count; k++)
            free(s->parameters[i].choices[k]);
        free(s->parameters[i].choices);
        free(s->parameters[i].name);
    }
    free(s->runs);
    free(s->parameters);
    free(s->name);
    free(s->metric);
    for (size_t i = 0; i < s->objective_count; i++)
        free(s->objectives[i].name);
    memset(s, 0, sizeof *s);
}

bool study_better(const struct study *s, double a, double b)
{
    if (!isfinite(a) || !isfinite(b))
        return isfinite(a) && !isfinite(b);
    return s->maximize ? a > b : a < b;
}

const struct study_run *study_best(const struct study *s)
{
    const struct study_run *best = NULL;
    for (size_t i = 0; i < s->run_count; i++) {
        if (isfinite(s->runs[i].metric) &&
            (best == NULL || study_better(s, s->runs[i].metric, best->metric)))
            best = &s->runs[i];
    }
    return best;
}

int study_parameter(const struct study *s, const char *name)
{
    for (size_t i = 0; i < s->parameter_count; i++)
        if (strcmp(s->parameters[i].name, name) == 0)
            return (int)i;
    return -1;
}

int study_objective(const struct study *s, const char *name)
{
    for (size_t i = 0; i < s->objective_count; i++)
        if (strcmp(s->objectives[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* --- how a parameter and the metric go together ------------------------------------------------
 */

struct pair {
    double value, metric, rank;
};

static int by_value(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static int by_metric(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return (x->metric > y->metric) - (x->metric < y->metric);
}

/* Middle ranks by metric, what is equal sharing one. */
static void rank_metrics(struct pair *v, size_t n)
{
    qsort(v, n, sizeof *v, by_metric);
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && v[end].metric == v[i].metric)
            end++;
        for (size_t k = i; k < end; k++)
            v[k].rank = (double)(i + end - 1) / 2;
        i = end;
    }
}

/* Where the group that begins at i ends: of equal choices, of numbers a piece of the order, and
 * with it all that is equal. */
static size_t group_end(const struct pair *v, size_t n, size_t i, size_t piece)
{
    size_t end = i + 1;
    while (end < n && (v[end].value == v[end - 1].value || end < i + piece))
        end++;
    return end;
}

/* The share of the ranks' variance that lies between the groups, less what chance alone gives. */
static double between_groups(const struct pair *v, size_t n, size_t piece)
{
    double mean = (double)(n - 1) / 2, all = 0, between = 0, groups = 0;
    for (size_t i = 0, end; i < n; i = end, groups++) {
        double sum = 0;
        end = group_end(v, n, i, piece);
        for (size_t k = i; k < end; k++) {
            sum += v[k].rank;
            all += (v[k].rank - mean) * (v[k].rank - mean);
        }
        double size = (double)(end - i), distance = sum / size - mean;
        between += size * distance * distance;
    }
    double chance = (groups - 1) / (double)(n - 1);
    return all > 0 && chance < 1 ? fmax(0, (between / all - chance) / (1 - chance)) : 0;
}

double study_strength(const struct study *s, size_t parameter)
{
    struct pair *v = xmalloc((s->run_count + 1) * sizeof *v);
    size_t n = 0;
    for (size_t i = 0; i < s->run_count; i++) {
        const struct study_run *r = &s->runs[i];
        if (isfinite(r->metric) && isfinite(r->values[parameter]))
            v[n++] = (struct pair){r->values[parameter], r->metric, 0};
    }
    rank_metrics(v, n);
    qsort(v, n, sizeof *v, by_value);
    double strength = 0;
    if (n >= STRENGTH_RUNS_LEAST)
        strength = between_groups(v, n,
                                  s->parameters[parameter].choice_count > 0
                                      ? 1
                                      : (n + STRENGTH_PIECES - 1) / STRENGTH_PIECES);
    free(v);
    return strength;
}
