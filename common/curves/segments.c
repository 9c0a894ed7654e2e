/* Where the count of epochs goes back, a log was resumed, or begun anew. The rule (docs/curves.md):
 * every epoch once: the rows are put in order; back to a later epoch than the first: the later rows
 * count; back to the first: the loss goes on from its last level: the count goes on too; else a
 * training from the start, which counts if those before ended before its half. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/curves/reading.h"
#include "sweep/buf.h"
#include "sweep/curve_file.h"
#include "sweep/err.h"

#define SHOWN_MAX 6
#define FLAT_SHARE 0.5 /* of the range: a way that is shorter is noise */

/* Rows between two places where the axis goes back. */
struct segment {
    double first, low, high, last; /* axis */
    double spacing;                /* of the last two that differ; 0: unknown */
    double loss_first, loss_last;  /* NaN: none */
    double loss_low, loss_high;
    size_t where;                  /* line of the first row */
    double offset;                 /* added to its axis */
    size_t training;               /* from 0 */
};

struct segments {
    struct segment *list;
    size_t count, cap;
};

/* --- cutting -------------------------------------------------------------------------------- */

static struct segment *segment_at(struct segments *s, size_t at, const struct training_log *l,
                                  const struct log_row *row)
{
    if (at == s->count) {
        s->list = array_room(s->list, &s->cap, s->count, sizeof(*s->list));
        s->list[s->count++] = (struct segment){
            .first = row->axis, .low = row->axis, .high = row->axis, .last = row->axis,
            .loss_first = NAN, .loss_last = NAN, .loss_low = INFINITY, .loss_high = -INFINITY,
            .where = training_log_where(l, row->row),
        };
    }
    return &s->list[at];
}

static void extend(struct segment *s, double axis)
{
    if (axis > s->last)
        s->spacing = axis - s->last;
    s->low = fmin(s->low, axis);
    s->high = fmax(s->high, axis);
    s->last = axis;
}

/* The segment of one row: that of its columns, or the next where one of them goes back. */
static size_t place_row(const struct training_log *l, const struct slot *slots, size_t slot_count,
                        const struct log_row *row, double *last, size_t *segment)
{
    size_t at = 0;
    double v;

    for (size_t i = 0; i < slot_count; i++) {
        if (!slot_measured(l, &slots[i], row->row, &v))
            continue;
        size_t mine = segment[i] + (row->axis < last[i]);
        at = mine > at ? mine : at;
    }
    for (size_t i = 0; i < slot_count; i++) {
        if (!slot_measured(l, &slots[i], row->row, &v))
            continue;
        segment[i] = at;
        last[i] = row->axis;
    }
    return at;
}

/* Rows of all columns are in one order: what goes back for one does for all. */
static void share(size_t at, size_t slot_count, double *last, size_t *segment)
{
    for (size_t i = 0; i < slot_count; i++) {
        if (segment[i] < at)
            last[i] = -INFINITY;
        segment[i] = at;
    }
}

static void cut(const struct training_log *l, const struct slot *slots, size_t slot_count,
                bool by_key, struct log_row *rows, size_t count, struct segments *out)
{
    double *last = xmalloc((slot_count + 1) * sizeof(*last));
    size_t *segment = xcalloc(slot_count + 1, sizeof(*segment));

    for (size_t i = 0; i < slot_count; i++)
        last[i] = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        size_t at = place_row(l, slots, slot_count, &rows[i], last, segment);
        /* A column may lag by more than one segment behind what it never was measured in. */
        at = at > out->count ? out->count : at;
        if (!by_key)
            share(at, slot_count, last, segment);
        rows[i].segment = at;
        extend(segment_at(out, at, l, &rows[i]), rows[i].axis);
    }
    free(last);
    free(segment);
}

/* The level of the loss at both ends: of the training loss, else of the validation loss. */
static void find_levels(const struct training_log *l, const struct slot *slots, size_t slot_count,
                        const struct log_row *rows, size_t count, struct segments *s)
{
    const struct slot *loss = NULL;
    double v;

    for (size_t i = 0; i < slot_count; i++)
        if (slots[i].target <= CURVE_VAL_LOSS && (!loss || slots[i].target < loss->target))
            loss = &slots[i];
    for (size_t i = 0; loss && i < count; i++) {
        struct segment *at = &s->list[rows[i].segment];
        if (!slot_measured(l, loss, rows[i].row, &v) || !isfinite(v))
            continue;
        at->loss_first = isnan(at->loss_first) ? v : at->loss_first;
        at->loss_last = v;
        at->loss_low = fmin(at->loss_low, v);
        at->loss_high = fmax(at->loss_high, v);
    }
}

/* --- deciding ------------------------------------------------------------------------------- */

/* Does the loss begin nearer to where the one before ended than to where that began, or below
 * both? Where both ends are within the noise nothing says that it began anew. */
static bool goes_on(const struct segment *before, const struct segment *s)
{
    double end = fabs(s->loss_first - before->loss_last);
    double start = fabs(s->loss_first - before->loss_first);
    double way = fabs(before->loss_first - before->loss_last);

    if (!(before->loss_high > before->loss_low))
        return s->loss_first < before->loss_last;
    if (s->loss_first <= before->loss_last && before->loss_last <= before->loss_first)
        return true;
    return end < start || way < FLAT_SHARE * (before->loss_high - before->loss_low);
}

struct decision {
    size_t rewound, goes_on; /* how often */
    double rewound_to;
    size_t line; /* of the first */
};

/* Offset and training of each segment by the one before. */
static void decide(struct segments *s, struct decision *d)
{
    const struct segment *first = &s->list[0]; /* of the training */
    double start = first->low, low = first->loss_low, high = first->loss_high;

    for (size_t i = 1; i < s->count; i++) {
        struct segment *p = &s->list[i - 1], *c = &s->list[i];
        struct segment whole = *p;
        whole.loss_first = first->loss_first;
        whole.loss_low = low = fmin(low, p->loss_low);
        whole.loss_high = high = fmax(high, p->loss_high);
        c->training = p->training;
        c->offset = p->offset;
        if (c->first > start) {
            d->rewound_to = d->rewound++ ? d->rewound_to : c->first + c->offset;
        } else if (goes_on(&whole, c)) {
            double spacing = p->spacing > 0 ? p->spacing : 1;
            c->offset = p->high + p->offset + spacing - c->first;
            d->goes_on++;
        } else {
            c->training++;
            c->offset = 0;
            first = c;
            start = c->low;
            low = c->loss_low;
            high = c->loss_high;
            continue;
        }
        start = c->first <= start ? c->first : start;
        d->line = d->line > 0 ? d->line : c->where;
    }
}

/* Do all trainings before the last end before half of its epochs? */
static bool last_counts(const struct segments *s)
{
    const struct segment *last = &s->list[s->count - 1];
    double end = 0, others = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct segment *c = &s->list[i];
        double *to = c->training == last->training ? &end : &others;
        *to = fmax(*to, c->high + c->offset);
    }
    return others * 2 < end;
}

static int fail_trainings(const struct segments *s, const struct reading *r, size_t trainings)
{
    struct buf lines = {0};
    int rc;

    for (size_t i = 0, shown = 0; i < s->count && shown <= SHOWN_MAX; i++) {
        if (i > 0 && s->list[i].training == s->list[i - 1].training)
            continue;
        if (shown++ == SHOWN_MAX)
            buf_puts(&lines, ", …");
        else
            buf_printf(&lines, "%s%zu", shown > 1 ? ", " : "", s->list[i].where);
    }
    if (r->run)
        rc = err_bad(r->err, ERR_VALUE, "--run", r->run,
                     "a number from 1 to %zu: the trainings that begin at lines %s", trainings,
                     lines.data);
    else
        rc = err_set(r->err, ERR_VALUE,
                     "%.80s: %zu trainings one after the other, each from the start, at lines %s; "
                     "take one with --run 1 to --run %zu",
                     r->name, trainings, lines.data, trainings);
    buf_finish(&lines);
    return rc;
}

/* The one of several trainings that is asked for, or that alone came to something. */
static int choose_training(const struct segments *s, struct reading *r, size_t *out)
{
    size_t trainings = s->list[s->count - 1].training + 1, number = 0;
    char *end = NULL;

    *out = 0;
    if (trainings == 1)
        return 0;
    if (r->run && !r->run_found) {
        number = strspn(r->run, "0123456789") > 0 ? strtoul(r->run, &end, 10) : 0;
        if (number < 1 || number > trainings || *end != '\0')
            return fail_trainings(s, r, trainings);
        r->run_found = true;
        *out = number - 1;
        curve_note(r->curve, "training %zu of %zu, one after the other in the file", number,
                   trainings);
        return 0;
    }
    if (!last_counts(s))
        return fail_trainings(s, r, trainings);
    *out = trainings - 1;
    curve_note(r->curve, "training begins anew %zu times, soon after it began: the last one counts",
               trainings - 1);
    return 0;
}

/* Rows that a later segment goes over again are dropped. */
static void drop_rewound(const struct segments *s, struct log_row *rows, size_t count)
{
    double *from = xmalloc((s->count + 1) * sizeof(*from));

    /* from[i]: what segments behind i begin with, the least of it in the same training. */
    from[s->count - 1] = INFINITY;
    for (size_t i = s->count - 1; i > 0; i--) {
        const struct segment *next = &s->list[i];
        bool same = next->training == s->list[i - 1].training;
        from[i - 1] = same ? fmin(from[i], next->low + next->offset) : INFINITY;
    }
    for (size_t i = 0; i < count; i++) {
        rows[i].axis += s->list[rows[i].segment].offset;
        rows[i].dropped = rows[i].axis >= from[rows[i].segment];
    }
    free(from);
}

static void note_decision(struct reading *r, const struct decision *d)
{
    if (d->rewound > 0)
        curve_note(r->curve,
                   "resumed at epoch %g (line %zu)%s: where epochs come twice, the later count",
                   d->rewound_to, d->line, d->rewound > 1 ? " and later" : "");
    if (d->goes_on > 0)
        curve_note(r->curve,
                   "the count of epochs begins again%s at line %zu, the loss goes on: so does the "
                   "count", d->goes_on > 1 ? " several times, first" : "", d->line);
}

/* --- order ---------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct log_row *x = a, *y = b;

    if (x->axis != y->axis)
        return x->axis < y->axis ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void sort(struct log_row *rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare(&rows[i - 1], &rows[i]) > 0) {
            qsort(rows, count, sizeof(*rows), compare);
            return;
        }
    }
}

/* No column has two values of one epoch: then only the order is unusual. rows: sorted. */
static bool is_unique(const struct training_log *l, const struct slot *slots, size_t slot_count,
                      const struct log_row *rows, size_t count)
{
    double *last = xmalloc((slot_count + 1) * sizeof(*last)), v;
    bool unique = true;

    for (size_t i = 0; i < slot_count; i++)
        last[i] = NAN;
    for (size_t i = 0; unique && i < count; i++) {
        for (size_t k = 0; k < slot_count; k++) {
            if (!slot_measured(l, &slots[k], rows[i].row, &v))
                continue;
            unique &= last[k] != rows[i].axis;
            last[k] = rows[i].axis;
        }
    }
    free(last);
    return unique;
}

static int resolve(const struct segments *s, struct reading *r, const struct decision *d,
                   struct log_row *rows, size_t *count)
{
    size_t training, kept = 0;
    int rc = choose_training(s, r, &training);

    if (rc != 0)
        return rc;
    note_decision(r, d);
    drop_rewound(s, rows, *count);
    for (size_t i = 0; i < *count; i++)
        if (!rows[i].dropped && s->list[rows[i].segment].training == training)
            rows[kept++] = rows[i];
    *count = kept;
    sort(rows, kept);
    return 0;
}

int segments_order(const struct training_log *l, const struct slot *slots, size_t slot_count,
                   struct reading *r, struct log_row *rows, size_t *count)
{
    struct segments s = {0};
    struct decision d = {0};
    int rc = 0;

    if (*count == 0)
        return 0;
    cut(l, slots, slot_count, r->by_key, rows, *count, &s);
    if (s.count > 1) {
        struct log_row *sorted = xmalloc(*count * sizeof(*sorted));
        memcpy(sorted, rows, *count * sizeof(*sorted));
        sort(sorted, *count);
        if (is_unique(l, slots, slot_count, sorted, *count)) {
            memcpy(rows, sorted, *count * sizeof(*rows));
            curve_note(r->curve, "the rows are put in order of epoch");
        } else {
            find_levels(l, slots, slot_count, rows, *count, &s);
            decide(&s, &d);
            rc = resolve(&s, r, &d, rows, count);
        }
        free(sorted);
    } else {
        sort(rows, *count);
    }
    free(s.list);
    return rc;
}
