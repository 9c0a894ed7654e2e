/* How a text file separates its fields, found in its content. */
#ifndef SWEEP_DIALECT_H
#define SWEEP_DIALECT_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/text.h"

#define DIALECT_BLANKS ' ' /* as delimiter: runs of spaces and tabs, at a line's ends too */
#define DIALECT_FIND '\0'  /* as wish: by the content */
#define DIALECT_PREAMBLE_MAX 40 /* lines before the first row that are found by themselves */

struct dialect {
    char delimiter; /* , ; tab | or DIALECT_BLANKS */
    char comment;   /* lines that begin with it are no rows; '\0': none do */
    size_t skip_lines;   /* before the first row: sep=, comments, a preamble */
    size_t first_at;     /* where the first row begins, in bytes */
    size_t columns;      /* of most rows that were looked at; 0: they do not agree */
    bool title;          /* the last comment has as many fields: likely the header, */
    bool title_short;    /* or the last row of the preamble, which is one short (R writes so) */
    bool title_long;     /* or ends with a delimiter, as the rows do not */
    size_t title_at, title_line; /* which begins here, behind its comment sign */
    bool told;           /* by a line sep= */
    bool preamble;       /* lines of another number of fields, or padded ones, were skipped */
};

/* What is known beforehand. */
struct dialect_wish {
    char delimiter;   /* DIALECT_FIND: the one that fits */
    char own;         /* the format's, which is taken where no other fits better */
    bool skip;        /* skip_lines was told: nothing else is skipped */
    size_t skip_lines;
};

/* The rule, over the first rows (DIALECT_ROWS of them):
 *  - a first line sep=X names the delimiter;
 *  - lines at the top that begin with # or % are comments, and so are all that begin so;
 *  - of , ; tab | and blanks those are left by which at least nine tenths of the rows have one
 *    number of fields, two or more, but for a preamble; first come those by which all rows have
 *    it and some fields are numbers or words for nothing, then those by which most fields are,
 *    then the format's own, then in that order;
 *  - rows before the first of that many fields are a preamble, and so are those above a row of
 *    titles in which at most one of three fields or more is filled.
 * t: UTF-8 with LF or CRLF (sweep/encoding.h), NUL-terminated. */
void dialect_find(const struct text *t, const struct dialect_wish *w, struct dialect *out);
/* "commas", "runs of blanks", for messages. */
const char *dialect_delimiter_name(char delimiter);

#endif
