#include "worker/data/classes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"

/* The rule by which whole numbers are codes of classes. */
#define FEW 10          /* so many different ones may be any dense codes */
#define SOME 20         /* beyond it they must be as good as evenly spread */
#define GAPS 3          /* dense: a range of at most so many times as many numbers */
#define ROWS_EACH 3     /* fewer rows than that for each of four or more: values */
#define ROWS_SPARSE 20  /* few numbers far apart are codes when each stands for so many rows */
#define UNEVEN_SOME 20  /* the rarest has at least that part of its even share */
#define UNEVEN_MANY 5

/* --- which numbers there are ------------------------------------------------------------------ */

/* Place of the label, or where it would have to be. */
static size_t place_of(const struct classes *c, double label)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->label[middle] < label)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct classes *c, size_t place, double label)
{
    return place < c->count && c->label[place] == label;
}

bool classes_find(const struct classes *c, double label, size_t *place)
{
    *place = place_of(c, label);
    return is_at(c, *place, label);
}

/* False when there are too many. */
static bool collect(const struct table *t, struct classes *c)
{
    c->count = 0;
    for (size_t i = 0; i < t->count * t->outputs; i++) {
        size_t at = place_of(c, t->targets[i]);
        if (is_at(c, at, t->targets[i])) {
            c->rows[at]++;
            continue;
        }
        if (c->count == SAMPLES_CLASSES_MAX)
            return false;
        memmove(c->label + at + 1, c->label + at, (c->count - at) * sizeof *c->label);
        memmove(c->rows + at + 1, c->rows + at, (c->count - at) * sizeof *c->rows);
        c->label[at] = t->targets[i];
        c->rows[at] = 1;
        c->count++;
    }
    return true;
}

/* 0..top for labels that are places already: those of IDX files, and of names. */
static void number_classes(size_t count, struct classes *c)
{
    c->count = count;
    for (size_t i = 0; i < count; i++)
        c->label[i] = (double)i;
}

/* Place of the first target that is no whole number; count · outputs when none is. */
static size_t first_fraction(const struct table *t)
{
    size_t i = 0, n = t->count * t->outputs;
    while (i < n && t->targets[i] == floor(t->targets[i]))
        i++;
    return i;
}

void classes_list(const struct classes *c, char *out, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < c->count && i < 12 && len < size; i++) {
        int n = snprintf(out + len, size - len, "%s%.15g", i > 0 ? ", " : "", c->label[i]);
        len += n > 0 ? (size_t)n : 0;
    }
    if (c->count > 12 && len < size)
        snprintf(out + len, size - len, ", … (%zu in all)", c->count);
}

/* --- do they look like codes ------------------------------------------------------------------ */

static double lowest(const struct classes *c)
{
    return c->label[0];
}

static double highest(const struct classes *c)
{
    return c->label[c->count - 1];
}

static size_t rarest(const struct classes *c)
{
    size_t least = c->rows[0];
    for (size_t i = 1; i < c->count; i++)
        least = c->rows[i] < least ? c->rows[i] : least;
    return least;
}

/* 0, 1, 2, … or 1, 2, 3, … without a gap. */
static bool counts_on(const struct classes *c)
{
    return (lowest(c) == 0 || lowest(c) == 1) &&
           highest(c) - lowest(c) + 1 == (double)c->count;
}

/* Why whole numbers are values to predict; NULL: they look like codes. Ages, counts and prices have
 * many numbers, gaps and rare ends; codes begin at 0 or 1, leave nothing out and have their rows
 * each. */
static const char *not_codes(const struct classes *c, size_t rows)
{
    size_t share = rows / c->count; /* of rows for each number, were they even */
    if (c->count <= 2)
        return NULL;
    if (lowest(c) < -1)
        return "some are below -1";
    if (c->count > 3 && rows < ROWS_EACH * c->count)
        return "few rows for each";
    if (c->count <= FEW) {
        bool dense = highest(c) - lowest(c) + 1 <= (double)(GAPS * c->count);
        return dense || share >= ROWS_SPARSE ? NULL : "far apart";
    }
    if (!counts_on(c))
        return "with gaps, or not from 0 or 1 on";
    size_t part = c->count <= SOME ? UNEVEN_SOME : UNEVEN_MANY;
    return rarest(c) * part >= share ? NULL : "some far rarer than others";
}

/* Labels of an IDX file are places already, also those that no sample has. */
static bool are_places(enum format format, const struct classes *c)
{
    return format == FORMAT_IDX && lowest(c) >= 0 && highest(c) < SAMPLES_CLASSES_MAX;
}

/* --- one-hot targets -------------------------------------------------------------------------- */

/* Place of the only 1 among zeros; n: it is no such row. */
static size_t hot_place(const double *row, size_t n)
{
    size_t hot = n;
    for (size_t k = 0; k < n; k++) {
        if (row[k] == 1 && hot == n)
            hot = k;
        else if (row[k] != 0)
            return n;
    }
    return hot;
}

bool classes_are_one_hot(const struct table *t)
{
    bool steps = t->shape.rank == 2 && t->shape.dim[0] == t->outputs;
    if (t->outputs < 2 || t->outputs > SAMPLES_CLASSES_MAX || steps || t->count == 0)
        return false;
    for (size_t i = 0; i < t->count; i++) {
        if (hot_place(t->targets + i * t->outputs, t->outputs) == t->outputs)
            return false;
    }
    return true;
}

bool classes_from_one_hot(struct table *t)
{
    if (t->count > 0 && !classes_are_one_hot(t))
        return false;
    for (size_t i = 0; i < t->count; i++)
        t->targets[i] = (double)hot_place(t->targets + i * t->outputs, t->outputs);
    t->outputs = 1;
    return true;
}

void classes_of_places(size_t count, struct classes *out)
{
    number_classes(count, out);
    snprintf(out->why, sizeof out->why, "classification: %zu one-hot targets", count);
}

/* --- the decision ----------------------------------------------------------------------------- */

static bool labels_fit(const struct table *t)
{
    return t->outputs == 1 || (t->shape.rank == 2 && t->shape.dim[0] == t->outputs);
}

/* Why the training file's targets are no labels. */
static int refuse_labels(const struct table *t, const char *path, bool too_many, struct errbuf *err)
{
    const char *key = "$.data.task", *value = "classification";
    size_t fraction = first_fraction(t);
    if (!labels_fit(t))
        return err_bad(err, ERR_DATA, key, value, "one label a sample, or one for each of its "
                       "steps (%s: %zu targets a sample)", path, t->outputs);
    if (fraction < t->count * t->outputs)
        return err_bad(err, ERR_DATA, key, value,
                       "targets that are names or whole numbers (%s: sample %zu has %g)", path,
                       fraction / t->outputs + 1, t->targets[fraction]);
    if (too_many)
        return err_bad(err, ERR_LIMIT, key, value, "at most %d classes (%s has more)",
                       SAMPLES_CLASSES_MAX, path);
    return 0;
}

/* Are they classes, by themselves? Says why. few: c has all numbers there are. */
static bool judge(enum format format, const struct table *t, bool few, struct classes *c)
{
    size_t fraction = first_fraction(t), all = t->count * t->outputs;
    const char *why = NULL;
    if (!labels_fit(t)) {
        snprintf(c->why, sizeof c->why, "regression: %zu targets of each sample", t->outputs);
        return false;
    }
    if (fraction < all) {
        snprintf(c->why, sizeof c->why, "regression: the targets are fractions, such as %.6g",
                 t->targets[fraction]);
        return false;
    }
    if (!few) {
        snprintf(c->why, sizeof c->why, "regression: more than %d different whole numbers",
                 SAMPLES_CLASSES_MAX);
        return false;
    }
    why = are_places(format, c) ? NULL : not_codes(c, all);
    if (why)
        snprintf(c->why, sizeof c->why,
                 "regression: %zu different whole numbers from %.15g to %.15g in %zu rows, %s",
                 c->count, lowest(c), highest(c), all, why);
    else
        snprintf(c->why, sizeof c->why, "classification: %zu whole number%s from %.15g to %.15g",
                 c->count, c->count == 1 ? "" : "s", lowest(c), highest(c));
    return !why;
}

int classes_decide(enum format format, enum task task, const struct table *t, struct classes *out,
                   struct errbuf *err)
{
    const char *path = out->path;
    bool named = t->class_names > 0;
    out->why[0] = '\0';
    if (task == TASK_REGRESSION && named)
        return err_bad(err, ERR_DATA, "$.data.task", "regression",
                       "targets that are numbers (%s has names: %.40s, …)", path, t->class_name[0]);
    bool few = task != TASK_REGRESSION && collect(t, out);
    if (task == TASK_REGRESSION || (task == TASK_AUTO && !named && !judge(format, t, few, out))) {
        out->count = 0;
        return 0;
    }
    int rc = refuse_labels(t, path, !few || t->class_names > SAMPLES_CLASSES_MAX, err);
    if (rc == 0 && (named || are_places(format, out)))
        number_classes(named ? t->class_names : (size_t)highest(out) + 1, out);
    return rc;
}
