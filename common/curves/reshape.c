/* Long tables made wide: a row that names its quantity ("key,step,value") or its set
 * ("phase,epoch,loss") gives cells of columns of those names. Rows of other runs go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/curves/reading.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define TITLE_MAX 512
#define SET_MAX 40
#define NONE SIZE_MAX

enum meaning { PLAIN, AXIS, DROPPED };

struct shape {
    size_t key, value, set; /* columns, or NONE */
    const char *yes, *no;   /* of a set column of 1 and 0, or True and False; else NULL */
    unsigned char *meaning; /* enum meaning of each column */
    bool *taken, *drop;
    int *to; /* of a plain column: its place in the new log */
    /* Titles made of a row's set and key, and their places in the new log: titles of a log of
     * their own, for it finds them fast. */
    struct training_log *made;
    int made_to[LOG_COLUMNS_MAX];
};

static const char *const KEYS[] = {"key", "metric", "metric_name", "metricname", "tag", "variable",
                                   "series", "measure", "quantity", "name"};
static const char *const VALUES[] = {"value", "metric_value", "metricvalue", "scalar",
                                     "values"};
static const char *const SETS[] = {"phase", "split", "mode", "set", "subset", "stage", "dataset",
                                   "partition", "type", "run", "name", "context",
                                   "metric_context", "variant"};

/* What all texts of a column are. */
struct content {
    bool numbers, texts, sets;
};

/* "train" of "lr0.1/train", a run's folder. */
static const char *last_part(const char *text)
{
    const char *slash = strrchr(text, '/');
    return slash ? slash + 1 : text;
}

/* The set that a text is: "train", "Validation", or the one of Aim's "{'subset': 'train'}"; NULL:
 * none. */
static const char *set_in(const char *part, char plain[SET_MAX + 1])
{
    title_plain(part, plain, SET_MAX + 1);
    const char *word = strncmp(plain, "subset_", 7) == 0 ? plain + 7 : plain;
    return curve_split_find(word, strlen(word)) != CURVE_SPLIT_NONE ? word : NULL;
}

/* Names a set, in a folder with the one before (NULL: there is none). */
static bool is_set_of(const char *text, const char *before)
{
    char plain[SET_MAX + 1];
    const char *part = last_part(text);
    size_t folder = (size_t)(part - text);

    if (!set_in(part, plain))
        return false;
    return !before || ((size_t)(last_part(before) - before) == folder &&
                       memcmp(before, text, folder) == 0);
}

static struct content content_of(const struct training_log *l, size_t column)
{
    struct content c = {.sets = true};
    const char *before = NULL;

    for (size_t i = 0; i < training_log_rows(l); i++) {
        const char *text = NULL;
        double value;
        enum log_cell_kind kind = training_log_cell(l, i, column, &value, &text);
        c.numbers |= kind == LOG_NUMBER;
        c.texts |= kind == LOG_TEXT;
        if (kind == LOG_TEXT && c.sets) {
            c.sets = is_set_of(text, before);
            before = text;
        }
    }
    c.sets &= c.texts && !c.numbers;
    return c;
}

/* The column that is titled as the first of those names which has one, and has such cells. */
static size_t find_column(const struct training_log *l, const char *const *names, size_t count,
                          bool (*fits)(struct content))
{
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < training_log_columns(l); i++) {
            char plain[64];
            title_plain(training_log_title(l, i), plain, sizeof(plain));
            if (strcmp(plain, names[k]) == 0 && fits(content_of(l, i)))
                return i;
        }
    }
    return NONE;
}

static bool is_text(struct content c)
{
    return c.texts && !c.numbers;
}

static bool has_numbers(struct content c)
{
    return c.numbers;
}

static bool is_set(struct content c)
{
    return c.sets;
}

static const struct flag {
    const char *title, *yes, *no;
} FLAGS[] = {
    {"is_train", "train", "val"}, {"is_training", "train", "val"}, {"training", "train", "val"},
    {"train", "train", "val"}, {"is_val", "val", "train"}, {"is_validation", "val", "train"},
    {"is_eval", "val", "train"}, {"is_test", "test", "train"}, {"validation", "val", "train"},
    {"eval", "val", "train"}, {"val", "val", "train"},
};

/* 1, 0, -1: neither */
static int flag_at(const struct training_log *l, size_t row, size_t column)
{
    const char *text = NULL;
    double value = 0;

    switch (training_log_cell(l, row, column, &value, &text)) {
    case LOG_NUMBER:
        return value == 1 ? 1 : value == 0 ? 0 : -1;
    case LOG_TEXT:
        return strcasecmp(text, "true") == 0 ? 1 : strcasecmp(text, "false") == 0 ? 0 : -1;
    default:
        return -1;
    }
}

/* Both, and nothing else. */
static bool is_flag(const struct training_log *l, size_t column)
{
    size_t seen[2] = {0};

    for (size_t row = 0; row < training_log_rows(l); row++) {
        int flag = flag_at(l, row, column);
        if (flag < 0)
            return false;
        seen[flag]++;
    }
    return seen[0] > 0 && seen[1] > 0;
}

/* "is_train" and its likes. */
static void find_flag(const struct training_log *l, struct shape *s)
{
    for (size_t i = 0; i < training_log_columns(l) && s->set == NONE; i++) {
        char plain[64];
        title_plain(training_log_title(l, i), plain, sizeof(plain));
        for (size_t k = 0; k < ARRAY_LEN(FLAGS); k++) {
            if (strcmp(plain, FLAGS[k].title) != 0 || !is_flag(l, i))
                continue;
            s->set = i;
            s->yes = FLAGS[k].yes;
            s->no = FLAGS[k].no;
            break;
        }
    }
}

/* Of whatever title: all its cells are names of sets, and of more than one. */
static size_t find_set_column(const struct training_log *l)
{
    for (size_t i = 0; i < training_log_columns(l); i++) {
        const char *first = NULL, *text = NULL;
        double value;
        bool differ = false;
        for (size_t row = 0; row < training_log_rows(l) && !differ; row++) {
            if (training_log_cell(l, row, i, &value, &text) != LOG_TEXT)
                continue;
            differ = first && strcmp(first, text) != 0;
            first = text;
        }
        if (differ && content_of(l, i).sets)
            return i;
    }
    return NONE;
}

static void find_shape(const struct training_log *l, struct shape *s)
{
    s->set = find_column(l, SETS, ARRAY_LEN(SETS), is_set);
    if (s->set == NONE)
        s->set = find_set_column(l);
    find_flag(l, s);
    s->key = find_column(l, KEYS, ARRAY_LEN(KEYS), is_text);
    s->value = find_column(l, VALUES, ARRAY_LEN(VALUES), has_numbers);
    if (s->key == s->set || s->value == NONE)
        s->key = NONE;
    for (size_t i = 0; i < training_log_columns(l); i++) {
        const char *title = training_log_title(l, i);
        struct curve_title t = curve_title_read(title, strlen(title));
        s->meaning[i] = t.role == CURVE_ROLE_EPOCH || t.role == CURVE_ROLE_STEP ? AXIS : PLAIN;
    }
    if (s->key != NONE) {
        s->meaning[s->key] = s->meaning[s->value] = DROPPED;
        s->taken[s->key] = s->taken[s->value] = true;
    }
    if (s->set != NONE) {
        s->meaning[s->set] = DROPPED;
        s->taken[s->set] = true;
    }
}

static const char *set_of(const struct training_log *l, const struct shape *s, size_t row,
                          char plain[SET_MAX + 1])
{
    const char *set = NULL;
    double value;

    if (s->yes)
        return flag_at(l, row, s->set) == 1 ? s->yes : s->no;
    bool has = s->set != NONE && training_log_cell(l, row, s->set, &value, &set) == LOG_TEXT;
    const char *word = has ? set_in(last_part(set), plain) : NULL;
    return word ? word : "";
}

/* Place of that title in the new log; the set before it, where it names none itself. */
static int titled_column(struct shape *s, const char *set, const char *title,
                         struct training_log *to, struct errbuf *err)
{
    char full[TITLE_MAX + 1];
    size_t known = training_log_columns(s->made);

    snprintf(full, sizeof(full), "%.*s/%s", SET_MAX, set, title);
    int at = training_log_column(s->made, full, strlen(full), err);
    if (at < 0 || (size_t)at < known)
        return at < 0 ? at : s->made_to[at];
    bool names_one = curve_title_read(title, strlen(title)).split != CURVE_SPLIT_NONE;
    const char *used = set[0] && !names_one ? full : title;
    return s->made_to[at] = training_log_column(to, used, strlen(used), err);
}

static int put(struct training_log *to, int column, const struct log_cell *c, struct errbuf *err)
{
    if (column < 0)
        return column;
    if (c->kind == LOG_NUMBER)
        return training_log_number(to, (size_t)column, c->value, err);
    return training_log_text(to, (size_t)column, c->text, strlen(c->text), err);
}

static int copy_cell(const struct training_log *l, struct shape *s, const char *set,
                     const struct log_cell *c, struct training_log *to, struct errbuf *err)
{
    const char *title = training_log_title(l, c->column);

    if (s->meaning[c->column] == DROPPED || s->drop[c->column])
        return 0;
    if (s->set != NONE && s->meaning[c->column] == PLAIN)
        return put(to, titled_column(s, set, title, to, err), c, err);
    return put(to, s->to[c->column], c, err);
}

static int copy_row(const struct training_log *l, struct shape *s, size_t row,
                    struct training_log *to, struct errbuf *err)
{
    struct log_cell c, value = {.kind = LOG_NOTHING};
    char plain[SET_MAX + 1];
    const char *key = NULL, *set = set_of(l, s, row, plain);
    double number;
    int rc = training_log_row(to, training_log_where(l, row), err);

    for (size_t at = 0; rc == 0 && training_log_next(l, row, &at, &c);) {
        if (s->key != NONE && c.column == s->value)
            value = c;
        rc = copy_cell(l, s, set, &c, to, err);
    }
    if (rc == 0 && value.kind != LOG_NOTHING &&
        training_log_cell(l, row, s->key, &number, &key) == LOG_TEXT)
        rc = put(to, titled_column(s, set, key, to, err), &value, err);
    return rc;
}

/* Columns keep their order, also those that are empty in the first rows. */
static int copy_titles(const struct training_log *l, struct shape *s, struct training_log *to,
                       struct errbuf *err)
{
    for (size_t i = 0; i < training_log_columns(l); i++) {
        const char *title = training_log_title(l, i);
        if (s->meaning[i] == DROPPED || s->drop[i] || (s->set != NONE && s->meaning[i] == PLAIN))
            continue;
        int column = training_log_column(to, title, strlen(title), err);
        if (column < 0)
            return column;
        s->to[i] = column;
    }
    return 0;
}

static int copy_log(const struct training_log *l, struct shape *s, const struct run_filter *f,
                    struct reading *r, struct training_log **made)
{
    struct training_log *to = training_log_create();
    int rc = copy_titles(l, s, to, r->err);

    for (size_t i = 0; rc == 0 && i < training_log_rows(l); i++)
        if (!f->group || f->group[i] == f->wanted)
            rc = copy_row(l, s, i, to, r->err);
    if (rc == 0)
        *made = to;
    else
        training_log_destroy(to);
    return rc;
}

static void note_shape(const struct training_log *l, const struct shape *s, struct reading *r)
{
    if (s->key != NONE)
        curve_note(r->curve, "a row a value: what it is of is told by column '%.80s'",
                   training_log_title(l, s->key));
    if (s->set != NONE)
        curve_note(r->curve, "training or validation is told by column '%.80s'",
                   training_log_title(l, s->set));
    r->by_key = s->key != NONE || s->set != NONE;
}

int log_reshape(const struct training_log *l, struct reading *r, struct training_log **made)
{
    size_t columns = training_log_columns(l);
    struct run_filter filter = {0};
    struct shape *s = xmalloc(sizeof(*s));
    *s = (struct shape){
        .meaning = xcalloc(columns + 1, 1),
        .taken = xcalloc(columns + 1, sizeof(bool)),
        .drop = xcalloc(columns + 1, sizeof(bool)),
        .to = xcalloc(columns + 1, sizeof(int)),
        .made = training_log_create(),
    };
    bool dropped = false;

    *made = NULL;
    find_shape(l, s);
    int rc = runs_drop_columns(l, r, s->drop);
    if (rc == 0)
        rc = runs_filter(l, s->taken, r, &filter);
    for (size_t i = 0; i < columns; i++)
        dropped |= s->drop[i];
    if (rc == 0)
        note_shape(l, s, r);
    if (rc == 0 && (r->by_key || filter.group || dropped))
        rc = copy_log(l, s, &filter, r, made);
    free(filter.group);
    free(s->meaning);
    free(s->taken);
    free(s->drop);
    free(s->to);
    training_log_destroy(s->made);
    free(s);
    return rc;
}
