/* The share of runs that are at least as good as a value: its empirical distribution. */
#include <math.h>
#include <stdlib.h>

#include "client/plot/chart.h"

#define STEPS_MAX 1000

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of all runs that have ended or have a value: those without one never come. */
static void draw_steps(struct chart *c, double *v, size_t n, size_t all)
{
    bool pen_down = false;
    qsort(v, n, sizeof *v, ascending);
    svg_path_begin(c->out, "best", 0);
    for (size_t k = 0; k < n; k += n / STEPS_MAX + 1) {
        double x = scale_at(&c->x, c->study->maximize ? v[n - 1 - k] : v[k]);
        svg_path_to(c->out, x, scale_at(&c->y, (double)k / (double)all), &pen_down);
        svg_path_to(c->out, x, scale_at(&c->y, (double)(k + 1) / (double)all), &pen_down);
    }
    svg_path_end(c->out);
}

void plot_draw_edf(struct chart *c)
{
    const struct study *s = c->study;
    const struct chart_box box = CHART_BOX;
    size_t n = 0, all = 0;
    chart_open(c, 0);
    double *v = chart_metrics(s);
    for (size_t i = 0; i < s->run_count; i++) {
        all += isfinite(v[i]) || run_status_terminal(s->runs[i].status);
        if (isfinite(v[i]))
            v[n++] = v[i];
    }
    if (n == 0) {
        chart_empty(c);
        free(v);
        return;
    }
    size_t far = scale_over_metric(&c->x, v, n, s->maximize);
    scale_over(&c->y, (double[]){0, 1}, 2, false);
    chart_axes(c, &box, s->metric, chart_word(c, WORD_SHARE));
    if (far > 0)
        chart_note(c, chart_word(c, WORD_AT_EDGE), far);
    draw_steps(c, v, n, all);
    chart_close(c);
    free(v);
}
