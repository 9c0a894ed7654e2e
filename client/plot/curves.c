/* Learning curves: all runs' validation loss with the best one's label bands, or one run's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/plot/chart.h"

#define CURVES_MAX 200      /* drawn */
#define CURVES_MAX_PAGE 80  /* of a page, whose script draws others */
#define PATH_POINTS_MAX 300 /* of one */
#define BAND_HEIGHT 10.0
#define BAND_SHARE 0.03 /* of the axis */

static void draw_series(struct chart *c, const struct study_run *r, const double *y,
                        const char *classes)
{
    const struct study_curve *v = &r->curve;
    bool pen_down = false;
    size_t step = v->count / PATH_POINTS_MAX + 1;
    svg_path_begin(c->out, classes, r->id);
    for (size_t i = 0; i < v->count; i++) {
        if (i % step != 0 && i + 1 != v->count)
            continue;
        svg_path_to(c->out, scale_at(&c->x, v->epoch[i]), scale_at(&c->y, y[i]), &pen_down);
        pen_down = pen_down && y[i] <= c->y.high; /* it has left the chart */
    }
    svg_path_end(c->out);
}

static void draw_bands(struct chart *c, const struct study_curve *v, double top, double height)
{
    for (size_t i = 0; i < v->regime_count; i++) {
        const struct diagnosis_regime *r = &v->regimes[i];
        double end = i + 1 < v->regime_count ? v->regimes[i + 1].from : r->to;
        double from = scale_at(&c->x, r->from), to = scale_at(&c->x, end);
        char *classes = xasprintf("band %s", svg_pattern_class(r->pattern));
        if (!isfinite(from) || !isfinite(to)) {
            free(classes);
            continue;
        }
        buf_printf(c->out, "<g><title>%s: %g – %g</title>\n", pattern_name(r->pattern), r->from,
                   r->to);
        svg_rect(c->out, classes, (double[]){from, top}, (double[]){fmax(2, to - from), height});
        if (height > 2 * BAND_HEIGHT)
            svg_text(c->out, "tick", (double[]){from + 4, top + 14}, SVG_START,
                     pattern_name(r->pattern));
        buf_puts(c->out, "</g>\n");
        free(classes);
    }
}

/* For the bands below the curves. */
static void make_room(struct scale *y)
{
    if (y->logarithmic)
        y->low /= pow(y->high / y->low, BAND_SHARE);
    else
        y->low -= BAND_SHARE * (y->high - y->low);
}

/* The two scales over everything that will be drawn. */
static size_t set_scales(struct chart *c, const struct study_run *one)
{
    size_t total = 0, n = 0;
    for (size_t i = 0; i < c->study->run_count; i++)
        total += c->study->runs[i].curve.count;
    double *x = xmalloc((total + 1) * sizeof *x), *y = xmalloc((2 * total + 1) * sizeof *y);
    for (size_t i = 0; i < c->study->run_count; i++) {
        const struct study_run *r = &c->study->runs[i];
        for (size_t k = 0; k < r->curve.count && (one == NULL || one == r); k++) {
            x[n] = r->curve.epoch[k];
            y[2 * n] = r->curve.val[k];
            y[2 * n + 1] = one != NULL || c->options->each ? r->curve.train[k] : NAN;
            if (one == NULL && !isfinite(y[2 * n]))
                y[2 * n] = r->curve.train[k];
            n++;
        }
    }
    scale_over(&c->x, x, n, false);
    size_t far = scale_over_metric(&c->y, y, 2 * n, false);
    make_room(&c->y);
    free(x);
    free(y);
    return n > 0 ? far + 1 : 0;
}

static bool has_number(const double *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isfinite(v[i]))
            return true;
    return false;
}

/* Its validation loss; where it has none, its training loss. */
static const double *main_series(const struct study_curve *v)
{
    return has_number(v->val, v->count) ? v->val : v->train;
}

static int worse_first(const void *a, const void *b, void *study)
{
    const struct study_run *x = *(const struct study_run *const *)a;
    const struct study_run *y = *(const struct study_run *const *)b;
    int order = study_better(study, x->metric, y->metric) -
                study_better(study, y->metric, x->metric);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

/* Of the runs with a curve, the worst first: of more than most the best half, and an even choice of
 * the others. */
static size_t choose(const struct study *s, const struct study_run **out, size_t most)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < s->run_count; i++)
        if (s->runs[i].curve.count > 0)
            out[n++] = &s->runs[i];
    qsort_r(out, n, sizeof(*out), worse_first, (void *)(uintptr_t)s);
    if (n <= most)
        return n;
    size_t others = n - most / 2, wanted = most - most / 2;
    for (size_t i = 0; i < n; i++)
        if (i >= others || (i + 1) * wanted / others > i * wanted / others)
            out[kept++] = out[i];
    return kept;
}

static void draw_all(struct chart *c, const struct study_run *best, double bottom)
{
    const struct study *s = c->study;
    const struct study_run **runs = xmalloc((s->run_count + 1) * sizeof(*runs));
    size_t drawn = choose(s, runs, c->options->standalone ? CURVES_MAX : CURVES_MAX_PAGE);
    for (size_t i = 0; i < drawn; i++) {
        if (runs[i] == best)
            continue;
        char *classes = xasprintf("thin %s", svg_pattern_class(runs[i]->pattern));
        draw_series(c, runs[i], main_series(&runs[i]->curve), classes);
        free(classes);
    }
    free(runs);
    if (best != NULL && best->curve.count > 0) {
        char *classes = xasprintf("bold %s", svg_pattern_class(best->pattern));
        draw_series(c, best, best->curve.train, "best dashed");
        draw_series(c, best, main_series(&best->curve), classes);
        draw_bands(c, &best->curve, bottom - BAND_HEIGHT, BAND_HEIGHT);
        free(classes);
    }
    if (drawn < s->run_count)
        chart_note(c, chart_word(c, WORD_DRAWN_OF), drawn, s->run_count);
    chart_legend(c, CHART_HEIGHT - 24);
}

/* Which run has which colour, in one line below the chart. */
static void own_legend(struct chart *c, size_t count)
{
    double x = 70;
    for (size_t i = 0; i < count; i++) {
        char *classes = xasprintf("strong own%zu", i);
        char *name = xasprintf("%s %lld", chart_word(c, WORD_RUN), (long long)c->study->runs[i].id);
        svg_line(c->out, classes, (double[]){x, CHART_HEIGHT - 20},
                 (double[]){x + 20, CHART_HEIGHT - 20});
        svg_text(c->out, "tick", (double[]){x + 24, CHART_HEIGHT - 16}, SVG_START, name);
        x += 78;
        free(classes);
        free(name);
    }
}

static void draw_each(struct chart *c)
{
    size_t count = c->study->run_count < PLOT_OWN_COLOURS ? c->study->run_count : PLOT_OWN_COLOURS;
    for (size_t i = 0; i < count; i++) {
        const struct study_run *r = &c->study->runs[i];
        char *thin = xasprintf("thin dashed own%zu", i), *strong = xasprintf("strong own%zu", i);
        draw_series(c, r, r->curve.train, thin);
        draw_series(c, r, main_series(&r->curve), strong);
        free(thin);
        free(strong);
    }
    own_legend(c, count);
}

static const struct study_run *run_asked_for(const struct study *s, int64_t id)
{
    for (size_t i = 0; i < s->run_count; i++)
        if (s->runs[i].id == id)
            return &s->runs[i];
    return NULL;
}

void plot_draw_curves(struct chart *c)
{
    const struct study *s = c->study;
    const struct chart_box box = CHART_BOX_LEGEND;
    const struct study_run *one = c->options->run != 0 ? run_asked_for(s, c->options->run) : NULL;
    chart_open_saying(c, 0,
                      chart_word(c, c->options->run != 0 ? WORD_CURVES_ONE_SAYS
                                    : c->options->each   ? WORD_CURVES_EACH_SAYS
                                                         : WORD_CURVES_SAYS));
    if ((c->options->run != 0 && one == NULL) || set_scales(c, one) == 0) {
        chart_empty(c);
        return;
    }
    chart_axes(c, &box, chart_word(c, WORD_EPOCH), chart_word(c, WORD_LOSS));
    if (c->options->each) {
        draw_each(c);
    } else if (one == NULL) {
        draw_all(c, study_best(s), box.bottom);
    } else {
        draw_bands(c, &one->curve, box.top, box.bottom - box.top);
        draw_series(c, one, one->curve.train, "best dashed");
        draw_series(c, one, one->curve.val, "best");
        chart_note(c, "%s %lld", chart_word(c, WORD_RUN), (long long)one->id);
    }
    chart_close(c);
}
