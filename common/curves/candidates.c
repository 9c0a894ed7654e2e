#include "common/curves/candidates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/curves/reading.h"
#include "sweep/buf.h"

#define SUMMARY_MAX 2 /* values of a column that sums a training up */

/* --- cells ---------------------------------------------------------------------------------- */

static void count_cell(struct candidate *c, const struct log_cell *cell)
{
    double v;

    switch (cell_read(cell, &v, &c->percent)) {
    case CELL_NUMBER:
        c->nans += isnan(v);
        c->finite += isfinite(v);
        c->beyond_one |= isfinite(v) && v > 1.0001;
        break;
    case CELL_BAD:
        c->texts++;
        break;
    default:
        break;
    }
}

struct place {
    struct candidates *of; /* NULL: no candidate */
    size_t at;
};

static void count_cells(const struct training_log *l, const struct place *places)
{
    struct log_cell c;

    for (size_t row = 0; row < training_log_rows(l); row++)
        for (size_t at = 0; training_log_next(l, row, &at, &c);)
            if (places[c.column].of)
                count_cell(&places[c.column].of->list[places[c.column].at], &c);
}

static bool same_cell(enum log_cell_kind a, enum log_cell_kind b, double x, double y,
                      const char *s, const char *t)
{
    if (a != b)
        return false;
    if (a == LOG_NUMBER)
        return x == y || (isnan(x) && isnan(y));
    return a != LOG_TEXT || strcmp(s, t) == 0;
}

bool candidates_equal(const struct training_log *l, size_t a, size_t b)
{
    for (size_t row = 0; row < training_log_rows(l); row++) {
        double x = 0, y = 0;
        const char *s = NULL, *t = NULL;
        enum log_cell_kind p = training_log_cell(l, row, a, &x, &s);
        enum log_cell_kind q = training_log_cell(l, row, b, &y, &t);
        if (!same_cell(p, q, x, y, s, t))
            return false;
    }
    return true;
}

/* --- the list ------------------------------------------------------------------------------- */

static struct place add(struct candidates *k, size_t column, const struct curve_title *t)
{
    k->list = array_room(k->list, &k->cap, k->count, sizeof(*k->list));
    k->list[k->count] = (struct candidate){
        .column = column,
        .title = t,
        .measure = strcmp(t->measure, "total") == 0 ? "" : t->measure,
        .side = t->split >= CURVE_SPLIT_VAL ? SIDE_VAL : SIDE_TRAIN,
    };
    return (struct place){k, k->count++};
}

/* XGBoost and LightGBM number the sets that they were given, the training set first as a rule. */
static void sort_numbered(struct candidates *k)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->list[i].side == SIDE_TRAIN)
            return;
    for (size_t i = 0; i < k->count; i++) {
        struct candidate *a = &k->list[i];
        for (size_t j = 0; a->title->set == 1 && j < k->count; j++)
            if (k->list[j].title->set == 2 && strcmp(k->list[j].measure, a->measure) == 0)
                a->side = SIDE_TRAIN;
    }
}

/* Those without numbers count only where no other has any; those with one or two give way. */
static void judge(struct candidates *k)
{
    size_t most[2] = {0}, all = 0;

    for (size_t i = 0; i < k->count; i++) {
        const struct candidate *c = &k->list[i];
        most[c->side] = c->finite > most[c->side] ? c->finite : most[c->side];
        all = most[c->side] > all ? most[c->side] : all;
    }
    for (size_t i = 0; i < k->count; i++) {
        struct candidate *c = &k->list[i];
        c->usable = c->finite > 0 || all == 0;
        c->weak = c->finite <= SUMMARY_MAX && most[c->side] > SUMMARY_MAX;
    }
}

/* Parts are summed on a side that has no loss of the whole, and two of them or more. */
static void mark_sums(struct candidates *k, enum side side)
{
    size_t parts = 0, real = 0, wholes = 0;

    for (size_t i = 0; i < k->count; i++) {
        const struct candidate *c = &k->list[i];
        if (c->side != side || !c->usable)
            continue;
        parts += c->title->summable;
        real += c->title->summable && c->title->role == CURVE_ROLE_PART;
        wholes += c->measure[0] == '\0';
    }
    for (size_t i = 0; i < k->count; i++)
        k->list[i].sum |= k->list[i].side == side && k->list[i].title->summable && parts > 1 &&
                          real > 0 && wholes == 0;
}

void candidates_find(const struct training_log *l, const struct curve_title *titles,
                     struct candidates *losses, struct candidates *accuracies)
{
    size_t columns = training_log_columns(l);
    struct place *places = xcalloc(columns + 1, sizeof(*places));

    for (size_t i = 0; i < columns; i++) {
        if (titles[i].role == CURVE_ROLE_LOSS || titles[i].role == CURVE_ROLE_PART)
            places[i] = add(losses, i, &titles[i]);
        if (titles[i].role == CURVE_ROLE_ACC)
            places[i] = add(accuracies, i, &titles[i]);
    }
    count_cells(l, places);
    sort_numbered(losses);
    judge(losses);
    judge(accuracies);
    mark_sums(losses, SIDE_TRAIN);
    mark_sums(losses, SIDE_VAL);
    free(places);
}

void candidates_finish(struct candidates *k)
{
    free(k->list);
    *k = (struct candidates){0};
}

/* --- order ---------------------------------------------------------------------------------- */

/* Words of a statistic and numbers are the low bits of the rank: common/run/curve_title.c. */
static int statistic_of(const struct candidate *c)
{
    return c->title->rank % 16;
}

int candidate_order(const struct candidate *a, const struct candidate *b)
{
    const struct curve_title *s = a->title, *t = b->title;

    if (a->usable != b->usable)
        return a->usable ? -1 : 1;
    if (a->weak != b->weak)
        return b->weak ? -1 : 1;
    if (s->preference != t->preference)
        return s->preference - t->preference;
    if (a->side == SIDE_VAL && s->split != t->split)
        return (int)s->split - (int)t->split;
    if (statistic_of(a) / 2 != statistic_of(b) / 2)
        return statistic_of(a) - statistic_of(b);
    if (a->side == SIDE_TRAIN && s->split != t->split) {
        if (a->finite != b->finite)
            return a->finite > b->finite ? -1 : 1;
        return s->split > t->split ? -1 : 1;
    }
    return statistic_of(a) - statistic_of(b);
}

/* --- measure -------------------------------------------------------------------------------- */

struct choice {
    const struct candidate *best;
    bool both, tied;
};

static bool has_side(const struct candidates *k, const char *measure, enum side side)
{
    for (size_t i = 0; i < k->count; i++) {
        const struct candidate *c = &k->list[i];
        if (c->side == side && c->usable && !c->sum && strcmp(c->measure, measure) == 0)
            return true;
    }
    return false;
}

static void consider(const struct candidates *k, const struct candidate *c, struct choice *best)
{
    bool both = has_side(k, c->measure, SIDE_TRAIN) && has_side(k, c->measure, SIDE_VAL);
    const struct candidate *b = best->best;

    if (b && strcmp(b->measure, c->measure) == 0)
        return;
    bool better = !b || (b->weak && !c->weak) ||
                  (b->weak == c->weak &&
                   (both > best->both ||
                    (both == best->both && c->title->preference < b->title->preference)));
    bool alike = b && b->weak == c->weak && both == best->both &&
                 c->title->preference == b->title->preference;
    if (better)
        *best = (struct choice){c, both, false};
    else if (alike)
        best->tied = true;
}

enum measure candidates_measure(struct candidates *k, const char **measure)
{
    struct choice best = {0};
    bool sums = false;

    for (size_t i = 0; i < k->count; i++) {
        sums |= k->list[i].sum;
        if (k->list[i].usable && !k->list[i].sum)
            consider(k, &k->list[i], &best);
    }
    if (sums && (!best.best || best.best->measure[0] != '\0'))
        return MEASURE_SUM;
    if (!best.best)
        return MEASURE_NONE;
    *measure = best.best->measure;
    return best.tied ? MEASURE_TIED : MEASURE_ONE;
}
