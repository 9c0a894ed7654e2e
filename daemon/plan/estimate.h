/* How long a sweep will take, for a dry run: from the speed of earlier runs on this machine. A
 * guess within a factor of about two, no promise. Pure. */
#ifndef SWEEPD_ESTIMATE_H
#define SWEEPD_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/shape.h"

struct layer_list;
struct record_prepared;
struct settings;
struct spec;
struct table;

/* What of a sweep decides its time. */
struct estimate {
    double epochs, samples; /* samples: those trained on */
    struct shape input;     /* of one sample */
    size_t outputs;
    double flop;            /* of one sample, by the configuration in the middle of the space */
};

/* Floating-point operations of a forward and a backward pass over one sample: products of dense,
 * recurrent and convolution layers, nothing else. 0 when there is no such network. */
double estimate_flop(const struct settings *s, const struct layer_list *layers,
                     const struct shape *input, size_t outputs);
void estimate_init(struct estimate *e, const struct spec *spec,
                   const struct record_prepared *data);
/* rates: STORE_QUERY_RUN_RATES, may be empty. Seconds, over all runs. */
double estimate_seconds(const struct estimate *e, const struct table *rates, int64_t runs,
                        size_t workers);

#endif
