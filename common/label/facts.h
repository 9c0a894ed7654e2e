/* Everything measured on a run's curves before a label is chosen: no thresholds here. */
#ifndef COMMON_DIAGNOSIS_FACTS_H
#define COMMON_DIAGNOSIS_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/label/accuracy.h"
#include "common/label/series.h"
#include "common/label/trend.h"
#include "sweep/diagnosis.h"

/* How the end of one loss swings from point to point. */
struct swing {
    double turning; /* sign changes of the differences, share of the possible ones */
    double net;     /* |last - first| / sum |difference| */
    double size;    /* sd around the Theil–Sen line, as trend_size sees it */
};

/* How the training loss swings between the batches of one point (G1), medians over the tail. */
struct within {
    size_t count;  /* tail points where it was measured */
    double sd;     /* train_loss_sd / |train_loss| */
    double span;   /* (train_loss_max - train_loss_min) / |train_loss| */
    double of_run; /* train_loss_sd / range of the run */
};

struct side {
    struct series s;
    bool usable; /* at least SERIES_MIN finite points, so t and swing hold */
    bool any;    /* at least one finite point, so t's ends hold */
    struct trend t;
    struct swing swing;
};

struct facts {
    const struct diagnosis_input *in;
    struct side train, val;
    struct within within;
    struct accuracy accuracy;
};

size_t facts_workspace_bytes(size_t count);
void facts_measure(struct facts *f, const struct diagnosis_input *in, void *workspace);

#endif
