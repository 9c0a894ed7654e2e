/* Reads a run's curves from a CSV file: ours, or what Keras' CSVLogger, Lightning's CSVLogger,
 * TensorBoard ("Wall time,Step,Value", one series) and W&B ("Step","run - loss") write.
 *
 * Columns are found by name, in any order (sweep/curve_title.h): epoch or step (optional: else
 * rows count from 1) and those of sweep/curve.h under the names other programs use. At least one
 * of the two losses must be there; columns with other names are passed over. nan, inf, -inf are
 * values; an empty cell is "not measured". Rows of one epoch that fill each other's empty cells
 * are one point. Spreadsheets' ways are understood: a byte order mark, "sep=;", a decimal comma
 * where ';' separates, rows without anything in them, lines that end in CR alone. */
#ifndef SWEEPCTL_CURVE_CSV_H
#define SWEEPCTL_CURVE_CSV_H

#include <stddef.h>

#include "sweep/curve.h"

#define CURVE_CSV_MAX_ROWS 1000000
#define CURVE_CSV_MAX_COLUMNS 256
#define CURVE_CSV_MAX_BYTES ((size_t)256 << 20)

struct errbuf;

struct curve {
    struct point *points; /* in order of epoch; repeated epochs stay */
    size_t count;
};

/* 0, ERR_PARSE, ERR_VALUE, ERR_MISSING or ERR_LIMIT; err names line and column, the value and
 * what is allowed, and out is untouched. name stands for the file in messages. Release with
 * curve_finish. */
int curve_csv_parse(const char *name, const char *text, size_t len, struct curve *out,
                    struct errbuf *err);
/* The same from a file, "-" being stdin; also ERR_IO. */
int curve_csv_read(const char *path, struct curve *out, struct errbuf *err);
/* Adds the loss of a second file (of whatever name) as the validation loss, epoch by epoch. */
void curve_join_val(struct curve *train, const struct curve *val);
void curve_finish(struct curve *c);

#endif
