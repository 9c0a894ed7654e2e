/* Which quantity a column of somebody's curve file holds, or a series that a program reports: from
 * its title. docs/curves.md says which words mean what. */
#ifndef SWEEP_CURVE_TITLE_H
#define SWEEP_CURVE_TITLE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/curve.h"

#define CURVE_MEASURE_MAX 48
#define CURVE_RANK_SAME (-1) /* of a column's own name */

/* Beside the columns of sweep/curve.h: */
enum { CURVE_TITLE_EPOCH = CURVE_COLUMN_COUNT, CURVE_TITLE_OTHER, CURVE_TITLE_KINDS };

enum curve_role {
    CURVE_ROLE_OTHER,  /* nothing that we know */
    CURVE_ROLE_EPOCH,  /* counts epochs */
    CURVE_ROLE_STEP,   /* counts steps, iterations, rounds */
    CURVE_ROLE_LOSS,   /* a loss, or an error that falls as one does: measure says which */
    CURVE_ROLE_PART,   /* "box_loss": a loss of something, one of several; measure: of what */
    CURVE_ROLE_ACC,    /* an accuracy */
    CURVE_ROLE_COLUMN, /* another column of sweep/curve.h, kind */
    CURVE_ROLE_METRIC, /* known, and no loss; what says what */
};

/* In order of preference for the validation loss. */
enum curve_split { CURVE_SPLIT_NONE, CURVE_SPLIT_TRAIN, CURVE_SPLIT_VAL, CURVE_SPLIT_DEV,
                   CURVE_SPLIT_TEST };

struct curve_title {
    int kind; /* enum curve_column, CURVE_TITLE_EPOCH or CURVE_TITLE_OTHER; a measure that is not
               * called a loss, and a part of one, are OTHER */
    int rank; /* of two columns of one kind the lower counts: an epoch's mean before a batch's */
    enum curve_role role;
    enum curve_split split;
    int preference; /* of losses: which measure counts, the lower first */
    bool summable;  /* PART: one whose sum with its likes is the loss (detectors) */
    bool percent;   /* "acc (%)" */
    bool bare;      /* names a set and nothing else: "val" */
    int set;        /* "validation_0": 1, "valid_1": 2, …; 0: no number stands behind the set */
    char measure[CURVE_MEASURE_MAX]; /* LOSS, PART: "", "total", "rmse", "box", … */
    const char *what; /* METRIC, ACC and COLUMN: "an accuracy", …; else NULL */
};

/* "val_loss", "Valid/Loss", "eval/loss", "run-7 - val_loss", "train_loss_epoch", "valLoss",
 * "Loss (MSE)", "Epoch [#]", … */
struct curve_title curve_title_read(const char *title, size_t len);
/* Of a series that is reported under that name: the column that it feeds, and its rank: of two
 * names that mean one column the lower counts, and the column's own name comes before all. False:
 * none; times are measured, not reported. */
bool curve_title_column(const char *name, enum curve_column *column, int *rank);
/* How many bytes of W&B's "run - title" stand before the title itself; 0: no run is named. */
size_t curve_title_run(const char *title, size_t len);
/* train, validation, dev, test, …, as a word of its own. */
enum curve_split curve_split_find(const char *word, size_t len);

#endif
