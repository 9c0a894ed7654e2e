/* Epochs that stand several times each, as where several processes, or one handler added twice,
 * write one log. */
#include <math.h>

#include "common/curves/reading.h"

#define EPOCHS_MIN 3 /* fewer stand twice by chance */
#define TIMES_MAX 64 /* more are the points of an epoch */

/* How many points each epoch has, the last at most so many; 0: not all the same, or too few. */
static size_t times_each(const struct curve *c)
{
    size_t times = 0, epochs = 0, in = 0;

    for (size_t i = 0; i < c->count; i++) {
        in++;
        if (c->points[i].epoch != floor(c->points[i].epoch))
            return 0;
        if (i + 1 < c->count && c->points[i + 1].epoch == c->points[i].epoch)
            continue;
        if (times == 0)
            times = in;
        if (in > times || (in < times && i + 1 < c->count))
            return 0;
        epochs++;
        in = 0;
    }
    return epochs >= EPOCHS_MIN && times > 1 && times <= TIMES_MAX ? times : 0;
}

static bool alike(const struct point *a, const struct point *b)
{
    if (a->measured != b->measured)
        return false;
    for (int i = 0; i < CURVE_COLUMN_COUNT; i++)
        if (point_has(a, (enum curve_column)i) && a->v[i] != b->v[i] &&
            !(isnan(a->v[i]) && isnan(b->v[i])))
            return false;
    return true;
}

void repeats_take(struct curve *c)
{
    size_t times = times_each(c), same = 0, validated = 0, kept = 0;

    for (size_t i = 0; times > 0 && i < c->count; i++) {
        const struct point *first = &c->points[i - i % times];
        same += alike(first, &c->points[i]);
        validated += point_has(&c->points[i], CURVE_VAL_LOSS) &&
                     (i % times == 0 || c->points[i].v[CURVE_VAL_LOSS] != first->v[CURVE_VAL_LOSS]);
    }
    if (times == 0 || (same < c->count && validated < c->count))
        return;
    if (same < c->count) {
        curve_note(c, "each epoch has %zu validation losses: %zu points an epoch; where as many "
                   "processes wrote them, keep the lines of one", times, times);
        return;
    }
    for (size_t i = 0; i < c->count; i += times) {
        c->points[kept] = c->points[i];
        c->points[kept].point = (int64_t)kept + 1;
        kept++;
    }
    c->count = kept;
    curve_note(c, "each epoch stands %zu times with the same values: taken once", times);
}
