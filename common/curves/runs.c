/* Several runs in one file: told apart by a column, or by W&B's titles "run - val_loss". */
#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/curves/reading.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define NAME_MAX_BYTES 200
#define TURNS_MAX 256 /* runs side by side, by a column whose title does not say so */
#define NONE SIZE_MAX

/* weak: may also count something else within one run, so that a value a row means nothing. */
static const struct run_title {
    const char *title;
    bool weak, name;
} TITLES[] = {
    {"run", false, true}, {"run_name", false, true}, {"name", false, true},
    {"run_id", false, false}, {"runid", false, false}, {"run_uuid", false, false},
    {"experiment", false, true}, {"experiment_name", false, true},
    {"experiment_id", false, false}, {"exp", false, true}, {"exp_name", false, true},
    {"exp_id", false, false}, {"trial", false, false}, {"trial_id", false, false},
    {"trial_name", false, true}, {"trial_number", false, false}, {"job", false, true},
    {"job_id", false, false}, {"seed", false, false}, {"random_seed", false, false},
    {"fold", false, false}, {"cv_fold", false, false}, {"kfold", false, false},
    {"rank", false, false}, {"local_rank", false, false}, {"global_rank", false, false},
    {"worker", false, false}, {"client", false, false}, {"client_id", false, false},
    {"worker_id", true, false}, {"replica", true, false}, {"layer", true, false},
    {"layer_id", true, false}, {"head", true, false}, {"task", true, false},
    {"task_id", true, false}, {"class_id", true, false}, {"domain", true, false},
    {"env_id", true, false}, {"agent", true, false}, {"agent_id", true, false},
    {"session", true, false}, {"replicate", false, false}, {"repeat", true, false},
    {"model", true, true}, {"model_name", true, true}, {"config", true, true},
    {"config_name", true, true}, {"version", true, false}, {"group", true, true},
    {"variant", true, true}, {"method", true, true}, {"algorithm", true, true},
    {"optimizer", true, true}, {"condition", true, true}, {"arm", true, true},
    {"setting", true, true},
};

void title_plain(const char *title, char *out, size_t size)
{
    size_t used = 0;

    for (const char *p = title; *p && used + 1 < size; p++) {
        bool word = isalnum((unsigned char)*p) || (unsigned char)*p >= 128;
        if (word || (used > 0 && out[used - 1] != '_'))
            out[used++] = word ? (char)tolower((unsigned char)*p) : '_';
    }
    while (used > 0 && out[used - 1] == '_')
        used--;
    out[used] = '\0';
}

static const struct run_title *find_title(const char *title)
{
    char plain[64];

    title_plain(title, plain, sizeof(plain));
    for (size_t i = 0; i < ARRAY_LEN(TITLES); i++)
        if (strcmp(TITLES[i].title, plain) == 0)
            return &TITLES[i];
    return NULL;
}

/* --- names ---------------------------------------------------------------------------------- */

static size_t cell_name(const struct training_log *l, size_t row, size_t column,
                        char out[NAME_MAX_BYTES])
{
    const char *text = NULL;
    double value = 0;

    out[0] = '\0';
    switch (training_log_cell(l, row, column, &value, &text)) {
    case LOG_NUMBER:
        snprintf(out, NAME_MAX_BYTES, "%.15g", value);
        break;
    case LOG_TEXT:
        str_copy(out, NAME_MAX_BYTES, text);
        break;
    default:
        break;
    }
    return strlen(out);
}

/* The names that were seen: a log is a table that finds a title, so its titles are the names. */
struct names {
    struct training_log *seen;
    bool too_many;
};

static int name_place(struct names *n, const char *name)
{
    int at = n->too_many ? -1 : training_log_column(n->seen, name, strlen(name), NULL);
    n->too_many |= at < 0;
    return at;
}

static void list_names(const struct names *n, struct buf *out)
{
    size_t count = training_log_columns(n->seen);

    for (size_t i = 0; i < count && out->len < 200; i++)
        buf_printf(out, "%s'%.60s'", i > 0 ? ", " : "", training_log_title(n->seen, i));
    if (out->len >= 200)
        buf_puts(out, ", …");
}

/* Several runs, and none of them was asked for, or one that is not there. */
static int fail_names(const struct reading *r, const struct names *n, const char *place)
{
    struct buf list = {0};
    int rc;

    list_names(n, &list);
    if (!r->run) {
        rc = err_set(r->err, ERR_VALUE, "%s: %s tells %zu runs apart; take one with --run: %s",
                     r->name, place, training_log_columns(n->seen), list.data);
    } else {
        rc = err_bad(r->err, ERR_VALUE, "--run", r->run, "one of those in %.80s: %s", r->name,
                     list.data);
    }
    buf_finish(&list);
    return rc;
}

/* --- a column ------------------------------------------------------------------------------- */

/* Several names in that column, which are not just one a row. */
static bool tells_apart(const struct training_log *l, size_t column, bool weak)
{
    struct names n = {.seen = training_log_create()};
    size_t rows = training_log_rows(l), named = 0;
    char name[NAME_MAX_BYTES];

    for (size_t i = 0; i < rows && !n.too_many; i++) {
        if (cell_name(l, i, column, name) > 0) {
            named++;
            name_place(&n, name);
        }
    }
    size_t count = training_log_columns(n.seen);
    training_log_destroy(n.seen);
    return count > 1 && !(weak && (n.too_many || count * 2 > named));
}

size_t log_axis(const struct training_log *l)
{
    for (int steps = 0; steps < 2; steps++) {
        for (size_t i = 0; i < training_log_columns(l); i++) {
            const char *title = training_log_title(l, i);
            enum curve_role role = curve_title_read(title, strlen(title)).role;
            if (role == (steps ? CURVE_ROLE_STEP : CURVE_ROLE_EPOCH))
                return i;
        }
    }
    return NONE;
}

struct run_columns {
    size_t column[ARRAY_LEN(TITLES)];
    size_t count;
};

/* Text in a column of whatever title, where the epochs of each of its names go up, those of all
 * rows do not, and the names come in turns: runs that were written side by side. */
static bool takes_turns(const struct training_log *l, size_t column, size_t axis)
{
    struct names n = {.seen = training_log_create()};
    double last[TURNS_MAX], before = -INFINITY, value;
    bool each = true, back = false, turns = false;
    int at = -1;

    for (size_t row = 0; row < training_log_rows(l) && each; row++) {
        const char *text = NULL;
        size_t known = training_log_columns(n.seen);
        if (training_log_cell(l, row, axis, &value, NULL) != LOG_NUMBER)
            continue;
        int now = training_log_cell(l, row, column, NULL, &text) == LOG_TEXT
                      ? name_place(&n, text) : -1;
        bool known_name = now >= 0 && (size_t)now < known;
        each = now >= 0 && now < TURNS_MAX && (!known_name || value > last[now]);
        if (!each)
            break;
        turns |= known_name && now != at;
        back |= value <= before;
        last[now] = before = value;
        at = now;
    }
    training_log_destroy(n.seen);
    return each && back && turns;
}

/* A name of its own in each row, and nothing that counts: a table of models. */
static bool names_each_row(const struct training_log *l, size_t column)
{
    struct names n = {.seen = training_log_create()};
    size_t rows = training_log_rows(l), texts = 0;

    for (size_t i = 0; i < rows; i++) {
        const char *text = NULL;
        if (training_log_cell(l, i, column, NULL, &text) != LOG_TEXT)
            continue;
        texts++;
        name_place(&n, text);
    }
    bool each = rows > 1 && texts == rows && (n.too_many || training_log_columns(n.seen) == rows);
    training_log_destroy(n.seen);
    return each;
}

static void find_columns(const struct training_log *l, const bool *taken, struct run_columns *out)
{
    size_t axis = log_axis(l);

    out->count = 0;
    for (size_t i = 0; i < training_log_columns(l) && out->count < ARRAY_LEN(TITLES); i++) {
        const struct run_title *t = taken[i] ? NULL : find_title(training_log_title(l, i));
        if (t && (tells_apart(l, i, t->weak) ||
                  (t->weak && axis == NONE && names_each_row(l, i))))
            out->column[out->count++] = i;
    }
    for (size_t i = 0; i < training_log_columns(l) && out->count == 0 && axis != NONE; i++) {
        const char *title = training_log_title(l, i);
        if (!taken[i] && curve_title_read(title, strlen(title)).role == CURVE_ROLE_OTHER &&
            takes_turns(l, i, axis))
            out->column[out->count++] = i;
    }
}

static void row_name(const struct training_log *l, const struct run_columns *c, size_t row,
                     char out[NAME_MAX_BYTES])
{
    char one[NAME_MAX_BYTES];
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < c->count; i++) {
        size_t n = cell_name(l, row, c->column[i], one);
        if (n == 0 || used + n + 2 > NAME_MAX_BYTES)
            continue;
        if (used > 0)
            out[used++] = '/';
        memcpy(out + used, one, n + 1);
        used += n;
    }
}

/* A name that alone tells the runs apart stands for id and name together. */
static void keep_sufficient(const struct training_log *l, struct run_columns *c, size_t groups)
{
    char name[NAME_MAX_BYTES];
    size_t best = c->count;

    for (size_t i = 0; i < c->count; i++) {
        struct names n = {.seen = training_log_create()};
        for (size_t row = 0; row < training_log_rows(l) && !n.too_many; row++)
            if (cell_name(l, row, c->column[i], name) > 0)
                name_place(&n, name);
        bool enough = !n.too_many && training_log_columns(n.seen) == groups;
        bool named = find_title(training_log_title(l, c->column[i]))->name;
        if (enough && (best == c->count || named))
            best = i;
        training_log_destroy(n.seen);
    }
    if (best < c->count)
        *c = (struct run_columns){.column = {c->column[best]}, .count = 1};
}

/* The group of each row, by the names of its columns. */
static void group_rows(const struct training_log *l, const struct run_columns *c, struct names *n,
                       size_t *group)
{
    char name[NAME_MAX_BYTES];

    for (size_t i = 0; i < training_log_rows(l) && !n->too_many; i++) {
        row_name(l, c, i, name);
        int at = name_place(n, name);
        group[i] = at < 0 ? 0 : (size_t)at;
    }
}

static bool is_part(const char *name, const char *wanted)
{
    size_t n = strlen(wanted);

    for (const char *at = name; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        if (strncmp(at, wanted, n) == 0 && (at[n] == '\0' || at[n] == '/'))
            return true;
    return false;
}

/* Place of the run that is wanted: by its name, or by one of its columns alone; -1: none, or
 * several. */
static int wanted_group(const struct names *n, const char *wanted)
{
    size_t count = training_log_columns(n->seen), found = 0;
    int at = -1;

    for (size_t i = 0; i < count; i++) {
        const char *name = training_log_title(n->seen, i);
        if (strcmp(name, wanted) == 0)
            return (int)i;
        if (is_part(name, wanted)) {
            at = (int)i;
            found++;
        }
    }
    return found == 1 ? at : -1;
}

static int choose_group(const struct training_log *l, const struct run_columns *c,
                        struct names *n, struct reading *r, struct run_filter *out)
{
    char place[160];
    size_t rows = training_log_rows(l), groups = training_log_columns(n->seen);

    snprintf(place, sizeof(place), "column '%.100s'", training_log_title(l, c->column[0]));
    if (n->too_many || (groups == rows && rows > 2))
        return err_set(r->err, ERR_VALUE,
                       "%s: %s names another run in each row: a table of runs, no curve of one",
                       r->name, place);
    int at = r->run ? wanted_group(n, r->run) : -1;
    if (at < 0)
        return fail_names(r, n, place);
    r->run_found = true;
    out->wanted = (size_t)at;
    curve_note(r->curve, "run '%.100s', one of %zu by %s", training_log_title(n->seen, (size_t)at),
               groups, place);
    return 0;
}

int runs_filter(const struct training_log *l, const bool *taken, struct reading *r,
                struct run_filter *out)
{
    struct run_columns c;
    size_t rows = training_log_rows(l);
    int rc = 0;

    *out = (struct run_filter){0};
    find_columns(l, taken, &c);
    if (c.count == 0)
        return 0;
    struct names n = {.seen = training_log_create()};
    out->group = xcalloc(rows + 1, sizeof(*out->group));
    group_rows(l, &c, &n, out->group);
    if (c.count > 1 && !n.too_many) {
        keep_sufficient(l, &c, training_log_columns(n.seen));
        training_log_destroy(n.seen);
        n = (struct names){.seen = training_log_create()};
        group_rows(l, &c, &n, out->group);
    }
    rc = choose_group(l, &c, &n, r, out);
    training_log_destroy(n.seen);
    if (rc != 0) {
        free(out->group);
        out->group = NULL;
    }
    return rc;
}

/* --- titles --------------------------------------------------------------------------------- */

/* Bytes of the run's name in a title "run - val_loss"; 0: it is not of a run, or no curve. */
static size_t run_of_title(const char *title)
{
    size_t len = strlen(title), at = curve_title_run(title, len);
    struct curve_title t = curve_title_read(title, len);

    bool counts = t.role == CURVE_ROLE_EPOCH || t.role == CURVE_ROLE_STEP;
    return at > 3 && t.role != CURVE_ROLE_OTHER && !counts ? at - 3 : 0;
}

int runs_drop_columns(const struct training_log *l, struct reading *r, bool *drop)
{
    struct names n = {.seen = training_log_create()};
    size_t columns = training_log_columns(l);
    int rc = 0, wanted = 0;

    for (size_t i = 0; i < columns; i++) {
        const char *title = training_log_title(l, i);
        size_t len = run_of_title(title);
        if (len > 0)
            training_log_column(n.seen, title, len, NULL);
    }
    size_t count = training_log_columns(n.seen);
    if (count > 0 && r->run && (wanted = wanted_group(&n, r->run)) >= 0)
        r->run_found = true;
    if (count > 1 && (!r->run || wanted < 0))
        rc = fail_names(r, &n, "the titles' beginning before ' - '");
    for (size_t i = 0; rc == 0 && count > 1 && i < columns; i++) {
        const char *title = training_log_title(l, i), *run = NULL;
        size_t len = curve_title_run(title, strlen(title));
        run = training_log_title(n.seen, (size_t)wanted);
        drop[i] = len > 3 && (strlen(run) != len - 3 || memcmp(run, title, len - 3) != 0);
    }
    if (rc == 0 && count > 1)
        curve_note(r->curve, "run '%.100s', one of %zu by the titles",
                   training_log_title(n.seen, (size_t)wanted), count);
    training_log_destroy(n.seen);
    return rc;
}
