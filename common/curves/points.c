/* Rows to points: which column counts the epochs, which NaN was measured, and rows of one epoch
 * that fill each other's gaps. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/curves/reading.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define AXES_MAX 16
#define SUMMARIES_MAX 3
#define NONE SIZE_MAX

struct builder {
    const struct training_log *log;
    const struct columns *columns;
    struct reading *reading;
    struct slot slots[SLOTS_MAX];
    size_t slot_count;
    struct log_row *rows;
    size_t row_count;
    size_t summaries; /* rows with text where a number of an epoch should be */
};

static enum cell_reading read_at(const struct training_log *l, size_t row, size_t column,
                                 double *out)
{
    struct log_cell c = {.column = column};
    bool percent = false;

    c.kind = training_log_cell(l, row, column, &c.value, &c.text);
    return cell_read(&c, out, &percent);
}

/* --- the axis ------------------------------------------------------------------------------- */

struct axis {
    size_t column;
    bool epoch;
    size_t covered, back, changes; /* rows with a loss; times it goes back; that it changes */
    double last;
};

/* "3/30" is 3 by cell_read; "Epoch 3" and "#3" are 3 as well. */
static bool read_axis(const struct training_log *l, size_t row, size_t column, double *out)
{
    const char *text = NULL;
    double value;

    if (read_at(l, row, column, out) == CELL_NUMBER)
        return true;
    if (training_log_cell(l, row, column, &value, &text) != LOG_TEXT)
        return false;
    size_t skip = strcspn(text, "0123456789");
    for (size_t i = 0; i < skip; i++)
        if (!isalpha((unsigned char)text[i]) && !memchr(" _#[(:-", text[i], 7))
            return false;
    size_t len = strlen(text + skip);
    struct log_cell c = {.kind = LOG_TEXT, .text = text + skip};
    bool percent = false;
    char without[32];
    if (len > 1 && len < sizeof(without) && memchr("])", text[skip + len - 1], 2)) {
        memcpy(without, text + skip, len - 1);
        without[len - 1] = '\0';
        c.text = without;
    }
    return cell_read(&c, out, &percent) == CELL_NUMBER && !percent;
}

static size_t find_axes(const struct builder *b, struct axis out[AXES_MAX])
{
    size_t count = 0;

    for (int steps = 0; steps < 2; steps++) {
        enum curve_role role = steps ? CURVE_ROLE_STEP : CURVE_ROLE_EPOCH;
        for (size_t i = 0; i < training_log_columns(b->log) && count < AXES_MAX; i++)
            if (b->columns->title[i].role == role)
                out[count++] = (struct axis){.column = i, .epoch = !steps, .last = NAN};
    }
    return count;
}

/* Does the row have something of the curve in it; of a loss? */
static bool row_has(const struct builder *b, size_t row, bool *loss)
{
    bool any = false;
    double v;

    *loss = false;
    for (size_t i = 0; i < b->slot_count; i++) {
        const struct slot *s = &b->slots[i];
        bool has = slot_measured(b->log, s, row, &v);
        any |= has;
        *loss |= has && s->target <= CURVE_VAL_LOSS;
    }
    return any;
}

static void follow_axis(const struct builder *b, size_t row, struct axis *a)
{
    double v;

    if (!read_axis(b->log, row, a->column, &v) || !isfinite(v))
        return;
    a->covered++;
    a->back += v < a->last;
    a->changes += !isnan(a->last) && v != a->last;
    a->last = v;
}

/* An epoch's number before a step's, if it changes; but first the one that most rows have. */
static bool is_better(const struct axis *a, const struct axis *b)
{
    if (a->covered != b->covered)
        return a->covered > b->covered;
    if ((a->changes > 0) != (b->changes > 0))
        return a->changes > 0;
    if (a->epoch != b->epoch)
        return a->epoch;
    return a->back < b->back;
}

static size_t choose_axis(const struct builder *b, size_t *missing)
{
    struct axis axes[AXES_MAX];
    size_t count = find_axes(b, axes), best = 0, losses = 0;
    bool loss;

    for (size_t row = 0; row < training_log_rows(b->log); row++) {
        if (!row_has(b, row, &loss) || !loss)
            continue;
        losses++;
        for (size_t i = 0; i < count; i++)
            follow_axis(b, row, &axes[i]);
    }
    for (size_t i = 1; i < count; i++)
        best = is_better(&axes[i], &axes[best]) ? i : best;
    *missing = count > 0 ? losses - axes[best].covered : 0;
    if (count == 0 || (axes[best].covered == 0 && losses > 0 && axes[best].column == NONE))
        return NONE;
    return axes[best].column;
}

/* --- rows ----------------------------------------------------------------------------------- */

static int add_row(struct builder *b, size_t row, size_t axis, bool loss, double *last)
{
    struct log_row *to = &b->rows[b->row_count];
    double v;

    if (axis == NONE) {
        v = (double)b->row_count + 1;
    } else if (!read_axis(b->log, row, axis, &v) || isnan(v)) {
        if (!loss)
            return 0; /* Lightning's LearningRateMonitor has rows of its own, without an epoch */
        double unused;
        bool text = read_at(b->log, row, axis, &unused) == CELL_BAD;
        if (isnan(*last) || (text && ++b->summaries > SUMMARIES_MAX))
            return reading_fail(b->reading, ERR_VALUE, b->log, row, axis, "a number");
        if (text) { /* "mean", "best": below the table */
            curve_note(b->reading->curve, "line %zu has no number in '%.80s': left out",
                       training_log_where(b->log, row), training_log_title(b->log, axis));
            return 0;
        }
        v = *last; /* a table in which an epoch's number stands in its first row only */
    }
    if (!isfinite(v) || v < 0)
        return reading_fail(b->reading, ERR_VALUE, b->log, row, axis, "a finite number >= 0");
    *to = (struct log_row){.axis = v, .row = row};
    *last = v;
    b->row_count++;
    return 0;
}

/* Without an axis: the rows' own order, or that of their times where the newest stands first. */
static void count_rows(struct builder *b)
{
    size_t column = clock_goes_back(b->log, b->rows, b->row_count);

    for (size_t i = 0; column != NONE && i < b->row_count / 2; i++) {
        struct log_row *first = &b->rows[i], *last = &b->rows[b->row_count - 1 - i];
        size_t row = first->row;
        first->row = last->row;
        last->row = row;
    }
    curve_note(b->reading->curve, "no column counts epochs or steps: rows are counted");
    if (column != NONE)
        curve_note(b->reading->curve, "the rows are put in order of '%.80s', the last first",
                   training_log_title(b->log, column));
}

static int collect_rows(struct builder *b)
{
    size_t rows = training_log_rows(b->log), missing, axis = choose_axis(b, &missing);
    double last = NAN;
    bool loss;

    b->rows = xmalloc((rows + 1) * sizeof(*b->rows));
    for (size_t row = 0; row < rows; row++) {
        if (!row_has(b, row, &loss))
            continue;
        int rc = add_row(b, row, axis, loss, &last);
        if (rc != 0)
            return rc;
    }
    if (axis == NONE)
        count_rows(b);
    else if (b->columns->title[axis].role == CURVE_ROLE_STEP)
        curve_note(b->reading->curve, "epochs are those of column '%.80s'",
                   training_log_title(b->log, axis));
    if (missing > b->summaries)
        curve_note(b->reading->curve, "%zu rows without a '%.80s' have that of the row before",
                   missing - b->summaries, training_log_title(b->log, axis));
    return 0;
}

/* --- points --------------------------------------------------------------------------------- */

/* The cells of a row; part: which parts of the two losses' sums are among them. */
static void fill(const struct builder *b, const struct log_row *row, struct point *p,
                 uint32_t part[2])
{
    double v;

    *p = (struct point){.epoch = row->axis};
    part[0] = part[1] = 0;
    for (size_t i = 0; i < b->slot_count; i++) {
        const struct slot *s = &b->slots[i];
        if (!slot_measured(b->log, s, row->row, &v))
            continue;
        if (s->target <= CURVE_VAL_LOSS && b->columns->series[s->target].count > 1) {
            v += point_has(p, s->target) ? p->v[s->target] : 0;
            part[s->target] |= UINT32_C(1) << s->part;
        }
        point_set(p, s->target, b->columns->series[s->target].percent ? v / 100 : v);
    }
}

static bool is_sum(const struct builder *b, int c)
{
    return c <= CURVE_VAL_LOSS && b->columns->series[c].count > 1;
}

/* Lightning writes the training and the validation loss of one epoch in rows of their own, the
 * other's cells empty: they are one point. */
static bool completes(const struct builder *b, const struct point *last, const uint32_t *parts,
                      const struct point *p, const uint32_t *part)
{
    uint32_t both = last->measured & p->measured;

    if (last->epoch != p->epoch)
        return false;
    for (int c = CURVE_TRAIN_LOSS; c <= CURVE_VAL_LOSS; c++)
        if (is_sum(b, c) && (parts[c] & part[c]) == 0)
            both &= ~(UINT32_C(1) << c);
    return both == 0;
}

static void complete(const struct builder *b, struct point *last, uint32_t *parts,
                     const struct point *p, const uint32_t *part)
{
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
        if (!point_has(p, (enum curve_column)c))
            continue;
        bool add = is_sum(b, c) && point_has(last, (enum curve_column)c);
        point_set(last, (enum curve_column)c, p->v[c] + (add ? last->v[c] : 0));
        if (is_sum(b, c))
            parts[c] |= part[c];
    }
}

/* A sum of which a part is missing was not measured. */
static void check_sums(const struct builder *b, struct point *p, const uint32_t *parts)
{
    for (int c = CURVE_TRAIN_LOSS; c <= CURVE_VAL_LOSS; c++)
        if (is_sum(b, c) && parts[c] != (UINT32_C(1) << b->columns->series[c].count) - 1)
            p->measured &= ~(UINT32_C(1) << c);
}

static void make_points(struct builder *b)
{
    struct curve *c = b->reading->curve;
    uint32_t parts[2] = {0};

    c->points = xmalloc((b->row_count + 1) * sizeof(*c->points));
    for (size_t i = 0; i < b->row_count; i++) {
        struct point p, *last = c->count > 0 ? &c->points[c->count - 1] : NULL;
        uint32_t part[2];
        fill(b, &b->rows[i], &p, part);
        if (last && completes(b, last, parts, &p, part)) {
            complete(b, last, parts, &p, part);
            continue;
        }
        if (last)
            check_sums(b, last, parts);
        memcpy(parts, part, sizeof(parts));
        p.point = (int64_t)c->count + 1;
        c->points[c->count++] = p;
    }
    if (c->count > 0)
        check_sums(b, &c->points[c->count - 1], parts);
}

static void find_slots(struct builder *b)
{
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
        const struct series *s = &b->columns->series[c];
        for (size_t i = 0; i < s->count; i++)
            b->slots[b->slot_count++] =
                (struct slot){.column = s->column[i], .target = (enum curve_column)c,
                              .part = (unsigned)i};
    }
}

int points_build(const struct training_log *l, const struct columns *c, struct reading *r)
{
    struct builder b = {.log = l, .columns = c, .reading = r};

    find_slots(&b);
    int rc = slots_judge(l, b.slots, b.slot_count, r);
    if (rc == 0)
        rc = collect_rows(&b);
    if (rc == 0)
        rc = segments_order(l, b.slots, b.slot_count, r, b.rows, &b.row_count);
    if (rc == 0) {
        make_points(&b);
        repeats_take(r->curve);
    }
    free(b.rows);
    return rc;
}
