/* The metric against what it cost: the front is what no other run betters in both. */
#include <math.h>
#include <stdlib.h>

#include "client/plot/chart.h"

static int cheapest_first(const void *a, const void *b, void *arg)
{
    const struct study_run *x = *(const struct study_run *const *)a;
    const struct study_run *y = *(const struct study_run *const *)b;
    int order = (x->seconds > y->seconds) - (x->seconds < y->seconds);
    if (order != 0)
        return order;
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
        double x = scale_at(&c->x, v[i]->seconds);
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
        if (isfinite(s->runs[i].metric) && isfinite(s->runs[i].seconds))
            v[n++] = &s->runs[i];
    for (size_t i = 0; i < n; i++) {
        numbers[i] = v[i]->seconds;
        numbers[s->run_count + i] = v[i]->metric;
    }
    if (n == 0) {
        chart_empty(c);
    } else {
        scale_over(&c->x, numbers, n, false);
        size_t far = scale_over_metric(&c->y, numbers + s->run_count, n, s->maximize);
        chart_axes(c, &box, chart_word(c, WORD_SECONDS), s->metric);
        if (far > 0)
            chart_note(c, chart_word(c, WORD_AT_EDGE), far);
        qsort_r(v, n, sizeof *v, cheapest_first, (void *)(uintptr_t)s);
        for (size_t i = 0; i < n; i++)
            chart_mark(c, v[i],
                       (double[]){scale_at(&c->x, v[i]->seconds), scale_at(&c->y, v[i]->metric)},
                       3.5);
        chart_flush(c);
        draw_front(c, v, n);
        chart_legend(c, CHART_HEIGHT - 24);
        chart_close(c);
    }
    free(v);
    free(numbers);
}
