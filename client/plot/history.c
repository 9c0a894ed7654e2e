/* The metric by the run's number, and the best so far. */
#include <math.h>
#include <stdlib.h>

#include "client/plot/chart.h"

static void draw_best_line(struct chart *c)
{
    double best = NAN;
    bool pen_down = false;
    svg_path_begin(c->out, "best", 0);
    for (size_t i = 0; i < c->study->run_count; i++) {
        const struct study_run *r = &c->study->runs[i];
        double x = scale_at(&c->x, (double)r->number);
        if (study_better(c->study, r->metric, best)) {
            if (isfinite(best))
                svg_path_to(c->out, x, scale_at(&c->y, best), &pen_down);
            best = r->metric;
            svg_path_to(c->out, x, scale_at(&c->y, best), &pen_down);
        }
        if (i + 1 == c->study->run_count && isfinite(best))
            svg_path_to(c->out, x, scale_at(&c->y, best), &pen_down);
    }
    svg_path_end(c->out);
}

/* A run that has ended without a number: a cross at the foot. */
static void draw_cross(struct chart *c, const struct study_run *r, double bottom)
{
    double x = scale_at(&c->x, (double)r->number), y = bottom - 6;
    buf_printf(chart_shape(c, CHART_CROSS, r->pattern), "M%.1f %.1fl6 6m-6 0l6-6", x - 3, y - 3);
}

void plot_draw_history(struct chart *c)
{
    const struct study *s = c->study;
    const struct chart_box box = CHART_BOX_LEGEND;
    chart_open(c, 0);
    if (s->run_count == 0) {
        chart_empty(c);
        return;
    }
    double *metrics = chart_metrics(s);
    size_t far = scale_over_metric(&c->y, metrics, s->run_count, s->maximize);
    free(metrics);
    scale_over(&c->x,
               (double[]){(double)s->runs[0].number, (double)s->runs[s->run_count - 1].number}, 2,
               false);
    chart_axes(c, &box, chart_word(c, WORD_NUMBER), s->metric);
    if (far > 0)
        chart_note(c, chart_word(c, WORD_AT_EDGE), far);
    for (size_t i = 0; i < s->run_count; i++) {
        const struct study_run *r = &s->runs[i];
        if (isfinite(r->metric))
            chart_mark(c, r,
                       (double[]){scale_at(&c->x, (double)r->number), scale_at(&c->y, r->metric)},
                       3.5);
        else if (run_status_terminal(r->status))
            draw_cross(c, r, box.bottom);
    }
    chart_flush(c);
    draw_best_line(c);
    chart_legend(c, CHART_HEIGHT - 24);
    chart_close(c);
}
