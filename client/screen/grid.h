/* A screen as cells: what the layout writes and the writer compares. Text that is put here is made
 * safe: nothing in it moves a cursor, and nothing leaves its place. Pure. */
#ifndef SWEEPCTL_GRID_H
#define SWEEPCTL_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

/* X(id, its SGR parameter) — INK_1 and on: series of a plot */
#define INK_MAP(X)                                                                              \
    X(PLAIN, "") X(DIM, "2") X(BOLD, "1") X(GOOD, "32") X(WARN, "33") X(BAD, "31")              \
    X(CURSOR, "7") X(1, "36") X(2, "33") X(3, "35") X(4, "32") X(5, "34") X(6, "31")

enum ink {
#define X(id, code) INK_##id,
    INK_MAP(X)
#undef X
    INK_COUNT
};
#define INK_SERIES 6
const char *ink_code(enum ink i);
/* The ink of a status or a label. */
enum ink ink_of_word(const char *word);

struct grid_cell {
    uint32_t c; /* the character; 0: the second half of a wide one before it */
    uint8_t ink;
};
struct grid {
    size_t width, height;
    bool ascii; /* the terminal shows nothing else */
    struct grid_cell *cells; /* row by row */
};

void grid_init(struct grid *g, size_t width, size_t height, bool ascii);
void grid_finish(struct grid *g);
void grid_clear(struct grid *g);
/* One character of width 1; outside of the grid: nothing. */
void grid_set(struct grid *g, size_t row, size_t column, uint32_t c, enum ink ink);
uint32_t grid_at(const struct grid *g, size_t row, size_t column);

/* A stretch of a row: what is put there stays in it. */
struct span {
    size_t row, column, width;
};
/* Text from its left end on, cut with an ellipsis where it is longer; the columns taken. */
size_t grid_put(struct grid *g, struct span at, const char *text, enum ink ink);
/* The same at its right end. */
void grid_put_right(struct grid *g, struct span at, const char *text, enum ink ink);
size_t grid_printf(struct grid *g, struct span at, enum ink ink, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Text broken between words into at most rows lines from there on; the lines taken. */
size_t grid_wrap(struct grid *g, struct span at, size_t rows, const char *text, enum ink ink);
/* A line across, a title in it. */
void grid_rule(struct grid *g, size_t row, const char *title);
/* Every cell of the row in that ink. */
void grid_ink_row(struct grid *g, struct span at, enum ink ink);

/* All of it as lines of text, without blanks at their ends. */
void grid_text(const struct grid *g, struct buf *out);
void grid_put_utf8(struct buf *out, uint32_t c);

#endif
