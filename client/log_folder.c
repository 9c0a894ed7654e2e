/* TensorBoard: event files of one training, later ones going on where the first ends; the
 * validation in a folder of its own below, as Keras and TensorFlow's estimators write it, or both
 * in folders "…train" and "…val". MLflow: meta.yaml, and a file a metric in metrics/. W&B: one
 * *.wandb. */
#include "client/log_folder.h"

#include <stdlib.h>
#include <string.h>

#include "client/folder_list.h"
#include "sweep/buf.h"
#include "sweep/curve_title.h"
#include "sweep/err.h"

#define ENTRIES_MAX 100000
#define METRICS_DEPTH 4 /* of folders in metrics/: "train/loss" is a name */

static bool is_event_file(const struct folder_entry *e)
{
    return !e->folder && strstr(e->name, "tfevents") != NULL;
}

static bool is_wandb_file(const struct folder_entry *e)
{
    size_t len = strlen(e->name);
    return !e->folder && len > 6 && strcmp(e->name + len - 6, ".wandb") == 0;
}

static size_t count_entries(const char *path, bool (*is)(const struct folder_entry *))
{
    struct folder_list l;
    size_t count = 0;
    if (folder_list_read(path, ENTRIES_MAX, &l, NULL) != 0)
        return 0;
    for (size_t i = 0; i < l.count; i++)
        count += is(&l.entries[i]);
    folder_list_finish(&l);
    return count;
}

static bool has_events(const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s", folder, name);
    bool has = count_entries(path, is_event_file) > 0;
    free(path);
    return has;
}

/* Which part of the data a folder's name speaks of: "validation", "loss_train". */
static enum curve_split split_of(const char *name)
{
    return curve_title_read(name, strlen(name)).split;
}

/* Where a board's two losses are: folders below ("" the folder itself, NULL: none). */
struct board {
    char *train, *val;
    bool tied; /* several of one kind: runs of their own */
};

/* The entry in the place of what was found before, if it is of a better set. */
static void take(char **place, bool *tied, const char *name)
{
    enum curve_split new = split_of(name), old = *place ? split_of(*place) : CURVE_SPLIT_NONE;
    *tied |= *place && new == old;
    if (*place && new >= old)
        return;
    free(*place);
    *place = xstrdup(name);
}

static void board_finish(struct board *b)
{
    free(b->train);
    free(b->val);
}

static void board_find(const char *path, struct board *out)
{
    struct folder_list l;
    bool own = false;
    *out = (struct board){0};
    if (folder_list_read(path, ENTRIES_MAX, &l, NULL) != 0)
        return;
    for (size_t i = 0; i < l.count; i++) {
        const struct folder_entry *e = &l.entries[i];
        enum curve_split split = e->folder ? split_of(e->name) : CURVE_SPLIT_NONE;
        own |= is_event_file(e);
        if (split != CURVE_SPLIT_NONE && has_events(path, e->name))
            take(split == CURVE_SPLIT_TRAIN ? &out->train : &out->val, &out->tied, e->name);
    }
    folder_list_finish(&l);
    if (own && !out->train)
        out->train = xstrdup("");
    else if (!own && (out->tied || !out->train || !out->val)) {
        board_finish(out);
        *out = (struct board){0};
    }
}

static bool has_entry(const char *path, const char *name, bool folder)
{
    struct folder_list l;
    bool has = false;
    if (folder_list_read(path, ENTRIES_MAX, &l, NULL) != 0)
        return false;
    for (size_t i = 0; i < l.count; i++)
        has |= l.entries[i].folder == folder && strcmp(l.entries[i].name, name) == 0;
    folder_list_finish(&l);
    return has;
}

enum log_folder log_folder_kind(const char *path)
{
    struct board b;
    board_find(path, &b);
    bool board = b.train != NULL;
    board_finish(&b);
    if (board)
        return LOG_FOLDER_BOARD;
    if (has_entry(path, "metrics", true) && has_entry(path, "meta.yaml", false))
        return LOG_FOLDER_MLFLOW;
    return count_entries(path, is_wandb_file) == 1 ? LOG_FOLDER_WANDB : LOG_FOLDER_NONE;
}

bool log_folder_holds(enum log_folder kind, const char *path, const char *name)
{
    struct folder_entry e = {(char *)name, false};
    struct board b;
    if (kind != LOG_FOLDER_BOARD)
        return kind != LOG_FOLDER_NONE;
    board_find(path, &b);
    bool holds = (b.train && strcmp(b.train, name) == 0) || (b.val && strcmp(b.val, name) == 0) ||
                 is_event_file(&e);
    board_finish(&b);
    return holds;
}

/* --- reading -------------------------------------------------------------------------------- */

static int read_into(const char *path, struct training_log *log, struct errbuf *err)
{
    struct buf bytes = {0};
    int rc = buf_read_file(&bytes, path, CURVE_FILE_MAX_BYTES, err);
    if (rc == 0) {
        struct curve_source in = {
            .name = path, .bytes = bytes.data ? bytes.data : "", .len = bytes.len};
        rc = curve_file_read(&in, log, err);
    }
    buf_finish(&bytes);
    return rc;
}

static int interpret(const char *path, const char *run, const struct training_log *log,
                     struct curve *out, struct errbuf *err)
{
    struct curve_source in = {.name = path, .run = run};
    return curve_file_interpret(&in, log, out, err);
}

/* All files of that kind in a folder, one behind the other: event files have the time in their
 * names. */
static int read_files(const char *path, bool (*is)(const struct folder_entry *), const char *run,
                      struct curve *out, struct errbuf *err)
{
    struct training_log *log = training_log_create();
    struct folder_list l;
    int rc = folder_list_read(path, ENTRIES_MAX, &l, err);
    for (size_t i = 0; rc == 0 && i < l.count; i++) {
        if (!is(&l.entries[i]))
            continue;
        char *file = xasprintf("%s/%s", path, l.entries[i].name);
        rc = read_into(file, log, err);
        free(file);
    }
    folder_list_finish(&l);
    rc = rc == 0 ? interpret(path, run, log, out, err) : rc;
    training_log_destroy(log);
    return rc;
}

static bool measures_val(const struct curve *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (point_has(&c->points[i], CURVE_VAL_LOSS))
            return true;
    return false;
}

/* A validation that cannot be read is said, and leaves the training as it is. */
static void join_val(const char *path, const char *name, struct curve *out)
{
    struct curve val = {0};
    struct errbuf err;
    if (read_files(path, is_event_file, NULL, &val, &err) == 0) {
        curve_join_val(out, &val);
        curve_note(out, "the validation is that of folder '%.80s'", name);
    } else {
        curve_note(out, "folder '%.80s' is left out: %.200s", name, err.message);
    }
    curve_finish(&val);
}

static int read_board(const char *path, const char *run, struct curve *out, struct errbuf *err)
{
    struct board b;
    board_find(path, &b);
    char *train = xasprintf("%s%s%s", path, *b.train ? "/" : "", b.train);
    int rc = read_files(train, is_event_file, run, out, err);
    if (rc == 0 && b.val && !measures_val(out)) {
        char *val = xasprintf("%s/%s", path, b.val);
        join_val(val, b.val, out);
        free(val);
    }
    free(train);
    board_finish(&b);
    return rc;
}

/* A metric's rows, each with its name: the file's titles are "step" and that. */
static int add_metric(const struct training_log *metric, struct training_log *to,
                      struct errbuf *err)
{
    static const char *const titles[] = {"key", "step", "value"};
    int rc = 0, at[3] = {0};
    for (int i = 0; i < 3; i++)
        at[i] = training_log_column(to, titles[i], strlen(titles[i]), err);
    for (size_t row = 0; rc == 0 && row < training_log_rows(metric); row++) {
        double step = 0, value = 0;
        const char *name = training_log_title(metric, 1);
        training_log_cell(metric, row, 0, &step, NULL);
        training_log_cell(metric, row, 1, &value, NULL);
        rc = training_log_row(to, training_log_where(metric, row), err);
        rc = rc == 0 ? training_log_text(to, (size_t)at[0], name, strlen(name), err) : rc;
        rc = rc == 0 ? training_log_number(to, (size_t)at[1], step, err) : rc;
        rc = rc == 0 ? training_log_number(to, (size_t)at[2], value, err) : rc;
    }
    return rc;
}

static int read_metric(const char *file, struct training_log *log, struct errbuf *err)
{
    struct training_log *metric = training_log_create();
    int rc = read_into(file, metric, err);
    if (rc == 0 && training_log_columns(metric) == 2)
        rc = add_metric(metric, log, err);
    training_log_destroy(metric);
    return rc;
}

static int read_metrics(const char *path, int depth, struct training_log *log, struct errbuf *err)
{
    struct folder_list l;
    int rc = folder_list_read(path, LOG_COLUMNS_MAX, &l, err);
    for (size_t i = 0; rc == 0 && i < l.count; i++) {
        char *below = xasprintf("%s/%s", path, l.entries[i].name);
        if (!l.entries[i].folder)
            rc = read_metric(below, log, err);
        else if (depth < METRICS_DEPTH && strcmp(l.entries[i].name, "system") != 0)
            rc = read_metrics(below, depth + 1, log, err);
        free(below);
    }
    folder_list_finish(&l);
    return rc;
}

static int read_mlflow(const char *path, const char *run, struct curve *out, struct errbuf *err)
{
    struct training_log *log = training_log_create();
    char *metrics = xasprintf("%s/metrics", path);
    int rc = read_metrics(metrics, 0, log, err);
    rc = rc == 0 ? interpret(path, run, log, out, err) : rc;
    free(metrics);
    training_log_destroy(log);
    return rc;
}

int log_folder_read(const char *path, const char *run, struct curve *out, struct errbuf *err)
{
    switch (log_folder_kind(path)) {
    case LOG_FOLDER_BOARD:
        return read_board(path, run, out, err);
    case LOG_FOLDER_MLFLOW:
        return read_mlflow(path, run, out, err);
    case LOG_FOLDER_WANDB:
        return read_files(path, is_wandb_file, run, out, err);
    default:
        return err_set(err, ERR_DATA, "%s: a folder, and none that is one training log", path);
    }
}
