/* Change points by bottom-up merging (Keogh et al. 2001): the run is first cut into at most BINS
 * equal pieces, each a robust mean of both losses; then the two neighbours whose joint straight
 * lines cost least are merged, while the cost stays below the penalty for another stretch (BIC)
 * and until few enough remain. Cost: squared residual over noise, summed over both losses, so a
 * change point is where either loss changes its way. Each stretch is then falling, flat or
 * rising, and neighbours of one class become one regime. */
#include "common/label/regimes.h"

#include <math.h>
#include <string.h>

#include "common/label/classify.h"
#include "sweep/stats.h"
#include "sweep/require.h"

#define BINS 24
#define BIN_POINTS 9 /* a long run's bin is the median of so many of its points */

/* Least squares over bins, one loss. */
struct sums {
    double n, x, xx, y, yy, xy;
};

struct stretch {
    size_t first, last;  /* bins */
    struct sums side[2]; /* training, validation */
    double cost;         /* squared residual over noise, both losses */
};

struct timeline {
    const struct facts *f;
    size_t points, bins;      /* points before the loss was lost to NaN */
    double per_noise[2];      /* 1 / squared noise of a bin; 0 where the loss was not measured */
    struct stretch at[BINS];
    size_t count;
};

static const struct side *side_of(const struct timeline *t, int k)
{
    return k == 0 ? &t->f->train : &t->f->val;
}

static size_t bin_start(const struct timeline *t, size_t bin)
{
    return bin * t->points / t->bins;
}

/* Median of the bin's values in the series' scale; false where none is finite. */
static bool bin_value(const struct timeline *t, int k, size_t bin, double *out)
{
    const struct series *s = &side_of(t, k)->s;
    size_t from = bin_start(t, bin), n = bin_start(t, bin + 1) - from, found = 0;
    size_t samples = n < BIN_POINTS ? n : BIN_POINTS;
    double values[BIN_POINTS];

    for (size_t i = 0; i < samples; i++) {
        const struct point *p = &t->f->in->points[from + i * n / samples];
        if (point_has(p, s->column) && isfinite(p->v[s->column]))
            values[found++] = ldexp(p->v[s->column], -s->exponent);
    }
    if (found > 0)
        *out = stats_median(values, found);
    return found > 0;
}

static void sums_add(struct sums *a, const struct sums *b)
{
    a->n += b->n;
    a->x += b->x;
    a->xx += b->xx;
    a->y += b->y;
    a->yy += b->yy;
    a->xy += b->xy;
}

static double slope(const struct sums *s)
{
    double xx = s->n * s->xx - s->x * s->x;
    return s->n > 1 && xx > 0 ? (s->n * s->xy - s->x * s->y) / xx : 0;
}

/* Squared residual of the line. */
static double residual(const struct sums *s)
{
    if (s->n < 3)
        return 0;
    double per = 1 / s->n, xy = s->xy - s->x * s->y * per;
    return fmax(0, s->yy - s->y * s->y * per - xy * xy / (s->xx - s->x * s->x * per));
}

static struct stretch joined(const struct timeline *t, const struct stretch *a,
                             const struct stretch *b)
{
    struct stretch s = *a;

    s.last = b->last;
    s.cost = 0;
    for (int k = 0; k < 2; k++) {
        if (t->per_noise[k] == 0)
            continue;
        sums_add(&s.side[k], &b->side[k]);
        s.cost += residual(&s.side[k]) * t->per_noise[k];
    }
    return s;
}

/* The least change of way that matters: 2 % of all the loss moved. */
static double per_noise(const struct side *s)
{
    double noise = s->usable ? fmax(fmax(s->t.sigma, s->t.wander), 0.02 * s->t.reach) : 0;
    return noise > 1e-100 ? 1 / (noise * noise) : 0;
}

static void cut(struct timeline *t)
{
    t->bins = t->points < BINS ? t->points : BINS;
    t->count = t->bins;
    for (int k = 0; k < 2; k++)
        t->per_noise[k] = per_noise(side_of(t, k));
    for (size_t i = 0; i < t->bins; i++) {
        t->at[i] = (struct stretch){.first = i, .last = i};
        for (int k = 0; k < 2; k++) {
            double x = (double)i, y;
            if (t->per_noise[k] > 0 && bin_value(t, k, i, &y))
                t->at[i].side[k] = (struct sums){1, x, x * x, y, y * y, x * y};
        }
    }
}

/* What joining stretch i with the next costs. */
static double join_cost(const struct timeline *t, size_t i)
{
    struct stretch s = joined(t, &t->at[i], &t->at[i + 1]);
    return s.cost - t->at[i].cost - t->at[i + 1].cost;
}

static void merge(struct timeline *t)
{
    double added[BINS], penalty = 6 * log((double)t->bins + 1); /* 6: two lines and a place */

    for (size_t i = 0; i + 1 < t->count; i++)
        added[i] = join_cost(t, i);
    while (t->count > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < t->count; i++)
            best = added[i] < added[best] ? i : best;
        if (added[best] > penalty && t->count <= DIAGNOSIS_REGIMES_MAX)
            return;
        t->at[best] = joined(t, &t->at[best], &t->at[best + 1]);
        t->count--;
        memmove(&t->at[best + 1], &t->at[best + 2], (t->count - best - 1) * sizeof(t->at[0]));
        memmove(&added[best], &added[best + 1], (t->count - best) * sizeof(added[0]));
        for (size_t i = best > 0 ? best - 1 : 0; i <= best && i + 1 < t->count; i++)
            added[i] = join_cost(t, i);
    }
}

/* -1, 0, +1 for one loss over one stretch: against the noise, and what the loss moved. */
static int way(const struct timeline *t, int k, const struct stretch *s)
{
    const struct trend *d = &side_of(t, k)->t;
    double change = slope(&s->side[k]) * (double)(s->last - s->first);
    double least = fmax(3 * d->wander, 0.03 * d->reach);

    if (fabs(change) <= least || trend_size(d, change, d->level) < RULES_DEFAULT.size)
        return 0;
    return change > 0 ? 1 : -1;
}

/* Mean of the stretch has lost half of the first value. */
static bool is_low(const struct timeline *t, const struct stretch *s)
{
    int k = t->per_noise[0] > 0 ? 0 : 1;
    const struct side *side = side_of(t, k);
    const struct sums *sum = &s->side[k];
    double mean = sum->n > 0 ? sum->y / sum->n : side->t.first;

    return !accuracy_is_stuck(&t->f->accuracy) &&
           side->t.first - mean >= RULES_DEFAULT.fell_train * fabs(side->t.first);
}

static enum pattern stretch_pattern(const struct timeline *t, const struct stretch *s)
{
    int train = t->per_noise[0] > 0 ? way(t, 0, s) : way(t, 1, s);
    int val = t->per_noise[1] > 0 ? way(t, 1, s) : train;

    if (train == 0 && val == 0)
        return is_low(t, s) ? PATTERN_CONVERGED : PATTERN_BOTTLENECK;
    return train == 0 && val < 0 ? PATTERN_LEARNING : pattern_of_cell(train, val);
}

static double epoch_of(const struct timeline *t, size_t point)
{
    return t->f->in->points[point].epoch;
}

static void add(struct diagnosis *d, enum pattern p, double from, double to)
{
    struct diagnosis_regime *last = d->regimes + d->regime_count;

    if (d->regime_count > 0 && (last[-1].pattern == p || d->regime_count == DIAGNOSIS_REGIMES_MAX))
        last[-1].to = to;
    else
        d->regimes[d->regime_count++] = (struct diagnosis_regime){from, to, p};
}

/* Points before the first value of the losses that are NaN or ±Inf at the end. */
static size_t healthy_points(const struct facts *f)
{
    const struct side *sides[] = {&f->train, &f->val};
    size_t healthy = f->in->count;

    for (size_t k = 0; k < ARRAY_LEN(sides); k++) {
        size_t i = f->in->count;
        while (sides[k]->s.not_a_number && i > 0 &&
               !(point_has(&f->in->points[i - 1], sides[k]->s.column) &&
                 isfinite(f->in->points[i - 1].v[sides[k]->s.column])))
            i--;
        healthy = i < healthy ? i : healthy;
    }
    return healthy;
}

void regimes_find(const struct facts *f, struct diagnosis *out)
{
    struct timeline t = {.f = f, .points = healthy_points(f)};
    size_t all = f->in->count;

    out->regime_count = 0;
    if (all == 0)
        return;
    if (t.points > 0 && (f->train.usable || f->val.usable)) {
        cut(&t);
        merge(&t);
        for (size_t i = 0; i < t.count; i++)
            add(out, stretch_pattern(&t, &t.at[i]), epoch_of(&t, bin_start(&t, t.at[i].first)),
                epoch_of(&t, bin_start(&t, t.at[i].last + 1) - 1));
    }
    if (t.points < all)
        add(out, PATTERN_NOT_A_NUMBER, epoch_of(&t, t.points), epoch_of(&t, all - 1));
    if (out->regime_count == 0)
        add(out, out->pattern, epoch_of(&t, 0), epoch_of(&t, all - 1));
}

void regimes_close(struct diagnosis *d)
{
    size_t n = d->regime_count;

    if (n == 0)
        return;
    d->regimes[n - 1].pattern = d->pattern;
    if (n > 1 && d->regimes[n - 2].pattern == d->pattern) {
        d->regimes[n - 2].to = d->regimes[n - 1].to;
        d->regime_count--;
    }
}
