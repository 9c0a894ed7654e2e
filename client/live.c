#include "client/live.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/human.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/run.h"

#define GAP 2

static const struct column {
    const char *title, *key, *other;
    enum cell_format format;
    size_t width;
    bool right;
    int drop;
} columns[LIVE_COLUMN_COUNT] = {
#define X(id, title, key, other, format, width, right, drop)                                       \
    {title, key, other, CELL_##format, width, right, drop},
    LIVE_COLUMN_MAP(X)
#undef X
};

void live_init(struct live *l, int64_t sweep)
{
    memset(l, 0, sizeof *l);
    l->sweep = sweep;
}

void live_finish(struct live *l)
{
    free(l->runs);
    memset(l, 0, sizeof *l);
}

static struct live_run *find_run(struct live *l, int64_t id)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->runs[i].id == id)
            return &l->runs[i];
    }
    return NULL;
}

static struct live_run *add_run(struct live *l, int64_t id)
{
    l->runs = array_room(l->runs, &l->cap, l->count, sizeof *l->runs);
    struct live_run *r = &l->runs[l->count++];
    *r = l->fixed;
    r->id = id;
    return r;
}

/* A member that is there and not null, of the object itself or of its "params". */
static const struct json *holder(const struct json *object, const char *key)
{
    const struct json *params = json_get(object, "params");
    const struct json *v = key != NULL ? json_get(object, key) : NULL;
    if (v != NULL && json_type(v) != JSON_NULL)
        return object;
    v = key != NULL ? json_get(params, key) : NULL;
    return v != NULL && json_type(v) != JSON_NULL ? params : NULL;
}

/* Every column that the object says something about. */
static void merge(const struct live *l, struct live_run *r, const struct json *object)
{
    for (size_t i = 0; i < LIVE_COLUMN_COUNT; i++) {
        const struct column *c = &columns[i];
        const char *key = holder(object, c->key) != NULL ? c->key : c->other;
        const struct json *from = holder(object, key);
        if (from == NULL)
            continue;
        char *text = render_member(from, key, c->format);
        str_copy(r->cell[i], sizeof r->cell[i], text);
        free(text);
    }
    const char *remedy = member_string(object, "treated_with", "");
    if (*remedy != '\0')
        snprintf(r->cell[LIVE_STAGE], LIVE_CELL_MAX, "+%.38s", remedy);
    double epoch = member_real(object, "epoch", member_real(object, "epochs_done", NAN));
    if (l->epochs > 0 && isfinite(epoch)) {
        char text[HUMAN_MAX];
        snprintf(r->cell[LIVE_EPOCH], LIVE_CELL_MAX, "%.16s/%" PRId64, human_number(epoch, text),
                 l->epochs);
    }
}

static void note_best(struct live *l, const struct json *object)
{
    double v = member_real(object, "metric_value", NAN);
    int status = run_status_find(member_string(object, "status", ""));
    if (!isfinite(v) || status < 0 || !run_status_ranks((enum run_status)status))
        return;
    if (!l->has_best || (l->maximize ? v > l->best : v < l->best)) {
        l->best = v;
        l->has_best = true;
    }
}

static void set_status(struct live *l, const char *status, const char *reason)
{
    str_copy(l->status, sizeof l->status, status);
    str_copy(l->reason, sizeof l->reason, reason);
    int s = sweep_status_find(status);
    l->ended = s == SWEEP_HELD || (s >= 0 && sweep_status_terminal((enum sweep_status)s));
}

void live_apply_sweep(struct live *l, const struct json *sweep)
{
    const char *goal = member_string(sweep, "goal", "minimize");
    str_copy(l->name, sizeof l->name, member_string(sweep, "name", ""));
    if (!l->ended) /* a notification of the end may overtake the reply, which is older then */
        set_status(l, member_string(sweep, "status", ""), member_string(sweep, "reason", ""));
    l->run_cap = member_int(sweep, "run_cap", 0);
    l->epochs = member_int(sweep, "epochs", 0);
    l->started_us = human_parse_utc(
        member_string(sweep, "started_at", member_string(sweep, "created_at", "")));
    if (l->ended) { /* its runs are not asked for */
        l->ended_us = human_parse_utc(member_string(sweep, "ended_at", ""));
        l->done = member_int(sweep, "done", l->done);
        l->best = member_real(sweep, "best", NAN);
        l->has_best = isfinite(l->best);
    }
    const struct json *spec = json_get(sweep, "spec");
    merge(l, &l->fixed, json_get(spec, "model"));
    merge(l, &l->fixed, json_get(spec, "train"));
    l->maximize = strcmp(goal, "maximize") == 0;
}

static bool terminal_run(const char *status)
{
    int s = run_status_find(status);
    return s >= 0 && run_status_terminal((enum run_status)s);
}

/* Its line is to be printed. */
static void end_run(struct live_run *r, const struct json *row)
{
    const char *text = member_string(row, "text", member_string(row, "error_text", ""));
    r->ended = true;
    str_copy(r->error, sizeof r->error,
             *text != '\0' ? text
                           : member_string(row, "error", member_string(row, "error_class", "")));
}

void live_look_again(struct live *l)
{
    l->again = true;
    l->done = 0;
}

void live_apply_run(void *arg, const struct json *row)
{
    struct live *l = arg;
    int64_t id = member_int(row, "run_id", member_int(row, "run", 0));
    const char *status = member_string(row, "status", "");
    struct live_run *r = find_run(l, id);
    if (terminal_run(status)) {
        l->done++;
        note_best(l, row);
        if (r != NULL) { /* its end came as a notification before this row: counted once */
            l->done -= r->ended && !l->again;
            if (l->again && !r->ended) {
                merge(l, r, row);
                end_run(r, row);
            } else if (!r->ended) {
                *r = l->runs[--l->count];
            }
        }
        return;
    }
    bool begun = strcmp(status, "running") == 0 || strcmp(status, "paused") == 0;
    if (!begun || (r != NULL && r->ended))
        return;
    merge(l, r != NULL ? r : add_run(l, id), row);
    str_copy(l->stage, sizeof l->stage, member_string(row, "stage", l->stage));
}

static void on_run(struct live *l, const struct json *params, bool ended)
{
    int64_t id = member_int(params, "run", 0);
    struct live_run *r = find_run(l, id);
    if (id <= 0)
        return;
    if (r == NULL)
        r = add_run(l, id);
    merge(l, r, params);
    if (!ended) {
        if (r->cell[LIVE_STATUS][0] == '\0')
            str_copy(r->cell[LIVE_STATUS], LIVE_CELL_MAX, "running");
        return;
    }
    if (!r->ended)
        l->done++;
    end_run(r, params);
    note_best(l, params);
}

static void on_run_started(struct live *l, const struct json *params)
{
    on_run(l, params, false);
}

static void on_run_ended(struct live *l, const struct json *params)
{
    if (terminal_run(member_string(params, "status", ""))) {
        on_run(l, params, true);
        return;
    }
    struct live_run *r = find_run(l, member_int(params, "run", 0));
    if (r != NULL && !r->ended) /* it starts again later */
        *r = l->runs[--l->count];
}

/* Only for runs at hand: a label may follow a run whose line has been written. */
static void on_run_detail(struct live *l, const struct json *params)
{
    struct live_run *r = find_run(l, member_int(params, "run", 0));
    if (r != NULL)
        merge(l, r, params);
}

static void on_stage(struct live *l, const struct json *params)
{
    str_copy(l->stage, sizeof l->stage, member_string(params, "stage", ""));
}

static void on_sweep(struct live *l, const struct json *params)
{
    set_status(l, member_string(params, "status", l->status), member_string(params, "reason", ""));
}

static void on_sweep_ended(struct live *l, const struct json *params)
{
    on_sweep(l, params);
    l->ended = true;
}

/* Of the watching, not of a run, for those who print notifications; or of a run of which all that
 * is known is kept: it goes on, or is stopped where it is. */
static void on_nothing(struct live *l, const struct json *params)
{
}

static const struct {
    const char *method;
    void (*apply)(struct live *l, const struct json *params);
} handlers[] = {
    {"run_started", on_run_started}, {"point", on_run_started}, {"label", on_run_detail},
    {"run_ended", on_run_ended},     {"run_paused", on_nothing}, {"stage_planned", on_stage},
    {"sweep_changed", on_sweep},     {"sweep_ended", on_sweep_ended},
    {"lagged", on_nothing},          {"snapshot", on_nothing},
};

bool live_apply(struct live *l, const char *method, const struct json *params)
{
    if (params == NULL || member_int(params, "sweep", l->sweep) != l->sweep)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
        if (strcmp(handlers[i].method, method) == 0) {
            handlers[i].apply(l, params);
            return true;
        }
    }
    return false;
}

/* Which columns fit into width: bit per column. */
static unsigned layout(size_t width)
{
    unsigned shown = (1u << LIVE_COLUMN_COUNT) - 1;
    size_t total = 0;
    for (size_t i = 0; i < LIVE_COLUMN_COUNT; i++)
        total += columns[i].width + GAP;
    for (int drop = LIVE_COLUMN_COUNT; drop > 0 && total - GAP > width; drop--) {
        for (size_t i = 0; i < LIVE_COLUMN_COUNT; i++) {
            if (columns[i].drop == drop) {
                shown &= ~(1u << i);
                total -= columns[i].width + GAP;
            }
        }
    }
    return shown;
}

static void trim(struct buf *out)
{
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
}

/* A line of the columns shown, cut at width where even those do not fit. */
static void put_line(const char *const text[LIVE_COLUMN_COUNT], const enum tone *tones,
                     size_t width, bool colour, struct buf *out)
{
    unsigned shown = layout(width);
    size_t left = width;
    for (size_t i = 0; i < LIVE_COLUMN_COUNT && left > 0; i++) {
        if (((shown >> i) & 1u) == 0)
            continue;
        size_t w = columns[i].width < left ? columns[i].width : left;
        render_field(out, text[i], w, columns[i].right, render_tone(tones[i], colour));
        left -= w;
        for (size_t gap = 0; gap < GAP && left > 0; gap++, left--)
            buf_putc(out, ' ');
    }
    trim(out);
    buf_putc(out, '\n');
}

static void run_line(const struct live_run *r, size_t width, bool colour, struct buf *out)
{
    const char *text[LIVE_COLUMN_COUNT];
    enum tone tones[LIVE_COLUMN_COUNT] = {TONE_PLAIN};
    for (size_t i = 0; i < LIVE_COLUMN_COUNT; i++)
        text[i] = r->cell[i][0] != '\0' ? r->cell[i] : "-";
    tones[LIVE_LABEL] = render_word_tone(text[LIVE_LABEL]);
    tones[LIVE_STATUS] = render_word_tone(text[LIVE_STATUS]);
    put_line(text, tones, width, colour, out);
}

void live_take_ended(struct live *l, size_t width, bool colour, struct buf *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        struct live_run *r = &l->runs[i];
        if (!r->ended) {
            l->runs[kept++] = *r;
            continue;
        }
        run_line(r, width, colour, out);
        if (strcmp(r->cell[LIVE_STATUS], "failed") == 0 && r->error[0] != '\0') {
            buf_puts(out, "       ");
            render_field(out, r->error, width > 8 ? width - 8 : 0, false,
                         render_tone(TONE_BAD, colour));
            trim(out);
            buf_putc(out, '\n');
        }
    }
    l->count = kept;
}

void live_titles(size_t width, bool colour, struct buf *out)
{
    const char *text[LIVE_COLUMN_COUNT];
    enum tone tones[LIVE_COLUMN_COUNT];
    for (size_t i = 0; i < LIVE_COLUMN_COUNT; i++) {
        text[i] = columns[i].title;
        tones[i] = TONE_DIM;
    }
    put_line(text, tones, width, colour, out);
}

void live_header(const struct live *l, int64_t now_us, size_t width, bool colour,
                 struct buf *out)
{
    struct buf line = {0};
    char text[HUMAN_MAX];
    buf_printf(&line, "sweep %" PRId64 " %s  %s", l->sweep, l->name, l->status);
    if (l->reason[0] != '\0')
        buf_printf(&line, " (%s)", l->reason);
    if (l->stage[0] != '\0')
        buf_printf(&line, "  stage %s", l->stage);
    buf_printf(&line, "  %" PRId64 "/%" PRId64 " runs", l->done, l->run_cap);
    int64_t until_us = l->ended_us > 0 ? l->ended_us : now_us;
    if (l->started_us > 0)
        buf_printf(&line, "  %s",
                   human_duration(((double)until_us - (double)l->started_us) / 1e6, text));
    if (l->ended_us > 0)
        buf_printf(&line, "  ended %s", human_ago(l->ended_us, now_us, text));
    if (l->has_best)
        buf_printf(&line, "  best %s", human_loss(l->best, text));
    size_t columns_needed = render_width(line.data);
    render_field(out, line.data, columns_needed < width ? columns_needed : width, false,
                 render_tone(TONE_BOLD, colour));
    buf_putc(out, '\n');
    buf_finish(&line);
}
