/* How sure a label is: the same facts judged by the rules as they are and by laxer and stricter
 * ones. What all of them say has room on every side of the thresholds that decided. */
#ifndef COMMON_DIAGNOSIS_JUDGES_H
#define COMMON_DIAGNOSIS_JUDGES_H

#include "common/label/classify.h"

struct opinion {
    struct verdict verdict;      /* of the rules as they are */
    double votes[PATTERN_COUNT]; /* share of the judges, weighted, for each pattern */
    enum pattern runner_up;      /* what most of the others say instead, or the general case */
    double agreement;            /* that for verdict.pattern */
    double confidence;           /* share of such labels that a person accepts */
};

double judges_confidence(const struct facts *f, enum pattern p, double agreement);
void judges_ask(const struct facts *f, const struct rules *r, struct opinion *out);

#endif
