/* What people see: text made safe for a terminal, colour, aligned tables, sparklines, and
 * members of JSON objects as text. Nothing here trusts what the daemon sent: a member that is
 * missing, null or of another type is shown as "-" or as it is. */
#ifndef SWEEPCTL_RENDER_H
#define SWEEPCTL_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sweep/buf.h"

struct json;

enum tone { TONE_PLAIN, TONE_DIM, TONE_BOLD, TONE_GOOD, TONE_WARN, TONE_BAD };

/* Colour on this stream: a terminal, no NO_COLOR in the environment, TERM not "dumb". */
bool render_wants_colour(FILE *out);
/* Columns (and rows, where not NULL) of that terminal; 80 by 24 where it does not say. */
size_t render_terminal(FILE *out, size_t *rows);
/* The tone of a status or a label. */
enum tone render_word_tone(const char *word);

/* What a terminal might obey: control characters; also the marks that reverse the order of text. */
bool render_is_unsafe(uint32_t c);
/* Appends text with control characters and broken UTF-8 as '?' (a name must not move the
 * cursor). keep_lines lets '\n' and '\t' through. */
void render_text(struct buf *out, const char *text, bool keep_lines);
/* Appends a JSON text of len bytes, what a terminal might obey escaped: it stays the same JSON. */
void render_document(struct buf *out, const char *text, size_t len);
/* Columns that render_text's result takes on a terminal: wide characters two, combining none. */
size_t render_width(const char *text);
/* The tone where there is colour, else plain. */
enum tone render_tone(enum tone tone, bool colour);
/* Appends text cut or padded to width columns, right-aligned where asked, in a tone. */
void render_field(struct buf *out, const char *text, size_t width, bool right, enum tone tone);

/* One line of block characters, lowest to highest; non-finite values are '×'. Longer series are
 * thinned to width by the mean of each piece. */
void render_sparkline(struct buf *out, const double *v, size_t count, size_t width);

struct table_column {
    const char *title;
    bool right;
    int drop; /* left out where the table is too wide, the highest first; 0: never */
};
struct table_cell {
    char *text;
    enum tone tone;
};
/* Rows of cells, filled from left to right; printed with every column as wide as it must
 * be, and without those that hold nothing but "-". */
struct render_table {
    const struct table_column *columns;
    size_t column_count;
    struct table_cell *cells;
    size_t count, cap;
};
void render_table_init(struct render_table *t, const struct table_column *columns, size_t count);
void render_table_finish(struct render_table *t);
void render_table_add(struct render_table *t, const char *text, enum tone tone);
/* Appends the header and all whole rows, two blanks between columns. max: columns of the terminal,
 * 0 where it does not matter. What is too wide leaves columns out, then breaks the last one's text
 * between words. */
void render_table_print(const struct render_table *t, size_t max, bool colour, struct buf *out);
/* Appends text broken between words into lines of at most width columns, all but the first of them
 * behind indent blanks. width 0: one line. */
void render_wrapped(struct buf *out, const char *text, size_t indent, size_t width,
                    enum tone tone);

/* How a member of an object is shown. */
enum cell_format { CELL_TEXT, CELL_NUMBER, CELL_LOSS, CELL_PERCENT, CELL_COUNT, CELL_DURATION,
                   CELL_AGO, CELL_YES /* 1 or 0 */, CELL_PLACE /* #3: in its sweep */,
                   CELL_PARAMS /* "lr=0.1 kind=mlp" */ };
/* The member as text, "-" when missing or null. The caller frees. */
char *render_member(const struct json *object, const char *key, enum cell_format format);
/* The member's string, or fallback. Borrowed. */
const char *member_string(const struct json *object, const char *key, const char *fallback);
int64_t member_int(const struct json *object, const char *key, int64_t fallback);
double member_real(const struct json *object, const char *key, double fallback);

#endif
