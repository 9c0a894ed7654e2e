/* How much each parameter decided: bars, the most important first. */
#include <math.h>
#include <stdlib.h>

#include "client/plot/chart.h"

#define ROW 26.0
#define LEFT 190.0
#define NAME_BYTES 29

static int most_first(const void *a, const void *b)
{
    const struct study_parameter *x = *(const struct study_parameter *const *)a;
    const struct study_parameter *y = *(const struct study_parameter *const *)b;
    int order = (y->importance > x->importance) - (y->importance < x->importance);
    return order != 0 ? order : (x > y) - (x < y);
}

static void draw_bar(struct chart *c, const struct study_parameter *p, double y, double most)
{
    double width = most > 0 ? (CHART_WIDTH - LEFT - 90) * p->importance / most : 0;
    char text[HUMAN_MAX], name[NAME_BYTES];
    str_copy(name, sizeof name, p->name);
    svg_text(c->out, "tick", (double[]){LEFT - 8, y + 16}, SVG_END, name);
    svg_rect(c->out, "bar p-converged", (double[]){LEFT, y + 3}, (double[]){width, ROW - 7});
    svg_text(c->out, "tick", (double[]){LEFT + width + 6, y + 16}, SVG_START,
             human_percent(p->importance, text));
}

void plot_draw_importance(struct chart *c)
{
    const struct study *s = c->study;
    bool known = s->importance_runs > 0 && s->parameter_count > 0;
    chart_open(c, known ? CHART_TOP + 10 + ROW * (double)s->parameter_count : 0);
    if (!known) {
        chart_empty(c);
        return;
    }
    const struct study_parameter **v = xmalloc(s->parameter_count * sizeof *v);
    for (size_t i = 0; i < s->parameter_count; i++)
        v[i] = &s->parameters[i];
    qsort(v, s->parameter_count, sizeof *v, most_first);
    chart_note(c, chart_word(c, WORD_BY_RUNS), s->importance_runs, s->run_count);
    for (size_t i = 0; i < s->parameter_count; i++)
        draw_bar(c, v[i], CHART_TOP + ROW * (double)i, v[0]->importance);
    free(v);
    chart_close(c);
}
