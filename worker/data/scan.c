#include "worker/data/scan.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "worker/data/class_names.h"
#include "worker/data/feature_names.h"
#include "worker/nn/real.h"

#define IMBALANCE_RATIO 10
#define SORTED_OVER 0.5   /* 0: neighbours are as different as any two; 1: the same */
#define SORTED_ROWS 32    /* fewer may look so by chance */
/* Columns, classes, the pair, the imbalance, the one class and the order find room behind all
 * positions. */
#define ROOM_FOR_REST (2 * SCAN_COLUMNS_MAX + 4)
_Static_assert(2 * SCAN_POSITIONS_MAX + SCAN_KINDS_MAX + ROOM_FOR_REST < RECORD_FINDINGS_MAX,
               "all kinds fit");

/* --- findings --------------------------------------------------------------------------------- */

/* The findings of one kind: the first `most` are listed, all are counted. */
struct list {
    struct record_prepared *out;
    const char *kind;
    size_t first, listed, most;
    int64_t count;
};

static struct list list_begin(struct record_prepared *out, const char *kind, size_t most)
{
    return (struct list){.out = out, .kind = kind, .first = out->finding_count, .most = most};
}

/* row and column from 0, -1 for none. */
static void list_add(struct list *l, int64_t row, int64_t column, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void list_add(struct list *l, int64_t row, int64_t column, const char *fmt, ...)
{
    l->count++;
    if (l->listed == l->most || l->out->finding_count == RECORD_FINDINGS_MAX)
        return;
    l->listed++;
    struct record_finding *f = &l->out->findings[l->out->finding_count++];
    va_list ap;
    memset(f, 0, sizeof *f);
    str_copy(f->kind, sizeof f->kind, l->kind);
    f->row = row + 1;
    f->column = column + 1;
    va_start(ap, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, ap);
    va_end(ap);
}

static void list_end(struct list *l)
{
    for (size_t i = l->first; i < l->out->finding_count; i++) {
        struct record_finding *f = &l->out->findings[i];
        if (strcmp(f->kind, l->kind) == 0)
            f->count = l->count;
    }
}

/* A row as people count: within its file. */
struct place {
    int64_t row; /* from 0 */
    char file[SAMPLES_FILE_MAX + 32]; /* what it is called in a sentence */
};

static void name_file(const struct samples *s, size_t part, char *out, size_t size)
{
    static const char *const parts[] = {
        [PART_TRAIN] = "training", [PART_VALIDATION] = "validation", [PART_TEST] = "test"};
    if (s->file[part][0])
        str_copy(out, size, s->file[part]);
    else if (s->file[PART_TRAIN][0])
        snprintf(out, size, "the %s part of %s", parts[part], s->file[PART_TRAIN]);
    else
        snprintf(out, size, "the %s file", parts[part]);
}

static struct place place_of(const struct samples *s, size_t row)
{
    struct place at;
    size_t part = PART_TRAIN;
    while (part + 1 < PART_COUNT && row >= s->parts[part])
        row -= s->parts[part++];
    at.row = (int64_t)row;
    name_file(s, part, at.file, sizeof at.file);
    return at;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* x - x is 0 for what is finite, NaN for all else, so one sum tells whether a row is clean. */
static bool row_clean(const float *x, size_t n)
{
    real_lanes lanes = {0};
    size_t i = 0;
    for (; i + REAL_LANES <= n; i += REAL_LANES) {
        real_lanes v = *(const real_lanes *)(x + i);
        lanes += v - v;
    }
    float sum = 0;
    for (size_t j = 0; j < REAL_LANES; j++)
        sum += lanes[j];
    for (; i < n; i++)
        sum += x[i] - x[i];
    return sum == 0;
}

void scan_samples(const struct samples *s, struct record_prepared *out)
{
    if (s->type != SAMPLES_F32)
        return;
    struct list nan = list_begin(out, "nan_in_input", SCAN_POSITIONS_MAX);
    struct list inf = list_begin(out, "inf_in_input", SCAN_POSITIONS_MAX);
    struct feature_names names;
    char column[FEATURE_PLACE_MAX];
    feature_names_init(&names, s);
    for (size_t row = 0; row < s->count; row++) {
        const float *x = (const float *)s->values + row * s->features;
        if (row_clean(x, s->features))
            continue;
        struct place at = place_of(s, row);
        for (size_t j = 0; j < s->features; j++) {
            if (isfinite(x[j]) || feature_goes_on(&names, j))
                continue;
            list_add(isnan(x[j]) ? &nan : &inf, at.row, feature_column(&names, j) - 1,
                     "%s at row %lld, %s of %s",
                     isnan(x[j]) ? "not a number" : "infinite", (long long)at.row + 1,
                     feature_place(&names, j, column), at.file);
        }
    }
    feature_names_finish(&names);
    list_end(&nan);
    list_end(&inf);
}

/* --- scaling ---------------------------------------------------------------------------------- */

static void scan_scaled_row(const struct samples *s, const struct scaling *scaling, size_t row,
                            const float *raw, const float *scaled, struct list *l,
                            const struct feature_names *names)
{
    struct place at = place_of(s, row);
    char column[FEATURE_PLACE_MAX];
    for (size_t j = 0; j < s->features; j++) {
        bool hole = !scaling->fill && !isfinite(raw[j]); /* scan_samples' */
        if (isfinite(scaled[j]) || hole || feature_goes_on(names, j))
            continue;
        list_add(l, at.row, feature_column(names, j) - 1,
                 "%s after scaling: row %lld, %s of %s (too large)",
                 isnan(scaled[j]) ? "not a number" : "infinite", (long long)at.row + 1,
                 feature_place(names, j, column), at.file);
    }
}

/* The parts' rows, each ascending, as one ascending sequence. */
struct rows {
    const uint32_t *next[PART_COUNT], *end[PART_COUNT];
};

static struct rows rows_of(const struct split *p)
{
    return (struct rows){
        .next = {p->train, p->validation, p->test},
        .end = {p->train + p->train_count, p->validation + p->validation_count,
                p->test + p->test_count}};
}

static bool rows_next(struct rows *r, uint32_t *row)
{
    size_t first = PART_COUNT;
    for (size_t k = 0; k < PART_COUNT; k++) {
        if (r->next[k] != r->end[k] && (first == PART_COUNT || *r->next[k] < *r->next[first]))
            first = k;
    }
    if (first == PART_COUNT)
        return false;
    *row = *r->next[first]++;
    return true;
}

static void scan_scaled(const struct samples *s, const struct split *p,
                        const struct feature_names *names, struct record_prepared *out)
{
    if (!p->scaling.shift)
        return;
    size_t used = out->finding_count + ROOM_FOR_REST;
    size_t room = used < RECORD_FINDINGS_MAX ? RECORD_FINDINGS_MAX - used : 0;
    struct list l = list_begin(out, "nan_after_scaling",
                               room < SCAN_POSITIONS_MAX ? room : SCAN_POSITIONS_MAX);
    float *raw = xmalloc(s->features * sizeof *raw), *scaled = xmalloc(s->features * sizeof *raw);
    struct rows rows = rows_of(p);
    for (uint32_t row; rows_next(&rows, &row);) {
        samples_row(s, row, &p->scaling, scaled);
        if (row_clean(scaled, s->features))
            continue;
        samples_row(s, row, NULL, raw);
        scan_scaled_row(s, &p->scaling, row, raw, scaled, &l, names);
    }
    list_end(&l);
    free(raw);
    free(scaled);
}

/* --- columns ---------------------------------------------------------------------------------- */

static float value_at(const struct samples *s, size_t row, size_t column)
{
    size_t at = row * s->features + column;
    return s->type == SAMPLES_U8 ? ((const uint8_t *)s->values)[at]
                                 : ((const float *)s->values)[at];
}

/* Columns that have shown one finite value so far, ascending. */
struct constants {
    size_t count;
    uint32_t *column;
    float *value; /* NaN before the first */
};

/* Takes out those that differ in this row; holes say nothing. */
static void constants_meet(struct constants *c, const struct samples *s, size_t row)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++) {
        float x = value_at(s, row, c->column[i]), known = c->value[i];
        if (isfinite(x) && !isnan(known) && x != known)
            continue;
        c->column[kept] = c->column[i];
        c->value[kept++] = isfinite(x) && isnan(known) ? x : known;
    }
    c->count = kept;
}

static void scan_constants(const struct samples *s, const struct split *p,
                           const struct feature_names *names, struct record_prepared *out)
{
    char column[FEATURE_PLACE_MAX];
    struct list l = list_begin(out, "constant_column", SCAN_COLUMNS_MAX);
    struct constants c = {.count = s->features,
                          .column = xmalloc(s->features * sizeof *c.column),
                          .value = xmalloc(s->features * sizeof *c.value)};
    for (size_t j = 0; j < s->features; j++) {
        c.column[j] = (uint32_t)j;
        c.value[j] = NAN;
    }
    for (size_t i = 0; i < p->train_count && c.count > 0; i++)
        constants_meet(&c, s, p->train[i]);
    for (size_t i = 0; i < c.count && p->train_count > 1; i++) {
        /* A rare category may well be in no row. */
        if (!isnan(c.value[i]) && !feature_is_category(names, c.column[i]))
            list_add(&l, -1, feature_column(names, c.column[i]) - 1,
                     "%s is %.9g in every row of the training part",
                     feature_place(names, c.column[i], column), (double)c.value[i]);
    }
    list_end(&l);
    free(c.column);
    free(c.value);
}

/* --- classes ---------------------------------------------------------------------------------- */

static void count_labels(const struct samples *s, const uint32_t *rows, size_t count,
                         size_t of_class[SAMPLES_CLASSES_MAX])
{
    memset(of_class, 0, SAMPLES_CLASSES_MAX * sizeof *of_class);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < s->outputs; j++)
            of_class[s->labels[rows[i] * s->outputs + j]]++;
    }
}

/* Samples of each class, by part, and what they are called. */
struct class_counts {
    size_t count; /* classes */
    size_t train[SAMPLES_CLASSES_MAX], validation[SAMPLES_CLASSES_MAX];
    struct class_names names;
};

static void scan_missing(const struct class_counts *n, struct record_prepared *out)
{
    char name[CLASS_SHOW_MAX];
    struct list l = list_begin(out, "class_only_in_validation", SCAN_COLUMNS_MAX);
    for (size_t c = 0; c < n->count; c++) {
        if (n->train[c] == 0 && n->validation[c] > 0)
            list_add(&l, -1, -1, "%s: %zu in the validation part, none in the training part",
                     class_show(&n->names, c, name), n->validation[c]);
    }
    list_end(&l);
}

static void scan_imbalance(const struct class_counts *n, struct record_prepared *out)
{
    const size_t *train = n->train;
    char much[CLASS_SHOW_MAX], little[CLASS_SHOW_MAX];
    struct list l = list_begin(out, "class_imbalance", 1);
    size_t most = 0, least = SIZE_MAX;
    for (size_t c = 0; c < n->count; c++) {
        if (train[c] == 0)
            continue;
        most = train[c] > train[most] ? c : most;
        least = least == SIZE_MAX || train[c] < train[least] ? c : least;
    }
    if (least != SIZE_MAX && train[most] > IMBALANCE_RATIO * train[least])
        list_add(&l, -1, -1, "%s has %zu in the training part, %s only %zu",
                 class_show(&n->names, most, much), train[most],
                 class_show(&n->names, least, little), train[least]);
    list_end(&l);
}

static void scan_single(const struct class_counts *n, struct record_prepared *out)
{
    char name[CLASS_SHOW_MAX];
    struct list l = list_begin(out, "single_class", 1);
    size_t classes = 0, only = 0;
    for (size_t c = 0; c < n->count; c++) {
        classes += n->train[c] > 0;
        only = n->train[c] > 0 ? c : only;
    }
    if (classes == 1)
        list_add(&l, -1, -1, "every row of the training part is of %s: there is nothing to tell "
                 "apart (data.target, data.limit)", class_show(&n->names, only, name));
    list_end(&l);
}

static void scan_classes(const struct samples *s, const struct split *p,
                         struct record_prepared *out)
{
    struct class_counts n = {.count = s->classes};
    if (!s->labels)
        return;
    count_labels(s, p->train, p->train_count, n.train);
    count_labels(s, p->validation, p->validation_count, n.validation);
    class_names_init(&n.names, s);
    scan_missing(&n, out);
    scan_imbalance(&n, out);
    scan_single(&n, out);
    class_names_finish(&n.names);
}

/* --- order ------------------------------------------------------------------------------------ */

/* How much more often neighbours have one label than any two rows (Cohen's kappa). */
static double labels_in_order(const struct samples *s, const struct split *p)
{
    size_t of_class[SAMPLES_CLASSES_MAX], same = 0;
    double n = (double)p->train_count, chance = 0;
    count_labels(s, p->train, p->train_count, of_class);
    for (size_t c = 0; c < s->classes; c++)
        chance += (double)of_class[c] / n * ((double)of_class[c] / n);
    for (size_t i = 1; i < p->train_count; i++)
        same += s->labels[p->train[i]] == s->labels[p->train[i - 1]];
    return ((double)same / (n - 1) - chance) / (1 - chance); /* one class: 0/0 */
}

/* 1 - mean squared difference of neighbours / that of any two (von Neumann's ratio, 1941). */
static double targets_in_order(const struct samples *s, const struct split *p)
{
    double sum = 0, square = 0, steps = 0, n = (double)p->train_count;
    for (size_t i = 0; i < p->train_count; i++) {
        double t = (double)s->targets[p->train[i]];
        double step = i > 0 ? t - (double)s->targets[p->train[i - 1]] : 0;
        sum += t;
        square += t * t;
        steps += step * step;
    }
    return 1 - steps / (n - 1) / (2 * (square / n - sum / n * (sum / n)));
}

/* Harmless as long as the run shuffles (G1.3). */
static void scan_order(const struct samples *s, const struct split *p, struct record_prepared *out)
{
    struct list l = list_begin(out, "sorted_targets", 1);
    if (s->outputs != 1 || p->train_count < SORTED_ROWS)
        return;
    double order = s->labels ? labels_in_order(s, p) : targets_in_order(s, p);
    if (order > SORTED_OVER)
        list_add(&l, -1, -1, "the training part is in the order of its %s: shuffle it (G1.3)",
                 s->labels ? "classes" : "targets");
    list_end(&l);
}

/* --- duplicates ------------------------------------------------------------------------------- */

/* Different validation rows by their hash, linear probing, at most half full. */
struct row_set {
    struct row_entry {
        uint32_t hash, row;
        uint32_t copies; /* validation rows that are this one; 0: a free entry */
        bool found;      /* in the training part */
    } *entries;
    size_t mask;
};

static const char *row_bytes(const struct samples *s, size_t row, size_t *len)
{
    *len = s->features * samples_value_bytes(s->type);
    return (const char *)s->values + row * *len;
}

/* Four products at a time, none waiting for another; what collides is compared. */
static uint32_t row_hash(const struct samples *s, size_t row)
{
    const uint64_t factor = 0x9E3779B97F4A7C15u; /* 2^64 / golden ratio */
    size_t len;
    const char *p = row_bytes(s, row, &len);
    uint64_t h[4] = {1, 2, 3, 4}, word[4];
    for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
        memcpy(word, p, sizeof word);
        for (size_t k = 0; k < 4; k++)
            h[k] = (h[k] ^ word[k]) * factor ^ h[k] >> 29;
    }
    memset(word, 0, sizeof word);
    memcpy(word, p, len);
    uint64_t sum = 0;
    for (size_t k = 0; k < 4; k++) {
        sum = (sum ^ h[k] ^ word[k]) * factor;
        sum ^= sum >> 32;
    }
    return (uint32_t)(sum * factor >> 32);
}

/* The row's entry, or the free one where it would be. */
static struct row_entry *row_set_find(const struct row_set *set, const struct samples *s,
                                      uint32_t hash, size_t row)
{
    size_t len;
    const char *bytes = row_bytes(s, row, &len);
    for (size_t at = hash & set->mask;; at = (at + 1) & set->mask) {
        struct row_entry *e = &set->entries[at];
        if (e->copies == 0 ||
            (e->hash == hash && memcmp(bytes, row_bytes(s, e->row, &len), len) == 0))
            return e;
    }
}

static void row_set_init(struct row_set *set, const struct samples *s, const struct split *p)
{
    size_t size = 2;
    while (size < 2 * p->validation_count)
        size *= 2;
    set->entries = xcalloc(size, sizeof *set->entries);
    set->mask = size - 1;
    for (size_t i = 0; i < p->validation_count; i++) {
        uint32_t row = p->validation[i], hash = row_hash(s, row);
        struct row_entry *e = row_set_find(set, s, hash, row);
        if (e->copies++ == 0) {
            e->hash = hash;
            e->row = row;
        }
    }
}

static void scan_duplicates(const struct samples *s, const struct split *p,
                            struct record_prepared *out)
{
    struct list l = list_begin(out, "duplicate_rows", 1);
    struct row_set set;
    int64_t count = 0;
    if (p->validation_count == 0)
        return;
    row_set_init(&set, s, p);
    for (size_t i = 0; i < p->train_count; i++) {
        struct row_entry *e = row_set_find(&set, s, row_hash(s, p->train[i]), p->train[i]);
        if (e->copies == 0 || e->found)
            continue;
        struct place train = place_of(s, p->train[i]), validation = place_of(s, e->row);
        e->found = true;
        count += e->copies;
        list_add(&l, validation.row, -1,
                 "row %lld of %s, held out, is the same as row %lld of %s, trained on",
                 (long long)validation.row + 1, validation.file, (long long)train.row + 1,
                 train.file);
    }
    l.count = count;
    list_end(&l);
    free(set.entries);
}

void scan_split(const struct samples *s, const struct split *p, const struct settings *settings,
                struct record_prepared *out)
{
    struct feature_names names;
    feature_names_init(&names, s);
    scan_scaled(s, p, &names, out);
    scan_constants(s, p, &names, out);
    feature_names_finish(&names);
    scan_classes(s, p, out);
    scan_duplicates(s, p, out);
    scan_order(s, p, out);
}
