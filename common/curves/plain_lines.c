/* What a program printed: lines of free text in which measurements stand by name. The last format
 * asked, for any text. Understood: "epoch 3 loss 0.41 val_loss 0.5" and its many ways of writing,
 * progress bars (only the complete ones of an epoch count), dicts and JSON objects within a line,
 * XGBoost's, LightGBM's and CatBoost's lines, and what stands in front of a message in a log. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/curves/format.h"
#include "common/curves/json_row.h"
#include "sweep/metric_word.h"
#include "sweep/plain_pairs.h"
#include "sweep/terminal_text.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define LOOKED_AT 4096 /* bytes of a line */

struct output {
    struct training_log *log;
    struct errbuf *err;
    struct loose_json j;
    struct plain_line line;
    struct buf clean;
    size_t number;  /* of the line */
    bool has_epoch; /* one was said */
    double epoch, first_epoch;
    bool counts_parts; /* epochs are written in parts: "Train Epoch: 1 [640/60000]" */
    bool of_bar;       /* the row begun last is of a bar, of this epoch */
    double bar_epoch;
    bool of_heldout;   /* the row begun last is of a validation that is under way */
    double bars, last_at; /* of bars without an epoch: how many were full, and where one stands */
    bool counted;      /* the row begun last has an epoch or a step */
    bool looks;        /* nothing is written yet: do lines tell an epoch's measurements? */
    bool lines_tell;   /* they do: what bars say is only what has come so far */
    bool bar_of_all;   /* a bar goes on from epoch to epoch: it counts the steps of all */
    double look_epoch, look_at, look_of; /* of the bar before, while that is looked for */
    bool has_step;     /* a line said where the training is, and nothing else */
    double step;
    bool restates;     /* "best iteration is:": the line below was there before */
};

/* --- lines ---------------------------------------------------------------------------------- */

static void clean_line(struct buf *out, const char *text, size_t len)
{
    buf_clear(out);
    for (size_t i = 0; i < len && out->len < LOOKED_AT;) {
        if (text[i] == '\x1b') {
            i += terminal_escape(text + i, len - i);
            continue;
        }
        buf_putc(out, text[i] ? text[i] : ' ');
        i++;
    }
    buf_puts(out, "");
    plain_line_mark(out->data);
}

/* --- rows ----------------------------------------------------------------------------------- */

static int put(struct output *o, const char *title, double value)
{
    int column = training_log_column(o->log, title, strlen(title), o->err);
    return column < 0 ? column : training_log_number(o->log, (size_t)column, value, o->err);
}

static void note_epoch(struct output *o)
{
    const struct plain_line *l = &o->line;
    if (l->has_epoch) {
        o->first_epoch = o->has_epoch ? o->first_epoch : l->epoch;
        o->has_epoch = true;
        o->epoch = l->epoch;
    }
}

/* Where in the training, in epochs: of "Epoch 1 [640/60000]" those before it and a part. Programs
 * count epochs from 0 or from 1: the first that is said tells. */
static double epoch_of_row(struct output *o, bool bar)
{
    const struct plain_line *l = &o->line;
    if (l->has_position && !bar && !l->heldout && l->of > 0)
        o->counts_parts = true;
    if (!o->counts_parts)
        return o->epoch;
    double before = o->epoch - (o->first_epoch >= 1);
    return l->has_position && !bar && !l->heldout ? before + l->at / l->of : before + 1;
}

static int put_counters(struct output *o, bool bar)
{
    const struct plain_line *l = &o->line;
    if (bar && o->bar_of_all && l->has_position)
        return put(o, "step", l->at);
    int rc = o->has_epoch ? put(o, "epoch", epoch_of_row(o, bar)) : 0;
    bool held = !l->has_step && !l->has_batch && !l->has_position && !o->has_epoch && o->has_step;
    bool step = l->has_step || held;
    double value = held ? o->step : l->step;
    if (!step && !o->has_epoch && l->has_position && !l->heldout) {
        step = true;
        value = isnan(l->of) ? l->at : o->bars * l->of + l->at;
    }
    if (rc == 0 && step)
        rc = put(o, "step", value);
    if (rc == 0 && l->has_batch && o->has_epoch)
        rc = put(o, "batch", l->batch);
    else if (rc == 0 && l->has_batch && !step)
        rc = put(o, "step", l->batch);
    o->counted = o->has_epoch || step || l->has_batch;
    return rc;
}

/* Would none of the line's cells take the place of one in the row begun last? */
static bool fills_up(const struct output *o)
{
    size_t rows = training_log_rows(o->log);
    for (size_t i = 0; i < o->line.count && rows > 0; i++) {
        const char *title = o->line.pairs[i].name;
        int column = training_log_column(o->log, title, strlen(title), NULL);
        if (column < 0 ||
            training_log_cell(o->log, rows - 1, (size_t)column, NULL, NULL) != LOG_NOTHING)
            return false;
    }
    return rows > 0;
}

/* Does what the line says go on with the row begun last? A bar is drawn again and again, so is a
 * validation's; and where nothing is counted, "train loss 0.4" and "val loss 0.5" are one row. */
static bool same_row(const struct output *o, bool bar, bool dict)
{
    const struct plain_line *l = &o->line;
    if (bar && l->has_position && o->bar_of_all)
        return false;
    if (bar && l->has_position && o->of_bar && o->has_epoch && o->bar_epoch == o->epoch)
        return true;
    if (l->heldout && l->has_position && !l->has_epoch && o->of_heldout)
        return true;
    bool counts = l->has_step || l->has_batch || l->has_position || o->has_epoch || o->has_step;
    return !dict && !counts && !o->counted && fills_up(o);
}

static int write_row(struct output *o, bool bar, const struct loose_value *dict)
{
    bool same = same_row(o, bar, dict != NULL);
    int rc = same ? 0 : training_log_row(o->log, o->number, o->err);
    rc = rc == 0 ? put_counters(o, bar) : rc;
    for (size_t i = 0; i < o->line.count && rc == 0; i++)
        rc = put(o, o->line.pairs[i].name, o->line.pairs[i].value);
    if (rc == 0 && dict)
        rc = json_row_cells(o->log, &o->j, dict, "", o->err);
    o->of_bar = bar && o->line.has_position;
    o->bar_epoch = o->epoch;
    o->of_heldout = o->line.heldout && o->line.has_position;
    return rc;
}

/* A measurement among the members, or a mark in front that says so. */
static bool is_measured(const struct loose_json *j, const struct loose_value *dict)
{
    double number;
    for (const struct loose_value *m = loose_first(j, dict); m; m = loose_next(j, m)) {
        const char *key = loose_key(j, m);
        if (m->kind == LOOSE_OBJECT && is_measured(j, m))
            return true;
        if (loose_number(j, m, &number) && is_metric_word(key, strlen(key)))
            return true;
    }
    return false;
}

/* The object in the text, NULL: none, or not of measurements. *at: where it begins. */
static const struct loose_value *find_dict(struct output *o, const char *text, size_t len,
                                           size_t *at)
{
    const char *brace = memchr(text, '{', len);
    size_t used;
    if (!brace)
        return NULL;
    *at = (size_t)(brace - text);
    if (loose_json_read(&o->j, brace, len - *at, 1, &used, NULL) != 0)
        return NULL;
    const struct loose_value *root = loose_root(&o->j);
    bool marked = memmem(text, *at, "[tune-metric]", 13) || memmem(text, *at, "::sweepd", 8);
    return marked || is_measured(&o->j, root) ? root : NULL;
}

/* A bar that is not full says what the epoch's mean is so far; the full one says it whole. One
 * without an epoch may be the epochs themselves: each of its states counts. */
static bool is_partial(struct output *o, bool bar)
{
    const struct plain_line *l = &o->line;
    if (!bar || !l->has_position || o->bar_of_all)
        return false;
    if (!o->has_epoch) {
        o->bars += l->at < o->last_at;
        o->last_at = l->at;
        return false;
    }
    return l->at < l->of;
}

/* Does a bar stand further on in a later epoch than it did in the one before, and was not full
 * then? */
static void look_at_bar(struct output *o, bool bar)
{
    const struct plain_line *l = &o->line;
    if (l->has_epoch && o->has_epoch && l->epoch != o->epoch)
        o->look_epoch = o->look_at;
    if (l->has_epoch) {
        o->has_epoch = true;
        o->epoch = l->epoch;
    }
    if (!bar || !l->has_position)
        return;
    o->bar_of_all |= o->look_epoch > 1 && l->at > o->look_epoch && l->of == o->look_of &&
                     o->look_epoch < l->of;
    o->look_epoch = 0;
    o->look_at = l->at;
    o->look_of = l->of;
}

/* LightGBM's and XGBoost's "Early stopping, best iteration is:" */
static bool announces_best(const char *text)
{
    size_t len = strlen(text);
    while (len > 0 && (unsigned char)text[len - 1] <= ' ')
        len--;
    return len > 0 && text[len - 1] == ':' && strcasestr(text, "best iteration");
}

/* A line that says where the training is and measures nothing: "Iteration 100, Testing net". What
 * has a counter of its own ends it. */
static void hold_step(struct output *o, bool measured)
{
    const struct plain_line *l = &o->line;
    if (l->has_step)
        o->has_step = !measured;
    if (l->has_step && !measured)
        o->step = l->step;
}

/* One state of a line: what stands between two returns of the carriage. */
static int read_state(struct output *o, const char *text, size_t len)
{
    size_t at = len;
    const struct loose_value *dict = find_dict(o, text, len, &at);
    clean_line(&o->clean, text, dict ? at : len);
    bool bar = terminal_has_bar(o->clean.data), inherited = o->line.context[0] != '\0';
    plain_line_read(o->clean.data, o->clean.len, &o->line);
    if (o->looks) {
        look_at_bar(o, bar);
        o->lines_tell |= !bar && o->line.has_epoch && (dict || o->line.count > 0);
        return 0;
    }
    bool restated = o->restates && o->line.has_step;
    o->restates = announces_best(o->clean.data);
    if (restated)
        return 0;
    hold_step(o, dict || o->line.count > 0);
    note_epoch(o);
    if (!o->line.heading && !(o->line.heldout && (o->line.has_position || inherited)))
        o->line.context[0] = '\0';
    if ((bar && o->lines_tell) || is_partial(o, bar) || (!dict && o->line.count == 0))
        return 0;
    return write_row(o, bar, dict);
}

/* A line's states; backspaces return the carriage too. */
static int read_line(struct output *o, const char *text, size_t len)
{
    int rc = 0;
    if (len == 0 || (len == 1 && *text == '\r'))
        o->line.context[0] = '\0';
    for (size_t at = 0; at < len && rc == 0;) {
        size_t n = terminal_state(text + at, len - at);
        if (n > 0)
            rc = read_state(o, text + at, n);
        at += n + 1;
    }
    return rc;
}

static bool is_plain_lines(const struct curve_bytes *in)
{
    return in->len > 0 && !memchr(in->bytes, '\0', in->len < LOOKED_AT ? in->len : LOOKED_AT);
}

static int read_lines(struct output *o, const struct curve_bytes *in)
{
    int rc = 0;
    for (size_t at = 0; at < in->len && rc == 0 && !(o->looks && o->lines_tell);) {
        const char *text = in->bytes + at, *end = memchr(text, '\n', in->len - at);
        size_t len = end ? (size_t)(end - text) : in->len - at;
        o->number++;
        rc = read_line(o, text, len);
        at += len + 1;
    }
    o->line.context[0] = '\0';
    o->number = 0;
    o->looks = o->has_epoch = false;
    return rc;
}

static int read_plain_lines(const struct curve_bytes *in, struct training_log *out,
                            struct errbuf *err)
{
    struct output *o = xcalloc(1, sizeof(*o));
    o->log = out;
    o->err = err;
    o->looks = true;
    read_lines(o, in);
    int rc = read_lines(o, in);
    loose_json_finish(&o->j);
    buf_finish(&o->clean);
    free(o);
    if (rc == 0 && training_log_rows(out) == 0)
        rc = err_set(err, ERR_MISSING, "%s: no line says what was measured; allowed: CSV with a "
                     "header, or lines such as \"epoch 3 loss 0.41 val_loss 0.5\"", in->name);
    return rc;
}

const struct curve_format curve_format_plain_lines = {is_plain_lines, read_plain_lines};
