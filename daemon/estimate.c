#include "daemon/estimate.h"

#include <stdlib.h>

#include "daemon/store.h"
#include "sweep/buf.h"
#include "sweep/record.h"
#include "sweep/spec.h"

#define RATES_MAX 200
#define RATES_MIN 3           /* earlier runs to believe in */
#define FLOP_PER_SECOND 40e9  /* of one core without experience: half of what sgemm reaches */
#define START_SECONDS 0.005   /* exec, mapping the data, the commit */

/* Forward, gradient of the weights, gradient of the inputs: a multiply and an add each. */
static double flop_per_sample(const struct estimate *e, double depth, double width)
{
    double outputs = e->classes > 0 ? e->classes : 1;
    double weights = depth < 1 ? e->features * outputs
                               : e->features * width + (depth - 1) * width * width +
                                     width * outputs;
    return 6 * weights;
}

static double middle(const struct spec *spec, enum setting_id id)
{
    const struct dimension *d = spec_dimension(spec, id);
    return d ? dimension_middle(d) : spec->fixed.v[id];
}

void estimate_init(struct estimate *e, const struct spec *spec, const struct record_prepared *data)
{
    double samples = (double)data->samples;
    if (spec->data.limit > 0 && (double)spec->data.limit < samples)
        samples = (double)spec->data.limit;
    samples -= (double)spec->data.validation;
    *e = (struct estimate){
        .epochs = (double)spec->epochs,
        .samples = samples > 1 ? samples : 1,
        .features = (double)data->features,
        .classes = (double)data->classes,
        .depth = middle(spec, SETTING_DEPTH),
        .width = middle(spec, SETTING_WIDTH),
    };
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double number(const struct table *t, size_t row, const char *column)
{
    const struct cell *c = table_cell(t, row, column);
    return c->type == CELL_INTEGER || c->type == CELL_REAL ? c->real : 0;
}

/* Seconds per floating-point operation: the median of earlier runs. Their data's width is not in
 * the rows; that of the present data stands for it. */
static double seconds_per_flop(const struct estimate *e, const struct table *rates)
{
    double v[RATES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < rates->rows && n < RATES_MAX; i++) {
        double flop = number(rates, i, "epochs") * number(rates, i, "samples") *
                      flop_per_sample(e, number(rates, i, "depth"), number(rates, i, "width"));
        double seconds = number(rates, i, "seconds");
        if (flop > 0 && seconds > 0)
            v[n++] = seconds / flop;
    }
    if (n < RATES_MIN)
        return 1 / FLOP_PER_SECOND;
    qsort(v, n, sizeof(v[0]), by_value);
    return v[n / 2];
}

double estimate_seconds(const struct estimate *e, const struct table *rates, int64_t runs,
                        size_t workers)
{
    double flop = e->epochs * e->samples * flop_per_sample(e, e->depth, e->width);
    double rounds = (double)((runs + (int64_t)workers - 1) / (int64_t)workers);
    return rounds * (START_SECONDS + flop * seconds_per_flop(e, rates));
}
