/* A history as the parts of the method "import": one metric that ranks as its program did, curves
 * that labels can be made of, and lines of bounded length. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/history.h"
#include "sweep/curve_title.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/metrics.h"
#include "sweep/sha256.h"
#include "sweep/spec.h"

#define PART_BYTES ((size_t)384 << 10) /* a part is closed when it is longer */
#define FINAL_METRIC "final_value"

static int by_epoch(const void *a, const void *b)
{
    const struct history_point *x = a, *y = b;
    if (x->epoch != y->epoch)
        return x->epoch < y->epoch ? -1 : 1;
    return (x->series > y->series) - (x->series < y->series);
}

/* --- the metric ------------------------------------------------------------------------------ */

/* The best of its curve; false: it has no point of that series. */
static bool best_of(const struct history *h, const struct history_run *r, double *out)
{
    bool found = false;
    for (size_t i = 0; i < r->point_count; i++) {
        if (strcmp(h->series[r->points[i].series], h->metric) != 0)
            continue;
        if (!found || metric_better(r->points[i].value, *out, h->maximize))
            *out = r->points[i].value;
        found = true;
    }
    return found;
}

/* Its own value is another than the best of its curve. */
static bool differs(const struct history *h, const struct history_run *r)
{
    double best;
    return r->has_final && r->status == RUN_COMPLETED && best_of(h, r, &best) &&
           best != r->final && !(isnan(best) && isnan(r->final));
}

/* Sweeps rank by a curve's best point. Where the program ranks by another value, that one is what
 * ranks here, under a name of its own. */
static void settle_metric(struct history *h)
{
    size_t other = 0;
    for (size_t i = 0; i < h->run_count; i++)
        other += differs(h, &h->runs[i]);
    if (other == 0)
        return;
    history_note(h, "ranked by " FINAL_METRIC ": of %zu runs the value of %s is not the best of "
                 "its curve", other, h->metric);
    free(h->metric);
    h->metric = xstrdup(FINAL_METRIC);
}

/* The final value is a point where the curve does not say it. */
static void add_finals(struct history *h)
{
    for (size_t i = 0; i < h->run_count; i++) {
        struct history_run *r = &h->runs[i];
        double best, last = 1;
        if (!r->has_final || best_of(h, r, &best))
            continue;
        for (size_t k = 0; k < r->point_count; k++)
            last = fmax(last, r->points[k].epoch);
        history_add_point(h, r, last, h->metric, r->final);
    }
}

/* Labels are made of losses: a curve of no known meaning, that is to fall, is taken for one. */
static const char *column_for(struct history *h, size_t series)
{
    enum curve_column column;
    int rank;
    bool within = true, several = false;
    if (curve_title_column(h->series[series], &column, &rank))
        return NULL;
    for (size_t i = 0; i < h->run_count; i++) {
        size_t own = 0;
        for (size_t k = 0; k < h->runs[i].point_count; k++) {
            const struct history_point *p = &h->runs[i].points[k];
            if (p->series != series)
                continue;
            own++;
            within = within && p->value >= 0 && p->value <= 1;
        }
        several = several || own > 1;
    }
    const char *name = !several ? NULL : !h->maximize ? "val_loss" : within ? "val_acc" : NULL;
    for (size_t i = 0; i < h->series_count && name != NULL; i++)
        if (strcmp(h->series[i], name) == 0)
            name = NULL;
    return name;
}

/* --- parts ----------------------------------------------------------------------------------- */

struct packing {
    struct history *h;
    struct history_parts *out;
    struct history_space space;
    size_t stride; /* every so many-th point is sent, and a run's last */
    const char *intermediate, *column; /* a series that is reported as that column, too */
    struct buf text;
    struct json_writer w;
    bool open; /* a list of runs is being written */
};

static void add_part(struct packing *p)
{
    struct history_parts *o = p->out;
    o->parts = array_room(o->parts, &o->cap, o->count, sizeof *o->parts);
    o->parts[o->count++] = buf_take(&p->text);
}

static void begin_list(struct packing *p, const char *name)
{
    buf_printf(&p->text, "\"%s\":", name);
    jw_init(&p->w, &p->text);
    jw_begin_array(&p->w);
}

static void end_list(struct packing *p)
{
    jw_end_array(&p->w);
    add_part(p);
}

/* The points of one epoch, from i on; the first behind them. */
static size_t write_epoch(struct packing *p, const struct history_run *r, size_t i)
{
    double epoch = r->points[i].epoch;
    size_t count = 0, last = SIZE_MAX;
    jw_begin_object(&p->w);
    jw_kv_real(&p->w, "epoch", epoch);
    for (; i < r->point_count && r->points[i].epoch == epoch; i++) {
        const char *name = p->h->series[r->points[i].series];
        if (r->points[i].series == last || count + 2 > METRICS_MAX)
            continue; /* the first of two of one name */
        last = r->points[i].series;
        jw_kv_real(&p->w, name, r->points[i].value);
        count++;
        if (p->column != NULL && strcmp(name, p->intermediate) == 0)
            jw_kv_real(&p->w, p->column, r->points[i].value);
    }
    jw_end_object(&p->w);
    return i;
}

/* Every stride-th epoch, the last, and those of the metric's best: it must not be lost. */
static void write_points(struct packing *p, const struct history_run *r)
{
    double best = NAN;
    bool has_best = best_of(p->h, r, &best);
    jw_key(&p->w, "points");
    jw_begin_array(&p->w);
    for (size_t i = 0, n = 0; i < r->point_count; n++) {
        size_t next = i;
        bool wanted = n % p->stride == 0;
        for (; next < r->point_count && r->points[next].epoch == r->points[i].epoch; next++)
            wanted |= has_best && r->points[next].value == best &&
                      strcmp(p->h->series[r->points[next].series], p->h->metric) == 0;
        if (wanted || next == r->point_count)
            write_epoch(p, r, i);
        i = next;
        if (p->text.len < PART_BYTES || i == r->point_count)
            continue;
        jw_end_array(&p->w); /* the rest follows as further points of this run */
        if (p->open)
            jw_end_object(&p->w);
        if (p->open)
            jw_end_array(&p->w);
        p->open = false;
        add_part(p);
        begin_list(p, "points");
    }
    jw_end_array(&p->w);
}

static void write_run(struct packing *p, const struct history_run *r)
{
    if (!p->open) {
        begin_list(p, "runs");
        p->open = true;
    }
    jw_begin_object(&p->w);
    jw_key(&p->w, "params");
    history_values_write(&p->space, p->h, r, &p->w);
    jw_kv_string(&p->w, "status", run_status_name(r->status));
    if (r->reason != NULL)
        jw_kv_string(&p->w, "reason", r->reason);
    if (r->text != NULL)
        jw_kv_string(&p->w, "text", r->text);
    if (r->started > 0)
        jw_kv_int(&p->w, "started", r->started);
    if (r->ended > 0)
        jw_kv_int(&p->w, "ended", r->ended);
    write_points(p, r);
    if (!p->open) { /* the list in hand is one of points */
        add_part(p);
        return;
    }
    jw_end_object(&p->w);
    if (p->text.len >= PART_BYTES) {
        end_list(p);
        p->open = false;
    }
}

static double most_epochs(const struct history *h)
{
    double most = 1;
    for (size_t i = 0; i < h->run_count; i++)
        for (size_t k = 0; k < h->runs[i].point_count; k++)
            most = fmax(most, h->runs[i].points[k].epoch);
    return fmin(ceil(most), SPEC_MAX_EPOCHS);
}

/* A name of at most 127 bytes without control characters. */
static void write_name(struct packing *p, const char *given)
{
    char name[SPEC_NAME_MAX];
    str_copy(name, sizeof name, *given != '\0' ? given : "imported");
    for (char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    jw_kv_string(&p->w, "name", name);
}

static void write_sweep(struct packing *p)
{
    struct json_writer *w = &p->w;
    const struct history *h = p->h;
    buf_puts(&p->text, "\"sweep\":");
    jw_init(w, &p->text);
    jw_begin_object(w);
    jw_kv_string(w, "source", h->source);
    jw_key(w, "spec");
    jw_begin_object(w);
    write_name(p, h->name);
    jw_kv_string(w, "method", "by_hand");
    jw_kv_raw(w, "task", "{\"client\":{}}");
    jw_key(w, "metric");
    jw_begin_object(w);
    jw_kv_string(w, "name", h->metric);
    jw_kv_string(w, "goal", h->maximize ? "maximize" : "minimize");
    jw_end_object(w);
    jw_key(w, "parameters");
    history_space_write(&p->space, h, w);
    jw_kv_int(w, "epochs", (int64_t)most_epochs(h));
    jw_kv_int(w, "run_cap", (int64_t)h->run_count);
    jw_kv_int(w, "repeat_share", 0);
    jw_end_object(w);
    jw_end_object(w);
    add_part(p);
}

static void name_content(struct history_parts *p)
{
    struct sha256 hash;
    char hex[65];
    sha256_init(&hash);
    for (size_t i = 0; i < p->count; i++)
        sha256_add(&hash, p->parts[i], strlen(p->parts[i]) + 1);
    sha256_hex(&hash, hex);
    snprintf(p->id, sizeof p->id, "import-%.40s", hex);
}

static void choose_column(struct packing *p)
{
    for (size_t i = 0; i < p->h->series_count && p->column == NULL; i++) {
        if (strcmp(p->h->series[i], p->h->metric) != 0 && p->h->series_count > 1)
            continue;
        p->column = column_for(p->h, i);
        p->intermediate = p->h->series[i];
    }
    if (p->column != NULL)
        history_note(p->h, "the curve of %s is taken for %s, of which labels are made",
                     p->intermediate, p->column);
}

static int check(const struct history *h, const struct history_space *s, struct errbuf *err)
{
    if (h->run_count == 0)
        return err_set(err, ERR_DATA, "%s: no run has ended: there is nothing to import",
                       h->source);
    if (s->count == 0)
        return err_set(err, ERR_DATA, "%s: no parameter that all runs have%s%s", h->source,
                       h->notes.len > 0 ? ": " : "", h->notes.len > 0 ? h->notes.data : "");
    if (!metric_name_valid(h->metric))
        return err_bad(err, ERR_VALUE, "metric", h->metric,
                       "1 to %d bytes without control characters", METRIC_NAME_MAX);
    return 0;
}

int history_pack(struct history *h, struct history_parts *out, struct errbuf *err)
{
    struct packing p = {.h = h, .out = out};
    history_space_init(&p.space, h);
    int rc = check(h, &p.space, err);
    if (rc == 0) {
        settle_metric(h);
        add_finals(h);
        choose_column(&p);
        if (h->ignored > 0)
            history_note(h, "%zu points are left out: their names are none of a metric",
                         h->ignored);
        p.stride = h->point_count / HISTORY_POINTS_MAX + 1;
        if (p.stride > 1)
            history_note(h, "of %zu points every %zu-th is taken", h->point_count, p.stride);
        write_sweep(&p);
        for (size_t i = 0; i < h->run_count; i++) {
            if (h->runs[i].point_count > 0)
                qsort(h->runs[i].points, h->runs[i].point_count, sizeof *h->runs[i].points,
                      by_epoch);
            write_run(&p, &h->runs[i]);
        }
        if (p.open)
            end_list(&p);
        name_content(out);
    }
    history_space_finish(&p.space);
    buf_finish(&p.text);
    return rc;
}

void history_parts_finish(struct history_parts *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->parts[i]);
    free(p->parts);
    *p = (struct history_parts){0};
}
