#include "client/label_folder.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/curve_input.h"
#include "client/folder_list.h"
#include "client/human.h"
#include "client/log_folder.h"
#include "client/render.h"
#include "sweep/buf.h"
#include "sweep/diagnosis.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define SHOWN_MAX 20 /* of those that could not be read; JSON has all */

struct unread {
    char *path, *reason;
};

struct walk {
    const struct label_request *request;
    struct render_table table;
    struct json_writer logs;
    struct buf logs_text;
    struct unread *unread;
    size_t unread_count, unread_cap, files, read;
    bool stopped, deep; /* at LABEL_FILES_MAX; below LABEL_DEPTH_MAX */
};

/* --- one log -------------------------------------------------------------------------------- */

static void add_unread(struct walk *w, const char *name, const char *path, const char *reason)
{
    size_t len = strlen(path);
    if (strncmp(reason, path, len) == 0 && strncmp(reason + len, ": ", 2) == 0)
        reason += len + 2;
    w->unread = array_room(w->unread, &w->unread_cap, w->unread_count, sizeof(*w->unread));
    w->unread[w->unread_count++] = (struct unread){xstrdup(name), xstrdup(reason)};
}

static void add_row(struct walk *w, const char *name, const struct curve *c,
                    const struct diagnosis *d)
{
    bool validated = d->val.count > 0;
    const struct diagnosis_trend *t = validated ? &d->val : &d->train;
    const char *pattern = pattern_name(d->pattern);
    char text[HUMAN_MAX];
    render_table_add(&w->table, name, TONE_PLAIN);
    render_table_add(&w->table, pattern, render_word_tone(pattern));
    snprintf(text, sizeof(text), "%.2f", d->confidence);
    render_table_add(&w->table, text, TONE_PLAIN);
    render_table_add(&w->table, human_count((int64_t)c->count, text), TONE_PLAIN);
    render_table_add(&w->table, isnan(t->best) ? "-" : human_loss(t->best, text), TONE_PLAIN);
    render_table_add(&w->table, isnan(t->best_epoch) ? "-" : human_number(t->best_epoch, text),
                     TONE_PLAIN);
    render_table_add(&w->table, isnan(t->best) ? "-" : validated ? "validation" : "training",
                     TONE_PLAIN);
}

static void add_log(struct walk *w, const char *name, const char *path)
{
    struct curve c = {0};
    struct diagnosis d;
    struct errbuf err;
    int rc = folder_is(path) ? 0 : curve_input_check(path, &err);
    if (rc == 0)
        rc = curve_input_read(path, w->request->run, &c, &err);
    if (rc != 0) {
        add_unread(w, name, path, err.message);
        return;
    }
    label_diagnose(&c, c.count, &d);
    w->read++;
    if (w->request->json) {
        jw_begin_object(&w->logs);
        jw_kv_string(&w->logs, "path", name);
        label_members(&d, &c, c.count, &w->logs);
        jw_end_object(&w->logs);
    } else {
        add_row(w, name, &c, &d);
    }
    curve_finish(&c);
}

/* --- the folders ---------------------------------------------------------------------------- */

static void walk_folder(struct walk *w, const char *name, const char *path, int depth);

static void look_at(struct walk *w, const struct folder_entry *e, const char *folder,
                    const char *in, int depth)
{
    char *path = xasprintf("%s/%s", in, e->name);
    char *name = *folder ? xasprintf("%s/%s", folder, e->name) : xstrdup(e->name);
    if (!e->folder) {
        w->files++;
        add_log(w, name, path);
    } else if (depth + 1 > LABEL_DEPTH_MAX) {
        w->deep = true;
    } else {
        walk_folder(w, name, path, depth + 1);
    }
    free(name);
    free(path);
}

static void walk_folder(struct walk *w, const char *name, const char *path, int depth)
{
    struct folder_list l;
    struct errbuf err;
    enum log_folder kind = log_folder_kind(path);
    if (folder_list_read(path, LABEL_FILES_MAX, &l, &err) != 0) {
        add_unread(w, name, path, err.message);
        return;
    }
    w->stopped |= l.more;
    if (kind != LOG_FOLDER_NONE) {
        w->files++;
        add_log(w, *name ? name : ".", path);
    }
    for (size_t i = 0; i < l.count; i++) {
        if (kind != LOG_FOLDER_NONE && log_folder_holds(kind, path, l.entries[i].name))
            continue;
        if (w->files >= LABEL_FILES_MAX) {
            w->stopped = true;
            break;
        }
        look_at(w, &l.entries[i], name, path, depth);
    }
    folder_list_finish(&l);
}

static bool is_log(const char *folder, const struct folder_entry *e)
{
    char *path = xasprintf("%s/%s", folder, e->name);
    struct curve c = {0};
    bool is = e->folder ? log_folder_kind(path) != LOG_FOLDER_NONE
                        : curve_input_check(path, NULL) == 0 &&
                              curve_input_read(path, NULL, &c, NULL) == 0;
    curve_finish(&c);
    free(path);
    return is;
}

/* Is the folder itself a log, and none of what lies beside it another? */
static bool is_one_log(const char *path)
{
    enum log_folder kind = log_folder_kind(path);
    struct folder_list l;
    bool one = kind != LOG_FOLDER_NONE && folder_list_read(path, LABEL_FILES_MAX, &l, NULL) == 0;
    if (!one)
        return false;
    for (size_t i = 0; one && i < l.count; i++)
        one = log_folder_holds(kind, path, l.entries[i].name) || !is_log(path, &l.entries[i]);
    folder_list_finish(&l);
    return one;
}

/* --- what is printed ------------------------------------------------------------------------ */

static void write_unread(const struct walk *w, struct buf *out)
{
    if (w->unread_count == 0)
        return;
    buf_printf(out, "%s%zu not read\n", w->read > 0 ? "\n" : "", w->unread_count);
    for (size_t i = 0; i < w->unread_count && i < SHOWN_MAX; i++) {
        buf_puts(out, "  ");
        render_text(out, w->unread[i].path, false);
        buf_puts(out, ": ");
        render_text(out, w->unread[i].reason, false);
        buf_putc(out, '\n');
    }
    if (w->unread_count > SHOWN_MAX)
        buf_printf(out, "  and %zu others; --json has all\n", w->unread_count - SHOWN_MAX);
}

static void write_text(const struct walk *w, struct buf *out)
{
    if (w->read > 0)
        render_table_print(&w->table, w->request->width, w->request->colour, out);
    write_unread(w, out);
    if (w->stopped)
        buf_printf(out, "stopped after %d files: name a folder below\n", LABEL_FILES_MAX);
    if (w->deep)
        buf_printf(out, "folders more than %d deep were not looked at\n", LABEL_DEPTH_MAX);
}

static void write_json(const struct walk *w, struct buf *out)
{
    struct json_writer j;
    jw_init(&j, out);
    jw_begin_object(&j);
    jw_kv_string(&j, "folder", w->request->path);
    jw_key(&j, "logs");
    jw_raw(&j, w->logs_text.data);
    jw_key(&j, "unread");
    jw_begin_array(&j);
    for (size_t i = 0; i < w->unread_count; i++) {
        jw_begin_object(&j);
        jw_kv_string(&j, "path", w->unread[i].path);
        jw_kv_string(&j, "reason", w->unread[i].reason);
        jw_end_object(&j);
    }
    jw_end_array(&j);
    jw_kv_int(&j, "files", (int64_t)w->files);
    jw_kv_bool(&j, "complete", !w->stopped && !w->deep);
    jw_end_object(&j);
    buf_putc(out, '\n');
}

static int print(const struct walk *w, FILE *out, struct errbuf *err)
{
    struct buf text = {0};
    if (w->request->json)
        write_json(w, &text);
    else
        write_text(w, &text);
    int rc = label_print(w->request, &text, out, err);
    if (rc == 0 && w->read == 0)
        rc = err_set(err, ERR_VALUE, "%s: %s", w->request->path,
                     w->files > 0 ? "no file of this folder could be read as a training log"
                                  : "no files are in this folder");
    return rc;
}

static void walk_finish(struct walk *w)
{
    for (size_t i = 0; i < w->unread_count; i++) {
        free(w->unread[i].path);
        free(w->unread[i].reason);
    }
    free(w->unread);
    buf_finish(&w->logs_text);
    render_table_finish(&w->table);
}

static int label_folder(const struct label_request *q, FILE *out, struct errbuf *err)
{
    static const struct table_column COLUMNS[] = {
        {"log", false, 0},  {"label", false, 0},   {"confidence", true, 3}, {"points", true, 5},
        {"best", true, 0}, {"at epoch", true, 4}, {"loss", false, 6},
    };
    struct walk w = {.request = q};
    struct errbuf why;
    struct folder_list l;
    if (folder_list_read(q->path, 1, &l, &why) != 0)
        return err_set(err, why.code, "%s", why.message);
    folder_list_finish(&l);
    render_table_init(&w.table, COLUMNS, sizeof(COLUMNS) / sizeof(COLUMNS[0]));
    jw_init(&w.logs, &w.logs_text);
    jw_begin_array(&w.logs);
    walk_folder(&w, "", q->path, 0);
    jw_end_array(&w.logs);
    int rc = print(&w, out, err);
    walk_finish(&w);
    return rc;
}

int label_path(const struct label_request *q, FILE *out, struct errbuf *err)
{
    if (strcmp(q->path, "-") == 0 || !folder_is(q->path) || is_one_log(q->path))
        return label_file(q, out, err);
    if (q->val_path != NULL || q->at > 0)
        return err_bad(err, ERR_VALUE, q->val_path != NULL ? "--val" : "--at", NULL,
                       "one log; %s is a folder of others", q->path);
    return label_folder(q, out, err);
}
