/* How many runs got each label: bars, the commonest first. */
#include <stdlib.h>
#include <string.h>

#include "client/plot/chart.h"

#define ROW 22.0
#define LEFT 170.0

struct count {
    int pattern;
    size_t runs;
};

static int most_first(const void *a, const void *b)
{
    const struct count *x = a, *y = b;
    int order = (y->runs > x->runs) - (y->runs < x->runs);
    return order != 0 ? order : x->pattern - y->pattern;
}

static void draw_bar(struct chart *c, const struct count *n, double y, size_t most)
{
    const char *name = n->pattern == PATTERN_NONE ? chart_word(c, WORD_NO_LABEL)
                                                  : pattern_name((enum pattern)n->pattern);
    char *classes = xasprintf("bar %s", svg_pattern_class((enum pattern)n->pattern));
    double width = (CHART_WIDTH - LEFT - 70) * (double)n->runs / (double)most;
    char text[HUMAN_MAX];
    svg_text(c->out, "tick", (double[]){LEFT - 8, y + 14}, SVG_END, name);
    svg_rect(c->out, classes, (double[]){LEFT, y + 2}, (double[]){width, ROW - 5});
    svg_text(c->out, "tick", (double[]){LEFT + width + 6, y + 14}, SVG_START,
             human_count((int64_t)n->runs, text));
    free(classes);
}

void plot_draw_labels(struct chart *c)
{
    const struct study *s = c->study;
    struct count counts[PATTERN_COUNT + 1];
    size_t used = 0;
    for (int p = PATTERN_NONE; p < PATTERN_COUNT; p++)
        counts[p + 1] = (struct count){p, 0};
    for (size_t i = 0; i < s->run_count; i++)
        counts[s->runs[i].pattern + 1].runs++;
    qsort(counts, PATTERN_COUNT + 1, sizeof *counts, most_first);
    while (used < PATTERN_COUNT + 1 && counts[used].runs > 0)
        used++;
    chart_open(c, used > 0 ? CHART_TOP + 10 + ROW * (double)used : 0);
    if (used == 0) {
        chart_empty(c);
        return;
    }
    for (size_t i = 0; i < used; i++)
        draw_bar(c, &counts[i], CHART_TOP + ROW * (double)i, counts[0].runs);
    chart_close(c);
}
