/* Learning rates in units of what is usual for an optimizer. */
#ifndef COMMON_DIAGNOSIS_OPTIMIZER_RATE_H
#define COMMON_DIAGNOSIS_OPTIMIZER_RATE_H

/* optimizer: an enum optimizer as settings have it. */
double optimizer_usual_rate(double optimizer);

#endif
