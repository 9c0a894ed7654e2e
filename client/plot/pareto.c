/* What runs are judged by, two at a time: the metric against the time it took, or each pair of
 * several objectives. The front of a pair is what no other run betters in both. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/plot/chart.h"

#define COLUMNS 3
#define CELL_WIDTH ((CHART_WIDTH - 20) / COLUMNS)
#define CELL_HEIGHT 200.0
#define LEGEND 36.0
#define DOTS_MAX 20000 /* of all small charts together */

/* One side of a chart. objective -1: seconds of training; else that one, or the metric. */
struct side {
    int objective;
    bool maximize;
    const char *name;
};

struct pair {
    const struct study *study;
    struct side x, y;
};

static double value_on(const struct side *a, const struct study_run *r)
{
    if (a->objective < 0)
        return r->seconds;
    return r->objectives != NULL ? r->objectives[a->objective] : r->metric;
}

static struct side side_of(const struct study *s, size_t objective)
{
    return (struct side){(int)objective, s->objectives[objective].maximize,
                         s->objectives[objective].name};
}

/* -1, 0, 1: a is better than b, as good, worse. */
static int order_on(const struct side *side, const struct study_run *a, const struct study_run *b)
{
    double u = value_on(side, a), v = value_on(side, b);
    int order = (u > v) - (u < v);
    return side->maximize ? -order : order;
}

static int by_x_then_y(const void *a, const void *b, void *arg)
{
    const struct study_run *u = *(const struct study_run *const *)a;
    const struct study_run *v = *(const struct study_run *const *)b;
    const struct pair *p = arg;
    int order = order_on(&p->x, u, v);
    return order != 0 ? order : order_on(&p->y, u, v);
}

/* Leaves those that no other betters in both, the best in x first. v is sorted so. */
static size_t keep_front(const struct pair *p, const struct study_run **v, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || order_on(&p->y, v[i], v[kept - 1]) < 0)
            v[kept++] = v[i];
    return kept;
}

static void draw_front(struct chart *c, const struct pair *p, const struct study_run **v, size_t n)
{
    bool pen_down = false;
    svg_path_begin(c->out, "best", 0);
    for (size_t i = 0; i < n; i++) {
        double x = scale_at(&c->x, value_on(&p->x, v[i]));
        if (i > 0)
            svg_path_to(c->out, x, scale_at(&c->y, value_on(&p->y, v[i - 1])), &pen_down);
        svg_path_to(c->out, x, scale_at(&c->y, value_on(&p->y, v[i])), &pen_down);
    }
    svg_path_end(c->out);
}

/* Those that have both values. */
static size_t take_runs(const struct pair *p, const struct study_run **out)
{
    size_t n = 0;
    for (size_t i = 0; i < p->study->run_count; i++) {
        const struct study_run *r = &p->study->runs[i];
        if (isfinite(value_on(&p->x, r)) && isfinite(value_on(&p->y, r)))
            out[n++] = r;
    }
    return n;
}

static bool scale_side(struct scale *scale, const struct side *side, const struct study_run **v,
                       size_t n)
{
    double *numbers = xmalloc((n + 1) * sizeof *numbers);
    size_t far = 0;
    for (size_t i = 0; i < n; i++)
        numbers[i] = value_on(side, v[i]);
    if (side->objective < 0)
        scale_over(scale, numbers, n, false);
    else
        far = scale_over_metric(scale, numbers, n, side->maximize);
    free(numbers);
    return far > 0;
}

static bool is_beyond(const struct scale *s, double v)
{
    return v < s->low || v > s->high;
}

/* Of the runs every step-th, and those on the front of all objectives, which have a ring. */
static void draw_runs(struct chart *c, const struct pair *p, const struct study_run **v, size_t n)
{
    bool small = c->panels > 1;
    size_t step = small ? c->panels * n / DOTS_MAX + 1 : 1;
    for (size_t i = 0; i < n; i++) {
        const double at[2] = {scale_at(&c->x, value_on(&p->x, v[i])),
                              scale_at(&c->y, value_on(&p->y, v[i]))};
        if (i % step == 0 || v[i]->on_front)
            chart_mark(c, v[i], at, small ? 2.5 : 3.5);
        if (v[i]->on_front && p->study->objective_count > 0)
            svg_circle(c->out, "ring", at, small ? 4.5 : 6);
    }
    chart_flush(c);
}

/* How many lie beyond the axes. */
static size_t draw_pair(struct chart *c, const struct pair *p, const struct chart_box *box)
{
    const struct study_run **v = xmalloc((p->study->run_count + 1) * sizeof *v);
    size_t n = take_runs(p, v), beyond = 0;
    bool far_x = scale_side(&c->x, &p->x, v, n), far_y = scale_side(&c->y, &p->y, v, n);
    chart_axes(c, box, p->x.name, p->y.name);
    for (size_t i = 0; i < n && (far_x || far_y); i++)
        beyond += is_beyond(&c->x, value_on(&p->x, v[i])) ||
                  is_beyond(&c->y, value_on(&p->y, v[i]));
    draw_runs(c, p, v, n);
    qsort_r(v, n, sizeof *v, by_x_then_y, (void *)(uintptr_t)p);
    draw_front(c, p, v, keep_front(p, v, n));
    free(v);
    return beyond;
}

static bool is_drawable(const struct pair *p)
{
    for (size_t i = 0; i < p->study->run_count; i++)
        if (isfinite(value_on(&p->x, &p->study->runs[i])) &&
            isfinite(value_on(&p->y, &p->study->runs[i])))
            return true;
    return false;
}

static void draw_one(struct chart *c, const struct pair *p)
{
    chart_open(c, 0);
    if (!is_drawable(p)) {
        chart_empty(c);
        return;
    }
    size_t beyond = draw_pair(c, p, &(struct chart_box)CHART_BOX_LEGEND);
    if (beyond > 0)
        chart_note(c, chart_word(c, WORD_AT_EDGE), beyond);
    chart_legend(c, CHART_HEIGHT - 24);
    chart_close(c);
}

/* A small chart for each pair, the metric upright where it is one of them. */
static void draw_all(struct chart *c)
{
    const struct study *s = c->study;
    size_t count = s->objective_count, place = 0, beyond = 0;
    c->panels = count * (count - 1) / 2;
    double rows = (double)((c->panels + COLUMNS - 1) / COLUMNS);
    double height = CHART_TOP + rows * CELL_HEIGHT + LEGEND;
    chart_open(c, height);
    for (size_t y = 0; y < count; y++) {
        for (size_t x = y + 1; x < count; x++, place++) {
            const struct pair p = {s, side_of(s, x), side_of(s, y)};
            double left = 66 + (double)(place % COLUMNS) * CELL_WIDTH;
            double top = CHART_TOP + (double)(place / COLUMNS) * CELL_HEIGHT;
            beyond += draw_pair(c, &p, &(struct chart_box){left, top, left + CELL_WIDTH - 76,
                                                           top + CELL_HEIGHT - 52});
        }
    }
    if (beyond > 0)
        chart_note(c, chart_word(c, WORD_AT_EDGE), beyond);
    chart_legend(c, height - 20);
    chart_close(c);
}

static bool has_values(const struct study *s)
{
    for (size_t i = 0; i < s->run_count; i++)
        if (s->runs[i].objectives != NULL && isfinite(s->runs[i].objectives[0]))
            return true;
    return false;
}

/* What is asked for, else the first that is not the other. */
static struct side asked(const struct study *s, const char *name, const char *other)
{
    int found = name != NULL ? study_objective(s, name) : -1;
    size_t k = 0;
    if (found >= 0)
        return side_of(s, (size_t)found);
    while (k + 1 < s->objective_count && other != NULL && strcmp(s->objectives[k].name, other) == 0)
        k++;
    return side_of(s, k);
}

void plot_draw_pareto(struct chart *c)
{
    const struct study *s = c->study;
    const struct plot_options *o = c->options;
    if (s->objective_count == 0) {
        const struct pair p = {s, {-1, false, chart_word(c, WORD_SECONDS)},
                               {0, s->maximize, s->metric}};
        draw_one(c, &p);
    } else if (o->x != NULL || o->y != NULL || s->objective_count == 2) {
        struct pair p = {.study = s};
        p.y = asked(s, o->y, o->x != NULL ? o->x : s->objectives[1].name);
        p.x = asked(s, o->x, p.y.name);
        draw_one(c, &p);
    } else if (!has_values(s)) {
        chart_open(c, 0);
        chart_empty(c);
    } else {
        draw_all(c);
    }
}
