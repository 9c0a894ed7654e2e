#include "client/export/distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/json.h"

static bool is_listed(const struct dimension *d)
{
    return d->distribution == DISTRIBUTION_CATEGORICAL || d->type == VALUE_CHOICE ||
           d->type == VALUE_SWITCH;
}

static size_t place_of(const struct optuna_parameter *p, double value)
{
    size_t i = 0;
    while (i < p->choice_count && p->choices[i] != value)
        i++;
    return i;
}

void optuna_parameter_init(struct optuna_parameter *p, const struct dimension *d)
{
    *p = (struct optuna_parameter){.dimension = d,
                                   .low = isfinite(d->min) ? d->min : INFINITY,
                                   .high = isfinite(d->max) ? d->max : -INFINITY};
    for (size_t i = 0; is_listed(d) && i < d->value_count; i++)
        optuna_parameter_see(p, d->values[i]);
}

void optuna_parameter_finish(struct optuna_parameter *p)
{
    free(p->choices);
}

void optuna_parameter_see(struct optuna_parameter *p, double value)
{
    if (!is_listed(p->dimension)) {
        p->low = fmin(p->low, value);
        p->high = fmax(p->high, value);
    } else if (place_of(p, value) == p->choice_count) {
        p->choices = xrealloc(p->choices, (p->choice_count + 1) * sizeof *p->choices);
        p->choices[p->choice_count++] = value;
    }
}

double optuna_parameter_value(const struct optuna_parameter *p, double value)
{
    return is_listed(p->dimension) ? (double)place_of(p, value) : value;
}

static void write_choices(const struct optuna_parameter *p, struct json_writer *w)
{
    jw_kv_string(w, "name", "CategoricalDistribution");
    jw_key(w, "attributes");
    jw_begin_object(w);
    jw_key(w, "choices");
    jw_begin_array(w);
    for (size_t i = 0; i < p->choice_count; i++)
        dimension_to_json(p->dimension, p->choices[i], w);
    jw_end_array(w);
    jw_end_object(w);
}

/* A step and a logarithm exclude each other there: the logarithm is kept. */
static void write_range(const struct optuna_parameter *p, struct json_writer *w)
{
    const struct dimension *d = p->dimension;
    bool known = p->low <= p->high; /* else it has no ends, and no run a value */
    bool logarithmic = distribution_is_log(d->distribution) && known && p->low > 0;
    bool quantized = distribution_is_quantized(d->distribution) && !logarithmic;
    bool integer = d->type == VALUE_INTEGER || d->distribution == DISTRIBUTION_INT_UNIFORM;
    jw_kv_string(w, "name", integer ? "IntDistribution" : "FloatDistribution");
    jw_key(w, "attributes");
    jw_begin_object(w);
    jw_key(w, "step");
    if (integer)
        jw_int(w, quantized && d->q >= 1 && d->q == floor(d->q) ? (int64_t)d->q : 1);
    else if (quantized)
        jw_real(w, d->q);
    else
        jw_null(w);
    jw_kv_real(w, "low", known ? p->low : 0);
    jw_kv_real(w, "high", known ? p->high : 1);
    jw_kv_bool(w, "log", logarithmic);
    jw_end_object(w);
}

void optuna_parameter_write(const struct optuna_parameter *p, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_begin_object(&w);
    if (is_listed(p->dimension))
        write_choices(p, &w);
    else
        write_range(p, &w);
    jw_end_object(&w);
}
