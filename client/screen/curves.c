#include "client/screen/curves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/human.h"

#define BRAILLE 0x2800
#define DOTS_X 2
#define DOTS_Y 4
#define DECADES_LOG 2.0 /* a range of so many decades is drawn on a logarithmic scale */

struct scale {
    double low, high;
    bool log;
};

static double at(const struct curve_line *s, size_t i)
{
    return s->y[i * s->stride];
}

/* Over all finite values. False: there is none. A loss of 0 stands at the bottom of a logarithmic
 * scale, with the least above it. */
static bool find_scale(const struct curve_line *series, size_t count, struct scale *out)
{
    double low = INFINITY, high = -INFINITY, above = INFINITY;
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < series[k].count; i++) {
            double v = at(&series[k], i);
            if (!isfinite(v))
                continue;
            low = fmin(low, v);
            high = fmax(high, v);
            above = v > 0 ? fmin(above, v) : above;
        }
    bool wide = low >= 0 && high > 0 && log10(high / above) >= DECADES_LOG;
    *out = (struct scale){wide ? above : low, high, wide};
    return low <= high;
}

/* 0 at the bottom, 1 at the top. */
static double share(const struct scale *s, double v)
{
    double low = s->log ? log(s->low) : s->low, high = s->log ? log(s->high) : s->high;
    double x = s->log ? log(fmax(v, s->low)) : v;
    return high > low ? (x - low) / (high - low) : 0.5;
}

/* The bit of a dot in a cell, counted from its upper left. */
static uint32_t dot_bit(size_t x, size_t y)
{
    static const uint8_t bits[DOTS_Y][DOTS_X] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    return bits[y % DOTS_Y][x % DOTS_X];
}

struct canvas {
    struct grid *g;
    const struct curve_area *p;
    size_t column, width; /* of the cells behind the axis */
};

static void dot(const struct canvas *c, size_t x, size_t y, const struct curve_line *s)
{
    size_t row = c->p->row + y / DOTS_Y, column = c->column + x / DOTS_X;
    if (c->p->marks) {
        grid_set(c->g, row, column, (uint32_t)(unsigned char)s->mark, s->ink);
        return;
    }
    uint32_t was = grid_at(c->g, row, column);
    uint32_t bits = was >= BRAILLE && was < BRAILLE + 256 ? was - BRAILLE : 0;
    grid_set(c->g, row, column, BRAILLE + (bits | dot_bit(x, y)), s->ink);
}

/* The mean of the values whose x lies in that dot column; NaN: none. *next is where to go on. */
static double column_mean(const struct canvas *c, const struct curve_line *s, size_t x,
                          size_t *next)
{
    double step = (c->p->to - c->p->from) / (double)(c->width * DOTS_X);
    double end = x + 1 == c->width * DOTS_X ? INFINITY : c->p->from + step * (double)(x + 1);
    double sum = 0;
    size_t n = 0;
    for (; *next < s->count && s->x[*next * s->stride] < end; (*next)++) {
        double v = at(s, *next);
        sum += isfinite(v) ? v : 0;
        n += isfinite(v) != 0;
    }
    return n > 0 ? sum / (double)n : NAN;
}

/* From the last value to this one: a line through the columns between them. */
static void line(const struct canvas *c, const struct curve_line *s, const size_t from[2],
                 const size_t to[2])
{
    size_t steps = to[0] - from[0];
    size_t rise = to[1] > from[1] ? to[1] - from[1] : from[1] - to[1];
    steps = rise > steps ? rise : steps;
    for (size_t i = 1; i <= steps; i++) {
        double t = (double)i / (double)steps;
        size_t x = from[0] + (size_t)lround(t * (double)(to[0] - from[0]));
        long y = (long)from[1] + lround(t * ((double)to[1] - (double)from[1]));
        size_t along = rise > to[0] - from[0] ? i : x;
        if (!s->dotted || along % 4 < 2 || i == steps)
            dot(c, x, (size_t)y, s);
    }
}

static void draw_series(const struct canvas *c, const struct curve_line *s,
                        const struct scale *scale)
{
    size_t next = 0, last[2] = {0, 0};
    double top = (double)(c->p->height * DOTS_Y - 1);
    bool has_last = false;
    for (size_t x = 0; x < c->width * DOTS_X; x++) {
        double v = column_mean(c, s, x, &next);
        if (!isfinite(v))
            continue;
        size_t now[2] = {x, (size_t)lround((1 - share(scale, v)) * top)};
        if (has_last)
            line(c, s, last, now);
        else
            dot(c, now[0], now[1], s);
        last[0] = now[0];
        last[1] = now[1];
        has_last = true;
    }
}

/* As exact as its columns allow. */
static const char *tick(double v, char *out)
{
    if (strlen(human_loss(v, out)) >= CURVES_AXIS)
        snprintf(out, HUMAN_MAX, "%.1e", v);
    return out;
}

static void axis(struct grid *g, const struct curve_area *p, const struct scale *s)
{
    char text[HUMAN_MAX];
    struct span top = {p->row, p->column, CURVES_AXIS - 1};
    struct span bottom = {p->row + p->height - 1, p->column, CURVES_AXIS - 1};
    grid_put_right(g, top, tick(s->high, text), INK_DIM);
    if (p->height > 1)
        grid_put_right(g, bottom, tick(s->low, text), INK_DIM);
    if (s->log && p->height > 3)
        grid_put_right(g, (struct span){p->row + p->height / 2, p->column, CURVES_AXIS - 1}, "log",
                       INK_DIM);
}

void curves_draw(struct grid *g, const struct curve_area *p, const struct curve_line *series,
               size_t count)
{
    struct scale scale;
    if (p->width <= CURVES_AXIS || p->height == 0)
        return;
    if (!find_scale(series, count, &scale) || !(p->to > p->from)) {
        grid_put(g, (struct span){p->row + p->height / 2, p->column + CURVES_AXIS,
                                  p->width - CURVES_AXIS}, "no points yet", INK_DIM);
        return;
    }
    struct canvas c = {g, p, p->column + CURVES_AXIS, p->width - CURVES_AXIS};
    for (size_t k = 0; k < count; k++)
        draw_series(&c, &series[k], &scale);
    axis(g, p, &scale);
}

static double piece_mean(const struct curve_line *s, size_t from, size_t to)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        if (isfinite(at(s, i))) {
            sum += at(s, i);
            n++;
        }
    return n > 0 ? sum / (double)n : NAN;
}

void curves_sparkline(struct grid *g, struct span where, const struct curve_line *s, enum ink ink)
{
    static const char levels[] = "_.-=*#";
    size_t cells = s->count < where.width ? s->count : where.width;
    struct scale scale;
    if (!find_scale(s, 1, &scale))
        return;
    for (size_t i = 0; i < cells; i++) {
        double m = piece_mean(s, i * s->count / cells, (i + 1) * s->count / cells);
        double v = isfinite(m) ? share(&scale, m) : 0;
        uint32_t block = 0x2581 + (uint32_t)lround(v * 7);
        uint32_t plain = (uint32_t)levels[(size_t)lround(v * (double)(sizeof levels - 2))];
        grid_set(g, where.row, where.column + i, isfinite(m) ? (g->ascii ? plain : block) : 'x',
                 ink);
    }
}
