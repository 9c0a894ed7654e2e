/* What the cells of a column that feeds the curve say: which NaN, and which 0 or -1, was not
 * measured. */
#include <math.h>
#include <stdint.h>

#include "common/curves/reading.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define NONE SIZE_MAX

static enum cell_reading read_at(const struct training_log *l, size_t row, size_t column,
                                 double *out)
{
    struct log_cell c = {.column = column};
    bool percent = false;

    c.kind = training_log_cell(l, row, column, &c.value, &c.text);
    return cell_read(&c, out, &percent);
}

bool slot_measured(const struct training_log *l, const struct slot *s, size_t row, double *v)
{
    return read_at(l, row, s->column, v) == CELL_NUMBER && *v != s->placeholder &&
           (!isnan(*v) || row >= s->nan_from);
}

/* --- NaN ------------------------------------------------------------------------------------ */

/* What the NaNs of a column are like, from row to row. */
struct nans {
    size_t finite, count;
    size_t run, gap;  /* NaNs since the last number; the most between numbers, or before them */
    size_t run_from;  /* first row of the run */
};

static int count_nans(const struct training_log *l, const struct slot *s, struct reading *r,
                      struct nans *out)
{
    bool loss = s->target <= CURVE_VAL_LOSS;
    double v;

    for (size_t row = 0; row < training_log_rows(l); row++) {
        enum cell_reading cell = read_at(l, row, s->column, &v);
        if (cell == CELL_BAD && loss)
            return reading_fail(r, ERR_VALUE, l, row, s->column,
                                "a number, nan, inf, -inf, or nothing (not measured)");
        if (cell != CELL_NUMBER)
            continue;
        if (isnan(v)) {
            out->run_from = out->run++ == 0 ? row : out->run_from;
            out->count++;
            continue;
        }
        out->gap = out->run > out->gap ? out->run : out->gap;
        out->run = 0;
        out->finite += isfinite(v);
    }
    return 0;
}

/* NaN between numbers was not measured, and at the end where there were as many together before;
 * more of them to the end are not a number. A column that is nothing but NaN is missing, unless
 * the file has no number of a loss at all. */
static int judge_nans(const struct training_log *l, struct slot *slots, size_t count,
                      struct reading *r)
{
    struct nans n[SLOTS_MAX] = {0};
    size_t finite = 0;

    for (size_t i = 0; i < count; i++) {
        int rc = count_nans(l, &slots[i], r, &n[i]);
        if (rc != 0)
            return rc;
        finite += slots[i].target <= CURVE_VAL_LOSS ? n[i].finite : 0;
    }
    for (size_t i = 0; i < count; i++) {
        struct slot *s = &slots[i];
        bool loss = s->target <= CURVE_VAL_LOSS;
        bool ends = n[i].run > n[i].gap && (n[i].finite > 0 || (loss && finite == 0));
        s->nan_from = ends ? n[i].run_from : NONE;
        const char *title = training_log_title(l, s->column);
        if (loss && n[i].count > 0 && n[i].finite == 0 && !ends)
            curve_note(r->curve, "'%.80s' is never a number: taken as not measured", title);
        else if (loss && n[i].count > (ends ? n[i].run : 0))
            curve_note(r->curve, "NaN in '%.80s' with numbers behind it is taken as not measured",
                       title);
    }
    return 0;
}

/* --- 0 and -1 ------------------------------------------------------------------------------- */

/* Where a column has other values than v, row by row. */
struct pattern {
    size_t others, placeholders;
    size_t seen, last;  /* cells; the last of another value, from 1 */
    size_t every;       /* so many cells lie between two of them; 0: not known yet */
    size_t early;       /* the one that came before its turn, which the last cell may do */
    bool irregular;
};

static void follow(struct pattern *p, double value, double v)
{
    p->seen++;
    if (value == v) {
        p->placeholders++;
        return;
    }
    size_t gap = p->seen - p->last;
    p->irregular |= !(value > v) || isinf(value) || p->early > 0 ||
                    (p->every > 0 && gap > p->every);
    p->early = gap < p->every ? p->seen : 0;
    if (p->others == 1)
        p->every = gap;
    p->others++;
    p->last = p->seen;
}

/* All the other values stand at every so-manieth row, and are greater. */
static bool is_regular(const struct training_log *l, const struct slot *s, double v, size_t *every)
{
    struct pattern p = {0};
    double value;

    for (size_t row = 0; row < training_log_rows(l) && !p.irregular; row++)
        if (read_at(l, row, s->column, &value) == CELL_NUMBER && !isnan(value))
            follow(&p, value, v);
    *every = p.every;
    p.irregular |= p.early > 0 && p.early != p.seen;
    return !p.irregular && p.others >= 2 && p.placeholders >= 3 && p.every >= 2;
}

/* Loggers that must write something where the validation was not measured write 0 or -1. */
static void find_placeholder(const struct training_log *l, struct slot *s, struct reading *r)
{
    static const double USED[] = {0, -1};
    size_t every;

    for (size_t i = 0; i < ARRAY_LEN(USED); i++) {
        if (!is_regular(l, s, USED[i], &every))
            continue;
        s->placeholder = USED[i];
        curve_note(r->curve, "%g in '%.80s', but for one row in %zu, is taken as not measured",
                   USED[i], training_log_title(l, s->column), every);
        return;
    }
}

int slots_judge(const struct training_log *l, struct slot *slots, size_t count, struct reading *r)
{
    for (size_t i = 0; i < count; i++) {
        slots[i].placeholder = NAN;
        if (slots[i].target <= CURVE_VAL_ACC)
            find_placeholder(l, &slots[i], r);
    }
    return judge_nans(l, slots, count, r);
}
