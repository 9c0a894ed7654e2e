/* Tables as programs draw them on a terminal: titles above columns of blanks, drawn again every
 * epoch or in between others, with colours, and with a progress bar in the line or behind a row
 * (Ultralytics' YOLO, skorch, fastai). What a file has without any such mark is delimited text. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/curves/format.h"
#include "common/curves/number_word.h"
#include "sweep/terminal_text.h"
#include "sweep/buf.h"
#include "sweep/curve_title.h"
#include "sweep/err.h"

#define LOOKED_AT ((size_t)1 << 16) /* bytes, to tell whether there is one */
#define LINE_MAX_BYTES 2048         /* of a line; what comes behind is left out */
#define HEADERS_MAX 20000 /* lines of titles: each of their words is looked up */
#define TITLE_BYTES 80

struct drawing {
    const char *name; /* of the file */
    struct training_log *log; /* NULL: only looked at */
    struct errbuf *err;
    char line[LINE_MAX_BYTES + 1];
    bool partial; /* the line has a bar that is not full: its numbers are not the epoch's yet */
    char title[TERMINAL_CELLS_MAX][TITLE_BYTES];
    size_t columns; /* 0: no titles, or of a table without a loss */
    size_t number;  /* of the line */
    size_t rows, headers;
};

/* --- lines ---------------------------------------------------------------------------------- */

/* Without escape sequences. False: nothing but blanks. */
static bool copy_state(struct drawing *d, const char *text, size_t len)
{
    size_t used = 0;
    bool any = false;
    for (size_t i = 0; i < len && used < LINE_MAX_BYTES;) {
        if (text[i] == '\x1b') {
            i += terminal_escape(text + i, len - i);
            continue;
        }
        any |= (unsigned char)text[i] > ' ';
        d->line[used++] = text[i] ? text[i] : ' ';
        i++;
    }
    d->line[used] = '\0';
    return any;
}

/* The last state of the line that is not empty. */
static void take_line(struct drawing *d, const char *text, size_t len)
{
    size_t end = len;
    d->line[0] = '\0';
    while (end > 0) {
        size_t from = end;
        while (from > 0 && text[from - 1] != '\r' && text[from - 1] != '\b')
            from--;
        if (copy_state(d, text + from, end - from) || from == 0)
            return;
        end = from - 1;
    }
}

static bool is_number(const struct terminal_cell *c, double *out)
{
    return number_word(c->at, c->len, out) == c->len;
}

/* --- titles --------------------------------------------------------------------------------- */

static struct curve_title read_title(const char *title)
{
    return curve_title_read(title, strlen(title));
}

/* "box", "obj", "cls" and their "total" in a detector's table are losses. */
static void name_losses(struct drawing *d)
{
    char full[TITLE_BYTES + 8];
    bool is_part[TERMINAL_CELLS_MAX] = {false};
    size_t parts = 0;
    for (size_t i = 0; i < d->columns; i++) {
        snprintf(full, sizeof(full), "%s_loss", d->title[i]);
        is_part[i] = read_title(d->title[i]).role != CURVE_ROLE_PART && read_title(full).summable;
        parts += is_part[i];
    }
    for (size_t i = 0; i < d->columns && parts > 1; i++)
        if (is_part[i] || strcmp(d->title[i], "total") == 0)
            strncat(d->title[i], "_loss", TITLE_BYTES - strlen(d->title[i]) - 1);
}

/* One that counts, and a loss. */
static bool measures(const struct drawing *d)
{
    bool counts = false, loss = false;
    for (size_t i = 0; i < d->columns; i++) {
        enum curve_role role = read_title(d->title[i]).role;
        counts |= role == CURVE_ROLE_EPOCH || role == CURVE_ROLE_STEP;
        loss |= role == CURVE_ROLE_LOSS || role == CURVE_ROLE_PART;
    }
    return counts && loss;
}

static void take_titles(struct drawing *d, const struct terminal_cells *cells)
{
    d->columns = cells->count;
    for (size_t i = 0; i < cells->count; i++)
        snprintf(d->title[i], TITLE_BYTES, "%.*s", (int)cells->list[i].len, cells->list[i].at);
    name_losses(d);
    if (!measures(d))
        d->columns = 0;
}

/* Three words or more, two blanks apart, and no number: a line of titles, of this table or of
 * another one. */
static bool is_titles(const struct terminal_cells *wide)
{
    double unused;
    bool letters = false;
    for (size_t i = 0; i < wide->count; i++) {
        if (is_number(&wide->list[i], &unused))
            return false;
        letters |= isalpha((unsigned char)wide->list[i].at[0]) != 0;
    }
    return wide->count > 2 && letters;
}

/* --- rows ----------------------------------------------------------------------------------- */

static int put_cell(struct drawing *d, size_t i, const struct terminal_cell *c)
{
    double value;
    int column = training_log_column(d->log, d->title[i], strlen(d->title[i]), d->err);
    if (column < 0)
        return column;
    if (is_number(c, &value))
        return training_log_number(d->log, (size_t)column, value, d->err);
    return training_log_text(d->log, (size_t)column, c->at, c->len, d->err);
}

static int put_row(struct drawing *d, const struct terminal_cells *cells)
{
    d->rows++;
    int rc = d->log ? training_log_row(d->log, d->number, d->err) : 0;
    for (size_t i = 0; d->log && rc == 0 && i < cells->count; i++)
        rc = put_cell(d, i, &cells->list[i]);
    return rc;
}

static int read_line(struct drawing *d, const char *text, size_t len)
{
    struct terminal_cells cells;
    d->number++;
    take_line(d, text, len);
    d->partial = terminal_cut_bar(d->line);
    if (terminal_cut_cells(d->line, 2, &cells) && is_titles(&cells)) {
        if (++d->headers > HEADERS_MAX)
            return err_set(d->err, ERR_LIMIT, "%s: line %zu: more than %d lines of titles",
                           d->name, d->number, HEADERS_MAX);
        take_titles(d, &cells);
        return 0;
    }
    if (d->columns == 0 || d->partial)
        return 0;
    bool fits = cells.count == d->columns ||
                (terminal_cut_cells(d->line, 1, &cells) && cells.count == d->columns);
    return fits && isdigit((unsigned char)cells.list[0].at[0]) ? put_row(d, &cells) : 0;
}

/* --- the format ----------------------------------------------------------------------------- */

static int read_lines(struct drawing *d, const char *bytes, size_t bytes_len)
{
    int rc = 0;
    for (size_t at = 0; at < bytes_len && rc == 0;) {
        const char *text = bytes + at, *end = memchr(text, '\n', bytes_len - at);
        size_t len = end ? (size_t)(end - text) : bytes_len - at;
        rc = read_line(d, text, len);
        at += len + 1;
    }
    return rc;
}

/* Something that only a terminal has: an escape, a backspace, a return within a line, a bar. */
static bool is_drawn(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] == '\x1b' || bytes[i] == '\b' ||
            (bytes[i] == '\r' && i + 1 < len && bytes[i + 1] != '\n' && bytes[i + 1] != '\r'))
            return true;
    return memmem(bytes, len, "%|", 2) || memmem(bytes, len, "\xe2\x94\x81", 3) ||
           memmem(bytes, len, "\xe2\x96\x88", 3);
}

static bool is_printed_table(const struct curve_bytes *in)
{
    size_t len = in->len < LOOKED_AT ? in->len : LOOKED_AT;
    if (memchr(in->bytes, '\0', len) || !memchr(in->bytes, '\n', len) || !is_drawn(in->bytes, len))
        return false;
    struct drawing *d = xcalloc(1, sizeof(*d));
    d->name = in->name;
    read_lines(d, in->bytes, len);
    bool is = d->rows > 0;
    free(d);
    return is;
}

static int read_printed_table(const struct curve_bytes *in, struct training_log *out,
                              struct errbuf *err)
{
    struct drawing *d = xcalloc(1, sizeof(*d));
    d->name = in->name;
    d->log = out;
    d->err = err;
    int rc = read_lines(d, in->bytes, in->len);
    if (rc == 0 && d->rows == 0)
        rc = err_set(err, ERR_MISSING, "%s: no row below titles of an epoch and a loss", in->name);
    free(d);
    return rc;
}

const struct curve_format curve_format_printed_table = {is_printed_table, read_printed_table};
