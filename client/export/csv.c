/* A sweep as two CSV tables (RFC 4180, UTF-8): FILE has a row a run, FILE with "-curves" before its
 * ending a row for each value that was measured at a point. A number that is none is empty, and the
 * column behind it says why: ok, nan, +inf, -inf or missing, as the database's views do. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/export/form.h"
#include "client/new_file.h"
#include "sweep/require.h"

#define PIECE ((size_t)256 << 10) /* bytes that are written at once */

struct csv {
    struct exported *e;
    struct new_file file;
    struct buf text;
    char prefix[64]; /* of a curve's row: its run */
    int rc;
};

static void flush(struct csv *c, size_t enough)
{
    if (c->rc == 0 && c->text.len >= enough && c->text.len > 0)
        c->rc = new_file_append(&c->file, c->text.data, c->text.len, &c->e->err);
    if (c->text.len >= enough)
        buf_clear(&c->text);
}

static void add_text(struct buf *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL && *text != ' ') {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '"');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"')
            buf_putc(out, '"');
        buf_putc(out, *p);
    }
    buf_putc(out, '"');
}

/* The number and its state. */
static void add_number(struct buf *out, bool there, double v)
{
    char text[32];
    json_format_real(v, text);
    if (there && isfinite(v))
        buf_printf(out, "%s,ok", text);
    else
        buf_printf(out, ",%s", there ? text : "missing");
}

static void add_member(struct buf *out, const struct json *object, const char *key)
{
    char *text = exported_text(json_get(object, key));
    if (text != NULL)
        add_text(out, text);
    free(text);
}

/* --- runs ------------------------------------------------------------------------------------ */

/* What tells of a run; those of a number that may be none have their state beside them.
 * X(key, is such a number) */
#define COLUMN_MAP(X)                                                                             \
    X("number", 0) X("kind", 0) X("stage", 0) X("status", 0) X("metric_value", 1)                 \
    X("best_epoch", 0) X("epochs_done", 0) X("epochs", 0) X("val_loss", 1) X("val_acc", 1)        \
    X("test_loss", 1) X("test_acc", 1) X("seconds", 0) X("label", 0) X("cause", 0)                \
    X("confidence", 0) X("remedy", 0) X("reason", 0) X("stop_reason", 0) X("error_class", 0)      \
    X("error_text", 0) X("parent_id", 0) X("treated_with", 0) X("cured", 0) X("change", 0)        \
    X("created_at", 0) X("started_at", 0) X("ended_at", 0)

static const struct {
    const char *key;
    bool number;
} columns[] = {
#define X(key, number) {key, number},
    COLUMN_MAP(X)
#undef X
};

static void add_header(struct csv *c)
{
    const struct space *s = &c->e->spec.space;
    buf_puts(&c->text, "run_id");
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        buf_printf(&c->text, columns[i].number ? ",%s,%s_state" : ",%s", columns[i].key,
                   columns[i].key);
    for (size_t i = 0; i < s->count; i++) {
        char *name = xasprintf("params.%s", s->dimensions[i].name);
        buf_putc(&c->text, ',');
        add_text(&c->text, name);
        free(name);
    }
    buf_putc(&c->text, '\n');
}

static void add_run(struct csv *c, const struct json *run)
{
    const struct space *s = &c->e->spec.space;
    add_member(&c->text, run, "run_id");
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        const struct json *v = json_get(run, columns[i].key);
        double number = NAN;
        bool there = v != NULL && json_real(v, &number) == 0;
        buf_putc(&c->text, ',');
        if (columns[i].number)
            add_number(&c->text, there, number);
        else
            add_member(&c->text, run, columns[i].key);
    }
    for (size_t i = 0; i < s->count; i++) {
        buf_putc(&c->text, ',');
        add_member(&c->text, json_get(run, "params"), s->dimensions[i].name);
    }
    buf_putc(&c->text, '\n');
    flush(c, PIECE);
}

/* --- curves ---------------------------------------------------------------------------------- */

static void add_point(void *arg, const struct exported_point *p)
{
    struct csv *c = arg;
    char epoch[32];
    json_format_real(p->epoch, epoch);
    for (size_t i = 0; i < p->count; i++) {
        buf_printf(&c->text, "%s,%lld,%s,", c->prefix, (long long)p->point, epoch);
        add_text(&c->text, p->values[i].name);
        buf_putc(&c->text, ',');
        add_number(&c->text, true, p->values[i].value);
        buf_putc(&c->text, '\n');
        c->e->values++;
    }
    flush(c, PIECE);
}

static int add_curves(struct csv *c)
{
    int status = CLIENT_DONE;
    buf_puts(&c->text, "run_id,number,point,epoch,metric,value,value_state\n");
    for (size_t i = 0; i < c->e->run_count && status == CLIENT_DONE && c->rc == 0; i++) {
        const struct json *run = c->e->runs[i];
        snprintf(c->prefix, sizeof c->prefix, "%lld,%lld", (long long)member_int(run, "run_id", 0),
                 (long long)member_int(run, "number", 0));
        status = exported_points(c->e, run, add_point, c);
    }
    return status;
}

/* --- the files ------------------------------------------------------------------------------- */

/* runs.csv → runs-curves.csv. The caller frees. */
static char *curves_path(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t stem = dot != NULL && dot != base ? (size_t)(dot - path) : strlen(path);
    return xasprintf("%.*s-curves%s", (int)stem, path, path + stem);
}

static void begin(struct csv *c, const char *path)
{
    new_file_init(&c->file, path, opts_has(&c->e->client->opts, OPTION_FORCE));
    c->rc = new_file_begin(&c->file, &c->e->err);
}

static void end(struct csv *c)
{
    flush(c, 0);
    if (c->rc == 0)
        c->rc = new_file_end(&c->file, &c->e->err);
}

/* Both or none get their names: the table of runs last, so where it is the other is, too. */
static int write_csv(struct exported *e, const char *path)
{
    struct csv runs = {.e = e}, curves = {.e = e};
    char *beside = curves_path(path);
    int status = CLIENT_DONE;
    begin(&runs, path);
    if (runs.rc == 0)
        add_header(&runs);
    for (size_t i = 0; i < e->run_count && runs.rc == 0; i++)
        add_run(&runs, e->runs[i]);
    end(&runs);
    if (runs.rc == 0) {
        begin(&curves, beside);
        if (curves.rc == 0)
            status = add_curves(&curves);
        end(&curves);
    }
    int rc = runs.rc != 0 ? runs.rc : curves.rc;
    if (rc == 0 && status == CLIENT_DONE)
        rc = new_file_commit(&curves.file, &e->err);
    if (rc == 0 && status == CLIENT_DONE)
        rc = new_file_commit(&runs.file, &e->err);
    new_file_abandon(&runs.file);
    new_file_abandon(&curves.file);
    buf_finish(&runs.text);
    buf_finish(&curves.text);
    free(beside);
    return rc != 0 ? client_fail(e->client, CLIENT_REFUSED, &e->err) : status;
}

const struct export_form export_form_csv = {"a table of runs and one of curves", write_csv};
