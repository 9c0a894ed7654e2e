#include "daemon/plan/estimate.h"

#include <stdlib.h>

#include "sweep/record.h"
#include "sweep/spec.h"

#define RATES_MIN 3           /* earlier runs to believe in */
#define FLOP_PER_SECOND 40e9  /* of one core without experience: half of what sgemm reaches */
#define START_SECONDS 0.005   /* exec, mapping the data, the commit */

/* --- the sweep ------------------------------------------------------------------------------ */

static void middle(const struct spec *spec, struct settings *out)
{
    struct assignment a;
    space_middle(&spec->space, &a);
    trainer_settings(spec, &a, out);
}

static double samples_trained(const struct settings *s, const struct record_prepared *data)
{
    double samples = (double)data->samples, limit = s->v[SETTING_LIMIT];
    if (limit > 0 && limit < samples)
        samples = limit;
    if (data->validation_samples == 0)
        samples -= s->v[SETTING_VALIDATION];
    return samples > 1 ? samples : 1;
}

void estimate_init(struct estimate *e, const struct spec *spec, const struct record_prepared *data)
{
    struct settings s;
    middle(spec, &s);
    *e = (struct estimate){
        .epochs = (double)spec->epochs,
        .samples = samples_trained(&s, data),
        .flop = (double)data->flop,
    };
}

/* --- earlier runs --------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double estimate_seconds_per_flop(const struct run_rate *rates, size_t count)
{
    double v[ESTIMATE_RATES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count && n < ESTIMATE_RATES_MAX; i++) {
        if (rates[i].flop > 0 && rates[i].seconds > 0)
            v[n++] = rates[i].seconds / rates[i].flop;
    }
    if (n < RATES_MIN)
        return 1 / FLOP_PER_SECOND;
    qsort(v, n, sizeof(v[0]), by_value);
    return v[n / 2];
}

double estimate_seconds(const struct estimate *e, double seconds_per_flop, int64_t runs,
                        size_t workers)
{
    double flop = e->epochs * e->samples * e->flop;
    double rounds = (double)((runs + (int64_t)workers - 1) / (int64_t)workers);
    return rounds * (START_SECONDS + flop * seconds_per_flop);
}
