/* How a log becomes a curve: the steps, in the order in which they are taken. */
#ifndef COMMON_CURVES_READING_H
#define COMMON_CURVES_READING_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/curve_file.h"
#include "sweep/curve_title.h"
#include "sweep/training_log.h"

#define SERIES_PARTS_MAX 24

/* What all steps know of the file. */
struct reading {
    const char *name; /* of the file */
    const char *run;  /* wanted, or NULL */
    bool run_found;   /* `run` was the name of one */
    bool by_key;      /* a row a quantity: the rows of different columns have no common order */
    bool reshaped;    /* columns do not stand where they stand in the file */
    struct curve *curve; /* takes the notes */
    struct errbuf *err;
};

/* --- cells: cell.c --- */

enum cell_reading { CELL_NOTHING, CELL_NUMBER, CELL_BAD };
/* What a cell says where a number is expected: "61.7 %" (which becomes 0.617, *percent true),
 * "tensor(0.41)", "[0.41]", "0.41 nats", "3/30" (3). NaN is a number here. */
enum cell_reading cell_read(const struct log_cell *c, double *out, bool *percent);
/* "file: line 7, column val_loss" as key, the cell's text as value. Returns code. */
int reading_fail(const struct reading *r, int code, const struct training_log *l, size_t row,
                 size_t column, const char *allowed);

/* --- one run, one column a quantity: reshape.c, runs.c --- */

/* The log itself, or a new one in *made, without the rows and columns of other runs, and with keys
 * and sets as titles ("train_loss"). */
int log_reshape(const struct training_log *l, struct reading *r, struct training_log **made);

/* A title in lower case, '_' for what is neither letter nor digit. */
void title_plain(const char *title, char *out, size_t size);

struct run_filter {
    size_t *group; /* of each row, from 0; NULL: all rows are of one run */
    size_t wanted;
};
/* By a column that names runs ("run_id", "Name", "fold", …). `taken`: columns that have another
 * meaning already. Release group with free. */
int runs_filter(const struct training_log *l, const bool *taken, struct reading *r,
                struct run_filter *out);
/* By titles "run - val_loss": drop[i] is set for columns of other runs. */
int runs_drop_columns(const struct training_log *l, struct reading *r, bool *drop);

/* The first column that counts epochs, else steps; SIZE_MAX: none does. */
size_t log_axis(const struct training_log *l);
/* Refuses a table whose rows are no points of one training: no_curve.c. */
int no_curve_check(const struct training_log *l, const struct reading *r);

/* --- which column is which quantity: columns.c --- */

/* Columns whose sum is the series; mostly one. */
struct series {
    size_t column[SERIES_PARTS_MAX];
    size_t count; /* 0: there is none */
    bool percent; /* 0…100 */
};

struct columns {
    struct curve_title *title; /* [columns of the log] */
    struct series series[CURVE_COLUMN_COUNT];
};

int columns_choose(const struct training_log *l, struct reading *r, struct columns *out);
void columns_finish(struct columns *c);

/* --- rows to points: points.c, segments.c --- */

/* A row that has something to say. */
struct log_row {
    double axis;
    size_t row;
    size_t segment; /* counts up where the axis goes back */
    bool dropped;
};

/* A column of the log that feeds the curve. */
struct slot {
    size_t column;
    enum curve_column target;
    unsigned part;     /* of the target's sum, from 0 */
    size_t nan_from;   /* a NaN in an earlier row was not measured */
    double placeholder; /* nor is this value; NaN: none */
};
#define SLOTS_MAX (CURVE_COLUMN_COUNT + 2 * SERIES_PARTS_MAX)

/* --- what was measured: slots.c --- */

/* Sets nan_from and placeholder, and notes them; ERR_VALUE for a loss that is no number. */
int slots_judge(const struct training_log *l, struct slot *slots, size_t count, struct reading *r);
/* Does the row have a value there? NaN is one where it means "not a number". */
bool slot_measured(const struct training_log *l, const struct slot *s, size_t row, double *v);

/* Rows whose newest stands first: the column of times that says so; SIZE_MAX: there is none. */
size_t clock_goes_back(const struct training_log *l, const struct log_row *rows, size_t count);

int points_build(const struct training_log *l, const struct columns *c, struct reading *r);
/* Orders the rows: rewound epochs are dropped, counts that begin again go on, one of several
 * trainings is taken. rows: in the file's order, with axis and row; *count may become less. */
int segments_order(const struct training_log *l, const struct slot *slots, size_t slot_count,
                   struct reading *r, struct log_row *rows, size_t *count);
/* Points of whole epochs, each of which stands as often: the same values are taken once, several
 * validation losses are noted. */
void repeats_take(struct curve *c);

#endif
