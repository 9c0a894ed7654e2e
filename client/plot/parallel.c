/* A line a run, through its value of every parameter to what it came to. */
#include <math.h>
#include <stdlib.h>

#include "client/plot/chart.h"

#define LINES_MAX 300
#define AXES_MAX 12 /* with the metric's and the other objectives': those that tell most */
#define TOP 70.0
#define BOTTOM 350.0
#define NAME_CHARACTERS 20

struct axis {
    int parameter; /* -1: the metric; -2, -3, …: the objectives behind it */
    double x, strength;
    struct scale scale;
};

struct axes {
    size_t count;
    struct axis v[AXES_MAX];
};

static double value_on(const struct axis *a, const struct study_run *r)
{
    if (a->parameter >= 0)
        return r->values[a->parameter];
    return a->parameter == -1 ? r->metric : r->objectives[-a->parameter - 1];
}

static const char *axis_name(const struct study *s, const struct axis *a)
{
    if (a->parameter >= 0)
        return s->parameters[a->parameter].name;
    return a->parameter == -1 ? s->metric : s->objectives[-a->parameter - 1].name;
}

static bool is_maximized(const struct study *s, const struct axis *a)
{
    return a->parameter == -1 ? s->maximize : s->objectives[-a->parameter - 1].maximize;
}

static void scale_axis(const struct study *s, struct axis *a)
{
    double *v = xmalloc((s->run_count + 1) * sizeof *v);
    for (size_t i = 0; i < s->run_count; i++)
        v[i] = value_on(a, &s->runs[i]);
    if (a->parameter < 0)
        scale_over_metric(&a->scale, v, s->run_count, is_maximized(s, a));
    else
        scale_over_parameter(&a->scale, &s->parameters[a->parameter], v, s->run_count);
    a->scale.from = BOTTOM;
    a->scale.to = TOP;
    free(v);
}

static int strongest_first(const void *a, const void *b)
{
    const struct axis *x = a, *y = b;
    int order = (y->strength > x->strength) - (y->strength < x->strength);
    return order != 0 ? order : x->parameter - y->parameter;
}

static int in_order(const void *a, const void *b)
{
    return ((const struct axis *)a)->parameter - ((const struct axis *)b)->parameter;
}

/* All parameters in their order; of too many those that go most with the metric. Then what the runs
 * are judged by, the metric last. */
static void choose_axes(const struct study *s, struct axes *out)
{
    size_t n = s->parameter_count, goals = s->objective_count > 0 ? s->objective_count : 1;
    struct axis *all = xcalloc(n + goals, sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct axis){.parameter = (int)i, .strength = study_strength(s, i)};
    if (n > AXES_MAX - goals) {
        qsort(all, n, sizeof *all, strongest_first);
        n = AXES_MAX - goals;
        qsort(all, n, sizeof *all, in_order);
    }
    for (size_t k = goals; k > 0; k--)
        all[n++] = (struct axis){.parameter = -(int)k};
    out->count = n;
    for (size_t i = 0; i < n; i++) {
        out->v[i] = all[i];
        out->v[i].x =
            n == 1 ? CHART_WIDTH / 2 : 70 + (CHART_WIDTH - 150) * (double)i / (double)(n - 1);
        scale_axis(s, &out->v[i]);
    }
    free(all);
}

static void draw_axis(struct chart *c, const struct axis *a)
{
    double ticks[SCALE_TICKS_MAX];
    char text[HUMAN_MAX];
    size_t n = scale_ticks(&a->scale, 5, ticks);
    svg_line(c->out, "axis", (double[]){a->x, TOP}, (double[]){a->x, BOTTOM});
    for (size_t i = 0; i < n; i++)
        svg_text(c->out, "tick halo", (double[]){a->x - 5, scale_at(&a->scale, ticks[i]) + 4},
                 SVG_END, scale_text(&a->scale, ticks[i], text));
    buf_printf(c->out,
               "<text class=\"title\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" "
               "transform=\"rotate(-25 %.1f %.1f)\">",
               a->x + 8, BOTTOM + 20, a->x + 8, BOTTOM + 20);
    svg_escape_cut(c->out, axis_name(c->study, a), NAME_CHARACTERS);
    buf_puts(c->out, "</text>\n");
}

static void draw_run(struct chart *c, const struct axes *axes, const struct study_run *r, bool good)
{
    bool pen_down = false;
    char *classes = xasprintf("%s %s", good ? "strong" : "thin", svg_pattern_class(r->pattern));
    svg_path_begin(c->out, classes, r->id);
    for (size_t i = 0; i < axes->count; i++)
        svg_path_to(c->out, axes->v[i].x, scale_at(&axes->v[i].scale, value_on(&axes->v[i], r)),
                    &pen_down);
    svg_path_end(c->out);
    free(classes);
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The metric that a tenth of the runs reaches. */
static double tenth(const struct study *s)
{
    double *v = chart_metrics(s);
    size_t n = 0;
    for (size_t i = 0; i < s->run_count; i++)
        if (isfinite(v[i]))
            v[n++] = v[i];
    qsort(v, n, sizeof *v, compare_numbers);
    double reached = n == 0 ? NAN : s->maximize ? v[n - 1 - (n - 1) / 10] : v[(n - 1) / 10];
    free(v);
    return reached;
}

/* The others first, so that the good ones lie on top; of many of either kind an even choice. */
static size_t draw_runs(struct chart *c, const struct axes *axes)
{
    double reached = tenth(c->study);
    size_t step[2] = {c->study->run_count / LINES_MAX + 1,
                      c->study->run_count / (10 * LINES_MAX) + 1};
    size_t drawn = 0;
    for (int good = 0; good < 2; good++) {
        size_t nth = 0;
        for (size_t i = 0; i < c->study->run_count; i++) {
            const struct study_run *r = &c->study->runs[i];
            bool is_good = isfinite(r->metric) && !study_better(c->study, reached, r->metric);
            if (is_good != (good == 1) || !isfinite(r->metric) || nth++ % step[good] != 0)
                continue;
            draw_run(c, axes, r, is_good);
            drawn++;
        }
    }
    return drawn;
}

void plot_draw_parallel(struct chart *c)
{
    const struct study *s = c->study;
    struct axes axes;
    chart_open(c, 0);
    if (study_best(s) == NULL || s->parameter_count == 0) {
        chart_empty(c);
        return;
    }
    choose_axes(s, &axes);
    size_t drawn = draw_runs(c, &axes);
    for (size_t i = 0; i < axes.count; i++)
        draw_axis(c, &axes.v[i]);
    if (drawn < s->run_count)
        chart_note(c, chart_word(c, WORD_DRAWN_OF), drawn, s->run_count);
    chart_close(c);
}
