/* Where the table begins in a delimited log: the line of titles, and the first row below it. */
#ifndef COMMON_CURVES_DELIMITED_H
#define COMMON_CURVES_DELIMITED_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/csv_scan.h"

struct table_start {
    struct dialect dialect;
    size_t columns;               /* of the rows */
    size_t title_at, title_line;  /* the line of titles */
    size_t data_at, data_line;    /* the first row of numbers */
    size_t unnamed;               /* columns before the first title: an index, or none */
    bool wide_blanks;             /* titles have blanks in them; two or more separate them */
    size_t known;                 /* titles that say something to us */
    bool all_numbers;             /* no titles: the first line is numbers alone already */
};

/* False: no table, or one without titles. t: UTF-8, without NUL. */
bool table_start_find(const struct text *t, struct table_start *out);
/* One cell: a number, or NaN. A word for nothing is none. */
bool delimited_is_number(const char *text, size_t len);
/* Nothing but -, +, =, |, : and blanks in all cells: a rule under titles, or a frame. */
bool delimited_is_rule(const struct csv_scan *s);

#endif
