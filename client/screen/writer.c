#include "client/screen/writer.h"

#include <string.h>

/* Equal cells between two changes that are cheaper to write again than to jump over. */
#define BRIDGE 5

struct pen {
    struct buf *out;
    bool colour;
    uint8_t ink;
    size_t row, column; /* where the terminal's cursor is; column SIZE_MAX: not for sure */
};

static void move(struct pen *p, size_t row, size_t column)
{
    if (p->row == row && p->column == column)
        return;
    buf_printf(p->out, "\x1b[%zu;%zuH", row + 1, column + 1);
    p->row = row;
    p->column = column;
}

static void set_ink(struct pen *p, uint8_t ink)
{
    if (!p->colour || p->ink == ink)
        return;
    buf_printf(p->out, "\x1b[0%s%sm", ink != INK_PLAIN ? ";" : "", ink_code((enum ink)ink));
    p->ink = ink;
}

/* Terminals disagree on how wide some characters are: after any that is not plain the place is
 * said again, so that a mistake stays within its own cells. Those of our own drawing are sure. */
static bool is_sure(uint32_t c)
{
    return c < 0x7f || (c >= 0x2500 && c < 0x25a0) || (c >= 0x2800 && c < 0x2900) || c == 0x2026;
}

static void write_cell(struct pen *p, const struct grid_cell *cell)
{
    set_ink(p, cell->ink);
    grid_put_utf8(p->out, cell->c);
    p->column = is_sure(cell->c) ? p->column + 1 : SIZE_MAX;
}

static bool same(const struct grid_cell *a, const struct grid_cell *b, bool colour)
{
    return a->c == b->c && (!colour || a->ink == b->ink);
}

/* The first cell from there on that differs; width: none does. */
static size_t next_change(const struct grid_cell *was, const struct grid_cell *is, size_t from,
                          const struct grid *g, bool colour)
{
    while (from < g->width && same(&was[from], &is[from], colour))
        from++;
    return from;
}

static void write_row(struct pen *p, const struct grid *shown, const struct grid *next, size_t row)
{
    const struct grid_cell *was = shown->cells + row * next->width;
    const struct grid_cell *is = next->cells + row * next->width;
    size_t at = next_change(was, is, 0, next, p->colour);
    while (at < next->width) {
        if (is[at].c == 0 && at > 0)
            at--; /* the whole of a wide character */
        if (p->row == row && p->column != SIZE_MAX && p->column < at && at - p->column <= BRIDGE)
            at = p->column;
        if (is[at].c == 0 && at > 0)
            at--;
        move(p, row, at);
        do {
            if (is[at].c != 0)
                write_cell(p, &is[at]);
            at++;
        } while (at < next->width && is[at].c == 0);
        at = next_change(was, is, at, next, p->colour);
    }
}

void writer_diff(struct grid *shown, const struct grid *next, bool colour, struct buf *out)
{
    struct pen p = {.out = out, .colour = colour, .ink = INK_PLAIN, .column = SIZE_MAX};
    if (shown->width != next->width || shown->height != next->height) {
        grid_finish(shown);
        grid_init(shown, next->width, next->height, next->ascii);
        buf_puts(out, colour ? "\x1b[0m\x1b[2J" : "\x1b[2J");
    }
    for (size_t row = 0; row < next->height; row++)
        write_row(&p, shown, next, row);
    set_ink(&p, INK_PLAIN);
    memcpy(shown->cells, next->cells, next->width * next->height * sizeof *next->cells);
}
