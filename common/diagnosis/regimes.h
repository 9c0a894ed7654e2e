/* The timeline: the run cut at its change points, each stretch with the pattern it looks like. */
#ifndef COMMON_DIAGNOSIS_REGIMES_H
#define COMMON_DIAGNOSIS_REGIMES_H

#include "common/diagnosis/facts.h"

/* Fills out->regimes; the last of them carries out->pattern. */
void regimes_find(const struct facts *f, struct diagnosis *out);

#endif
