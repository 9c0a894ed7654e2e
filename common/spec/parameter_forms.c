/* What a parameter may be: one value, a list of them, a range, a bell or a beta. */
#include "common/spec/parameter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define PROBABILITIES_SLACK 1e-6 /* of their sum */
#define BELL_WIDTH 6             /* of a bell whose ends are not said, in sigma on each side */
#define BELL_MASS_MIN 1e-9       /* of a bell or a beta that must lie between the ends */
#define BETA_MAX 10000           /* of a and b */

int parameter_refuse(const struct parameter *p, int code, const char *key, const struct json *v,
                     const char *allowed, struct errbuf *err)
{
    char path[FIELD_PATH_MAX];

    field_path(path, p->path, key);
    return field_refuse(err, code, path, v, "%s", allowed);
}

static int number_at(const struct parameter *p, const char *key, const struct json *v, double *out,
                     struct errbuf *err)
{
    char path[FIELD_PATH_MAX];

    field_path(path, p->path, key);
    return p->task->read_value(&p->dimension, v, path, out, err);
}

/* --- the forms ---------------------------------------------------------------------------- */

/* The space owns what the parameter's dimension points to from here on. */
static struct dimension *add_dimension(struct spec *s, struct parameter *p,
                                       enum distribution distribution)
{
    REQUIRE(s->space.count < SPACE_MAX_DIMENSIONS);
    struct dimension *d = &s->space.dimensions[s->space.count++];

    *d = p->dimension;
    p->dimension = (struct dimension){0};
    d->distribution = distribution;
    return d;
}

static int check_distribution(const struct parameter *p, enum distribution wanted,
                              struct errbuf *err)
{
    char allowed[64];

    if (!p->given || p->distribution == wanted)
        return 0;
    snprintf(allowed, sizeof(allowed), "%s here, or nothing", distribution_name(wanted));
    return parameter_refuse(p, ERR_VALUE, "distribution", p->given, allowed, err);
}

static int parse_single(const struct parameter *p, struct spec *s, struct errbuf *err)
{
    int rc = check_distribution(p, DISTRIBUTION_CONSTANT, err);
    char path[FIELD_PATH_MAX];

    field_path(path, p->path, "value");
    return rc ? rc : p->task->fix(&p->dimension, p->value, path, s, err);
}

static int parse_listed_values(const struct parameter *p, struct dimension *d, struct errbuf *err)
{
    char list[FIELD_PATH_MAX], path[FIELD_PATH_MAX];
    double value;

    field_path(list, p->path, "values");
    for (const struct json *v = json_first(p->values); v; v = json_next(v)) {
        field_path_index(path, list, d->value_count);
        int rc = p->task->read_value(d, v, path, &value, err);
        if (rc)
            return rc;
        if (dimension_takes(d, value))
            return field_refuse(err, ERR_VALUE, path, v, "each value once");
        d->values[d->value_count++] = value;
    }
    return 0;
}

/* "probabilities", one for each of the values. */
static int parse_probabilities(const struct parameter *p, struct dimension *d, struct errbuf *err)
{
    char list[FIELD_PATH_MAX], path[FIELD_PATH_MAX];
    double sum = 0;
    size_t i = 0;

    if (!p->probabilities)
        return 0;
    if (json_type(p->probabilities) != JSON_ARRAY ||
        json_count(p->probabilities) != json_count(p->values))
        return parameter_refuse(p, ERR_TYPE, "probabilities", p->probabilities,
                         "a list of as many numbers as there are \"values\"", err);
    d->probabilities = xcalloc(d->value_count, sizeof(*d->probabilities));
    field_path(list, p->path, "probabilities");
    for (const struct json *v = json_first(p->probabilities); v; v = json_next(v), i++) {
        double x = json_type(v) == JSON_NUMBER ? json_number(v) : 0;
        field_path_index(path, list, i);
        if (!(x > 0 && x <= 1))
            return field_refuse(err, json_type(v) == JSON_NUMBER ? ERR_VALUE : ERR_TYPE, path, v,
                                "a number above 0, up to 1 (one that is never drawn is left out of "
                                "\"values\")");
        d->probabilities[i] = x;
        sum += x;
    }
    if (fabs(sum - 1) > PROBABILITIES_SLACK)
        return parameter_refuse(p, ERR_VALUE, "probabilities", p->probabilities,
                                "numbers whose sum is 1", err);
    return 0;
}

static int parse_list(struct parameter *p, struct spec *s, struct errbuf *err)
{
    int rc = check_distribution(p, DISTRIBUTION_CATEGORICAL, err);
    size_t count;

    if (rc)
        return rc;
    if (json_type(p->values) != JSON_ARRAY)
        return parameter_refuse(p, ERR_TYPE, "values", p->values, "a list of values", err);
    count = json_count(p->values);
    if (!count)
        return parameter_refuse(p, ERR_VALUE, "values", p->values, "at least one value", err);
    if (count > SPACE_MAX_VALUES)
        return parameter_refuse(p, ERR_LIMIT, "values", p->values, "at most 256 values", err);
    struct dimension *d = add_dimension(s, p, DISTRIBUTION_CATEGORICAL);
    d->values = xcalloc(count, sizeof(*d->values));
    rc = parse_listed_values(p, d, err);
    return rc ? rc : parse_probabilities(p, d, err);
}

static bool is_whole(double x)
{
    return x == floor(x);
}

/* 0.0 is a real number to whoever writes it, 0 a whole one. */
static bool is_written_whole(const struct parameter *p, const struct json *v, double value)
{
    return is_whole(value) && (p->dimension.type == VALUE_INTEGER || !json_written_real(v));
}

/* Does the distribution suit the range and the setting's type? */
static int check_range(const struct parameter *p, const struct dimension *d, struct errbuf *err)
{
    bool integer = p->dimension.type == VALUE_INTEGER;

    if (d->distribution == DISTRIBUTION_CONSTANT || d->distribution == DISTRIBUTION_CATEGORICAL)
        return parameter_refuse(p, ERR_VALUE, "distribution", p->given,
                         "with min and max: int_uniform, uniform, log_uniform_values, q_uniform, "
                         "q_log_uniform_values, or log_uniform and q_log_uniform of exponents",
                         err);
    if (d->distribution == DISTRIBUTION_UNIFORM && integer)
        return parameter_refuse(p, ERR_VALUE, "distribution", p->given,
                         "for a setting of whole numbers: int_uniform, log_uniform_values, "
                         "q_uniform, q_log_uniform_values",
                         err);
    if (d->distribution == DISTRIBUTION_INT_UNIFORM && !is_whole(d->min))
        return parameter_refuse(p, ERR_VALUE, "min", p->min, "an integer, for int_uniform", err);
    if (d->distribution == DISTRIBUTION_INT_UNIFORM && !is_whole(d->max))
        return parameter_refuse(p, ERR_VALUE, "max", p->max, "an integer, for int_uniform", err);
    if (d->min >= d->max)
        return field_refuse(err, ERR_VALUE, p->path, p->object,
                            "min below max: the range is empty (one value: {\"value\": x})");
    if (distribution_is_log(d->distribution) && d->min <= 0)
        return parameter_refuse(p, ERR_VALUE, "min", p->min,
                                "above 0, for a range on a log scale", err);
    return 0;
}

static int parse_q(const struct parameter *p, struct dimension *d, struct errbuf *err)
{
    bool integer = p->dimension.type == VALUE_INTEGER;

    if (p->q && !distribution_is_quantized(d->distribution))
        return parameter_refuse(p, ERR_KEY, "q", p->q,
                         "only with a distribution whose name begins with q_", err);
    if (!distribution_is_quantized(d->distribution))
        return 0;
    d->q = 1;
    if (p->q && json_type(p->q) != JSON_NUMBER)
        return parameter_refuse(p, ERR_TYPE, "q", p->q, "a number above 0", err);
    if (p->q)
        d->q = json_number(p->q);
    if (d->q <= 0 || (integer && !is_whole(d->q)))
        return parameter_refuse(p, ERR_VALUE, "q", p->q,
                                integer ? "an integer from 1" : "above 0", err);
    if (dimension_cardinality(d) == 0)
        return parameter_refuse(p, ERR_VALUE, "q", p->q,
                         "a step with 1 to 2^53 multiples from min to max (default 1)", err);
    return 0;
}

/* A number that was worked out from what is said at key: it must be one that the task takes. */
static int check_derived(const struct parameter *p, const char *key, double *x, struct errbuf *err)
{
    char text[40];
    struct errbuf why;
    double given = *x;
    bool whole = p->dimension.type == VALUE_INTEGER;

    if (whole && isfinite(*x))
        *x = strcmp(key, "min") == 0 ? ceil(*x) : floor(*x);
    snprintf(text, sizeof(text), isfinite(*x) ? "%.17g" : "1e308", *x);
    struct json *v = json_parse(text, strlen(text), &why);
    int rc = v && isfinite(*x) ? number_at(p, key, v, x, err) : ERR_VALUE;
    if (rc && !isfinite(given))
        rc = parameter_refuse(p, ERR_VALUE, key, NULL, "ends whose values are finite", err);
    json_destroy(v);
    return rc;
}

/* min and max of log_uniform are exponents of e, those of inv_log_uniform of 1/e. */
static int parse_exponents(const struct parameter *p, struct dimension *d, struct errbuf *err)
{
    bool inverse = p->ends == ENDS_INVERSE;

    if (json_type(p->min) != JSON_NUMBER)
        return parameter_refuse(p, ERR_TYPE, "min", p->min, "a number: an exponent of e", err);
    if (json_type(p->max) != JSON_NUMBER)
        return parameter_refuse(p, ERR_TYPE, "max", p->max, "a number: an exponent of e", err);
    double low = json_number(p->min), high = json_number(p->max);
    if (low >= high)
        return 0; /* as they stand: the range is refused as empty */
    d->min = exp(inverse ? -high : low);
    d->max = exp(inverse ? -low : high);
    int rc = check_derived(p, "min", &d->min, err);
    return rc ? rc : check_derived(p, "max", &d->max, err);
}

static int parse_ends(const struct parameter *p, struct dimension *d, struct errbuf *err)
{
    int rc;

    if (p->given && (p->ends == ENDS_EXPONENTS || p->ends == ENDS_INVERSE))
        return parse_exponents(p, d, err);
    rc = number_at(p, "min", p->min, &d->min, err);
    return rc ? rc : number_at(p, "max", p->max, &d->max, err);
}

static int parse_range(struct parameter *p, struct spec *s, struct errbuf *err)
{
    struct dimension fresh = p->dimension; /* borrows its choices */
    int rc;

    if (!dimension_ordered(&fresh))
        return parameter_refuse(p, ERR_KEY, "min", p->min,
                         "\"value\" or \"values\": this setting has no numeric range", err);
    rc = parse_ends(p, &fresh, err);
    if (rc)
        return rc;
    if (p->given)
        fresh.distribution = p->distribution;
    else if (is_written_whole(p, p->min, fresh.min) && is_written_whole(p, p->max, fresh.max))
        fresh.distribution = DISTRIBUTION_INT_UNIFORM;
    else
        fresh.distribution = DISTRIBUTION_UNIFORM;
    rc = check_range(p, &fresh, err);
    if (!rc)
        rc = parse_q(p, &fresh, err);
    if (rc)
        return rc;
    struct dimension *d = add_dimension(s, p, fresh.distribution);
    d->min = fresh.min;
    d->max = fresh.max;
    d->q = fresh.q;
    return 0;
}

/* --- bells and betas ------------------------------------------------------------------------ */

static int plain_number(const struct parameter *p, const char *key, const struct json *v,
                        double low, double high, double *out, struct errbuf *err)
{
    char allowed[80];

    if (!v)
        return 0;
    snprintf(allowed, sizeof(allowed), low < 0 ? "a number" : "a number above 0, up to %g", high);
    if (json_type(v) != JSON_NUMBER)
        return parameter_refuse(p, ERR_TYPE, key, v, allowed, err);
    if (!(json_number(v) > low && json_number(v) <= high))
        return parameter_refuse(p, ERR_VALUE, key, v, allowed, err);
    *out = json_number(v);
    return 0;
}

/* As far as the distribution reaches, and the setting goes. */
static void natural_ends(const struct parameter *p, struct dimension *d)
{
    bool beta = distribution_shape(d->distribution) == SHAPE_BETA;

    d->min = beta ? 0 : d->mu - BELL_WIDTH * d->sigma;
    d->max = beta ? 1 : d->mu + BELL_WIDTH * d->sigma;
    if (distribution_is_log(d->distribution)) {
        d->min = exp(d->min);
        d->max = exp(d->max);
    }
    if (p->task->has_settings) {
        const struct setting *t = setting_get((enum setting_id)d->key);
        d->min = fmax(d->min, t->bound == SETTING_ABOVE ? t->min + 1e-9 : t->min);
        d->max = fmin(d->max, t->max);
    }
    if (d->type == VALUE_INTEGER) {
        d->min = ceil(d->min);
        d->max = floor(d->max);
    }
}

static int parse_curve_ends(const struct parameter *p, struct dimension *d, struct errbuf *err)
{
    int rc = 0;

    natural_ends(p, d);
    if (p->min)
        rc = number_at(p, "min", p->min, &d->min, err);
    if (!rc && p->max)
        rc = number_at(p, "max", p->max, &d->max, err);
    if (rc)
        return rc;
    bool inside = distribution_shape(d->distribution) != SHAPE_BETA || (d->min >= 0 && d->max <= 1);
    if (isfinite(d->min) && isfinite(d->max) && d->min < d->max && inside &&
        (!distribution_is_log(d->distribution) || d->min > 0) && dimension_mass(d) > BELL_MASS_MIN)
        return 0;
    return field_refuse(err, ERR_VALUE, p->path, p->object,
                        "%s, some of which lies from min to max: here from %g to %g",
                        distribution_name(d->distribution), d->min, d->max);
}

/* distribution normal, beta and their kin: "min" and "max" only cut them off. */
static int parse_curve(struct parameter *p, struct spec *s, struct errbuf *err)
{
    struct dimension fresh = p->dimension; /* borrows its choices */
    bool beta = distribution_shape(p->distribution) == SHAPE_BETA;
    int rc = 0;

    if (!dimension_ordered(&fresh))
        return parameter_refuse(p, ERR_VALUE, "distribution", p->given,
                         "\"value\" or \"values\": this setting has no numeric range", err);
    fresh.distribution = p->distribution;
    if (beta) {
        fresh.a = fresh.b = 1;
        rc = plain_number(p, "a", p->a, 0, BETA_MAX, &fresh.a, err);
        rc = rc ? rc : plain_number(p, "b", p->b, 0, BETA_MAX, &fresh.b, err);
    } else {
        fresh.sigma = 1;
        rc = plain_number(p, "mu", p->mu, -HUGE_VAL, HUGE_VAL, &fresh.mu, err);
        rc = rc ? rc : plain_number(p, "sigma", p->sigma, 0, 1e300, &fresh.sigma, err);
    }
    if (!rc)
        rc = parse_curve_ends(p, &fresh, err);
    if (!rc)
        rc = parse_q(p, &fresh, err);
    if (rc)
        return rc;
    struct dimension *d = add_dimension(s, p, fresh.distribution);
    fresh.choices = d->choices;
    *d = fresh;
    return 0;
}

bool parameter_is_curve(const struct parameter *p)
{
    return p->given && distribution_shape(p->distribution) != SHAPE_EVEN;
}

int parameter_take(struct parameter *p, struct spec *s, struct errbuf *err)
{
    if (p->value)
        return parse_single(p, s, err);
    if (p->values)
        return parse_list(p, s, err);
    return parameter_is_curve(p) ? parse_curve(p, s, err) : parse_range(p, s, err);
}
