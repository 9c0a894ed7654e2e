#include "client/screen/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/human.h"
#include "client/render.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/run.h"

void model_init(struct model *m)
{
    *m = (struct model){0};
}

static void forget_samples(struct model_run *r)
{
    free(r->samples);
    r->samples = NULL;
    r->count = r->cap = 0;
    r->fold = 1;
    r->folded = 0;
    r->last_point = 0;
}

void model_finish(struct model *m)
{
    for (size_t i = 0; i < m->run_count; i++)
        forget_samples(&m->runs[i]);
    free(m->runs);
    free(m->sweeps);
    free(m->waits);
    free(m->detail_why);
    free(m->detail_log);
    *m = (struct model){0};
}

/* --- sweeps ----------------------------------------------------------------------------------- */

struct model_sweep *model_sweep(const struct model *m, int64_t id)
{
    for (size_t i = 0; i < m->sweep_count; i++)
        if (m->sweeps[i].id == id)
            return &m->sweeps[i];
    return NULL;
}

/* Newest first; the oldest that is over goes where there are too many. */
static struct model_sweep *add_sweep(struct model *m, int64_t id)
{
    size_t at = 0;
    if (m->sweep_count == MODEL_SWEEPS_MAX) {
        size_t last = m->sweep_count;
        while (last > 1 && (!m->sweeps[last - 1].over || m->sweeps[last - 1].id == m->selected))
            last--;
        memmove(&m->sweeps[last - 1], &m->sweeps[last],
                (m->sweep_count - last) * sizeof *m->sweeps);
        m->sweep_count--;
    }
    m->sweeps = array_room(m->sweeps, &m->sweep_cap, m->sweep_count, sizeof *m->sweeps);
    while (at < m->sweep_count && m->sweeps[at].id > id)
        at++;
    memmove(&m->sweeps[at + 1], &m->sweeps[at], (m->sweep_count - at) * sizeof *m->sweeps);
    m->sweep_count++;
    m->sweeps[at] = (struct model_sweep){.id = id, .best = NAN};
    return &m->sweeps[at];
}

static void set_status(struct model_sweep *s, const char *status, const char *reason)
{
    int known = sweep_status_find(status);
    str_copy(s->status, sizeof s->status, status);
    str_copy(s->reason, sizeof s->reason, reason);
    s->over = known >= 0 && sweep_status_terminal((enum sweep_status)known);
}

void model_take_sweep(struct model *m, const struct json *row)
{
    int64_t id = member_int(row, "id", 0);
    struct model_sweep *s = model_sweep(m, id);
    if (id <= 0)
        return;
    s = s != NULL ? s : add_sweep(m, id);
    str_copy(s->name, sizeof s->name, member_string(row, "name", ""));
    str_copy(s->metric, sizeof s->metric, member_string(row, "metric", "metric"));
    set_status(s, member_string(row, "status", ""), member_string(row, "reason", ""));
    s->maximize = strcmp(member_string(row, "goal", ""), "maximize") == 0;
    s->run_cap = member_int(row, "run_cap", 0);
    s->runs = member_int(row, "runs", 0);
    s->done = member_int(row, "done", 0);
    s->running = member_int(row, "running", 0);
    s->failed = member_int(row, "failed", 0);
    s->epochs = member_real(row, "epochs", 0);
    s->best = member_real(row, "best", NAN);
    s->best_run = member_int(row, "best_run", 0);
    s->created_us = human_parse_utc(member_string(row, "created_at", ""));
    s->started_us = human_parse_utc(member_string(row, "started_at", ""));
    s->ended_us = human_parse_utc(member_string(row, "ended_at", ""));
}

static void note_best(struct model_sweep *s, const struct model_run *r, int64_t now_us)
{
    int status = run_status_find(r->status);
    if (!isfinite(r->metric) || status < 0 || !run_status_ranks((enum run_status)status) ||
        (!isnan(s->best) && !(s->maximize ? r->metric > s->best : r->metric < s->best)))
        return;
    s->best = r->metric;
    s->best_run = r->id;
    s->best_us = now_us;
}

/* --- runs ------------------------------------------------------------------------------------- */

/* Where a run of that id is, or would be. */
static size_t place(const struct model *m, int64_t id)
{
    size_t low = 0, high = m->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->runs[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct model_run *model_run(const struct model *m, int64_t id)
{
    size_t i = place(m, id);
    return i < m->run_count && m->runs[i].id == id ? &m->runs[i] : NULL;
}

static void remove_run(struct model *m, size_t i)
{
    forget_samples(&m->runs[i]);
    memmove(&m->runs[i], &m->runs[i + 1], (m->run_count - i - 1) * sizeof *m->runs);
    m->run_count--;
}

/* The oldest that is neither running nor marked makes room. */
static void make_room(struct model *m)
{
    if (m->run_count < MODEL_RUNS_MAX)
        return;
    size_t i = 0;
    while (i < m->run_count && (m->runs[i].running || m->runs[i].marked))
        i++;
    remove_run(m, i < m->run_count ? i : 0);
    m->left_out = true;
}

static struct model_run *run_of(struct model *m, int64_t sweep, int64_t id)
{
    struct model_run *r = model_run(m, id);
    if (r != NULL)
        return r;
    make_room(m);
    size_t i = place(m, id);
    m->runs = array_room(m->runs, &m->run_cap, m->run_count, sizeof *m->runs);
    memmove(&m->runs[i + 1], &m->runs[i], (m->run_count - i) * sizeof *m->runs);
    m->run_count++;
    m->runs[i] = (struct model_run){.id = id, .sweep = sweep, .number = -1, .epoch = NAN,
                                    .train = NAN, .val = NAN, .norm = NAN, .metric = NAN,
                                    .seconds = NAN, .fold = 1};
    return &m->runs[i];
}

/* "lr=0.01 batch=32": the names that all know are short. */
static void params_text(const struct json *params, char *out, size_t size)
{
    static const char *const names[][2] = {
        {"learning_rate", "lr"}, {"batch_size", "batch"}, {"optimizer", ""}};
    struct buf text = {0};
    for (const struct json *v = json_first(params); v != NULL; v = json_next(v)) {
        const char *name = json_key(v);
        char *value = render_member(params, name, CELL_NUMBER);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            name = strcmp(name, names[i][0]) == 0 ? names[i][1] : name;
        buf_printf(&text, "%s%s%s%s", text.len > 0 ? " " : "", name, *name != '\0' ? "=" : "",
                   value);
        free(value);
    }
    str_copy(out, size, text.data != NULL ? text.data : "");
    buf_finish(&text);
}

static void note_label(struct model_run *r, const char *label)
{
    struct label_change *last = r->change_count > 0 ? &r->changes[r->change_count - 1] : NULL;
    if (*label == '\0' || (last != NULL && strcmp(last->label, label) == 0))
        return;
    if (r->change_count == MODEL_CHANGES_MAX) { /* the first stays: from where it came */
        memmove(&r->changes[1], &r->changes[2], (MODEL_CHANGES_MAX - 2) * sizeof *r->changes);
        r->change_count--;
    }
    last = &r->changes[r->change_count++];
    str_copy(last->label, sizeof last->label, label);
    last->epoch = isnan(r->epoch) ? 0 : r->epoch;
    str_copy(r->label, sizeof r->label, label);
}

static void take_text(char *out, size_t size, const struct json *row, const char *key)
{
    const char *text = member_string(row, key, NULL);
    if (text != NULL)
        str_copy(out, size, text);
}

/* What a row and the notifications have in common. */
static void merge(struct model_run *r, const struct json *row)
{
    r->number = member_int(row, "number", r->number);
    r->epoch = member_real(row, "epoch", member_real(row, "epochs_done", r->epoch));
    r->train = member_real(row, "train_loss", r->train);
    r->val = member_real(row, "val_loss", r->val);
    r->norm = member_real(row, "grad_norm", r->norm);
    r->metric = member_real(row, "metric_value", r->metric);
    r->seconds = member_real(row, "seconds", r->seconds);
    take_text(r->status, sizeof r->status, row, "status");
    take_text(r->stage, sizeof r->stage, row, "stage");
    take_text(r->cause, sizeof r->cause, row, "cause");
    take_text(r->error, sizeof r->error, row, "error_text");
    take_text(r->error, sizeof r->error, row, "text");
    if (member_string(row, "treated_with", NULL) != NULL)
        snprintf(r->stage, sizeof r->stage, "+%.22s", member_string(row, "treated_with", ""));
    if (json_get(row, "params") != NULL)
        params_text(json_get(row, "params"), r->params, sizeof r->params);
    note_label(r, member_string(row, "pattern", member_string(row, "label", "")));
}

bool model_run_over(const struct model_run *r)
{
    int status = run_status_find(r->status);
    return status >= 0 && run_status_terminal((enum run_status)status);
}

void model_take_run(struct model *m, int64_t sweep, const struct json *row)
{
    int64_t id = member_int(row, "run_id", 0);
    if (id <= 0)
        return;
    struct model_run *r = run_of(m, sweep, id);
    struct model_sweep *s = model_sweep(m, sweep);
    bool known = r->change_count > 0;
    merge(r, row);
    if (!known && r->change_count == 1)
        r->changes[0].epoch = 0; /* since when is not told */
    r->epochs = member_real(row, "epochs", r->epochs);
    r->running = strcmp(r->status, "running") == 0;
    if (s != NULL && s->best_run == id && s->best_us == 0)
        s->best_us = human_parse_utc(member_string(row, "ended_at", ""));
}

void model_select(struct model *m, int64_t sweep)
{
    for (size_t i = m->run_count; i-- > 0;)
        if (m->runs[i].sweep == sweep || !m->runs[i].running)
            remove_run(m, i);
    m->selected = sweep;
    m->left_out = false;
}

/* --- points ----------------------------------------------------------------------------------- */

static float mean_of(float a, float b, size_t weight)
{
    if (!isfinite(a) || !isfinite(b))
        return isfinite(a) ? a : b;
    return (a * (float)weight + b) / (float)(weight + 1);
}

/* Two neighbours become one. */
static void fold_samples(struct model_run *r)
{
    for (size_t i = 0; i + 1 < r->count; i += 2) {
        struct sample *a = &r->samples[i], *b = &r->samples[i + 1];
        for (int k = SAMPLE_TRAIN; k < SAMPLE_COLUMNS; k++)
            r->samples[i / 2].v[k] = mean_of(a->v[k], b->v[k], 1);
        r->samples[i / 2].v[SAMPLE_EPOCH] = b->v[SAMPLE_EPOCH];
    }
    r->count /= 2;
    r->folded = r->fold *= 2;
}

static void add_sample(struct model_run *r, const struct sample *now)
{
    if (r->count > 0 && r->folded < r->fold) {
        struct sample *last = &r->samples[r->count - 1];
        for (int k = SAMPLE_TRAIN; k < SAMPLE_COLUMNS; k++)
            last->v[k] = mean_of(last->v[k], now->v[k], r->folded);
        last->v[SAMPLE_EPOCH] = now->v[SAMPLE_EPOCH];
        r->folded++;
        return;
    }
    if (r->count == MODEL_SAMPLES_MAX) {
        fold_samples(r);
    }
    r->samples = array_room(r->samples, &r->cap, r->count, sizeof *r->samples);
    r->samples[r->count++] = *now;
    r->folded = 1;
}

void model_take_point(struct model *m, struct model_run *r, const struct json *point)
{
    int64_t number = member_int(point, "point", 0);
    struct sample now = {{(float)member_real(point, "epoch", NAN),
                          (float)member_real(point, "train_loss", NAN),
                          (float)member_real(point, "val_loss", NAN),
                          (float)member_real(point, "grad_norm", NAN)}};
    if (number <= r->last_point || !isfinite(now.v[SAMPLE_EPOCH]))
        return;
    double best = r->running ? NAN : r->val; /* a row's is that of the best epoch */
    r->last_point = number;
    add_sample(r, &now);
    merge(r, point);
    r->val = isnan(best) ? r->val : best;
}

/* --- detail ----------------------------------------------------------------------------------- */

static void put_line(struct buf *out, const char *title, const char *text)
{
    if (text != NULL && *text != '\0')
        buf_printf(out, "%s%s\n", title, text);
}

/* When it was labelled how, as the diagnosis sees it afterwards. */
static void take_timeline(struct model_run *r, const struct json *timeline)
{
    if (r == NULL || json_first(timeline) == NULL)
        return;
    r->change_count = 0;
    for (const struct json *v = json_first(timeline); v != NULL; v = json_next(v)) {
        note_label(r, member_string(v, "pattern", ""));
        if (r->change_count > 0 && strcmp(r->label, member_string(v, "pattern", "")) == 0)
            r->changes[r->change_count - 1].epoch = member_real(v, "from", 0);
    }
}

void model_take_detail(struct model *m, int64_t run, const struct json *explained,
                       const char *log)
{
    const struct json *label = json_get(explained, "label");
    struct buf why = {0};
    put_line(&why, "", member_string(json_get(label, "evidence"), "sentence", ""));
    for (const struct json *v = json_first(json_get(label, "causes")); v; v = json_next(v)) {
        char *title = xasprintf("cause %s: ", member_string(v, "cause", "-"));
        put_line(&why, title, member_string(v, "evidence", "-"));
        free(title);
    }
    for (const struct json *v = json_first(json_get(explained, "remedies")); v; v = json_next(v)) {
        char *title = xasprintf("remedy %s: ", member_string(v, "remedy", "-"));
        put_line(&why, title, member_string(v, "does", "-"));
        free(title);
    }
    take_timeline(model_run(m, run), json_get(json_get(label, "evidence"), "timeline"));
    free(m->detail_why);
    free(m->detail_log);
    m->detail_run = run;
    m->detail_why = buf_take(&why);
    m->detail_log = xstrdup(log != NULL ? log : "");
}

/* --- notifications ---------------------------------------------------------------------------- */

struct note {
    struct model *m;
    struct model_sweep *s;
    const struct json *params;
    int64_t run, now_us;
};

static struct model_run *started(const struct note *n)
{
    struct model_run *r = n->run > 0 ? run_of(n->m, n->s->id, n->run) : NULL;
    if (r != NULL && !r->running && !model_run_over(r)) {
        r->running = true;
        n->s->running++;
        str_copy(r->status, sizeof r->status, "running");
    }
    if (r != NULL && !(r->epochs > 0))
        r->epochs = n->s->epochs;
    return r;
}

static void on_started(const struct note *n)
{
    struct model_run *r = started(n);
    if (r != NULL)
        merge(r, n->params);
}

static void on_point(const struct note *n)
{
    struct model_run *r = started(n);
    if (r == NULL)
        return;
    model_take_point(n->m, r, n->params);
    if (r->first_us == 0) {
        r->first_us = n->now_us;
        r->first_epoch = r->epoch;
    }
    r->last_us = n->now_us;
}

static void on_label(const struct note *n)
{
    struct model_run *r = model_run(n->m, n->run);
    if (r != NULL)
        merge(r, n->params);
}

static void on_paused(const struct note *n)
{
    struct model_run *r = model_run(n->m, n->run);
    if (r == NULL || !r->running)
        return;
    r->running = false;
    n->s->running -= n->s->running > 0;
    str_copy(r->status, sizeof r->status, "paused");
}

static void on_ended(const struct note *n)
{
    struct model_run *r = n->run > 0 ? run_of(n->m, n->s->id, n->run) : NULL;
    if (r == NULL)
        return;
    bool over = model_run_over(r), ran = r->running;
    merge(r, n->params);
    r->running = false;
    n->s->running -= ran && n->s->running > 0;
    if (!over && model_run_over(r)) {
        n->s->done++;
        n->s->failed += strcmp(r->status, "failed") == 0;
        n->m->ends[n->m->end_count++ % MODEL_RATE_ENDS] = n->now_us;
        note_best(n->s, r, n->now_us);
        if (isfinite(r->seconds) && isfinite(r->epoch)) {
            n->s->train_seconds += r->seconds;
            n->s->train_epochs += r->epoch;
        }
    }
    if (!r->marked && r->id != n->m->detail_run)
        forget_samples(r);
    if (r->sweep != n->m->selected)
        remove_run(n->m, place(n->m, r->id));
}

static void on_changed(const struct note *n)
{
    set_status(n->s, member_string(n->params, "status", n->s->status),
               member_string(n->params, "reason", ""));
    if (n->s->over && n->s->ended_us == 0)
        n->s->ended_us = n->now_us;
    if (n->s->started_us == 0 && strcmp(n->s->status, "running") == 0)
        n->s->started_us = n->now_us;
}

static void on_snapshot(const struct note *n)
{
    model_take_sweep(n->m, json_get(n->params, "state"));
}

static const struct {
    const char *method;
    void (*apply)(const struct note *n);
} handlers[] = {
    {"run_started", on_started}, {"point", on_point},          {"label", on_label},
    {"run_ended", on_ended},     {"run_paused", on_paused},
    {"sweep_changed", on_changed},
    {"sweep_ended", on_changed}, {"snapshot", on_snapshot},
};

bool model_apply(struct model *m, const char *method, const struct json *params, int64_t now_us)
{
    struct note n = {.m = m, .params = params, .run = member_int(params, "run", 0),
                     .now_us = now_us};
    int64_t sweep = member_int(params, "sweep", 0);
    n.s = model_sweep(m, sweep);
    if (n.s == NULL && sweep > 0) {
        m->stale = true;
        n.s = add_sweep(m, sweep);
    }
    for (size_t i = 0; n.s != NULL && i < ARRAY_LEN(handlers); i++) {
        if (strcmp(handlers[i].method, method) == 0) {
            handlers[i].apply(&n);
            return true;
        }
    }
    return false;
}
