/* The timeline: the run cut at its change points, each stretch with the pattern of its trends. */
#ifndef COMMON_DIAGNOSIS_REGIMES_H
#define COMMON_DIAGNOSIS_REGIMES_H

#include "common/label/facts.h"

/* Fills out->regimes. */
void regimes_find(const struct facts *f, struct diagnosis *out);
/* The last regime decides the label, so it carries it. */
void regimes_close(struct diagnosis *d);

#endif
