/* How long a sweep will take, for a dry run: from the speed of earlier runs on this machine. A
 * guess within a factor of about two, no promise. Pure. */
#ifndef SWEEPD_ESTIMATE_H
#define SWEEPD_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

struct record_prepared;
struct spec;

/* What of a sweep decides its time. */
struct estimate {
    double epochs, samples; /* samples: those trained on */
    double flop;            /* to train on one sample, by the configuration in the middle of the
                               space: as the data's worker counted it; 0: not said */
};

void estimate_init(struct estimate *e, const struct spec *spec,
                   const struct record_prepared *data);
/* An earlier run: how long it took, and what it did in that time. */
struct run_rate {
    double seconds, flop;
};
#define ESTIMATE_RATES_MAX 200 /* more are not read */

/* How long a floating-point operation takes: the median of what earlier runs needed, of those that
 * make sense; a guess where they are too few. */
double estimate_seconds_per_flop(const struct run_rate *rates, size_t count);
/* Seconds, over all runs. */
double estimate_seconds(const struct estimate *e, double seconds_per_flop, int64_t runs,
                        size_t workers);

#endif
