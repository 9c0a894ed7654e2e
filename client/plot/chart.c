#include "client/plot/chart.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/require.h"

#define TITLE_MAX 72 /* characters */
#define TICK_GAP 6.0

const char *chart_word(const struct chart *c, enum word w)
{
    return word_in(c->options->language, w);
}

/* "History · sweep 3 night", the name cut where it is long. */
static void add_title(struct chart *c, const char *title)
{
    buf_puts(c->out, "<text class=\"big\" x=\"16\" y=\"24\">");
    svg_escape(c->out, title);
    buf_printf(c->out, " · %s %lld ", chart_word(c, WORD_SWEEP), (long long)c->study->id);
    svg_escape_cut(c->out, c->study->name, TITLE_MAX - strlen(title) / 2);
    buf_puts(c->out, "</text>\n");
}

void chart_open_saying(struct chart *c, double height, const char *says)
{
    const char *title = chart_word(c, c->title);
    char *id = xasprintf("s%lld-%s-%lld", (long long)c->study->id, c->kind->name,
                         (long long)c->options->run);
    svg_begin(c->out, &(struct svg_frame){id, CHART_WIDTH, height > 0 ? height : CHART_HEIGHT,
                                          title, says, c->options->standalone});
    add_title(c, title);
    free(id);
}

void chart_open(struct chart *c, double height)
{
    chart_open_saying(c, height, chart_word(c, c->says));
}

void chart_x_axis(struct chart *c, const struct chart_box *box, const char *title)
{
    double ticks[SCALE_TICKS_MAX];
    char text[HUMAN_MAX];
    size_t n = scale_ticks(&c->x, (size_t)fmax(3, (box->right - box->left) / 90), ticks);
    c->x.from = box->left;
    c->x.to = box->right;
    for (size_t i = 0; i < n; i++) {
        double x = scale_at(&c->x, ticks[i]);
        svg_line(c->out, "grid", (double[]){x, box->top}, (double[]){x, box->bottom});
        svg_text(c->out, "tick", (double[]){x, box->bottom + 16}, SVG_MIDDLE,
                 scale_text(&c->x, ticks[i], text));
    }
    svg_line(c->out, "axis", (double[]){box->left, box->bottom},
             (double[]){box->right, box->bottom});
    svg_text(c->out, "title", (double[]){(box->left + box->right) / 2, box->bottom + 34},
             SVG_MIDDLE, title);
}

static void y_axis(struct chart *c, const struct chart_box *box, const char *title)
{
    double ticks[SCALE_TICKS_MAX];
    char text[HUMAN_MAX];
    size_t n = scale_ticks(&c->y, (size_t)fmax(3, (box->bottom - box->top) / 60), ticks);
    for (size_t i = 0; i < n; i++) {
        double y = scale_at(&c->y, ticks[i]);
        svg_line(c->out, "grid", (double[]){box->left, y}, (double[]){box->right, y});
        svg_text(c->out, "tick", (double[]){box->left - TICK_GAP, y + 4}, SVG_END,
                 scale_text(&c->y, ticks[i], text));
    }
    if (title != NULL)
        svg_text_up(c->out, "title", (double[]){box->left - 54, (box->top + box->bottom) / 2},
                    title);
}

void chart_axes(struct chart *c, const struct chart_box *box, const char *x_title,
                const char *y_title)
{
    c->y.from = box->bottom;
    c->y.to = box->top;
    chart_x_axis(c, box, x_title);
    y_axis(c, box, y_title);
    svg_line(c->out, "axis", (double[]){box->left, box->top}, (double[]){box->left, box->bottom});
}

void chart_empty(struct chart *c)
{
    c->empty = true;
    svg_text(c->out, "note", (double[]){CHART_WIDTH / 2, CHART_HEIGHT / 2}, SVG_MIDDLE,
             chart_word(c, WORD_NOTHING));
    chart_close(c);
}

void chart_note(struct chart *c, const char *fmt, ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    svg_text(c->out, "note", (double[]){16, 42}, SVG_START, text.data);
    buf_finish(&text);
}

/* Those that are there, the commonest names short enough for one line or two. */
void chart_legend(struct chart *c, double y)
{
    bool seen[PATTERN_COUNT + 1] = {false};
    double x = 16;
    for (size_t i = 0; i < c->study->run_count; i++)
        seen[c->study->runs[i].pattern + 1] = true;
    for (int p = PATTERN_NONE; p < PATTERN_COUNT; p++) {
        if (!seen[p + 1])
            continue;
        const char *name =
            p == PATTERN_NONE ? chart_word(c, WORD_NO_LABEL) : pattern_name((enum pattern)p);
        char *classes = xasprintf("dot %s", svg_pattern_class((enum pattern)p));
        double width = 22 + 7.0 * (double)strlen(name);
        if (x + width > CHART_WIDTH - 10 && x > 16) {
            x = 16;
            y += 16;
        }
        svg_circle(c->out, classes, (double[]){x + 5, y - 4}, 4);
        svg_text(c->out, "tick", (double[]){x + 13, y}, SVG_START, name);
        x += width;
        free(classes);
    }
}

struct buf *chart_shape(struct chart *c, enum chart_shape shape, enum pattern pattern)
{
    return &c->shapes[shape][pattern + 1];
}

bool chart_is_dense(const struct chart *c)
{
    return c->study->run_count > CHART_ELEMENTS_MAX;
}

void chart_flush(struct chart *c)
{
    static const char *const classes[] = {
#define X(id, name) name,
        CHART_SHAPE_MAP(X)
#undef X
    };
    for (int shape = 0; shape < CHART_SHAPE_COUNT; shape++) {
        for (int p = PATTERN_NONE; p < PATTERN_COUNT; p++) {
            struct buf *path = &c->shapes[shape][p + 1];
            if (path->len > 0)
                buf_printf(c->out, "<path class=\"%s %s\" d=\"%s\"/>\n", classes[shape],
                           svg_pattern_class((enum pattern)p), path->data);
            buf_finish(path);
        }
    }
}

void chart_close(struct chart *c)
{
    chart_flush(c);
    svg_end(c->out);
}

double *chart_metrics(const struct study *s)
{
    double *v = xmalloc((s->run_count + 1) * sizeof *v);
    for (size_t i = 0; i < s->run_count; i++)
        v[i] = s->runs[i].metric;
    return v;
}

void chart_mark(struct chart *c, const struct study_run *r, const double at[2], double radius)
{
    const char *how = r->status == RUN_STOPPED ? "hollow" : "dot";
    char metric[HUMAN_MAX];
    if (!isfinite(at[0]) || !isfinite(at[1]))
        return;
    if (chart_is_dense(c)) {
        buf_printf(chart_shape(c, CHART_DOT, r->pattern), "M%.1f %.1fh0", at[0], at[1]);
        return;
    }
    buf_printf(c->out,
               "<circle class=\"%s %s\" data-run=\"%lld\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\">"
               "<title>%s %lld: %s %s</title></circle>\n",
               how, svg_pattern_class(r->pattern), (long long)r->id, at[0], at[1], radius,
               chart_word(c, WORD_RUN), (long long)r->id, human_loss(r->metric, metric),
               pattern_name(r->pattern));
}
