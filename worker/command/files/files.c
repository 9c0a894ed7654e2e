#include "worker/command/files/files.h"

#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/require.h"
#include "worker/command/files/rows.h"
#include "worker/command/files/walk.h"

#define OPENED_BYTES_MAX 65536 /* of the list that the program's own process writes */

/* Where libraries put event files beside a program that names no folder. */
static const char *const BOARD_FOLDERS[] = {"lightning_logs", "runs", "logs", "log", "tb_logs",
                                            "tensorboard"};

/* One that has rows to give. */
struct loaded {
    struct logged_file *file;
    struct file_rows rows;
};

struct look {
    struct files *f;
    bool begins, ended;
    struct loaded *loaded;
    size_t count, room;
};

/* --- which files there are -------------------------------------------------------------------- */

static struct file_stamp stamp_of(const struct stat *st)
{
    return (struct file_stamp){st->st_dev, st->st_ino, st->st_size,
                               (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec};
}

static bool same_stamp(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed_ns == b->changed_ns;
}

static struct logged_file *find(struct files *f, const char *path)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->all[i].path, path) == 0)
            return &f->all[i];
    return NULL;
}

static void add(struct look *l, const char *path, const struct stat *st)
{
    struct files *f = l->f;
    enum file_kind kind = file_kind_of(path);

    if (kind == FILE_KIND_COUNT || f->count == FILES_MAX || find(f, path))
        return;
    if (f->count == f->room)
        f->all = array_room(f->all, &f->room, f->count + 1, sizeof(*f->all));
    f->all[f->count++] = (struct logged_file){.path = xstrdup(path), .kind = kind,
                                              .seen = l->begins ? stamp_of(st)
                                                                : (struct file_stamp){0},
                                              .earlier = l->begins, .given_axis = -INFINITY};
}

static void found(void *context, const char *path, const struct stat *st)
{
    add(context, path, st);
}

/* Beside the program other runs may write: an event file says whose it is. */
static void found_board(void *context, const char *path, const struct stat *st)
{
    struct look *l = context;
    int process = file_kind_of(path) == FILE_KIND_TENSORBOARD ? file_board_process(path) : 0;

    if (l->begins || (process > 0 && l->f->group > 0 &&
                      (process == l->f->group || getpgid(process) == l->f->group)))
        add(l, path, st);
}

/* Those that the program's own process has told of, wherever they are. */
static void add_opened(struct look *l)
{
    char *path = xasprintf("%s/%s", l->f->run_dir, COMMAND_OPENED_FILE);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char *text = fd >= 0 ? xcalloc(OPENED_BYTES_MAX + 1, 1) : NULL;
    ssize_t len = fd >= 0 ? read(fd, text, OPENED_BYTES_MAX) : -1;
    char *rest = NULL;
    struct stat st;

    for (char *line = len > 0 ? strtok_r(text, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        struct logged_file *known = find(l->f, line);
        if (known)
            known->earlier = false;
        else if (line[0] == '/' && lstat(line, &st) == 0 && S_ISREG(st.st_mode))
            add(l, line, &st);
    }
    if (fd >= 0)
        close(fd);
    free(text);
    free(path);
}

static void gather(struct look *l)
{
    const struct files *f = l->f;
    const char *directory = f->config->manner.directory;

    walk_files(f->run_dir, COMMAND_CHECKPOINT_DIR, found, l);
    for (size_t i = 0; directory[0] && i < ARRAY_LEN(BOARD_FOLDERS); i++) {
        char *folder = xasprintf("%s/%s", directory, BOARD_FOLDERS[i]);
        walk_files(folder, NULL, found_board, l);
        free(folder);
    }
    if (!l->begins)
        add_opened(l);
}

void files_begin(struct files *f, const struct command_config *c, const char *run_dir)
{
    struct look l = {.f = f, .begins = true};

    *f = (struct files){.config = c, .run_dir = run_dir, .kind = FILE_KIND_COUNT,
                        .next = FILES_FIRST_SECONDS};
    if (c->manner.channels == 0 || (c->manner.channels & (1u << COMMAND_CHANNEL_FILES)))
        gather(&l);
}

void files_finish(struct files *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->all[i].path);
    free(f->all);
    f->all = NULL;
    f->count = f->room = 0;
}

/* --- what is in them -------------------------------------------------------------------------- */

/* Has it been written since it was looked at? */
static bool is_new(struct logged_file *file)
{
    struct stat st;

    if (lstat(file->path, &st) != 0)
        return false;
    struct file_stamp now = stamp_of(&st);
    bool same = same_stamp(&now, &file->seen);
    /* A database's newest rows may lie in the file beside it. */
    bool beside = file->kind == FILE_KIND_MLFLOW || file->kind == FILE_KIND_TRACKIO;
    if (same && (!beside || file->earlier))
        return false;
    file->seen = now;
    file->earlier = false;
    return true;
}

static void unload(struct look *l)
{
    for (size_t i = 0; i < l->count; i++)
        file_rows_finish(&l->loaded[i].rows);
    l->count = 0;
}

static void load(struct look *l, struct logged_file *file)
{
    struct file_rows rows;
    struct errbuf err = {0};

    if (file_rows_read(file->path, l->ended, l->f->config, &rows, &err) != 0) {
        if (err.code != ERR_MISSING && l->f->trouble.code == 0)
            l->f->trouble = err;
        return;
    }
    if (!rows.wanted) {
        file_rows_finish(&rows);
        return;
    }
    if (l->count == l->room)
        l->loaded = array_room(l->loaded, &l->room, l->count + 1, sizeof(*l->loaded));
    l->loaded[l->count++] = (struct loaded){file, rows};
}

/* The files of a kind that are new, or all. Do any have what the sweep ranks by? */
static bool load_kind(struct look *l, int kind, bool all)
{
    bool has_metric = false;

    unload(l);
    for (size_t i = 0; i < l->f->count; i++) {
        struct logged_file *file = &l->f->all[i];
        if ((int)file->kind != kind || (kind == FILE_KIND_WANDB && !l->ended))
            continue;
        bool changed = is_new(file);
        if ((changed || all) && !file->earlier)
            load(l, file);
    }
    for (size_t i = 0; i < l->count; i++)
        has_metric |= l->loaded[i].rows.has_metric;
    return has_metric;
}

/* The first kind with news that has the metric, else the first that says anything. */
static int choose_kind(struct look *l, bool *has_metric)
{
    int first = FILE_KIND_COUNT;

    for (int kind = 0; kind < FILE_KIND_COUNT; kind++) {
        *has_metric = load_kind(l, kind, false);
        if (*has_metric)
            return kind;
        if (l->count > 0 && first == FILE_KIND_COUNT)
            first = kind;
    }
    return first;
}

/* One that has the metric is stayed with. */
static int load_what_counts(struct look *l, struct listener *listener)
{
    struct files *f = l->f;
    bool has_metric;
    int rc = 0;

    if (f->has_metric) {
        load_kind(l, f->kind, false);
        return 0;
    }
    int kind = choose_kind(l, &has_metric);
    unload(l);
    if (kind == FILE_KIND_COUNT)
        return 0;
    if (kind > f->kind && !has_metric)
        kind = f->kind;
    if (kind != f->kind && f->kind != FILE_KIND_COUNT)
        rc = intake_switch(listener->intake);
    f->has_metric = load_kind(l, kind, true);
    f->kind = kind;
    return rc;
}

/* --- rows in order ---------------------------------------------------------------------------- */

struct row {
    double axis; /* one without is where the row before it is */
    size_t loaded, row;
    bool counted; /* it has no axis of its own */
};

static int in_order(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->axis != y->axis)
        return x->axis < y->axis ? -1 : 1;
    if (x->loaded != y->loaded)
        return x->loaded < y->loaded ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* A database's rows are ordered anew each time, and those of its last step may have got more; of
 * other files a row stays as and where it is. */
static bool is_given(const struct logged_file *file, const struct file_rows *r, size_t row,
                     double axis)
{
    if (file->kind == FILE_KIND_MLFLOW && isfinite(axis) && isfinite(file->given_axis))
        return axis < file->given_axis;
    return training_log_where(r->log, row) <= file->given;
}

static void note_given(struct logged_file *file, const struct file_rows *r, size_t row, double axis)
{
    size_t where = training_log_where(r->log, row);

    file->given = where > file->given ? where : file->given;
    if (axis > file->given_axis)
        file->given_axis = axis;
}

/* MLflow counts each step as 0 where a program names none. */
static bool counts_nothing(const struct loaded *l)
{
    if (l->file->kind != FILE_KIND_MLFLOW)
        return false;
    for (size_t i = 0; i < training_log_rows(l->rows.log); i++)
        if (file_row_axis(&l->rows, i) != 0)
            return false;
    return true;
}

static size_t collect_file(struct look *l, size_t at, struct row *out)
{
    struct loaded *x = &l->loaded[at];
    double last = -INFINITY;
    size_t n = 0;

    x->rows.uncounted = counts_nothing(x);
    if (x->rows.uncounted && training_log_rows(x->rows.log) == 1 && !l->ended)
        return 0; /* it may be the first of several steps */
    for (size_t i = 0; i < training_log_rows(x->rows.log); i++) {
        double axis = x->rows.uncounted ? NAN : file_row_axis(&x->rows, i);
        bool counted = !isfinite(axis);
        last = counted ? last : axis;
        if (!file_row_is_ours(&x->rows, i) || is_given(x->file, &x->rows, i, axis))
            continue;
        out[n++] = (struct row){last, at, i, counted};
    }
    for (size_t i = 0; i < n; i++)
        note_given(x->file, &x->rows, out[i].row, out[i].counted ? NAN : out[i].axis);
    return n;
}

/* Rows that count alike are one line: a library writes a scalar a row, or a set a file. */
static int give(struct look *l, struct listener *listener, const struct row *rows, size_t count,
                double seconds)
{
    struct metrics_line *m = xcalloc(1, sizeof(*m));
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        file_row_add(&l->loaded[rows[i].loaded].rows, rows[i].row, m);
        if (i + 1 < count && !rows[i].counted && !rows[i + 1].counted &&
            rows[i].axis == rows[i + 1].axis)
            continue;
        rc = listener_values(listener, COMMAND_CHANNEL_FILES, m, seconds);
        m->count = m->left_out = 0;
    }
    free(m);
    return rc;
}

static int give_rows(struct look *l, struct listener *listener, double seconds)
{
    size_t most = 0, count = 0;

    for (size_t i = 0; i < l->count; i++)
        most += training_log_rows(l->loaded[i].rows.log);
    struct row *rows = xcalloc(most + 1, sizeof(*rows));
    for (size_t i = 0; i < l->count; i++)
        count += collect_file(l, i, rows + count);
    qsort(rows, count, sizeof(*rows), in_order);
    int rc = give(l, listener, rows, count, seconds);
    free(rows);
    return rc;
}

/* --- when ------------------------------------------------------------------------------------- */

static bool is_heard(const struct listener *l)
{
    return (l->channels & (1u << COMMAND_CHANNEL_FILES)) && l->channel >= COMMAND_CHANNEL_FILES;
}

double files_due(const struct files *f, const struct listener *l, double seconds)
{
    if (!is_heard(l))
        return -1;
    return f->next > seconds ? f->next - seconds : 0;
}

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int files_look(struct files *f, struct listener *l, double seconds, bool ended)
{
    struct look look = {.f = f, .ended = ended};
    double begun = now_seconds();
    int rc;

    if (!is_heard(l) || (!ended && seconds < f->next))
        return 0;
    gather(&look);
    rc = load_what_counts(&look, l);
    if (rc == 0)
        rc = give_rows(&look, l, seconds);
    unload(&look);
    free(look.loaded);
    double cost = FILES_COST_RATIO * (now_seconds() - begun);
    f->next = seconds + (cost > FILES_EVERY_SECONDS ? cost : FILES_EVERY_SECONDS);
    return rc;
}
