/* Which quantity a column of somebody's curve file holds, or a series that a program reports: from
 * its title. */
#ifndef SWEEP_CURVE_TITLE_H
#define SWEEP_CURVE_TITLE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/curve.h"

/* Beside the columns of sweep/curve.h: */
enum { CURVE_TITLE_EPOCH = CURVE_COLUMN_COUNT, CURVE_TITLE_OTHER, CURVE_TITLE_KINDS };

struct curve_title {
    int kind; /* enum curve_column, CURVE_TITLE_EPOCH or CURVE_TITLE_OTHER */
    int rank; /* of two columns of one kind the lower counts: an epoch's mean before a batch's */
};

/* "val_loss", "Valid/Loss", "eval/loss", "run-7 - val_loss", "train_loss_epoch", "Step", … */
struct curve_title curve_title_read(const char *title, size_t len);
/* "Value", the only series of a TensorBoard export, whose file name says which it is. */
bool curve_title_is_value(const char *title, size_t len);
/* "run-validation-tag-epoch_loss.csv": does the name say validation (or test, evaluation)? */
bool curve_name_is_validation(const char *path);

#endif
