#include "client/screen/grid.h"

#include <stdlib.h>
#include <string.h>

#include "client/render.h"
#include "client/utf8.h"

#define ELLIPSIS 0x2026
#define RULE 0x2500

const char *ink_code(enum ink i)
{
    static const char *const codes[] = {
#define X(id, code) [INK_##id] = code,
        INK_MAP(X)
#undef X
    };
    return codes[i];
}

enum ink ink_of_word(const char *word)
{
    static const enum ink inks[] = {[TONE_PLAIN] = INK_PLAIN, [TONE_DIM] = INK_DIM,
                                    [TONE_BOLD] = INK_BOLD,   [TONE_GOOD] = INK_GOOD,
                                    [TONE_WARN] = INK_WARN,   [TONE_BAD] = INK_BAD};
    return inks[render_word_tone(word)];
}

void grid_init(struct grid *g, size_t width, size_t height, bool ascii)
{
    *g = (struct grid){.width = width, .height = height, .ascii = ascii};
    g->cells = xcalloc(width * height + 1, sizeof *g->cells);
    grid_clear(g);
}

void grid_finish(struct grid *g)
{
    free(g->cells);
    *g = (struct grid){0};
}

void grid_clear(struct grid *g)
{
    for (size_t i = 0; i < g->width * g->height; i++)
        g->cells[i] = (struct grid_cell){' ', INK_PLAIN};
}

uint32_t grid_at(const struct grid *g, size_t row, size_t column)
{
    return row < g->height && column < g->width ? g->cells[row * g->width + column].c : ' ';
}

/* A wide character one half of which is overwritten is gone. */
static void free_cell(struct grid *g, size_t row, size_t column)
{
    struct grid_cell *cell = &g->cells[row * g->width + column];
    if (cell->c == 0 && column > 0)
        cell[-1].c = ' ';
    if (column + 1 < g->width && cell[1].c == 0)
        cell[1].c = ' ';
}

void grid_set(struct grid *g, size_t row, size_t column, uint32_t c, enum ink ink)
{
    if (row >= g->height || column >= g->width)
        return;
    free_cell(g, row, column);
    g->cells[row * g->width + column] = (struct grid_cell){c, (uint8_t)ink};
}

/* What stands for c here: nothing that a terminal may obey, and nothing it cannot show. */
static uint32_t shown(const struct grid *g, uint32_t c)
{
    static const struct {
        uint32_t c, plain;
    } plain[] = {{ELLIPSIS, '~'}, {RULE, '-'},  {0x2192, '>'}, {0x00b1, '+'},
                 {0x25b8, '>'},   {0x2022, '*'}, {0x00b7, '.'}, {0x2013, '-'}};
    bool unsafe = c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
                  (c >= 0x2060 && c <= 0x206f) || c == 0xad;
    if (unsafe)
        return '?';
    if (!g->ascii || c < 0x7f)
        return c;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (plain[i].c == c)
            return plain[i].plain;
    return '?';
}

/* The next character of text as it is shown, and the columns it takes; combining marks are left
 * out: cells have no room for them, and terminals differ in what they do. */
static const char *take(const struct grid *g, const char *text, uint32_t *c, size_t *columns)
{
    size_t len = utf8_decode(text, c);
    if (len == 0) {
        *c = '?';
        *columns = 1;
        return text + 1;
    }
    size_t width = utf8_width(*c);
    *c = shown(g, *c);
    *columns = *c == '?' && width > 0 ? 1 : width;
    return text + len;
}

/* Columns of the text, counted up to max + 1: a name may be very long. */
static size_t columns_of(const struct grid *g, const char *text, size_t max)
{
    size_t total = 0, columns;
    uint32_t c;
    while (*text != '\0' && total <= max) {
        text = take(g, text, &c, &columns);
        total += columns;
    }
    return total;
}

static void set_wide(struct grid *g, struct span at, uint32_t c, size_t columns, enum ink ink)
{
    grid_set(g, at.row, at.column, c, ink);
    if (columns == 2 && at.column + 1 < g->width) {
        grid_set(g, at.row, at.column + 1, ' ', ink);
        g->cells[at.row * g->width + at.column + 1].c = 0;
    }
}

size_t grid_put(struct grid *g, struct span at, const char *text, enum ink ink)
{
    size_t used = 0, columns;
    if (at.row >= g->height || at.column >= g->width || at.width == 0)
        return 0;
    size_t width = at.column + at.width > g->width ? g->width - at.column : at.width;
    bool cut = columns_of(g, text, width) > width;
    size_t room = width - (cut ? 1 : 0);
    while (*text != '\0') {
        uint32_t c;
        const char *next = take(g, text, &c, &columns);
        if (used + columns > room)
            break;
        if (columns > 0)
            set_wide(g, (struct span){at.row, at.column + used, 0}, c, columns, ink);
        used += columns;
        text = next;
    }
    if (cut)
        grid_set(g, at.row, at.column + used++, shown(g, ELLIPSIS), ink);
    return used;
}

void grid_put_right(struct grid *g, struct span at, const char *text, enum ink ink)
{
    size_t columns = columns_of(g, text, at.width);
    if (columns < at.width) {
        at.column += at.width - columns;
        at.width = columns;
    }
    grid_put(g, at, text, ink);
}

size_t grid_printf(struct grid *g, struct span at, enum ink ink, const char *fmt, ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    size_t used = grid_put(g, at, text.data != NULL ? text.data : "", ink);
    buf_finish(&text);
    return used;
}

/* Bytes of text for a line of that many columns: up to the last blank that fits, or up to its
 * first line's end. */
static size_t line_bytes(const struct grid *g, const char *text, size_t width)
{
    const char *at = text, *blank = NULL;
    size_t used = 0, columns;
    while (*at != '\0' && *at != '\n') {
        uint32_t c;
        const char *next = take(g, at, &c, &columns);
        if (used + columns > width)
            return (size_t)((blank != NULL && blank > text ? blank : at > text ? at : next) - text);
        blank = *at == ' ' ? at : blank;
        used += columns;
        at = next;
    }
    return (size_t)(at - text);
}

size_t grid_wrap(struct grid *g, struct span at, size_t rows, const char *text, enum ink ink)
{
    size_t lines = 0;
    while (*text != '\0' && lines < rows && at.width > 0) {
        size_t bytes = line_bytes(g, text, at.width);
        bool last = lines + 1 == rows && text[bytes] != '\0' && text[bytes] != '\n';
        char *line = last ? xstrdup(text) : xasprintf("%.*s", (int)bytes, text);
        line[last ? strcspn(line, "\n") : bytes] = '\0';
        grid_put(g, (struct span){at.row + lines, at.column, at.width}, line, ink);
        free(line);
        text += bytes;
        text += *text == '\n' ? 1 : strspn(text, " ");
        lines++;
    }
    return lines;
}

void grid_rule(struct grid *g, size_t row, const char *title)
{
    for (size_t i = 0; i < g->width; i++)
        grid_set(g, row, i, shown(g, RULE), INK_DIM);
    if (*title != '\0' && g->width > 8)
        grid_printf(g, (struct span){row, 2, g->width - 4}, INK_BOLD, " %s ", title);
}

void grid_ink_row(struct grid *g, struct span at, enum ink ink)
{
    for (size_t i = at.column; i < at.column + at.width && i < g->width && at.row < g->height; i++)
        g->cells[at.row * g->width + i].ink = (uint8_t)ink;
}

void grid_put_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_putc(out, (char)c);
    } else if (c < 0x800) {
        buf_putc(out, (char)(0xc0 | c >> 6));
        buf_putc(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_putc(out, (char)(0xe0 | c >> 12));
        buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_putc(out, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_putc(out, (char)(0xf0 | c >> 18));
        buf_putc(out, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_putc(out, (char)(0x80 | (c & 0x3f)));
    }
}

void grid_text(const struct grid *g, struct buf *out)
{
    for (size_t row = 0; row < g->height; row++) {
        for (size_t i = 0; i < g->width; i++)
            if (g->cells[row * g->width + i].c != 0)
                grid_put_utf8(out, g->cells[row * g->width + i].c);
        while (out->len > 0 && out->data[out->len - 1] == ' ')
            out->data[--out->len] = '\0';
        buf_putc(out, '\n');
    }
}
