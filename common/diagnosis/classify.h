/* The label: a table of tests, tried in order, over the facts of one run. */
#ifndef COMMON_DIAGNOSIS_CLASSIFY_H
#define COMMON_DIAGNOSIS_CLASSIFY_H

#include <stdbool.h>

#include "common/diagnosis/facts.h"

struct verdict {
    enum pattern pattern;
    enum pattern general; /* the label of which this is a special case, or PATTERN_NONE */
    const char *test;     /* static */
    int train_sign, val_sign;
};

/* The training loss stands clearly above the validation loss at the end (G4.6). */
bool train_above_val(const struct facts *f, double scale);
/* Both flat: converged after a clear descent, else bottleneck. */
enum pattern flat_pattern(const struct facts *f);
void classify(const struct facts *f, const struct gates *g, struct verdict *out);

#endif
