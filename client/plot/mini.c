#include "client/plot/mini.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/plot/scale.h"
#include "client/plot/svg.h"

#define WIDTH 280.0
#define HEIGHT 130.0
#define TOP 24.0
#define BOTTOM (HEIGHT - 18)
#define PATH_POINTS_MAX 100

static void draw_line(struct buf *out, const struct study_curve *c, const double *v,
                      const struct scale axes[2])
{
    size_t step = c->count / PATH_POINTS_MAX + 1;
    bool pen_down = false;
    svg_path_begin(out, v == c->train ? "best dashed" : "best", 0);
    for (size_t i = 0; i < c->count; i += step)
        svg_path_to(out, scale_at(&axes[0], c->epoch[i]), scale_at(&axes[1], v[i]), &pen_down);
    svg_path_end(out);
}

static void draw_bands(struct buf *out, const struct study_curve *c, const struct scale *x)
{
    for (size_t i = 0; i < c->regime_count; i++) {
        double end = i + 1 < c->regime_count ? c->regimes[i + 1].from : c->regimes[i].to;
        double from = scale_at(x, c->regimes[i].from), to = scale_at(x, end);
        char *classes = xasprintf("band %s", svg_pattern_class(c->regimes[i].pattern));
        svg_rect(out, classes, (double[]){from, TOP}, (double[]){fmax(2, to - from), BOTTOM - TOP});
        free(classes);
    }
}

/* The ends of the axis of losses, and the last epoch. */
static void draw_numbers(struct buf *out, const struct study_curve *c, const struct scale *y)
{
    char text[HUMAN_MAX];
    snprintf(text, sizeof text, "%.3g", y->high);
    svg_text(out, "tick", (double[]){2, TOP + 10}, SVG_START, text);
    snprintf(text, sizeof text, "%.3g", y->low);
    svg_text(out, "tick", (double[]){2, BOTTOM}, SVG_START, text);
    svg_text(out, "tick", (double[]){WIDTH - 4, HEIGHT - 4}, SVG_END,
             human_number(c->epoch[c->count - 1], text));
}

void plot_mini(const struct study_run *r, const char *head, enum language language, struct buf *out)
{
    const struct study_curve *c = &r->curve;
    struct scale axes[2] = {{.from = 56, .to = WIDTH - 6}, {.from = BOTTOM, .to = TOP}};
    if (c->count == 0)
        return;
    double *v = xmalloc(2 * c->count * sizeof *v);
    for (size_t i = 0; i < c->count; i++) {
        v[2 * i] = c->train[i];
        v[2 * i + 1] = c->val[i];
    }
    scale_over(&axes[0], c->epoch, c->count, false);
    scale_over_metric(&axes[1], v, 2 * c->count, false);
    free(v);
    char *id = xasprintf("mini-%lld-%zu", (long long)r->id, out->len);
    svg_begin(out, &(struct svg_frame){id, WIDTH, HEIGHT, head,
                                       word_in(language, WORD_CURVES_ONE_SAYS), false});
    free(id);
    svg_text(out, "tick", (double[]){4, 14}, SVG_START, head);
    draw_bands(out, c, &axes[0]);
    draw_line(out, c, c->train, axes);
    draw_line(out, c, c->val, axes);
    draw_numbers(out, c, &axes[1]);
    svg_end(out);
}
