/* The methods behind sweep/importance.h. out has a number for each dimension, 0 at first. */
#ifndef IMPORTANCE_METHODS_H
#define IMPORTANCE_METHODS_H

#include "sweep/importance.h"

void pedanova(const struct importance_runs *r, double *out);
/* Of completed runs with a finite metric alone. */
void fanova(const struct importance_runs *r, uint64_t seed, double *out);

static inline double importance_value(const struct importance_runs *r, size_t run, size_t d)
{
    return r->values[run * r->space->count + d];
}

#endif
