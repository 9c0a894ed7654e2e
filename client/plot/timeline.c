/* When each run ran: rows of bars, as many rows as ran at the same time. */
#include <math.h>
#include <stdlib.h>

#include "client/plot/chart.h"

#define SLOTS_MAX 64
#define ROW_MOST 26.0
#define ROWS_MOST 300.0
#define TOP CHART_TOP
#define LEFT 70.0

static int earliest_first(const void *a, const void *b)
{
    const struct study_run *x = *(const struct study_run *const *)a;
    const struct study_run *y = *(const struct study_run *const *)b;
    int order = (x->started > y->started) - (x->started < y->started);
    return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

/* One that goes on ends now: at the latest time that is known. */
static double end_of(const struct study_run *r, double last)
{
    return isfinite(r->ended) ? r->ended : last;
}

/* A row for each: the first that is free at its start. Returns the number of rows. */
static size_t assign(const struct study_run *const *v, size_t n, double last, unsigned char *rows)
{
    double free_at[SLOTS_MAX];
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < used && free_at[k] > v[i]->started + 1e-9)
            k++;
        if (k == used && used < SLOTS_MAX)
            used++;
        k = k < SLOTS_MAX ? k : SLOTS_MAX - 1;
        free_at[k] = end_of(v[i], last);
        rows[i] = (unsigned char)k;
    }
    return used;
}

/* Seconds, minutes or hours: the unit that gives readable numbers. */
static double unit_of(double seconds, enum word *out)
{
    *out = seconds > 7200 ? WORD_HOURS : seconds > 180 ? WORD_MINUTES : WORD_SINCE_SECONDS;
    return seconds > 7200 ? 3600 : seconds > 180 ? 60 : 1;
}

/* What is drawn: the runs that have started, and their rows. */
struct rows {
    const struct study_run **runs;
    size_t count, used;
    double last, height; /* the latest time; of a row */
    unsigned char *row;
};

static void draw_bars(struct chart *c, const struct rows *r, double unit)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct study_run *run = r->runs[i];
        double end = end_of(run, r->last), from = scale_at(&c->x, run->started / unit);
        double width = fmax(1, scale_at(&c->x, end / unit) - from - 0.5);
        double y = TOP + (double)r->row[i] * r->height;
        if (chart_is_dense(c)) {
            buf_printf(chart_shape(c, CHART_BAR, run->pattern), "M%.1f %.1fh%.1fv%.1fh-%.1fz", from,
                       y + 1, width, fmax(1, r->height - 2), width);
            continue;
        }
        buf_printf(c->out,
                   "<rect class=\"bar %s\" data-run=\"%lld\" x=\"%.1f\" y=\"%.1f\" "
                   "width=\"%.1f\" height=\"%.1f\"><title>%s %lld: %.1f s</title></rect>\n",
                   svg_pattern_class(run->pattern), (long long)run->id, from, y + 1, width,
                   fmax(1, r->height - 2), chart_word(c, WORD_RUN), (long long)run->id,
                   end - run->started);
    }
    for (size_t k = 0; k < r->used && r->height > 11; k++) {
        char *name = xasprintf("%s %zu", chart_word(c, WORD_SLOT), k + 1);
        svg_text(c->out, "tick", (double[]){LEFT - 6, TOP + ((double)k + 0.5) * r->height + 4},
                 SVG_END, name);
        free(name);
    }
}

static void draw_rows(struct chart *c, struct rows *r)
{
    enum word title;
    double unit = unit_of(r->last, &title);
    r->row = xmalloc(r->count + 1);
    r->used = assign(r->runs, r->count, r->last, r->row);
    r->height = fmin(ROW_MOST, ROWS_MOST / (double)r->used);
    double bottom = TOP + (double)r->used * r->height + 4;
    chart_open(c, bottom + 90);
    scale_over(&c->x, (double[]){0, fmax(r->last, 1e-3) / unit}, 2, false);
    chart_x_axis(c, &(struct chart_box){LEFT, TOP, CHART_WIDTH - 20, bottom}, chart_word(c, title));
    draw_bars(c, r, unit);
    chart_legend(c, bottom + 56);
    free(r->row);
}

void plot_draw_timeline(struct chart *c)
{
    const struct study *s = c->study;
    struct rows r = {.runs = xmalloc((s->run_count + 1) * sizeof *r.runs)};
    for (size_t i = 0; i < s->run_count; i++) {
        const struct study_run *run = &s->runs[i];
        if (!isfinite(run->started))
            continue;
        r.runs[r.count++] = run;
        r.last = fmax(r.last, isfinite(run->ended) ? run->ended : run->started);
    }
    if (r.count == 0) {
        chart_open(c, 0);
        chart_empty(c);
    } else {
        qsort(r.runs, r.count, sizeof *r.runs, earliest_first);
        draw_rows(c, &r);
        chart_close(c);
    }
    free(r.runs);
}
