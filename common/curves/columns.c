/* Which column is which quantity. The order of preference is that of docs/curves.md; what gives way
 * is named in a note, a true tie of losses refuses the file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/curves/candidates.h"
#include "common/curves/reading.h"
#include "common/curves/value_title.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define COMPARED_MAX 16 /* columns of one quantity, cell by cell */

/* --- one series ----------------------------------------------------------------------------- */

static struct buf list_columns(const struct training_log *l, const size_t *column, size_t count)
{
    struct buf out = {0};

    for (size_t i = 0; i < count && out.len < 200; i++)
        buf_printf(&out, "%s'%.60s'", i == 0 ? "" : i + 1 == count ? " and " : ", ",
                   training_log_title(l, column[i]));
    if (out.len >= 200)
        buf_puts(&out, ", …");
    return out;
}

/* "val_loss from column 3 'eval_loss'", where its title is another. */
static void note_series(const struct training_log *l, struct reading *r, enum curve_column c,
                        const struct series *s)
{
    const char *name = curve_column_name(c);
    const char *title = s->count == 1 ? training_log_title(l, s->column[0]) : name;

    if (strcmp(title, name) != 0 && r->reshaped)
        curve_note(r->curve, "%s from '%.100s'", name, title);
    else if (strcmp(title, name) != 0)
        curve_note(r->curve, "%s from column %zu '%.100s'", name, s->column[0] + 1, title);
    if (s->count > 1) {
        struct buf list = list_columns(l, s->column, s->count);
        curve_note(r->curve, "%s is the sum of %s", name, list.data);
        buf_finish(&list);
    }
}

static bool takes(const struct series *s, size_t column)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->column[i] == column)
            return true;
    return false;
}

/* --- losses --------------------------------------------------------------------------------- */

static int fail_tie(const struct training_log *l, const struct reading *r, const size_t *column,
                    size_t count, const char *why)
{
    struct buf list = list_columns(l, column, count);
    int rc = err_set(r->err, ERR_VALUE, "%.80s: columns %s %s; rename the one that counts to "
                     "train_loss or val_loss, or take the others out", r->name, list.data, why);
    buf_finish(&list);
    return rc;
}

/* The best candidate of one side that measures the same as `like` (NULL: whatever). */
static int best_of(const struct training_log *l, const struct candidates *k, enum side side,
                   const char *measure, struct reading *r, struct series *out)
{
    const struct candidate *best = NULL, *tied = NULL;
    size_t compared = 0;

    for (size_t i = 0; i < k->count; i++) {
        const struct candidate *c = &k->list[i];
        if (c->side != side || c->sum || strcmp(c->measure, measure) != 0)
            continue;
        int order = best ? candidate_order(c, best) : -1;
        if (order == 0 && (++compared > COMPARED_MAX ||
                           !candidates_equal(l, c->column, best->column)))
            tied = c;
        if (order < 0) {
            best = c;
            tied = NULL;
        }
    }
    if (tied)
        return fail_tie(l, r, (size_t[]){best->column, tied->column}, 2, "are one quantity twice");
    if (best)
        *out = (struct series){.column = {best->column}, .count = 1};
    return 0;
}

/* YOLO writes its loss in parts only. */
static void sum_of(const struct candidates *k, enum side side, struct series *out)
{
    enum curve_split split = CURVE_SPLIT_NONE;

    for (size_t i = 0; i < k->count; i++) {
        const struct candidate *c = &k->list[i];
        bool first = out->count == 0;
        if (c->side != side || !c->sum || !c->usable || out->count == SERIES_PARTS_MAX)
            continue;
        if (first)
            split = c->title->split;
        if (c->title->split == split)
            out->column[out->count++] = c->column;
    }
}

/* Losses of several things, of which nobody says that their sum is the loss. */
static int fail_parts(const struct training_log *l, const struct candidates *k,
                      const struct reading *r)
{
    size_t column[SERIES_PARTS_MAX], count = 0;

    for (size_t i = 0; i < k->count && count < SERIES_PARTS_MAX; i++)
        if (k->list[i].usable)
            column[count++] = k->list[i].column;
    return fail_tie(l, r, column, count, "are losses of parts, and none is the whole");
}

static int choose_losses(const struct training_log *l, struct reading *r, struct candidates *k,
                         struct columns *out)
{
    const char *measure;
    struct series *train = &out->series[CURVE_TRAIN_LOSS], *val = &out->series[CURVE_VAL_LOSS];
    int rc = 0;

    switch (candidates_measure(k, &measure)) {
    case MEASURE_NONE:
        return 0;
    case MEASURE_TIED:
        return fail_parts(l, k, r);
    case MEASURE_SUM:
        sum_of(k, SIDE_TRAIN, train);
        sum_of(k, SIDE_VAL, val);
        return 0;
    default:
        rc = best_of(l, k, SIDE_TRAIN, measure, r, train);
        return rc == 0 ? best_of(l, k, SIDE_VAL, measure, r, val) : rc;
    }
}

/* What else would have been a loss, or an accuracy. */
static void note_left_out(const struct training_log *l, struct reading *r,
                          const struct columns *c, const struct candidates *k)
{
    size_t column[SERIES_PARTS_MAX], count = 0;

    for (size_t i = 0; i < k->count && count < SERIES_PARTS_MAX; i++) {
        bool taken = false;
        for (int q = CURVE_TRAIN_LOSS; q <= CURVE_VAL_ACC; q++)
            taken |= takes(&c->series[q], k->list[i].column);
        if (!taken)
            column[count++] = k->list[i].column;
    }
    if (count == 0)
        return;
    struct buf list = list_columns(l, column, count);
    curve_note(r->curve, "left out: %s", list.data);
    buf_finish(&list);
}

/* --- what is no loss ------------------------------------------------------------------------ */

static const char *role_words(const struct curve_title *t)
{
    return t->what ? t->what : "unknown";
}

static void list_titles(const struct training_log *l, const struct curve_title *t, struct buf *out)
{
    for (size_t i = 0; i < training_log_columns(l) && out->len < 240; i++) {
        const char *title = training_log_title(l, i);
        if (t[i].role == CURVE_ROLE_EPOCH || t[i].role == CURVE_ROLE_STEP || title[0] == '\0')
            continue;
        buf_printf(out, "%s'%.50s' (%s)", out->len > 0 ? ", " : "", title, role_words(&t[i]));
    }
    if (out->len >= 240)
        buf_puts(out, ", …");
}

static int fail_no_loss(const struct training_log *l, const struct reading *r,
                        const struct columns *c)
{
    struct buf list = {0};
    int rc;

    list_titles(l, c->title, &list);
    rc = err_set(r->err, ERR_MISSING,
                 "%.80s: no column is a loss: %s; at least one of the columns train_loss (or loss, "
                 "Value), val_loss is needed", r->name, list.len > 0 ? list.data : "there is none");
    buf_finish(&list);
    return rc;
}

/* Accuracies never refuse a file: of two that are alike the first counts. */
static void choose_accuracy(const struct candidates *k, enum side side, struct series *out)
{
    const struct candidate *best = NULL;

    for (size_t i = 0; i < k->count; i++) {
        const struct candidate *c = &k->list[i];
        if (c->side == side && c->usable && (!best || candidate_order(c, best) < 0))
            best = c;
    }
    if (best)
        *out = (struct series){
            .column = {best->column}, .count = 1,
            .percent = best->beyond_one && !best->percent,
        };
}

static bool named_split(const struct columns *c, enum curve_column of, enum curve_split from)
{
    const struct series *s = &c->series[of];
    return s->count > 0 && c->title[s->column[0]].split >= from;
}

/* fastai and transformers write "train_loss, valid_loss, accuracy": measured in validation. */
static void choose_accuracies(const struct training_log *l, struct reading *r,
                              struct candidates *k, struct columns *c)
{
    struct series *train = &c->series[CURVE_TRAIN_ACC], *val = &c->series[CURVE_VAL_ACC];

    choose_accuracy(k, SIDE_TRAIN, train);
    choose_accuracy(k, SIDE_VAL, val);
    if (train->count > 0 && val->count == 0 && !named_split(c, CURVE_TRAIN_ACC, 1) &&
        named_split(c, CURVE_TRAIN_LOSS, CURVE_SPLIT_TRAIN) &&
        named_split(c, CURVE_VAL_LOSS, CURVE_SPLIT_VAL)) {
        *val = *train;
        *train = (struct series){0};
    }
    for (int i = CURVE_TRAIN_ACC; i <= CURVE_VAL_ACC; i++) {
        struct series *s = &c->series[i];
        note_series(l, r, (enum curve_column)i, s);
        if (s->percent)
            curve_note(r->curve, "'%.80s' is taken as per cent",
                       training_log_title(l, s->column[0]));
    }
}

/* Learning rate, gradient norm, …: the first of lowest rank. */
static void choose_others(const struct training_log *l, const struct columns *from,
                          struct columns *out)
{
    for (size_t i = 0; i < training_log_columns(l); i++) {
        const struct curve_title *t = &from->title[i];
        if (t->role != CURVE_ROLE_COLUMN || t->kind >= CURVE_COLUMN_COUNT)
            continue;
        struct series *s = &out->series[t->kind];
        if (s->count == 0 || t->rank < from->title[s->column[0]].rank)
            *s = (struct series){.column = {i}, .count = 1};
    }
}

/* --- all of them ---------------------------------------------------------------------------- */

static int read_titles(const struct training_log *l, struct reading *r, struct columns *c)
{
    size_t columns = training_log_columns(l);

    c->title = xcalloc(columns + 1, sizeof(*c->title));
    for (size_t i = 0; i < columns; i++) {
        const char *title = training_log_title(l, i);
        c->title[i] = curve_title_read(title, strlen(title));
    }
    return value_title_find(l, r, c->title);
}

int columns_choose(const struct training_log *l, struct reading *r, struct columns *out)
{
    struct candidates losses = {0}, accuracies = {0};
    struct columns c = {0};
    int rc = read_titles(l, r, &c);

    if (rc == 0) {
        candidates_find(l, c.title, &losses, &accuracies);
        rc = choose_losses(l, r, &losses, &c);
    }
    if (rc == 0 && c.series[CURVE_TRAIN_LOSS].count + c.series[CURVE_VAL_LOSS].count == 0)
        rc = fail_no_loss(l, r, &c);
    if (rc == 0) {
        note_series(l, r, CURVE_TRAIN_LOSS, &c.series[CURVE_TRAIN_LOSS]);
        note_series(l, r, CURVE_VAL_LOSS, &c.series[CURVE_VAL_LOSS]);
        note_left_out(l, r, &c, &losses);
        choose_accuracies(l, r, &accuracies, &c);
        note_left_out(l, r, &c, &accuracies);
        choose_others(l, &c, &c);
        *out = c;
    }
    candidates_finish(&losses);
    candidates_finish(&accuracies);
    if (rc != 0)
        columns_finish(&c);
    return rc;
}

void columns_finish(struct columns *c)
{
    free(c->title);
    *c = (struct columns){0};
}
