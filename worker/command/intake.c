#include "worker/command/intake.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/record.h"
#include "sweep/require.h"

static const char *const EPOCH_KEYS[] = {"epoch", "step"};

/* Where nobody chooses among channels all counts. */
static int hear(void *hearer, struct intake *in, const struct metrics_line *l, double seconds)
{
    (void)hearer;
    return intake_values(in, l, seconds);
}

void intake_init(struct intake *in, const struct command_config *c,
                 int (*give)(void *context, struct point_metrics *m), void *context)
{
    in->metric = c->metric;
    in->maximize = c->maximize;
    in->points_max = RUN_POINTS_MAX;
    in->give = give;
    in->heard = hear;
    in->context = context;
    in->series.curves = &c->manner.curves;
    in->limit = c->until_epoch < c->epochs ? (double)c->until_epoch : INFINITY;
    if (!c->manner.curves.epoch[0])
        return;
    in->manner = INTAKE_BY_NUMBER;
    str_copy(in->key, sizeof(in->key), c->manner.curves.epoch);
}

void intake_finish(struct intake *in)
{
    buf_finish(&in->line);
    free(in->best_over);
    free(in->last_over);
    in->best_over = in->last_over = NULL;
}

/* --- points ----------------------------------------------------------------------------------- */

/* Of several series that feed a column the one of lowest rank, and of those the first. */
static void fill_columns(struct intake *in, struct point *p)
{
    int best[CURVE_COLUMN_COUNT];

    for (size_t i = 0; i < in->held_count; i++) {
        struct series s = series_of(&in->series, in->held[i].name);
        if (s.column == SERIES_NONE)
            continue;
        enum curve_column c = (enum curve_column)s.column;
        if (point_has(p, c) && best[c] <= s.rank)
            continue;
        best[c] = s.rank;
        point_set(p, c, in->held[i].value);
    }
    point_set(p, CURVE_SECONDS, in->seconds);
}

static struct point_metrics *copy_of(const struct point_metrics *m)
{
    struct point_metrics *copy = metrics_create(&m->at, m->count);
    memcpy(copy->values, m->values, m->count * sizeof(m->values[0]));
    return copy;
}

/* Better than all before it? */
static bool is_best(struct intake *in, const struct point_metrics *m)
{
    double value;
    if (!point_value(&m->at, m, in->metric, &value))
        return false;
    bool best = !in->metric_seen || metric_better(value, in->best, in->maximize);
    in->metric_seen = true;
    if (best)
        in->best = value;
    return best;
}

/* There is no room for it, or only at the end. */
static void put_aside(struct intake *in, struct point_metrics *m, bool best)
{
    in->points_over++;
    free(in->last_over);
    in->last_over = m;
    if (!best)
        return;
    free(in->best_over);
    in->best_over = copy_of(m);
}

static int give_point(struct intake *in, struct point_metrics *m)
{
    m->at.point = ++in->points;
    in->given = m->at.epoch;
    int rc = in->give(in->context, m);
    free(m);
    return rc;
}

static int give_held(struct intake *in)
{
    struct point p = {.epoch = in->epoch};

    if (in->held_count == 0)
        return 0;
    fill_columns(in, &p);
    struct point_metrics *m = metrics_create(&p, in->held_count);
    memcpy(m->values, in->held, in->held_count * sizeof(in->held[0]));
    in->held_count = 0;
    bool best = is_best(in, m);
    if (in->points < in->points_max - RUN_POINTS_AT_END)
        return give_point(in, m);
    put_aside(in, m, best);
    return 0;
}

/* The best and the last of those that were over, in their order. */
static int give_aside(struct intake *in)
{
    struct point_metrics *best = in->best_over, *last = in->last_over;
    bool two = best && last->at.epoch > best->at.epoch;

    in->best_over = in->last_over = NULL;
    in->points_over -= (last != NULL) + two;
    int rc = two ? give_point(in, best) : 0;
    if (!two)
        free(best);
    if (last && rc == 0)
        return give_point(in, last);
    free(last);
    return rc;
}

/* Without the number that counts the epochs: it is the point's own. */
static void hold(struct intake *in, const struct metrics_line *l, double seconds)
{
    in->seconds = seconds;
    in->values += l->left_out;
    for (size_t i = 0; i < l->count; i++) {
        const struct metric_value *v = &l->values[i];
        size_t k = 0;
        if (in->manner == INTAKE_BY_NUMBER && strcmp(v->name, in->key) == 0)
            continue;
        while (k < in->held_count && strcmp(in->held[k].name, v->name) != 0)
            k++;
        if (k == METRICS_MAX) {
            in->values++;
            continue;
        }
        in->held[k] = *v;
        in->held_count += k == in->held_count;
    }
}

static void decide_manner(struct intake *in, const struct metrics_line *l)
{
    in->manner = INTAKE_COUNTED;
    for (size_t i = 0; i < ARRAY_LEN(EPOCH_KEYS); i++) {
        if (!metrics_line_find(l, EPOCH_KEYS[i]))
            continue;
        in->manner = INTAKE_BY_NUMBER;
        str_copy(in->key, sizeof(in->key), EPOCH_KEYS[i]);
        return;
    }
}

void intake_resume(struct intake *in, const struct point_metrics *m, bool from_zero)
{
    (void)is_best(in, m);
    in->points = m->at.point;
    in->epoch = in->floor = in->given = m->at.epoch;
    in->seconds = point_has(&m->at, CURVE_SECONDS) ? m->at.v[CURVE_SECONDS] : 0;
    in->shift = from_zero ? 1 : 0;
    in->has_first = in->passed = true;
}

void intake_replay(struct intake *in, bool begins, bool forgotten)
{
    in->known = !begins ? 0 : forgotten ? INT64_MAX : in->points;
    in->floor = begins ? in->floor : in->given;
}

static int take_counted(struct intake *in, const struct metrics_line *l, double seconds)
{
    double epoch = (double)(in->points + (int64_t)in->points_over + 1);

    if (in->known > 0) {
        in->known--;
        return 0;
    }
    if (epoch <= in->epoch) /* after lines that counted otherwise */
        epoch = floor(in->epoch) + 1;
    if (epoch > in->limit) {
        in->beyond = true;
        return 0;
    }
    in->epoch = epoch;
    hold(in, l, seconds);
    return give_held(in);
}

void intake_forget(struct intake *in)
{
    in->points = 0;
    in->epoch = 0;
    in->held_count = 0;
    in->metric_seen = in->rebase = false;
    in->series.count = in->series.next = 0;
    in->points_over = 0;
    free(in->best_over);
    free(in->last_over);
    in->best_over = in->last_over = NULL;
    in->floor = in->given = 0;
}

static int begin_anew(struct intake *in)
{
    intake_forget(in);
    return in->anew(in->context);
}

/* Does the first count of another way tell again of what was given? What an earlier attempt has
 * given stays. */
static bool tells_again(const struct intake *in, double first)
{
    return in->rebase && in->anew && in->floor == 0 && in->points > 0 && isfinite(first) &&
           first >= 0 && first + (first == 0) <= in->epoch;
}

/* Counts begin at 1, and behind what other lines have counted. */
static double shift_of(struct intake *in, double first)
{
    double shift = first == 0 ? 1 : 0;

    if (in->rebase && first + shift <= in->epoch)
        shift = floor(in->epoch) + 1 - first;
    in->rebase = false;
    return shift;
}

static int take_by_number(struct intake *in, const struct metrics_line *l, double seconds)
{
    const struct metric_value *number = metrics_line_find(l, in->key);
    int rc = 0;

    if (!number) { /* of the present epoch, or of the first where there is none yet */
        if (!in->passed)
            hold(in, l, seconds);
        return 0;
    }
    if (!in->has_first && tells_again(in, number->value))
        rc = begin_anew(in);
    if (rc != 0)
        return rc;
    if (!in->has_first)
        in->shift = shift_of(in, number->value);
    double epoch = number->value + in->shift;
    in->passed = in->floor > 0 && isfinite(epoch) && epoch <= in->floor;
    if (in->passed)
        return 0;
    if (!isfinite(epoch) || epoch <= 0 || epoch < in->epoch) {
        in->late_lines++;
        return 0;
    }
    in->has_first = true;
    if (epoch > in->epoch && in->epoch > 0)
        rc = give_held(in);
    if (epoch > in->limit) {
        in->beyond = true;
        return rc;
    }
    in->epoch = epoch;
    hold(in, l, seconds);
    return rc;
}

/* Its author sees the first of them: the others are most often alike. */
static void count_bad(struct intake *in, const char *line, size_t len, const struct errbuf *why)
{
    char text[sizeof(in->first_bad) - 32];

    if (in->bad_lines++ > 0)
        return;
    record_explain(line, len, why, text, sizeof(text));
    snprintf(in->first_bad, sizeof(in->first_bad), "line %" PRIu64 ": %s", in->lines, text);
}

static bool counts_epochs(const struct metrics_line *l)
{
    for (size_t i = 0; i < ARRAY_LEN(EPOCH_KEYS); i++)
        if (metrics_line_find(l, EPOCH_KEYS[i]))
            return true;
    return false;
}

/* What was counted by its lines were settings, and the like: none had the metric, and now epochs
 * are counted. */
static int begin_with_epochs(struct intake *in)
{
    in->manner = INTAKE_UNKNOWN;
    return in->points > 0 ? begin_anew(in) : 0;
}

int intake_values(struct intake *in, const struct metrics_line *l, double seconds)
{
    int rc = 0;

    if (l->count == 0 || in->beyond)
        return 0;
    if (in->manner == INTAKE_COUNTED && !in->metric_seen && in->floor == 0 && in->anew &&
        counts_epochs(l))
        rc = begin_with_epochs(in);
    if (rc != 0)
        return rc;
    if (in->manner == INTAKE_UNKNOWN)
        decide_manner(in, l);
    return in->manner == INTAKE_COUNTED ? take_counted(in, l, seconds)
                                        : take_by_number(in, l, seconds);
}

int intake_switch(struct intake *in)
{
    int rc = in->epoch > 0 ? give_held(in) : 0;

    if (in->points == 0)
        return rc;
    if (!in->series.curves->epoch[0])
        in->manner = INTAKE_UNKNOWN;
    in->has_first = false;
    in->rebase = true;
    return rc;
}

static int take_line(struct intake *in, const char *line, size_t len, double seconds)
{
    struct metrics_line *l = &in->read;
    struct errbuf why = {0};

    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (len == 0)
        return 0;
    if (!metrics_line_read(line, len, l, &why)) {
        count_bad(in, line, len, &why);
        return 0;
    }
    return l->count == 0 ? 0 : in->heard(in->hearer, in, l, seconds);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* A piece of a line that goes on. */
static void keep_rest(struct intake *in, const char *bytes, size_t len)
{
    if (in->too_long || in->line.len + len > METRICS_LINE_MAX) {
        in->too_long = true;
        buf_clear(&in->line);
        return;
    }
    buf_append(&in->line, bytes, len);
}

/* The end of a line, whose beginning may be kept. */
static int end_line(struct intake *in, const char *bytes, size_t len, double seconds)
{
    struct errbuf why;
    int rc = 0;

    in->lines++;
    if (in->line.len > 0 || in->too_long) {
        keep_rest(in, bytes, len);
        bytes = in->line.data;
        len = in->line.len;
    }
    if (in->too_long) {
        err_set(&why, ERR_LIMIT, "longer than %d bytes", METRICS_LINE_MAX);
        count_bad(in, "", 0, &why);
    } else {
        rc = take_line(in, bytes, len, seconds);
    }
    in->too_long = false;
    buf_clear(&in->line);
    return rc;
}

int intake_bytes(struct intake *in, const char *bytes, size_t len, double seconds)
{
    const char *end = bytes + len, *newline;

    while ((newline = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
        int rc = end_line(in, bytes, (size_t)(newline - bytes), seconds);
        if (rc != 0)
            return rc;
        bytes = newline + 1;
    }
    if (bytes < end)
        keep_rest(in, bytes, (size_t)(end - bytes));
    return 0;
}

int intake_end(struct intake *in, double seconds)
{
    int rc = end_line(in, "", 0, seconds);

    if (rc == 0 && in->epoch != 0)
        rc = give_held(in);
    return rc != 0 ? rc : give_aside(in);
}

void intake_left_out(const struct intake *in, struct buf *out)
{
    const struct {
        uint64_t count;
        const char *what;
    } kinds[] = {
        {in->bad_lines, "lines that are no JSON object, or too long"},
        {in->late_lines, "lines of an epoch before the one that was reported last, or of none"},
        {in->values, "values: too many in one point, or without a proper name"},
        {in->points_over,
         "points: of those over a million less two the best and the last are kept"},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].count == 0)
            continue;
        buf_printf(out, "%s%" PRIu64 " %s", out->len > 0 ? "; " : "", kinds[i].count,
                   kinds[i].what);
        if (i == 0)
            buf_printf(out, " (the first: %s)", in->first_bad);
    }
}
