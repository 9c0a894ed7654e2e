#include "daemon/search/range_edits.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define MOST 0.67        /* share that counts as most */
#define BEST_SHARE 0.1   /* of the runs that count as the best … */
#define BEST_LEAST 3     /* … but at least so many */
#define EDGE 0.05        /* share of a range that is its end */
#define CAUSE_SHARE 0.25 /* of the runs that must have a cause for it to speak */

static const struct {
    const char *name, *guide_ref, *does;
} kinds[EDIT_KIND_COUNT] = {
#define X(id, name, guide_ref, does) [EDIT_##id] = {name, guide_ref, does},
    EDIT_MAP(X)
#undef X
};

const char *edit_name(enum edit_kind k)
{
    REQUIRE((unsigned)k < EDIT_KIND_COUNT);
    return kinds[k].name;
}

const char *edit_guide_ref(enum edit_kind k)
{
    REQUIRE((unsigned)k < EDIT_KIND_COUNT);
    return kinds[k].guide_ref;
}

void range_edit_write_to(const struct range_edit *e, struct json_writer *w)
{
    if (!e->opens) {
        setting_to_json(e->setting, e->to, w);
        return;
    }
    jw_begin_object(w);
    jw_key(w, "min");
    setting_to_json(e->setting, e->low, w);
    jw_key(w, "max");
    setting_to_json(e->setting, e->to, w);
    jw_end_object(w);
}

/* --- what the runs say ------------------------------------------------------------------------ */

struct judged {
    const struct trial *trial;
    int64_t run_id;
};

struct looking {
    const struct spec *spec;
    size_t count;
    struct judged *runs; /* of the search, by number */
    size_t best_count;
    const struct judged **best; /* the best of them */
    struct range_edits *out;
};

static double value_of(const struct judged *r, enum setting_id id)
{
    return r->trial->settings.v[id];
}

static bool diverged(const struct judged *r)
{
    enum pattern p = r->trial->facts.pattern;
    return p == PATTERN_DIVERGING || p == PATTERN_NOT_A_NUMBER;
}

static bool overfits(const struct judged *r)
{
    enum pattern p = r->trial->facts.pattern;
    return p == PATTERN_OVERFITTING || p == PATTERN_OVERFITTING_RISING;
}

static int by_metric(const void *a, const void *b, void *arg)
{
    const struct judged *x = *(const struct judged *const *)a;
    const struct judged *y = *(const struct judged *const *)b;
    if (trial_better(arg, x->trial, y->trial))
        return -1;
    if (trial_better(arg, y->trial, x->trial))
        return 1;
    return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static void look_init(struct looking *l, const struct spec *s, const struct trial *trials,
                      const int64_t *run_ids, size_t count, struct range_edits *out)
{
    *l = (struct looking){.spec = s, .out = out, .runs = xcalloc(count + 1, sizeof(*l->runs)),
                          .best = xcalloc(count + 1, sizeof(*l->best))};
    for (size_t i = 0; i < count; i++)
        if (trials[i].kind == RUN_KIND_SEARCH && trials[i].judged)
            l->runs[l->count++] = (struct judged){&trials[i], run_ids[i]};
    for (size_t i = 0; i < l->count; i++)
        if (trial_usable(l->runs[i].trial))
            l->best[l->best_count++] = &l->runs[i];
    qsort_r(l->best, l->best_count, sizeof(struct judged *), by_metric, (void *)(uintptr_t)s);
    size_t most = (size_t)ceil(BEST_SHARE * (double)l->count);
    if (most < BEST_LEAST)
        most = BEST_LEAST;
    if (l->best_count > most)
        l->best_count = most;
}

static void look_finish(struct looking *l)
{
    free(l->runs);
    free(l->best);
}

/* --- adding edits ----------------------------------------------------------------------------- */

static const struct range_edit *edit_of(const struct looking *l, enum edit_kind k,
                                        enum setting_id id)
{
    for (size_t i = 0; i < l->out->count; i++)
        if (l->out->items[i].kind == k && l->out->items[i].setting == id)
            return &l->out->items[i];
    return NULL;
}

/* What was proposed for that end of the range speaks against going further. */
static bool closed(const struct looking *l, enum setting_id id, int sign)
{
    if (sign > 0)
        return edit_of(l, EDIT_CUT_ABOVE, id) != NULL || edit_of(l, EDIT_FEWER_LAYERS, id) != NULL;
    return edit_of(l, EDIT_CUT_BELOW, id) != NULL || edit_of(l, EDIT_LARGER_BATCHES, id) != NULL;
}

static void witness(struct range_edit *e, const struct judged *r)
{
    if (e->run_count < EDIT_RUNS_MAX)
        e->runs[e->run_count] = r->run_id;
    e->run_count++;
}

static void say(struct range_edit *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct range_edit *e, const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    str_copy(e->sentence, sizeof(e->sentence), text);
}

/* Within the setting's range, whole for an integer, and something new. */
static void propose(struct looking *l, struct range_edit *e)
{
    const struct setting *s = setting_get(e->setting);
    e->to = fmin(fmax(e->to, s->min), s->max);
    if (s->type == SETTING_INTEGER)
        e->to = round(e->to);
    if (e->run_count < EDIT_RUNS_LEAST || (e->to == e->from && !e->opens) ||
        l->out->count == EDITS_MAX)
        return;
    l->out->items[l->out->count++] = *e;
}

static void bounds(const struct looking *l, enum setting_id id, double *low, double *high)
{
    spec_setting_range(l->spec, id, low, high);
}

static bool is_number(enum setting_id id)
{
    enum setting_type t = setting_get(id)->type;
    return t == SETTING_REAL || t == SETTING_INTEGER;
}

/* --- learning rate: cut where runs diverge, and where they get nowhere ------------------------*/

/* Of the runs at or above (sign 1) or at or below (-1) that rate: how many, and how many with that
 * trouble. */
static size_t troubled(const struct looking *l, double rate, int sign, size_t *all,
                       bool (*trouble)(const struct judged *))
{
    size_t n = 0;
    *all = 0;
    for (size_t i = 0; i < l->count; i++) {
        double v = value_of(&l->runs[i], SETTING_LEARNING_RATE);
        if (sign * v < sign * rate)
            continue;
        (*all)++;
        n += trouble(&l->runs[i]);
    }
    return n;
}

/* The rate nearest to `rate` on the other side of it that some run without trouble had; NAN. */
static double next_sound(const struct looking *l, double rate, int sign,
                         bool (*trouble)(const struct judged *))
{
    double found = NAN;
    for (size_t i = 0; i < l->count; i++) {
        double v = value_of(&l->runs[i], SETTING_LEARNING_RATE);
        if (sign * v >= sign * rate || trouble(&l->runs[i]))
            continue;
        if (isnan(found) || sign * v > sign * found)
            found = v;
    }
    return found;
}

static bool crawls(const struct judged *r)
{
    return r->trial->cause == CAUSE_LEARNING_RATE_TOO_SMALL;
}

/* The widest end of the range in which most runs have the trouble. */
static void cut_rate(struct looking *l, enum edit_kind kind, int sign,
                     bool (*trouble)(const struct judged *))
{
    struct range_edit e = {.kind = kind, .setting = SETTING_LEARNING_RATE};
    double low, high, from = NAN;
    size_t all, n;
    if (spec_dimension(l->spec, SETTING_LEARNING_RATE) == NULL)
        return;
    for (size_t i = 0; i < l->count; i++) {
        double v = value_of(&l->runs[i], SETTING_LEARNING_RATE);
        if (!trouble(&l->runs[i]))
            continue;
        n = troubled(l, v, sign, &all, trouble);
        if (n >= EDIT_RUNS_LEAST && (double)n >= MOST * (double)all &&
            (isnan(from) || sign * v < sign * from))
            from = v;
    }
    double to = isnan(from) ? NAN : next_sound(l, from, sign, trouble);
    const struct range_edit *above = edit_of(l, EDIT_CUT_ABOVE, SETTING_LEARNING_RATE);
    if (isnan(to) || (sign < 0 && above != NULL && to > above->to))
        return;
    bounds(l, SETTING_LEARNING_RATE, &low, &high);
    e.from = sign > 0 ? high : low;
    e.to = to;
    n = troubled(l, from, sign, &all, trouble);
    for (size_t i = 0; i < l->count; i++)
        if (sign * value_of(&l->runs[i], SETTING_LEARNING_RATE) >= sign * from &&
            trouble(&l->runs[i]))
            witness(&e, &l->runs[i]);
    say(&e, "%zu of %zu runs with a learning rate of %.3g or %s %s; %.3g is sound", n, all, from,
        sign > 0 ? "more" : "less", sign > 0 ? "diverge" : "get nowhere", to);
    propose(l, &e);
}

static void cut_above(struct looking *l)
{
    cut_rate(l, EDIT_CUT_ABOVE, 1, diverged);
}

static void cut_below(struct looking *l)
{
    cut_rate(l, EDIT_CUT_BELOW, -1, crawls);
}

/* --- extend where the best lie at an end ------------------------------------------------------*/

static bool is_log(const struct dimension *d)
{
    return d->distribution == DISTRIBUTION_LOG_UNIFORM_VALUES ||
           d->distribution == DISTRIBUTION_Q_LOG_UNIFORM_VALUES;
}

/* The next listed value in the same proportion as the two at that end: 128, 512 → 2048. */
static double next_listed(const struct dimension *d, int sign, double end)
{
    double near = NAN;
    for (size_t i = 0; i < d->value_count; i++) {
        double v = d->values[i];
        if (v != end && (isnan(near) || sign * v > sign * near))
            near = v;
    }
    if (isnan(near))
        return end;
    return near > 0 && end > 0 ? end * (end / near) : end + (end - near);
}

/* Half as much again of the range, on its scale; of a learning rate a decade. */
static double beyond(const struct dimension *d, int sign, double low, double high)
{
    double end = sign > 0 ? high : low;
    if (d->distribution == DISTRIBUTION_CATEGORICAL)
        return next_listed(d, sign, end);
    if (d->setting == SETTING_LEARNING_RATE)
        return end * (sign > 0 ? 10 : 0.1);
    if (is_log(d))
        return end * pow(high / low, 0.5 * sign);
    double to = end + sign * fmax(0.5 * (high - low), 1);
    return to < 0 && low >= 0 ? 0 : to;
}

static bool at_end(const struct dimension *d, double v, int sign, double low, double high)
{
    double end = sign > 0 ? high : low;
    if (d->distribution == DISTRIBUTION_CATEGORICAL || dimension_cardinality(d) > 0)
        return v == end;
    double u = dimension_position(d, v);
    return sign > 0 ? u >= 1 - EDGE : u <= EDGE;
}

static void extend(struct looking *l, const struct dimension *d, int sign)
{
    enum edit_kind kind = sign > 0 ? EDIT_EXTEND_ABOVE : EDIT_EXTEND_BELOW;
    struct range_edit e = {.kind = kind, .setting = d->setting};
    double low, high;
    size_t elsewhere = 0;
    bounds(l, d->setting, &low, &high);
    if (low == high || closed(l, d->setting, sign))
        return;
    for (size_t i = 0; i < l->best_count; i++)
        if (at_end(d, value_of(l->best[i], d->setting), sign, low, high))
            witness(&e, l->best[i]);
    for (size_t i = 0; i < l->count; i++)
        elsewhere += !at_end(d, value_of(&l->runs[i], d->setting), sign, low, high);
    if (e.run_count != l->best_count || elsewhere < EDIT_RUNS_LEAST)
        return;
    e.from = sign > 0 ? high : low;
    e.to = beyond(d, sign, low, high);
    say(&e, "the best %zu runs all have %s %.4g, the %s that was tried", e.run_count, d->name,
        e.from, sign > 0 ? "largest" : "smallest");
    propose(l, &e);
}

static void extend_ends(struct looking *l)
{
    for (size_t i = 0; i < l->spec->dimension_count; i++) {
        const struct dimension *d = &l->spec->dimensions[i];
        for (int sign = 1; sign >= -1 && is_number(d->setting); sign -= 2)
            extend(l, d, sign);
    }
}

/* --- what causes speak for --------------------------------------------------------------------*/

/* Runs with that cause, when they are enough of all. */
static bool caused(const struct looking *l, enum cause_id c, struct range_edit *e)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->runs[i].trial->cause == c)
            witness(e, &l->runs[i]);
    return e->run_count >= EDIT_RUNS_LEAST &&
           (double)e->run_count >= CAUSE_SHARE * (double)l->count;
}

/* Smallest (sign -1) or largest value that runs with that cause had. */
static double extreme(const struct looking *l, enum cause_id c, enum setting_id id, int sign)
{
    double found = NAN;
    for (size_t i = 0; i < l->count; i++) {
        double v = value_of(&l->runs[i], id);
        if (l->runs[i].trial->cause == c && (isnan(found) || sign * v > sign * found))
            found = v;
    }
    return found;
}

static void more_capacity(struct looking *l)
{
    struct range_edit e = {.kind = EDIT_MORE_CAPACITY, .setting = SETTING_WIDTH};
    double low, high;
    bounds(l, SETTING_WIDTH, &low, &high);
    if (!caused(l, CAUSE_CAPACITY_TOO_SMALL, &e) ||
        edit_of(l, EDIT_EXTEND_ABOVE, SETTING_WIDTH))
        return;
    e.from = high;
    e.to = 4 * high;
    e.opens = spec_dimension(l->spec, SETTING_WIDTH) == NULL;
    e.low = high;
    say(&e, "%zu of %zu runs cannot fit the data with up to %.0f units a layer", e.run_count,
        l->count, high);
    propose(l, &e);
}

static void fewer_layers(struct looking *l)
{
    struct range_edit e = {.kind = EDIT_FEWER_LAYERS, .setting = SETTING_DEPTH};
    double low, high;
    bounds(l, SETTING_DEPTH, &low, &high);
    if (spec_dimension(l->spec, SETTING_DEPTH) == NULL || !caused(l, CAUSE_TOO_DEEP, &e))
        return;
    e.from = high;
    e.to = fmax(low, extreme(l, CAUSE_TOO_DEEP, SETTING_DEPTH, -1) - 1);
    say(&e, "%zu of %zu runs are too deep to learn, from depth %.0f on", e.run_count, l->count,
        e.to + 1);
    propose(l, &e);
}

static void larger_batches(struct looking *l)
{
    struct range_edit e = {.kind = EDIT_LARGER_BATCHES, .setting = SETTING_BATCH_SIZE};
    double low, high;
    bounds(l, SETTING_BATCH_SIZE, &low, &high);
    if (!caused(l, CAUSE_BATCH_TOO_SMALL, &e))
        return;
    double largest = extreme(l, CAUSE_BATCH_TOO_SMALL, SETTING_BATCH_SIZE, 1);
    e.from = low;
    e.to = 4 * largest;
    e.opens = spec_dimension(l->spec, SETTING_BATCH_SIZE) == NULL;
    e.low = e.to;
    e.to = e.opens ? 4 * e.to : fmin(e.to, fmax(high, largest));
    say(&e, "%zu of %zu runs have batches too small to follow, up to %.0f samples", e.run_count,
        l->count, largest);
    propose(l, &e);
}

static void shuffle(struct looking *l)
{
    struct range_edit e = {.kind = EDIT_SHUFFLE, .setting = SETTING_SHUFFLE, .from = 0, .to = 1};
    if (!caused(l, CAUSE_NOT_SHUFFLED, &e) || !spec_may_be(l->spec, SETTING_SHUFFLE, 0))
        return;
    say(&e, "%zu of %zu runs learn the samples in the file's order", e.run_count, l->count);
    propose(l, &e);
}

/* Where most of the best overfit, and nothing against it is swept. */
static void regularise(struct looking *l)
{
    static const struct {
        enum setting_id setting;
        double low, to;
    } opened[] = {{SETTING_DROPOUT, 0, 0.5}, {SETTING_L2, 1e-5, 1e-2}};
    struct range_edit found = {.kind = EDIT_REGULARISE, .opens = true};
    size_t overfit = 0;
    for (size_t i = 0; i < l->best_count; i++)
        overfit += overfits(l->best[i]);
    for (size_t i = 0; i < l->count; i++)
        if (overfits(&l->runs[i]))
            witness(&found, &l->runs[i]);
    if ((double)overfit < MOST * (double)l->best_count)
        return;
    for (size_t i = 0; i < ARRAY_LEN(opened); i++) {
        struct range_edit e = found;
        double from = l->spec->fixed.v[opened[i].setting];
        if (spec_dimension(l->spec, opened[i].setting) != NULL)
            continue;
        e.setting = opened[i].setting;
        e.from = from;
        e.low = opened[i].low;
        e.to = fmax(opened[i].to, fmin(2 * from, setting_get(e.setting)->max));
        say(&e, "%zu of the best %zu runs overfit, and %s is not swept", overfit, l->best_count,
            setting_label(e.setting));
        propose(l, &e);
    }
}

/* --- all -------------------------------------------------------------------------------------- */

void range_edits_find(const struct spec *s, const struct trial *trials, const int64_t *run_ids,
                      size_t count, struct range_edits *out)
{
    static void (*const rules[])(struct looking *) = {
        cut_above,   cut_below,     fewer_layers, larger_batches, /* these close an end … */
        extend_ends, more_capacity, regularise,   shuffle,        /* … that these would open */
    };
    struct looking l;
    *out = (struct range_edits){0};
    look_init(&l, s, trials, run_ids, count, out);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        rules[i](&l);
    look_finish(&l);
}
