/* The label: a table of tests, tried in order, over the facts of one run. */
#ifndef COMMON_DIAGNOSIS_CLASSIFY_H
#define COMMON_DIAGNOSIS_CLASSIFY_H

#include <stdbool.h>

#include "common/label/facts.h"
#include "common/label/rules.h"

struct classification {
    enum pattern pattern;
    enum pattern general; /* the label of which this is a special case, or PATTERN_NONE */
    const char *test;     /* static */
    int train_sign, val_sign;
};

/* Factor on the thresholds for the training and for the validation loss: 1 is the rules as they
 * are, 2 asks for twice as much. */
struct strictness {
    double train, val;
};

/* The training loss stands clearly above the validation loss at the end (G4.6). */
bool train_above_val(const struct facts *f, const struct rules *r, double scale);
/* Both flat: converged after a clear descent, unless the accuracy never moved; else bottleneck. */
enum pattern flat_pattern(const struct facts *f, const struct rules *r);
/* The cell of the table train x val; signs -1, 0, +1. Flat/flat and rise/rise get its first row. */
enum pattern pattern_of_cell(int train, int val);
void classify(const struct facts *f, const struct rules *r, struct strictness s,
              struct classification *out);

#endif
