/* The metric by each parameter alone: small charts beside each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/plot/chart.h"

#define COLUMNS 3
#define CELL_WIDTH ((CHART_WIDTH - 20) / COLUMNS)
#define CELL_HEIGHT 190.0
#define HEAD CHART_TOP
#define SLICES_MAX 24

static void draw_slice(struct chart *c, size_t parameter, const struct chart_box *box)
{
    const struct study *s = c->study;
    const struct study_parameter *p = &s->parameters[parameter];
    double *v = xmalloc((s->run_count + 1) * sizeof *v);
    struct buf name = {0};
    for (size_t i = 0; i < s->run_count; i++)
        v[i] = isfinite(s->runs[i].metric) ? s->runs[i].values[parameter] : NAN;
    scale_over_parameter(&c->x, p, v, s->run_count);
    buf_puts(&name, p->name);
    if (c->x.logarithmic)
        buf_printf(&name, " (%s)", chart_word(c, WORD_LOG));
    chart_axes(c, box, name.data, NULL);
    for (size_t i = 0; i < s->run_count; i++) {
        const struct study_run *r = &s->runs[i];
        if (isfinite(r->metric))
            chart_mark(c, r, (double[]){scale_at(&c->x, v[i]), scale_at(&c->y, r->metric)}, 2.5);
    }
    buf_finish(&name);
    free(v);
}

void plot_draw_slice(struct chart *c)
{
    const struct study *s = c->study;
    int only = c->options->only != NULL ? study_parameter(s, c->options->only) : -1;
    size_t count = only >= 0                         ? 1
                   : s->parameter_count < SLICES_MAX ? s->parameter_count
                                                     : SLICES_MAX;
    double rows = (double)((count + COLUMNS - 1) / COLUMNS);
    bool empty = study_best(s) == NULL || count == 0;
    chart_open(c,
               empty       ? 0
               : only >= 0 ? CHART_HEIGHT
                           : HEAD + rows * CELL_HEIGHT + 10);
    if (empty) {
        chart_empty(c);
        return;
    }
    double *metrics = chart_metrics(s);
    size_t far = scale_over_metric(&c->y, metrics, s->run_count, s->maximize);
    free(metrics);
    if (only >= 0)
        draw_slice(c, (size_t)only, &(struct chart_box)CHART_BOX);
    for (size_t i = 0; i < count && only < 0; i++) {
        double left = 56 + (double)(i % COLUMNS) * CELL_WIDTH;
        double top = HEAD + (double)(i / COLUMNS) * CELL_HEIGHT;
        draw_slice(c, i,
                   &(struct chart_box){left, top, left + CELL_WIDTH - 62, top + CELL_HEIGHT - 48});
    }
    if (far > 0)
        chart_note(c, chart_word(c, WORD_AT_EDGE), far);
    chart_close(c);
}
