/* The metric against what it cost, or against the second of several objectives: the front is what
 * no other run betters in both. */
#include <math.h>
#include <stdlib.h>

#include "client/plot/chart.h"

static double second_of(const struct study *s, const struct study_run *r)
{
    return s->second != NULL ? r->second : r->seconds;
}

static int cheapest_first(const void *a, const void *b, void *arg)
{
    const struct study_run *x = *(const struct study_run *const *)a;
    const struct study_run *y = *(const struct study_run *const *)b;
    const struct study *s = arg;
    double u = second_of(s, x), v = second_of(s, y);
    int order = (u > v) - (u < v);
    if (order != 0)
        return s->second_maximize ? -order : order;
    return study_better(arg, y->metric, x->metric) - study_better(arg, x->metric, y->metric);
}

static void draw_front(struct chart *c, const struct study_run **v, size_t n)
{
    bool pen_down = false;
    double best = NAN;
    svg_path_begin(c->out, "best", 0);
    for (size_t i = 0; i < n; i++) {
        if (!study_better(c->study, v[i]->metric, best))
            continue;
        double x = scale_at(&c->x, second_of(c->study, v[i]));
        if (isfinite(best))
            svg_path_to(c->out, x, scale_at(&c->y, best), &pen_down);
        best = v[i]->metric;
        svg_path_to(c->out, x, scale_at(&c->y, best), &pen_down);
    }
    svg_path_end(c->out);
}

void plot_draw_pareto(struct chart *c)
{
    const struct study *s = c->study;
    const struct chart_box box = CHART_BOX_LEGEND;
    const struct study_run **v = xmalloc((s->run_count + 1) * sizeof *v);
    double *numbers = xmalloc((2 * s->run_count + 1) * sizeof *numbers);
    size_t n = 0;
    chart_open(c, 0);
    for (size_t i = 0; i < s->run_count; i++)
        if (isfinite(s->runs[i].metric) && isfinite(second_of(s, &s->runs[i])))
            v[n++] = &s->runs[i];
    for (size_t i = 0; i < n; i++) {
        numbers[i] = second_of(s, v[i]);
        numbers[s->run_count + i] = v[i]->metric;
    }
    if (n == 0) {
        chart_empty(c);
    } else {
        scale_over(&c->x, numbers, n, false);
        size_t far = scale_over_metric(&c->y, numbers + s->run_count, n, s->maximize);
        chart_axes(c, &box, s->second != NULL ? s->second : chart_word(c, WORD_SECONDS), s->metric);
        if (far > 0)
            chart_note(c, chart_word(c, WORD_AT_EDGE), far);
        qsort_r(v, n, sizeof *v, cheapest_first, (void *)(uintptr_t)s);
        for (size_t i = 0; i < n; i++)
            chart_mark(c, v[i],
                       (double[]){scale_at(&c->x, second_of(s, v[i])),
                                  scale_at(&c->y, v[i]->metric)},
                       3.5);
        chart_flush(c);
        draw_front(c, v, n);
        chart_legend(c, CHART_HEIGHT - 24);
        chart_close(c);
    }
    free(v);
    free(numbers);
}
