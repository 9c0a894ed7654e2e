/* Has the accuracy ever moved? A network that always answers with one class, or by chance, may
 * well bring its loss down to what such answers cost; the losses alone look like a finished run. */
#ifndef COMMON_DIAGNOSIS_ACCURACY_H
#define COMMON_DIAGNOSIS_ACCURACY_H

#include <stdbool.h>

#include "sweep/diagnosis.h"

struct accuracy {
    bool constant; /* one value at every point: one class is always predicted */
    bool chance;   /* low, and no higher at the end than at the beginning */
    double level;  /* mean of its last third; NaN: fewer values than a trend needs */
};

/* end_loss: of the validation, else of the training; NaN where there is none. */
void accuracy_measure(struct accuracy *a, const struct diagnosis_input *in, double end_loss);
static inline bool accuracy_is_stuck(const struct accuracy *a)
{
    return a->constant || a->chance;
}

#endif
