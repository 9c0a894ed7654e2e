/* The metric over two parameters: between the runs by the inverse of the distance. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/plot/chart.h"

#define GRID_X 36
#define GRID_Y 24
#define LEVELS 8
#define STRETCH 1.3
#define NEAR 1e-4 /* square of a distance, in sides of the chart: at a run itself */
#define RUNS_LEAST 3
#define POINTS_MAX 2000

struct place {
    double x, y;   /* on the chart */
    double metric; /* then its rank: from 0, the worst, to 1 */
};

/* Inverse distance, squared twice: what is near decides. */
static double between(const struct place *v, size_t n, const double at[2])
{
    double sum = 0, weights = 0;
    for (size_t i = 0; i < n; i++) {
        double dx = (v[i].x - at[0]) / CHART_WIDTH, dy = (v[i].y - at[1]) / CHART_HEIGHT;
        double d = dx * dx + dy * dy + NEAR, w = 1 / (d * d);
        sum += w * v[i].metric;
        weights += w;
    }
    return sum / weights;
}

static int by_metric(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->metric > y->metric) - (x->metric < y->metric);
}

/* 0 … LEVELS - 1. Means of ranks lie nearer to the middle than ranks do. */
static size_t level_of(double rank)
{
    double level = floor(((rank - 0.5) * STRETCH + 0.5) * LEVELS);
    return (size_t)fmax(0, fmin(LEVELS - 1, level));
}

static void draw_cells(struct chart *c, const struct place *v, size_t n,
                       const struct chart_box *box)
{
    double width = (box->right - box->left) / GRID_X, height = (box->bottom - box->top) / GRID_Y;
    for (size_t j = 0; j < GRID_Y; j++) {
        for (size_t i = 0; i < GRID_X; i++) {
            double at[2] = {box->left + width * (double)i, box->top + height * (double)j};
            double middle[2] = {at[0] + width / 2, at[1] + height / 2};
            char classes[16];
            snprintf(classes, sizeof classes, "c%zu", level_of(between(v, n, middle)));
            svg_rect(c->out, classes, at, (double[]){width + 0.3, height + 0.3});
        }
    }
}

static size_t take_places(struct chart *c, const int parameters[2], struct place *out)
{
    size_t n = 0, step = c->study->run_count / POINTS_MAX + 1;
    for (size_t i = 0; i < c->study->run_count; i += step) {
        const struct study_run *r = &c->study->runs[i];
        double x = scale_at(&c->x, r->values[parameters[0]]);
        double y = scale_at(&c->y, r->values[parameters[1]]);
        if (isfinite(x) && isfinite(y) && isfinite(r->metric))
            out[n++] = (struct place){x, y, r->metric};
    }
    qsort(out, n, sizeof *out, by_metric);
    for (size_t i = 0; i < n; i++) {
        double share = ((double)i + 0.5) / (double)n;
        out[i].metric = c->study->maximize ? share : 1 - share;
    }
    return n;
}

/* As asked, else the two that go most with the metric. false: there are not two. */
static bool choose(const struct study *s, const struct plot_options *o, int out[2])
{
    const char *const asked[2] = {o->x, o->y};
    for (int i = 0; i < 2; i++)
        out[i] = asked[i] != NULL ? study_parameter(s, asked[i]) : -1;
    for (int i = 0; i < 2; i++) {
        double most = -1;
        for (size_t p = 0; p < s->parameter_count && asked[i] == NULL; p++) {
            double strength = study_strength(s, p);
            if ((int)p != out[1 - i] && strength > most) {
                most = strength;
                out[i] = (int)p;
            }
        }
    }
    return out[0] >= 0 && out[1] >= 0 && out[0] != out[1];
}

static void set_scale(const struct study *s, int parameter, struct scale *out)
{
    double *v = xmalloc((s->run_count + 1) * sizeof *v);
    for (size_t i = 0; i < s->run_count; i++)
        v[i] = isfinite(s->runs[i].metric) ? s->runs[i].values[parameter] : NAN;
    scale_over_parameter(out, &s->parameters[parameter], v, s->run_count);
    free(v);
}

void plot_draw_contour(struct chart *c)
{
    const struct study *s = c->study;
    const struct chart_box box = {90, CHART_TOP, CHART_WIDTH - 20, CHART_HEIGHT - 50};
    int parameters[2];
    chart_open(c, 0);
    if (study_best(s) == NULL || !choose(s, c->options, parameters)) {
        chart_empty(c);
        return;
    }
    struct place *places = xmalloc((s->run_count + 1) * sizeof *places);
    set_scale(s, parameters[0], &c->x);
    set_scale(s, parameters[1], &c->y);
    chart_axes(c, &box, s->parameters[parameters[0]].name, s->parameters[parameters[1]].name);
    size_t n = take_places(c, parameters, places);
    if (n >= RUNS_LEAST)
        draw_cells(c, places, n, &box);
    for (size_t i = 0; i < n; i++)
        svg_circle(c->out, "point", (double[]){places[i].x, places[i].y}, n > 300 ? 1.5 : 2.5);
    free(places);
    chart_close(c);
}
