/* What the columns of a CSV file are: header, target, types and categories. */
#ifndef WORKER_DATA_CSV_COLUMNS_H
#define WORKER_DATA_CSV_COLUMNS_H

#include "sweep/csv_scan.h"
#include "worker/data/columns.h"
#include "worker/data/notes.h"

#define CSV_COLUMN_SHOW_MAX (TEXT_SHOW_MAX + 32)

/* All leave the scan before the first row of data and return 0, ERR_DATA, ERR_VALUE or ERR_LIMIT.
 */

/* Of a training file, from its first rows: how many, header (csv_header.c says by which rule),
 * what is left out, target (ERR_VALUE with key "$.data.target" when there is no such column). All
 * are plain numbers until csv_columns_survey. What was inferred goes to notes. */
int csv_columns_create(struct csv_scan *s, const struct dialect *dialect, const struct spec_data *d,
                       struct table_columns **out, struct notes *notes, struct errbuf *err);
/* Another file must have as many, and the same names where both have a header. */
int csv_columns_follow(struct csv_scan *s, const struct dialect *dialect, const struct spec_data *d,
                       struct table_columns *c, struct errbuf *err);
/* Types, categories and places of the features of a training file, and its number of rows. */
int csv_columns_survey(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                       size_t *rows, struct notes *notes, struct errbuf *err);
/* Number of rows of another file. */
int csv_columns_count(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                      size_t *rows, struct errbuf *err);
/* The next row, without those that are dropped; s->count is 0 at the end, or before a footer, else
 * c->count. */
int csv_columns_row(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                    struct errbuf *err);
/* csv_footer.c: from the row that the scan is at, which has as many fields as columns, or fewer,
 * nothing is data: a total, a source, a date. The scan's place is lost. */
bool csv_is_footer(struct csv_scan *s, const struct table_columns *c);
/* Sets c->end before the last rows, as many as the configuration says. The scan stands before the
 * first row of data, and after it. */
int csv_footer_told(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                    struct errbuf *err);
/* The file has that number of rows: none, or too many. */
int csv_fail_rows(const struct csv_scan *s, const struct table_columns *c, size_t rows,
                  struct errbuf *err);
/* Numeric columns have one feature, others one of each category. */
void csv_columns_place(struct table_columns *c);
/* `column 3 ("age")`; returns out. */
const char *csv_column_show(char out[CSV_COLUMN_SHOW_MAX], const struct table_columns *c,
                            size_t column);
/* Empty, or a word for nothing: the usual ones or those of the configuration. */
bool csv_is_missing(const struct spec_data *d, const char *text, size_t len);
/* No value that is a target: words for nothing may be names of classes ("none", "-"), but not those
 * that every program writes for a hole. */
bool csv_lacks_target(const struct spec_data *d, const struct csv_field *f);
/* The decimal mark that was told, by itself or by that of the thousands; '\0': neither. */
char csv_decimal(const struct spec_data *d);

/* csv.c: what the configuration tells of the dialect. */
struct dialect_wish csv_wish(const struct spec_data *d);

/* --- csv_header.c --------------------------------------------------------------------------- */

struct csv_header {
    char **name;  /* [count]; NULL: there is none; owned */
    size_t count; /* fields of a row */
    size_t line;  /* of the header, or of the first row without one */
    bool units;   /* the row below, of units, is no data */
    bool *empty;  /* [count] no name, and nothing in the rows that were looked at; owned */
    bool hollow;  /* a column with a name has nothing in them */
};

/* Which row names the columns, if any does; the scan stands before the first row of data then.
 * known: of the training file, whose names make a header of the row that has them; or NULL. */
int csv_header_find(struct csv_scan *s, const struct dialect *dialect, const struct spec_data *d,
                    const struct table_columns *known, struct csv_header *out, struct errbuf *err);
void csv_header_finish(struct csv_header *h);

#endif
