#include "worker/command/files/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/curve_file.h"
#include "sweep/curve_title.h"
#include "sweep/err.h"
#include "sweep/metric_word.h"
#include "sweep/require.h"
#include "worker/command/database_log.h"
#include "worker/command/lines/line_format.h"

static const char SQLITE[] = "SQLite format 3"; /* and a NUL */

/* --- bytes ------------------------------------------------------------------------------------ */

/* As much as it had when it was opened. Nothing is waited for. */
static int read_bytes(const char *path, struct buf *out, struct errbuf *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    ssize_t n = 0;
    int rc = 0;

    if (fd < 0 || fstat(fd, &st) != 0)
        rc = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        rc = err_set(err, ERR_IO, "%s: allowed: a regular file", path);
    else if ((uint64_t)st.st_size > ROWS_BYTES_MAX)
        rc = err_set(err, ERR_LIMIT, "%s: more than %zu MiB", path, ROWS_BYTES_MAX >> 20);
    char *chunk = rc == 0 ? xmalloc((size_t)st.st_size + 1) : NULL;
    size_t len = 0;
    while (rc == 0 && len < (size_t)st.st_size &&
           (n = read(fd, chunk + len, (size_t)st.st_size - len)) > 0)
        len += (size_t)n;
    if (rc == 0 && n < 0)
        rc = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (rc == 0)
        buf_append(out, chunk, len);
    free(chunk);
    if (fd >= 0)
        close(fd);
    return rc;
}

static bool is_database(const struct buf *bytes)
{
    return bytes->len >= sizeof(SQLITE) && memcmp(bytes->data, SQLITE, sizeof(SQLITE)) == 0;
}

/* Its reader opens it itself, for what is in it lies in two files. */
static int read_database(const char *path, struct buf *out, struct errbuf *err)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int rc = f ? database_log(path, f, err) : err_set(err, ERR_IO, "%s: %s", path, strerror(errno));

    if (f)
        fclose(f);
    buf_clear(out);
    if (rc == 0)
        buf_append(out, text, len);
    free(text);
    return rc;
}

static bool is_text(const struct buf *bytes)
{
    return bytes->len > 0 && !memchr(bytes->data, '\0', bytes->len < 512 ? bytes->len : 512);
}

static void drop_open_line(struct buf *bytes)
{
    const char *end = bytes->len > 0 ? memrchr(bytes->data, '\n', bytes->len) : NULL;
    bytes->len = end ? (size_t)(end - bytes->data) + 1 : 0;
}

/* --- columns ---------------------------------------------------------------------------------- */

static bool is_named(const struct command_config *c, const char *title)
{
    for (int i = 0; i < CURVE_COLUMN_COUNT; i++)
        if (strcmp(title, c->manner.curves.column[i]) == 0)
            return true;
    return strcmp(title, c->metric) == 0;
}

static bool is_measure(const char *title)
{
    enum curve_column column;
    int rank;
    return curve_title_column(title, &column, &rank) || is_metric_word(title, strlen(title));
}

/* The first of its kind; "step" and "epoch" before all that mean the same. The column that it is
 * not. */
static size_t note_count(size_t *out, const struct file_rows *r, size_t column, const char *plain)
{
    size_t before = *out;

    if (before != SIZE_MAX && strcmp(training_log_title(r->log, column), plain) != 0)
        return column;
    *out = column;
    return before;
}

static void look_at_columns(struct file_rows *r, const struct command_config *c)
{
    const char *named = c->manner.curves.epoch;
    bool measured = false;

    r->step = r->other_step = r->epoch = r->run = SIZE_MAX;
    r->epoch_name = named[0] ? named : "epoch";
    for (size_t i = 0; i < training_log_columns(r->log); i++) {
        const char *title = training_log_title(r->log, i);
        struct curve_title t = curve_title_read(title, strlen(title));
        if (strcmp(title, r->epoch_name) == 0 || t.role == CURVE_ROLE_EPOCH)
            note_count(&r->epoch, r, i, r->epoch_name);
        else if (t.role == CURVE_ROLE_STEP)
            r->other_step = note_count(&r->step, r, i, "step");
        else if (strcmp(title, "run") == 0)
            r->run = i;
        r->has_metric |= is_named(c, title);
        measured |= is_measure(title);
    }
    r->wanted = r->has_metric || (measured && (r->step != SIZE_MAX || r->epoch != SIZE_MAX));
}

int file_rows_read(const char *path, bool ended, const struct command_config *c,
                   struct file_rows *out, struct errbuf *err)
{
    struct buf bytes = {0};
    int rc = read_bytes(path, &bytes, err);

    *out = (struct file_rows){0};
    if (rc == 0 && is_database(&bytes))
        rc = read_database(path, &bytes, err);
    else if (rc == 0 && !ended && is_text(&bytes))
        drop_open_line(&bytes);
    if (rc == 0 && bytes.len == 0)
        rc = err_set(err, ERR_MISSING, "%s: nothing is in it yet", path);
    if (rc == 0) {
        const struct curve_source source = {.name = path, .bytes = bytes.data, .len = bytes.len};
        out->log = training_log_create();
        rc = curve_file_read(&source, out->log, err);
    }
    buf_finish(&bytes);
    if (rc == 0)
        look_at_columns(out, c);
    else
        file_rows_finish(out);
    return rc;
}

void file_rows_finish(struct file_rows *r)
{
    training_log_destroy(r->log);
    *r = (struct file_rows){0};
}

/* --- rows ------------------------------------------------------------------------------------- */

static double number_at(const struct file_rows *r, size_t row, size_t column)
{
    double value = NAN;

    if (column == SIZE_MAX ||
        training_log_cell(r->log, row, column, &value, NULL) != LOG_NUMBER)
        return NAN;
    return value;
}

double file_row_axis(const struct file_rows *r, size_t row)
{
    double step = number_at(r, row, r->step);
    return isnan(step) ? number_at(r, row, r->epoch) : step;
}

bool file_row_is_ours(const struct file_rows *r, size_t row)
{
    const char *text, *last_text;
    size_t last = training_log_rows(r->log) - 1;

    if (isnan(file_row_axis(r, row)) && !isnan(number_at(r, row, r->other_step)))
        return false;
    if (r->run == SIZE_MAX || row == last ||
        training_log_cell(r->log, last, r->run, NULL, &last_text) != LOG_TEXT)
        return true;
    char *wanted = xstrdup(last_text);
    bool ours = training_log_cell(r->log, row, r->run, NULL, &text) == LOG_TEXT &&
                strcmp(text, wanted) == 0;
    free(wanted);
    return ours;
}

/* Clocks, and what names the training: nobody measures them. */
static bool is_apart(const char *title)
{
    static const char *const names[] = {"run", "run_id", "wall_time", "timestamp", "_timestamp",
                                        "_runtime"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(title, names[i]) == 0)
            return true;
    return false;
}

static void put(struct metrics_line *out, const char *name, double value)
{
    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->values[i].name, name) == 0) {
            out->values[i].value = value;
            return;
        }
    }
    line_put(out, name, value);
}

void file_row_add(const struct file_rows *r, size_t row, struct metrics_line *out)
{
    double step = number_at(r, row, r->step), epoch = number_at(r, row, r->epoch);
    struct log_cell cell;
    size_t at = 0;

    while (training_log_next(r->log, row, &at, &cell)) {
        const char *title = training_log_title(r->log, cell.column);
        if (cell.kind == LOG_NUMBER && cell.column != r->step && cell.column != r->epoch &&
            !is_apart(title))
            put(out, title, cell.value);
    }
    /* Whatever the file calls them: points are counted by these names. */
    if (!isnan(epoch) && !r->uncounted)
        put(out, r->epoch_name, epoch);
    if (!isnan(step) && !r->uncounted)
        put(out, "step", step);
}
