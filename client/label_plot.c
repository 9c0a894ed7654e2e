#include "client/label_plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/human.h"
#include "client/render.h"
#include "sweep/buf.h"
#include "sweep/curve.h"
#include "sweep/require.h"

#define TITLE 16    /* columns before the blocks */
#define CELLS_MAX 100
#define CELLS_PLAIN 60 /* where it is no terminal */
#define CELLS_LEAST 16

static void title(struct buf *out, const char *text, bool colour)
{
    render_field(out, text, TITLE, false, render_tone(TONE_DIM, colour));
}

/* A series that was measured somewhere; where it was not, the value before it stands. */
static void series(const struct curve *c, size_t count, enum curve_column column,
                   const char *name, size_t cells, struct buf *out)
{
    double *v = xcalloc(count, sizeof *v), last = NAN;
    size_t first = count;
    for (size_t i = count; i-- > 0;)
        if (point_has(&c->points[i], column))
            first = i;
    if (first < count)
        last = c->points[first].v[column];
    for (size_t i = 0; i < count; i++) {
        last = point_has(&c->points[i], column) ? c->points[i].v[column] : last;
        v[i] = last;
    }
    if (first < count) {
        buf_puts(out, name);
        render_sparkline(out, v, count, cells);
        buf_putc(out, '\n');
    }
    free(v);
}

/* The cell that shows the last point up to that epoch. */
static size_t cell_of(const struct curve *c, size_t count, double epoch, size_t cells)
{
    size_t i = 0;
    while (i + 1 < count && c->points[i + 1].epoch <= epoch)
        i++;
    return i * cells / count;
}

/* The pattern's name in the columns of its stretch, the rest filled up to the bar that ends it. */
static void stretch(struct buf *out, const char *name, size_t width, bool last, bool colour)
{
    size_t room = width - !last, used = render_width(name) < room ? render_width(name) : room;
    render_field(out, name, used, false, render_tone(render_word_tone(name), colour));
    for (size_t i = used; i < room; i++)
        buf_puts(out, "─");
    buf_puts(out, last ? "" : "│");
}

static void timeline(const struct diagnosis *d, const struct curve *c, size_t count, size_t cells,
                     bool colour, struct buf *out)
{
    size_t from = 0;
    title(out, "label", colour);
    for (size_t i = 0; i < d->regime_count; i++) {
        bool last = i + 1 == d->regime_count;
        size_t to = last ? cells : cell_of(c, count, d->regimes[i + 1].from, cells);
        if (to <= from)
            continue;
        stretch(out, pattern_name(d->regimes[i].pattern), to - from, last, colour);
        from = to;
    }
    buf_putc(out, '\n');
}

/* The first and the last epoch under the ends of the blocks. */
static void axis(const struct curve *c, size_t count, size_t cells, bool colour, struct buf *out)
{
    char from[HUMAN_MAX], to[HUMAN_MAX];
    human_number(c->points[0].epoch, from);
    human_number(c->points[count - 1].epoch, to);
    title(out, "epoch", colour);
    buf_printf(out, "%s%*s\n", from, (int)cells - (int)strlen(from), to);
}

void label_plot(const struct diagnosis *d, const struct curve *c, size_t count, size_t width,
                bool colour, struct buf *out)
{
    size_t room = width > 0 ? (width > TITLE + CELLS_LEAST ? width - TITLE - 1 : CELLS_LEAST)
                            : CELLS_PLAIN;
    size_t cells = room < CELLS_MAX ? room : CELLS_MAX;
    struct buf name = {0};
    if (count < 2)
        return;
    cells = count < cells ? count : cells;
    buf_putc(out, '\n');
    title(&name, "training loss", colour);
    series(c, count, CURVE_TRAIN_LOSS, name.data, cells, out);
    buf_clear(&name);
    title(&name, "validation loss", colour);
    series(c, count, CURVE_VAL_LOSS, name.data, cells, out);
    buf_finish(&name);
    if (d->regime_count > 0)
        timeline(d, c, count, cells, colour, out);
    if (cells >= CELLS_LEAST)
        axis(c, count, cells, colour, out);
}
