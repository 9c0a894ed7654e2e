/* Trains a stored run again and compares every point: what the daemon promises, shown. */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/replay_sweep.h"
#include "client/report.h"
#include "client/worker.h"
#include "sweep/paths.h"
#include "sweep/run.h"
#include "sweep/run_config.h"

#define PROGRESS_INTERVAL_NS 100000000

/* The first thing that is not the same. */
struct difference {
    int64_t point; /* 0: there is none */
    double epoch;
    const char *column; /* "points": one of the two curves ends before this point */
    bool has_stored, has_now;
    double stored, now;
};

struct replay {
    struct client *c;
    struct point *points; /* stored */
    size_t count, cap;
    struct errbuf err; /* of a page */
    bool whole;        /* the run came to its end: nothing may follow the last point */
    char stored_core[48], stored_blas[160];
    struct record_start start; /* the worker's */
    size_t compared;
    struct difference first;
    struct timespec shown; /* last progress */
};

/* Where the weights are wanted; NULL: nowhere. */
static const char *output(const struct replay *r)
{
    return r->c->opts.text[OPTION_OUTPUT];
}

static bool has_weights(const struct replay *r)
{
    return output(r) != NULL && access(output(r), R_OK) == 0;
}

/* --- what is stored -------------------------------------------------------------------------- */

static void add_point(void *arg, const struct json *v)
{
    struct replay *r = arg;
    if (r->err.code != 0)
        return;
    r->points = array_room(r->points, &r->cap, r->count, sizeof *r->points);
    if (point_parse(v, &r->points[r->count], &r->err) == 0)
        r->count++;
}

static int read_points(struct replay *r)
{
    struct client *c = r->c;
    char *params = xasprintf("\"run\":%lld", (long long)c->opts.id);
    int status = client_pages(c, &(struct client_paged){"curve", params, "points"}, add_point, r);
    free(params);
    if (status == CLIENT_DONE && r->err.code == 0 && r->count == 0)
        err_set(&r->err, ERR_STATE, "run %lld has no points to compare with",
                (long long)c->opts.id);
    return status == CLIENT_DONE && r->err.code != 0 ? client_fail(c, CLIENT_REFUSED, &r->err)
                                                     : status;
}

/* The configuration as it was trained, without what would touch the run's own files; with -o its
 * weights go there. */
static int read_config(struct replay *r, const char *folder, struct run_config *config)
{
    struct errbuf err;
    char *path = xasprintf("%s/%s", folder, run_file_name(RUN_FILE_CONFIG));
    int rc = run_config_read(path, config, &err);
    free(path);
    if (rc != 0)
        return client_fail(r->c, CLIENT_REFUSED, &err);
    config->weights[0] = config->checkpoint[0] = '\0';
    config->has_weights_floor = false;
    if (output(r) != NULL)
        str_copy(config->weights, sizeof config->weights, output(r));
    else
        config->until_epoch = 0; /* it may go further while its points are read */
    return CLIENT_DONE;
}

/* Older daemons' files do not tell it, and their runs trained on targets as they are: the database
 * says so since (schema 013). */
static void take_target_scale(const struct json *run, struct run_config *config)
{
    const struct json *train = json_get(json_get(run, "settings"), "train");
    char none[32];
    setting_choice_name(SETTING_TARGET_SCALE, TARGET_SCALE_NONE, none);
    if (strcmp(member_string(train, "target_scale", ""), none) == 0)
        config->settings.v[SETTING_TARGET_SCALE] = TARGET_SCALE_NONE;
}

/* Before an hour is spent on weights that have no place. */
static int check_output(const struct replay *r)
{
    const char *path = output(r);
    if (path != NULL && strlen(path) >= SPEC_PATH_MAX)
        return client_usage(r->c, "-o: a path of fewer than %d bytes", SPEC_PATH_MAX);
    if (path != NULL && !opts_has(&r->c->opts, OPTION_FORCE) && access(path, F_OK) == 0)
        return client_usage(r->c, "%s exists; --force overwrites it", path);
    return CLIENT_DONE;
}

static int read_run(struct replay *r, struct run_config *config)
{
    struct rpc_reply reply;
    struct errbuf err;
    int status = client_call_id(r->c, "run", "run", r->c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    const struct json *run = json_get(reply.result, "run");
    const char *folder = member_string(reply.result, "folder", NULL);
    const char *completed = run_status_name(RUN_COMPLETED);
    r->whole = strcmp(member_string(run, "status", ""), completed) == 0;
    str_copy(r->stored_core, sizeof r->stored_core, member_string(run, "core_type", ""));
    str_copy(r->stored_blas, sizeof r->stored_blas, member_string(run, "blas_version", ""));
    if (report_is_program(run)) {
        err_set(&err, ERR_STATE,
                "run %lld is a program of one's own, which need not have the same bits twice; "
                "`sweepctl enqueue` runs it with the same values", (long long)r->c->opts.id);
        status = client_fail(r->c, CLIENT_REFUSED, &err);
    } else if (folder != NULL) {
        status = read_config(r, folder, config);
        take_target_scale(run, config);
    } else {
        err_set(&err, ERR_STATE, "run %lld has no folder: it has not been started yet",
                (long long)r->c->opts.id);
        status = client_fail(r->c, CLIENT_REFUSED, &err);
    }
    rpc_reply_finish(&reply);
    return status == CLIENT_DONE ? read_points(r) : status;
}

/* --- comparing ------------------------------------------------------------------------------- */

static double column_value(const struct point *p, enum curve_column c)
{
    return point_has(p, c) ? p->v[c] : 0;
}

static void note_column(struct replay *r, const struct point *stored, const struct point *now,
                        enum curve_column c)
{
    r->first = (struct difference){.point = stored->point,
                                   .epoch = stored->epoch,
                                   .column = curve_column_name(c),
                                   .has_stored = point_has(stored, c),
                                   .has_now = point_has(now, c),
                                   .stored = column_value(stored, c),
                                   .now = column_value(now, c)};
}

static void compare(struct replay *r, const struct point *stored, const struct point *now)
{
    if (point_same(stored, now)) {
        r->compared++;
        return;
    }
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
        struct point a = *stored, b = *now;
        a.measured &= 1u << c; /* all else the same */
        b.measured &= 1u << c;
        b.point = a.point;
        b.epoch = a.epoch;
        if (!point_same(&a, &b)) {
            note_column(r, stored, now, (enum curve_column)c);
            return;
        }
    }
    r->first = (struct difference){stored->point, stored->epoch, "epoch",   true,
                                   true,          stored->epoch, now->epoch};
}

/* One of the curves has a point more than the other. */
static void note_end(struct replay *r, size_t now)
{
    r->first = (struct difference){.point = (int64_t)r->compared + 1,
                                   .column = "points",
                                   .has_stored = true,
                                   .has_now = true,
                                   .stored = (double)r->count,
                                   .now = (double)now};
}

static void show_progress(struct replay *r)
{
    struct timespec now;
    if (!r->c->terminal || r->c->json)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t passed = (now.tv_sec - r->shown.tv_sec) * 1000000000LL + now.tv_nsec - r->shown.tv_nsec;
    if (passed < PROGRESS_INTERVAL_NS)
        return;
    r->shown = now;
    fprintf(r->c->out, "\rrun %lld: point %zu of %zu\x1b[K", (long long)r->c->opts.id, r->compared,
            r->count);
    fflush(r->c->out);
}

static void end_progress(const struct replay *r)
{
    if (r->shown.tv_sec != 0 || r->shown.tv_nsec != 0)
        fputs("\r\x1b[K", r->c->out);
}

/* 0 when there is nothing more to compare, 1 to go on, or an error. */
static int take(struct replay *r, const struct record *line, struct errbuf *err)
{
    if (line->type == RECORD_START)
        r->start = line->u.start;
    if (line->type == RECORD_RESULT && line->u.result.status == RUN_FAILED)
        return err_set(err, ERR_DATA, "the worker failed (%s): %s",
                       run_error_name(line->u.result.error), line->u.result.text);
    if (line->type == RECORD_RESULT && r->compared < r->count)
        note_end(r, r->compared);
    if (line->type == RECORD_POINT && r->compared < r->count)
        compare(r, &r->points[r->compared], &line->u.point);
    else if (line->type == RECORD_POINT)
        note_end(r, r->compared + 1);
    show_progress(r);
    bool all = r->compared == r->count && !r->whole && output(r) == NULL;
    return line->type != RECORD_RESULT && r->first.point == 0 && !all;
}

static int train(struct replay *r, const char *program, const struct run_config *config,
                 const char *core_type)
{
    struct worker w;
    struct record line;
    struct errbuf err;
    int more = worker_start(&w, program, config, core_type, &err);
    if (more != 0)
        return client_fail(r->c, CLIENT_REFUSED, &err);
    do {
        more = worker_read(&w, &line, &err);
        if (more == 0)
            more = worker_explain(&w, ERR_IO, &err);
        if (more > 0) {
            more = take(r, &line, &err);
            record_finish(&line);
        }
    } while (more > 0);
    worker_finish(&w);
    end_progress(r);
    return more < 0 ? client_fail(r->c, CLIENT_REFUSED, &err) : CLIENT_DONE;
}

static int train_as_daemon(struct replay *r, const struct run_config *config)
{
    struct client_trainer t;
    int status = client_ask_trainer(r->c, &t);
    if (status != CLIENT_DONE)
        return status;
    rpc_client_close(&r->c->rpc); /* nothing more is asked, and it may take hours */
    status = train(r, t.program, config, t.core);
    rpc_reply_finish(&t.reply);
    return status;
}

/* --- the answer ------------------------------------------------------------------------------ */

static void value_text(bool has, double v, char out[32])
{
    if (has)
        json_format_real(v, out);
    else
        str_copy(out, 32, "not measured");
}

static void print_difference(const struct replay *r, struct buf *text)
{
    const struct difference *d = &r->first;
    char stored[32], now[32], epoch[32];
    buf_printf(text, "run %lld differs first at point %lld", (long long)r->c->opts.id,
               (long long)d->point);
    value_text(d->has_stored, d->stored, stored);
    value_text(d->has_now, d->now, now);
    if (d->epoch > 0) {
        json_format_real(d->epoch, epoch);
        buf_printf(text, " (epoch %s): %s %s stored, %s now\n", epoch, d->column, stored, now);
    } else {
        buf_printf(text, ": %s points stored, %s now\n", stored, now);
    }
}

static void print_change(struct buf *text, const char *what, const char *stored, const char *now)
{
    if (*stored == '\0' || strcmp(stored, now) == 0) /* a run that just began: not known yet */
        return;
    buf_printf(text, "%s: ", what);
    render_text(text, stored, false);
    buf_puts(text, " stored, ");
    render_text(text, *now != '\0' ? now : "unknown", false);
    buf_puts(text, " now\n");
}

static void print_text(struct replay *r)
{
    struct buf text = {0};
    if (r->first.point != 0)
        print_difference(r, &text);
    else
        buf_printf(&text, "run %lld: all %zu points are the same, to the bit\n",
                   (long long)r->c->opts.id, r->count);
    if (has_weights(r))
        buf_printf(&text, "weights of its best epoch in %s\n", output(r));
    print_change(&text, "BLAS kernels", r->stored_core, r->start.core);
    print_change(&text, "BLAS", r->stored_blas, r->start.blas);
    client_print(r->c, &text);
}

static void write_value(struct json_writer *w, const char *key, bool has, double v)
{
    jw_key(w, key);
    if (has)
        jw_real(w, v);
    else
        jw_null(w);
}

static void write_difference(struct json_writer *w, const struct difference *d)
{
    jw_key(w, "difference");
    if (d->point == 0) {
        jw_null(w);
        return;
    }
    jw_begin_object(w);
    jw_kv_int(w, "point", d->point);
    write_value(w, "epoch", d->epoch > 0, d->epoch);
    jw_kv_string(w, "column", d->column);
    write_value(w, "stored", d->has_stored, d->stored);
    write_value(w, "now", d->has_now, d->now);
    jw_end_object(w);
}

static void write_pair(struct json_writer *w, const char *key, const char *stored, const char *now)
{
    jw_key(w, key);
    jw_begin_object(w);
    jw_kv_string(w, "stored", stored);
    jw_kv_string(w, "now", now);
    jw_end_object(w);
}

static void print_json(struct replay *r)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "run", r->c->opts.id);
    jw_kv_bool(&w, "same", r->first.point == 0);
    jw_kv_int(&w, "points", (int64_t)r->count);
    jw_kv_int(&w, "compared", (int64_t)r->compared);
    write_difference(&w, &r->first);
    jw_kv_string(&w, "weights", has_weights(r) ? output(r) : NULL);
    write_pair(&w, "core", r->stored_core, r->start.core);
    write_pair(&w, "blas", r->stored_blas, r->start.blas);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    client_print(r->c, &text);
}

int cmd_replay(struct client *c)
{
    bool sweep = opts_has(&c->opts, OPTION_SWEEP);
    if (sweep == (c->opts.arg != NULL))
        return client_usage(c, "replay needs either RUN or --sweep SWEEP");
    if (sweep)
        return replay_sweep(c, c->opts.number[OPTION_SWEEP]);
    struct replay r = {.c = c};
    struct run_config *config = xcalloc(1, sizeof *config);
    int status = check_output(&r);
    if (status == CLIENT_DONE)
        status = read_run(&r, config);
    if (status == CLIENT_DONE)
        status = train_as_daemon(&r, config);
    if (status == CLIENT_DONE) {
        if (c->json)
            print_json(&r);
        else
            print_text(&r);
        status = r.first.point == 0 ? CLIENT_DONE : CLIENT_REFUSED;
    }
    free(config);
    free(r.points);
    return status;
}
