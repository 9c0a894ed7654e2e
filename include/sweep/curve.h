/* One point of a run's curves, and what a run is ranked by.
 *
 * NaN, ±Inf and "not measured" are three different things: a column that was not measured has
 * its bit in `measured` clear; NaN and ±Inf are values. In JSON: "nan", "+inf", "-inf", null; in
 * CSV: nan, inf, -inf, empty; in SQLite: 'nan', Inf, -Inf, NULL. */
#ifndef SWEEP_CURVE_H
#define SWEEP_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRIC_NAME_MAX 128 /* bytes; no control characters */

struct errbuf;
struct json;
struct json_writer;

/* X(id, column, canonical: must be equal between two executions) */
#define CURVE_COLUMN_MAP(X)                                                             \
    X(TRAIN_LOSS, train_loss, 1)           /* mean since the last point, data term only */ \
    X(VAL_LOSS, val_loss, 1)               /* evaluation mode, after the point */          \
    X(TRAIN_ACC, train_acc, 1)             /* 0..1 */                                      \
    X(VAL_ACC, val_acc, 1)                                                                \
    X(TRAIN_LOSS_MIN, train_loss_min, 1)   /* over the batches since the last point (G1) */ \
    X(TRAIN_LOSS_MAX, train_loss_max, 1)                                                  \
    X(TRAIN_LOSS_SD, train_loss_sd, 1)                                                    \
    X(LEARNING_RATE, learning_rate, 1)     /* in force at the point */                     \
    X(GRAD_NORM, grad_norm, 1)             /* L2, mean over the batches since the last point */ \
    X(PENALTY, penalty, 1)                 /* regularisation terms, not in train_loss */   \
    X(TRAIN_LOSS_EVAL, train_loss_eval, 1) /* training set in evaluation mode (G4.6) */    \
    X(VAL_F1, val_f1, 1)                   /* macro mean over the classes, 0..1 */         \
    X(VAL_R2, val_r2, 1)                   /* regression: 1 - squared error / variance */  \
    X(SECONDS, seconds, 0)                 /* since the run's start, monotonic */

enum curve_column {
#define X(id, column, canonical) CURVE_##id,
    CURVE_COLUMN_MAP(X)
#undef X
    CURVE_COLUMN_COUNT
};

struct point {
    int64_t point;      /* counts from 1 */
    double epoch;       /* counts from 1; fractions when points_per_epoch > 1 */
    uint32_t measured;  /* bit i: v[i] was measured */
    double v[CURVE_COLUMN_COUNT];
};

const char *curve_column_name(enum curve_column c);
bool curve_column_canonical(enum curve_column c);
static inline bool point_has(const struct point *p, enum curve_column c)
{
    return (p->measured >> c) & 1u;
}
static inline void point_set(struct point *p, enum curve_column c, double value)
{
    p->measured |= 1u << c;
    p->v[c] = value;
}

/* Same bits in every canonical column (all NaNs count as equal). */
bool point_same(const struct point *a, const struct point *b);
/* The members "point", "epoch" and every column (null when not measured) of an open object. */
void point_write(const struct point *p, struct json_writer *w);
/* Reads them back; unknown members are ignored, missing columns are "not measured". Point and
 * epoch must be finite and >= 1 resp. > 0. 0 or an error naming the member. */
int point_parse(const struct json *v, struct point *out, struct errbuf *err);

/* What runs are ranked by: a column at the run's best point. X(id, name, column) */
#define METRIC_MAP(X)                       \
    X(VAL_LOSS, "val_loss", VAL_LOSS)       \
    X(VAL_ACC, "val_acc", VAL_ACC)          \
    X(TRAIN_LOSS, "train_loss", TRAIN_LOSS) \
    X(TRAIN_ACC, "train_acc", TRAIN_ACC)    \
    X(VAL_F1, "val_f1", VAL_F1)             \
    X(VAL_R2, "val_r2", VAL_R2)

enum metric {
#define X(id, name, column) METRIC_##id,
    METRIC_MAP(X)
#undef X
    METRIC_COUNT,
    METRIC_NAMED = METRIC_COUNT /* no column: one that a program reports under its own name */
};
const char *metric_name(enum metric m);
/* METRIC_NAMED: no column has that name. */
enum metric metric_find(const char *name);
enum curve_column metric_column(enum metric m);

/* a is strictly better than b. Non-finite values are worse than every finite one and equal to
 * each other. */
bool metric_better(double a, double b, bool maximize);

#endif
