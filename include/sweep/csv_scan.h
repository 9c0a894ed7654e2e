/* Rows of a delimited text, split into fields (RFC 4180, with any delimiter). Beyond it: LF ends a
 * line as CRLF does, blank lines and comments are no rows, a byte order mark is skipped, and blanks
 * around a field do not count unless they are quoted. */
#ifndef SWEEP_CSV_SCAN_H
#define SWEEP_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/dialect.h"
#include "sweep/text.h"

#define CSV_FIELDS_MAX ((size_t)1 << 20) /* of a row */

struct csv_field {
    const char *text; /* in the file's text; what follows it goes on with no number */
    size_t len;
    bool doubled; /* a quoted field in which "" stands for one quote */
};

struct csv_place {
    const char *next;
    size_t line; /* of next, from 1 */
};

struct csv_scan {
    const struct text *text;
    char delimiter, comment; /* as in struct dialect */
    bool stop[256];          /* bytes that end a run of plain ones */
    struct csv_place place;
    size_t line, start;       /* where the row below starts; the byte */
    struct csv_field *fields; /* [count] of the row that was read last */
    size_t count, cap;        /* count 0: the text is at its end */
    char *unquoted;           /* [unquoted_cap] for csv_scan_text */
    size_t unquoted_cap;
};

/* Stands before the dialect's first row. */
void csv_scan_init(struct csv_scan *s, const struct text *t, const struct dialect *d);
/* Stands at a byte of the text, the first one of that line. */
void csv_scan_seek(struct csv_scan *s, size_t at, size_t line);
void csv_scan_finish(struct csv_scan *s);
/* Goes to the next row. 0, or ERR_DATA with path and line: quotes that do not close or stand
 * within a field, a carriage return alone, a row that is too long. */
int csv_scan_row(struct csv_scan *s, struct errbuf *err);
/* Text of a field of this row, *len bytes; valid until the next call. */
const char *csv_scan_text(struct csv_scan *s, const struct csv_field *f, size_t *len);

#endif
