/* The confidence of a label: an ensemble of the rules as they are and with laxer and stricter
 * thresholds votes on the same facts. A label that all members give has room on every side of the
 * thresholds that decided. */
#ifndef COMMON_DIAGNOSIS_ENSEMBLE_H
#define COMMON_DIAGNOSIS_ENSEMBLE_H

#include "common/label/classify.h"

struct prediction {
    struct classification base;  /* by the rules as they are */
    double votes[PATTERN_COUNT]; /* weighted share of the members for each pattern */
    enum pattern runner_up;      /* the label of most other members, or the general case */
    double agreement;            /* share for base.pattern */
    double confidence;           /* share of such labels that a person accepts */
};

double ensemble_confidence(const struct facts *f, enum pattern p, double agreement);
void ensemble_classify(const struct facts *f, const struct rules *r, struct prediction *out);

#endif
