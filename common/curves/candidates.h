/* Columns that could be one quantity, with what their cells are like. */
#ifndef COMMON_CURVES_CANDIDATES_H
#define COMMON_CURVES_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/curve_title.h"
#include "sweep/training_log.h"

enum side { SIDE_TRAIN, SIDE_VAL };

struct candidate {
    size_t column;
    const struct curve_title *title; /* borrowed */
    const char *measure;             /* title's; "total" is the loss too */
    enum side side;
    size_t finite, nans, texts; /* cells: numbers, NaN, what is no number */
    bool percent, beyond_one;   /* some cell had a per cent sign; was above 1 */
    bool usable;                /* has numbers, if any candidate has */
    bool weak;                  /* one or two numbers, where others go on: a summary */
    bool sum;                   /* a part of a detector's loss */
};

struct candidates {
    struct candidate *list;
    size_t count, cap;
};

void candidates_find(const struct training_log *l, const struct curve_title *titles,
                     struct candidates *losses, struct candidates *accuracies);
void candidates_finish(struct candidates *k);
/* < 0: a counts; 0: nothing decides. Both of one side and measure. */
int candidate_order(const struct candidate *a, const struct candidate *b);
/* The same cells in all rows: which is taken does not matter. */
bool candidates_equal(const struct training_log *l, size_t a, size_t b);

/* Which measure the curve is of: one that both sides have before one that only one has, then by
 * the order of preference. SUM: of a detector's parts; TIED: several parts, none of which is the
 * whole; NONE: there is no candidate. */
enum measure { MEASURE_NONE, MEASURE_ONE, MEASURE_SUM, MEASURE_TIED };
enum measure candidates_measure(struct candidates *k, const char **measure);

#endif
