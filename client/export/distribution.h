/* Optuna's distribution of a parameter, as its JSON, and a value as its database has it. Pure. */
#ifndef SWEEPCTL_DISTRIBUTION_H
#define SWEEPCTL_DISTRIBUTION_H

#include "sweep/space.h"

/* One parameter over all runs of a study: Optuna compares the texts, so all trials have the same.
 */
struct optuna_parameter {
    const struct dimension *dimension;
    double low, high; /* of the range and of all values: a treatment may lie outside */
    double *choices;  /* of one that is listed, those outside behind */
    size_t choice_count;
};

void optuna_parameter_init(struct optuna_parameter *p, const struct dimension *d);
void optuna_parameter_finish(struct optuna_parameter *p);
/* Of every value before the first text is made. */
void optuna_parameter_see(struct optuna_parameter *p, double value);
/* The value in column param_value: of a listed one its place. */
double optuna_parameter_value(const struct optuna_parameter *p, double value);
struct buf;
void optuna_parameter_write(const struct optuna_parameter *p, struct buf *out);

#endif
