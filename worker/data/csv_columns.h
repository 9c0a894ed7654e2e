/* What the columns of a CSV file are: header, target, types and categories. */
#ifndef WORKER_DATA_CSV_COLUMNS_H
#define WORKER_DATA_CSV_COLUMNS_H

#include "worker/data/columns.h"
#include "sweep/csv_scan.h"

#define CSV_CATEGORIES_MAX 1000 /* of a column */
#define CSV_COLUMN_SHOW_MAX (TEXT_SHOW_MAX + 32)

/* All leave the scan before the first row of data and return 0, ERR_DATA or ERR_LIMIT. */

/* Of a training file, from its first row: how many, header, target (ERR_VALUE with key
 * "$.data.target" when there is no such column). All are numeric until csv_columns_survey. */
int csv_columns_create(struct csv_scan *s, const struct spec_data *d, struct table_columns **out,
                       struct errbuf *err);
/* Another file must have as many, and the same names where both have a header. */
int csv_columns_follow(struct csv_scan *s, const struct spec_data *d, const struct table_columns *c,
                       struct errbuf *err);
/* Types, categories and places of the features of a training file, and its number of rows. */
int csv_columns_survey(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                       size_t *rows, struct errbuf *err);
/* Number of rows of another file. */
int csv_columns_count(struct csv_scan *s, const struct table_columns *c, size_t *rows,
                      struct errbuf *err);
/* The next row; s->count is 0 at the end, else c->count. */
int csv_columns_row(struct csv_scan *s, const struct table_columns *c, struct errbuf *err);
/* `column 3 ("age")`; returns out. */
const char *csv_column_show(char out[CSV_COLUMN_SHOW_MAX], const struct table_columns *c,
                            size_t column);

#endif
