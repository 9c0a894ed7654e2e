/* A training log as it lies in a file, before anything is known of its columns: titles, and rows
 * of cells in the file's order. Every format is read into one of these; what the columns mean is
 * decided in one place for all (sweep/curve_file.h). */
#ifndef SWEEP_TRAINING_LOG_H
#define SWEEP_TRAINING_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_ROWS_MAX 1000000
#define LOG_COLUMNS_MAX 4096
#define LOG_CELLS_MAX ((size_t)1 << 25) /* of all rows; 16 bytes each */

struct errbuf;

enum log_cell_kind {
    LOG_NOTHING, /* empty, or a word for nothing */
    LOG_NUMBER,  /* NaN and ±Inf too */
    LOG_TEXT,    /* anything else */
};

struct training_log; /* opaque: common/curves/training_log.c */

struct training_log *training_log_create(void);
void training_log_destroy(struct training_log *l); /* NULL-tolerant */

/* Place of the column of that title, which is added where there is none: 0…, or ERR_LIMIT. Titles
 * are compared byte for byte; len <= 512, longer ones are cut. */
int training_log_column(struct training_log *l, const char *title, size_t len, struct errbuf *err);
/* Begins a row; where: its line, or its number, from 1, for messages. 0 or ERR_LIMIT. */
int training_log_row(struct training_log *l, size_t where, struct errbuf *err);
/* Cells of the row that was begun last. A cell that is set again takes the later value. */
int training_log_number(struct training_log *l, size_t column, double value, struct errbuf *err);
int training_log_text(struct training_log *l, size_t column, const char *text, size_t len,
                      struct errbuf *err);
/* printf: what a person must know of how the file was read. One that is there already is not added;
 * beyond LOG_NOTES_MAX none is. */
#define LOG_NOTES_MAX 8
void training_log_note(struct training_log *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* NULL: there are no more. */
const char *training_log_noted(const struct training_log *l, size_t i);

size_t training_log_columns(const struct training_log *l);
size_t training_log_rows(const struct training_log *l);
const char *training_log_title(const struct training_log *l, size_t column);
size_t training_log_where(const struct training_log *l, size_t row);
/* value is set for LOG_NUMBER, text (until the next change of l) for LOG_TEXT; NULL: not asked. */
enum log_cell_kind training_log_cell(const struct training_log *l, size_t row, size_t column,
                                     double *value, const char **text);

struct log_cell {
    size_t column;
    enum log_cell_kind kind;
    double value;     /* of LOG_NUMBER */
    const char *text; /* of LOG_TEXT, until the next change of the log */
};
/* The cells of a row that were set, one a call, in the order in which they were; *at is 0 before
 * the first. False: no more. */
bool training_log_next(const struct training_log *l, size_t row, size_t *at, struct log_cell *out);

#endif
