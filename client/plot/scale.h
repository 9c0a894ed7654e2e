/* From values to places on a chart, and the ticks between. Pure. */
#ifndef SWEEPCTL_SCALE_H
#define SWEEPCTL_SCALE_H

#include <stdbool.h>
#include <stddef.h>

#include "client/human.h"

struct study_parameter;

#define SCALE_TICKS_MAX 12

struct scale {
    bool logarithmic;
    const struct study_parameter *choices; /* its values are these; NULL: numbers */
    double low, high;                      /* of the values: low < high, both finite */
    double from, to;                       /* where those are drawn */
};

/* Over the finite ones of the values; of none of them 0 … 1. The logarithm is taken where it is
 * asked for and can be. */
void scale_over(struct scale *s, const double *values, size_t count, bool logarithmic);
/* The same of a metric, of which a few values may be far worse than all others: those are left out,
 * and stand at the edge. Logarithmic where the others differ by magnitudes. Returns how many are
 * left out. */
size_t scale_over_metric(struct scale *s, const double *values, size_t count, bool maximize);
/* Over the values of a parameter, as its distribution has it. */
void scale_over_parameter(struct scale *s, const struct study_parameter *p, const double *values,
                          size_t count);
/* NAN for what is not finite; what lies outside is drawn at the edge. */
double scale_at(const struct scale *s, double value);
size_t scale_ticks(const struct scale *s, size_t wanted, double out[SCALE_TICKS_MAX]);
/* The text of a tick, a choice's name cut short; out[HUMAN_MAX]. */
const char *scale_text(const struct scale *s, double value, char *out);

#endif
