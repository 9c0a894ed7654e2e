/* One dimension: positions in [0,1], numbered values, middles. */
#include "sweep/space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/space/distribution.h"
#include "sweep/require.h"

/* Relative: quotients such as 0.7/0.1 miss the integer by a few units in the last place. */
#define MULTIPLE_SLACK 1e-12

static double clamp(double x, double min, double max)
{
    return x < min ? min : x > max ? max : x;
}

static bool is_quantized(const struct dimension *d)
{
    return distribution_is_quantized(d->distribution);
}

/* Each value as often as any other: cells of equal width. */
static bool is_even(const struct dimension *d)
{
    return distribution_shape(d->distribution) == SHAPE_EVEN &&
           !distribution_is_log(d->distribution);
}

/* Only whole numbers, q apart from each other. */
static bool is_integer(const struct dimension *d)
{
    return d->distribution == DISTRIBUTION_INT_UNIFORM ||
           (!is_quantized(d) && d->distribution != DISTRIBUTION_CATEGORICAL &&
            d->type == VALUE_INTEGER);
}

/* Distance between neighbours; 0: continuous. */
static double step_of(const struct dimension *d)
{
    return is_quantized(d) ? d->q : is_integer(d) ? 1 : 0;
}

static double first_multiple(const struct dimension *d)
{
    return ceil(d->min / step_of(d) * (1 - MULTIPLE_SLACK));
}

static double last_multiple(const struct dimension *d)
{
    return floor(d->max / step_of(d) * (1 + MULTIPLE_SLACK));
}

/* k·q as a person would write it: 3·0.1 is 0.3, not 0.30000000000000004. */
static double multiple(const struct dimension *d, double k)
{
    double x = k * step_of(d);
    char text[32];

    if (x != floor(x)) {
        snprintf(text, sizeof(text), "%.15g", x);
        x = strtod(text, NULL);
    }
    return clamp(x, d->min, d->max);
}

uint64_t dimension_cardinality(const struct dimension *d)
{
    if (d->distribution == DISTRIBUTION_CATEGORICAL)
        return d->value_count;
    if (step_of(d) == 0)
        return 0;
    double count = last_multiple(d) - first_multiple(d) + 1;
    return count >= 1 && count <= 0x1p53 ? (uint64_t)count : 0; /* a spec is refused otherwise */
}

double dimension_nth(const struct dimension *d, uint64_t i)
{
    REQUIRE(i < dimension_cardinality(d));
    if (d->distribution == DISTRIBUTION_CATEGORICAL)
        return d->values[i];
    return multiple(d, first_multiple(d) + (double)i);
}

bool dimension_takes(const struct dimension *d, double value)
{
    for (size_t i = 0; i < d->value_count; i++)
        if (d->values[i] == value)
            return true;
    if (d->distribution == DISTRIBUTION_CATEGORICAL || !(value >= d->min && value <= d->max))
        return false;
    if (step_of(d) == 0)
        return true;
    double k = round(value / step_of(d));
    return k >= first_multiple(d) && k <= last_multiple(d) && multiple(d, k) == value;
}

static double continuous_value(const struct dimension *d, double u)
{
    /* The ends exactly: exp(log(0.001)) is not 0.001. */
    if (u == 0 || u == 1)
        return u == 0 ? d->min : d->max;
    if (distribution_shape(d->distribution) != SHAPE_EVEN)
        return clamp(shape_value(d, u), d->min, d->max);
    double x = is_even(d) ? d->min + u * (d->max - d->min)
                          : exp(log(d->min) + u * (log(d->max) - log(d->min)));
    return clamp(x, d->min, d->max);
}

/* Of listed values with probabilities: the one in whose share u lies. */
static size_t listed_at(const struct dimension *d, double u)
{
    double sum = 0;

    for (size_t i = 0; i + 1 < d->value_count; i++) {
        sum += d->probabilities[i];
        if (u < sum)
            return i;
    }
    return d->value_count - 1;
}

static double listed_position(const struct dimension *d, size_t i)
{
    double below = 0;

    if (!d->probabilities)
        return ((double)i + 0.5) / (double)d->value_count;
    for (size_t k = 0; k < i; k++)
        below += d->probabilities[k];
    return clamp(below + 0.5 * d->probabilities[i], 0, 1);
}

double dimension_value(const struct dimension *d, double u)
{
    uint64_t count = dimension_cardinality(d);

    u = u > 0 ? fmin(u, 1) : 0; /* NaN too */
    if (d->probabilities)
        return d->values[listed_at(d, u)];
    if (count && is_even(d)) {
        uint64_t cell = (uint64_t)(u * (double)count);
        return dimension_nth(d, cell < count ? cell : count - 1);
    }
    double x = continuous_value(d, u);
    if (step_of(d) == 0)
        return x;
    return multiple(d, clamp(round(x / step_of(d)), first_multiple(d), last_multiple(d)));
}

/* Index of the listed value nearest to value. */
static size_t nearest_listed(const struct dimension *d, double value)
{
    size_t best = 0;

    for (size_t i = 1; i < d->value_count; i++)
        if (fabs(d->values[i] - value) < fabs(d->values[best] - value))
            best = i;
    return best;
}

double dimension_position(const struct dimension *d, double value)
{
    uint64_t count = dimension_cardinality(d);

    if (d->distribution == DISTRIBUTION_CATEGORICAL)
        return listed_position(d, nearest_listed(d, value));
    value = clamp(value, d->min, d->max);
    if (distribution_shape(d->distribution) != SHAPE_EVEN)
        return clamp(shape_share(d, value), 0, 1);
    if (!is_even(d))
        return clamp((log(value) - log(d->min)) / (log(d->max) - log(d->min)), 0, 1);
    if (!count)
        return clamp((value - d->min) / (d->max - d->min), 0, 1);
    double first = first_multiple(d), k = clamp(round(value / step_of(d)), first, last_multiple(d));
    return (k - first + 0.5) / (double)count;
}

bool dimension_ordered(const struct dimension *d)
{
    return d->type == VALUE_REAL || d->type == VALUE_INTEGER;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double middle_listed(const struct dimension *d)
{
    double sorted[SPACE_MAX_VALUES];

    memcpy(sorted, d->values, d->value_count * sizeof(*sorted));
    if (dimension_ordered(d))
        qsort(sorted, d->value_count, sizeof(*sorted), compare_doubles);
    return sorted[(d->value_count - 1) / 2];
}

double dimension_middle(const struct dimension *d)
{
    uint64_t count = dimension_cardinality(d);

    if (d->distribution == DISTRIBUTION_CATEGORICAL)
        return middle_listed(d);
    if (count && is_even(d))
        return dimension_nth(d, (count - 1) / 2);
    return dimension_value(d, 0.5);
}
