#include "common/label/tags.h"

#include <math.h>
#include <string.h>

#include "common/label/classify.h"
#include "sweep/require.h"

static const char *const TAG_NAMES[] = {
#define X(id, name) name,
    DIAGNOSIS_TAG_MAP(X)
#undef X
};

const char *diagnosis_tag_name(enum diagnosis_tag t)
{
    return (unsigned)t < ARRAY_LEN(TAG_NAMES) ? TAG_NAMES[t] : "";
}

uint32_t diagnosis_tags_parse(const char *list)
{
    uint32_t tags = 0;
    for (const char *at = list; *at != '\0'; at += *at == ',') {
        size_t len = strcspn(at, ",");
        for (unsigned t = 0; t < ARRAY_LEN(TAG_NAMES); t++)
            if (strlen(TAG_NAMES[t]) == len && memcmp(TAG_NAMES[t], at, len) == 0)
                tags |= 1u << t;
        at += len;
    }
    return tags;
}

/* Prechelt's generalisation loss GL5: over 5 % above the best, at the end and at its last value:
 * the end of a curve that falls fast lies that far above its best, which is the last value. */
static bool past_best(const struct facts *f)
{
    const struct trend *t = &f->val.t;
    const struct series *y = &f->val.s;
    if (!f->val.any)
        return false;
    double least = t->raw_best + 0.05 * fabs(t->raw_best);
    return t->end > least && y->raw[y->raw_count - 1] > least;
}

/* One value more than 6 sigma away from both neighbours, on the same side, which agree. */
static bool spike_in(const struct side *s)
{
    const struct series *y = &s->s;
    size_t n = s->usable ? (y->raw_count < TAIL_MAX ? y->raw_count : TAIL_MAX) : 0;
    double least = fmax(6 * s->t.sigma, 0.05 * s->t.level);

    for (size_t i = 1; i + 1 < n; i++) {
        const double *at = y->raw + y->raw_count - n + i;
        double up = at[0] - at[-1], down = at[0] - at[1];
        if (up > least && down > least && fabs(at[1] - at[-1]) < 0.5 * fmin(up, down))
            return true;
    }
    return false;
}

static bool spike(const struct facts *f)
{
    return spike_in(&f->train) || spike_in(&f->val);
}

/* It was NaN, Inf or twice the best for a while, lost 30 % of what it had learned, and ended near
 * its best all the same. */
static bool came_back(const struct side *s)
{
    const struct trend *t = &s->t;
    double lowest = INFINITY, worst = 0;

    if (!s->any)
        return false;
    if (s->s.lost > 0 && !s->s.not_a_number)
        return true;
    for (size_t i = 0; i < s->s.count; i++) {
        double y = s->s.y[i];
        lowest = y < lowest ? y : lowest;
        if (y - lowest >= fabs(lowest) && y - lowest > worst)
            worst = y - lowest;
    }
    return s->usable && worst > fmax(0.3 * (t->first - t->best), 6 * t->sigma) &&
           t->end - t->raw_best <= fmax(0.10 * fabs(t->raw_best), 3 * t->sigma);
}

static bool recovered(const struct facts *f)
{
    return came_back(&f->train) || came_back(&f->val);
}

/* Exactly one value over the whole window: learning rate 0, frozen weights, dead units. */
static bool constant_tail(const struct facts *f)
{
    const struct side *s = f->train.usable ? &f->train : &f->val;
    if (!s->usable)
        return false;
    const double *z = s->s.y + s->s.count - s->t.window;
    for (size_t i = 1; i < s->t.window; i++)
        if (z[i] != z[0])
            return false;
    return true;
}

/* The learning rate in force changed by a factor of two or more from one point to the next. */
static bool lr_step(const struct facts *f)
{
    double last = 0;

    for (size_t i = 0; i < f->in->count; i++) {
        const struct point *p = &f->in->points[i];
        if (!point_has(p, CURVE_LEARNING_RATE))
            continue;
        double rate = p->v[CURVE_LEARNING_RATE];
        if (last > 0 && rate > 0 && (rate >= 2 * last || rate <= last / 2))
            return true;
        last = rate;
    }
    return false;
}

static bool train_gt_val(const struct facts *f)
{
    return train_above_val(f, &RULES_DEFAULT, 1.0);
}

static bool one_sided(const struct facts *f)
{
    return f->train.usable != f->val.usable;
}

static bool constant_accuracy(const struct facts *f)
{
    return accuracy_is_stuck(&f->accuracy);
}

static bool (*const HOLDS[])(const struct facts *) = {
    [DIAGNOSIS_TAG_PAST_BEST] = past_best, [DIAGNOSIS_TAG_SPIKE] = spike,
    [DIAGNOSIS_TAG_RECOVERED] = recovered, [DIAGNOSIS_TAG_CONSTANT_TAIL] = constant_tail,
    [DIAGNOSIS_TAG_LR_STEP] = lr_step,     [DIAGNOSIS_TAG_TRAIN_GT_VAL] = train_gt_val,
    [DIAGNOSIS_TAG_ONE_SIDED] = one_sided,
    [DIAGNOSIS_TAG_CONSTANT_ACCURACY] = constant_accuracy,
};
_Static_assert(ARRAY_LEN(HOLDS) == DIAGNOSIS_TAG_COUNT, "every tag needs its test");

uint32_t tags_of(const struct facts *f)
{
    uint32_t tags = 0;
    for (size_t i = 0; i < ARRAY_LEN(HOLDS); i++)
        tags |= (uint32_t)HOLDS[i](f) << i;
    return tags;
}
