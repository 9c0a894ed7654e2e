/* One loss as the tests see it: finite values only, scaled by a power of two so that the largest
 * lies in [0.5,1) (nothing overflows, denormals keep their digits, and a loss times any power of
 * two gives the same bits), and condensed to SERIES_MAX values where the curve is longer. */
#ifndef COMMON_DIAGNOSIS_SERIES_H
#define COMMON_DIAGNOSIS_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/diagnosis.h"

#define SERIES_MAX 400 /* medians of equal bins; the 40 % tail of it is the 160 of a window */
#define SERIES_MIN 5    /* fewer finite points: no label */
#define TAIL_MAX 160   /* points that a window or the raw tail has at most */

struct series {
    enum curve_column column;
    bool measured;     /* at least one value, finite or not */
    size_t raw_count;  /* finite values */
    double *raw;       /* all of them, scaled, in order */
    size_t count;      /* values in y */
    double *y;         /* == raw up to SERIES_MAX values */
    int exponent;      /* value = y * 2^exponent */
    size_t lost;       /* values that were NaN or ±Inf */
    bool not_a_number; /* and they stay */
};

/* Doubles of room that a series of count points needs beside the scratch space. */
size_t series_room(size_t count);
/* room: series_room(count) doubles. scratch: at least count / SERIES_MAX + 1 doubles. */
void series_init(struct series *s, const struct diagnosis_input *in, enum curve_column column,
                 double *room, double *scratch);
/* Back to the loss's own scale, held within the finite doubles. */
double series_value(const struct series *s, double scaled);
/* The epoch of y[at]. */
double series_epoch(const struct series *s, const struct diagnosis_input *in, size_t at);

#endif
