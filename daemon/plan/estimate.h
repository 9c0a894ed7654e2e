/* How long a sweep will take, for a dry run: from the speed of earlier runs on this machine. A
 * guess within a factor of about two, no promise. Pure. */
#ifndef SWEEPD_ESTIMATE_H
#define SWEEPD_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

struct record_prepared;
struct spec;
struct table;

/* What of a sweep decides its time. */
struct estimate {
    double epochs, samples; /* samples: those trained on */
    double flop;            /* to train on one sample, by the configuration in the middle of the
                               space: as the data's worker counted it; 0: not said */
};

void estimate_init(struct estimate *e, const struct spec *spec,
                   const struct record_prepared *data);
/* rates: STORE_QUERY_RUN_RATES, may be empty. Seconds, over all runs. */
double estimate_seconds(const struct estimate *e, const struct table *rates, int64_t runs,
                        size_t workers);

#endif
