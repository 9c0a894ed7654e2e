/* Ends of the range in which most runs are in trouble. Where all of a fixed setting's runs are, it
 * is opened on the other side; where all of a swept one's are, it goes on on the other side. */
#include <math.h>
#include <stdlib.h>

#include "daemon/plan/range_view.h"
#include "sweep/buf.h"

/* A kind of trouble, and the end of the range where it is: 1 the upper, -1 the lower. */
struct cut {
    enum edit_kind kind;
    enum setting_id setting;
    int sign;
    trouble_fn *trouble;
    const char *does; /* what those runs do */
};

static bool diverged(const struct range_run *r)
{
    enum pattern p = trial_pattern(r->trial);
    return p == PATTERN_DIVERGING || p == PATTERN_NOT_A_NUMBER;
}

static bool crawls(const struct range_run *r)
{
    return r->trial->cause == CAUSE_LEARNING_RATE_TOO_SMALL;
}

static bool too_deep(const struct range_run *r)
{
    return r->trial->cause == CAUSE_TOO_DEEP;
}

static bool batch_too_small(const struct range_run *r)
{
    return r->trial->cause == CAUSE_BATCH_TOO_SMALL;
}

/* Of the runs at that value or beyond it: how many, and how many in trouble. */
static size_t troubled(const struct range_view *view, const struct cut *c, double value,
                       size_t *all)
{
    size_t n = 0;
    *all = 0;
    for (size_t i = 0; i < view->count; i++) {
        if (!(c->sign * range_value(view, &view->runs[i], c->setting) >= c->sign * value))
            continue;
        (*all)++;
        n += c->trouble(&view->runs[i]);
    }
    return n;
}

struct placed {
    double at; /* the value, or its negative where the lower end is looked at */
    bool in_trouble;
};

static int from_the_end(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return (x->at < y->at) - (x->at > y->at);
}

static size_t place(const struct range_view *view, const struct cut *c, struct placed *out)
{
    size_t n = 0;
    for (size_t i = 0; i < view->count; i++) {
        double v = range_value(view, &view->runs[i], c->setting);
        if (!isnan(v))
            out[n++] = (struct placed){c->sign * v, c->trouble(&view->runs[i])};
    }
    qsort(out, n, sizeof(*out), from_the_end);
    return n;
}

/* Where the widest end of the range begins in which most runs are in trouble; NAN. It begins at a
 * run in trouble. */
static double begin_of(const struct range_view *view, const struct cut *c)
{
    struct placed *runs = xcalloc(view->count + 1, sizeof(*runs));
    size_t count = place(view, c, runs), n = 0, before = 0;
    double from = NAN;
    for (size_t i = 0; i < count; i++) {
        n += runs[i].in_trouble;
        if (i + 1 < count && runs[i + 1].at == runs[i].at)
            continue; /* those of one value count together */
        if (n > before && n >= EDIT_RUNS_LEAST && most_of(n, i + 1))
            from = c->sign * runs[i].at;
        before = n;
    }
    free(runs);
    return from;
}

/* The value nearest to it on the other side that some run without trouble had; NAN. */
static double next_sound(const struct range_view *view, const struct cut *c, double value)
{
    double found = NAN;
    for (size_t i = 0; i < view->count; i++) {
        double v = range_value(view, &view->runs[i], c->setting);
        if (!(c->sign * v < c->sign * value) || c->trouble(&view->runs[i]))
            continue;
        if (isnan(found) || c->sign * v > c->sign * found)
            found = v;
    }
    return found;
}

/* A sound run among the best lies beyond it. */
static bool loses_the_best(const struct range_view *view, const struct cut *c, double to)
{
    for (size_t i = 0; i < view->best_count; i++)
        if (c->sign * range_value(view, view->best[i], c->setting) > c->sign * to &&
            !c->trouble(view->best[i]))
            return true;
    return false;
}

static void collect_support(const struct range_view *view, const struct cut *c, double from,
                            struct range_edit *e)
{
    for (size_t i = 0; i < view->count; i++)
        if (c->sign * range_value(view, &view->runs[i], c->setting) >= c->sign * from &&
            c->trouble(&view->runs[i]))
            range_edit_support(e, &view->runs[i]);
}

/* No run at all is sound: a decade of a learning rate, four times the batch, on the other side. */
static void escape(struct range_view *view, const struct cut *c, struct range_edit *e, double low,
                   double high)
{
    double factor = c->setting == SETTING_LEARNING_RATE ? 10 : 4;
    const struct dimension *d = spec_dimension(view->spec, c->setting);
    if (c->kind == EDIT_FEWER_LAYERS)
        return; /* nothing shows that shallower ones learn */
    e->log_scale = c->setting == SETTING_LEARNING_RATE;
    if (d == NULL) {
        double near = c->sign > 0 ? low / factor : high * factor;
        e->opens = true;
        e->from = low;
        e->low = c->sign > 0 ? near / factor : near;
        e->to = c->sign > 0 ? near : near * factor;
    } else {
        e->kind = c->sign > 0 ? EDIT_EXTEND_BELOW : EDIT_EXTEND_ABOVE;
        e->from = c->sign > 0 ? low : high;
        e->to = range_beyond(d, -c->sign, low, high);
    }
    range_say(e, "%zu of %zu runs %s, and none is sound: all have a %s of %.3g or %s", e->run_count,
              view->count, c->does, setting_label(c->setting), c->sign > 0 ? low : high,
              c->sign > 0 ? "more" : "less");
    range_propose(view, e);
}

static void cut(struct range_view *view, const struct cut *c)
{
    struct range_edit e = {.kind = c->kind, .setting = c->setting};
    double low, high, from = begin_of(view, c);
    size_t all, n;
    if (isnan(from))
        return;
    double to = next_sound(view, c, from);
    spec_setting_range(view->spec, c->setting, &low, &high);
    n = troubled(view, c, from, &all);
    collect_support(view, c, from, &e);
    if (isnan(to) && all == view->count) {
        escape(view, c, &e, low, high);
        return;
    }
    const struct range_edit *above = range_edit_of(view, EDIT_CUT_ABOVE, c->setting);
    if (isnan(to) || loses_the_best(view, c, to) ||
        (c->sign < 0 && above != NULL && to >= above->to))
        return;
    e.from = c->sign > 0 ? high : low;
    e.to = to;
    range_say(&e, "%zu of %zu runs with a %s of %.3g or %s %s; %.3g is sound", n, all,
              setting_label(c->setting), from, c->sign > 0 ? "more" : "less", c->does, to);
    range_propose(view, &e);
}

void range_cut_rates(struct range_view *view)
{
    static const struct cut above = {EDIT_CUT_ABOVE, SETTING_LEARNING_RATE, 1, diverged, "diverge"};
    static const struct cut below = {EDIT_CUT_BELOW, SETTING_LEARNING_RATE, -1, crawls,
                                     "get nowhere"};
    cut(view, &above);
    cut(view, &below);
}

void range_cut_depth(struct range_view *view)
{
    static const struct cut deep = {EDIT_FEWER_LAYERS, SETTING_DEPTH, 1, too_deep,
                                    "are too deep to learn"};
    cut(view, &deep);
}

void range_cut_batches(struct range_view *view)
{
    static const struct cut small = {EDIT_LARGER_BATCHES, SETTING_BATCH_SIZE, -1, batch_too_small,
                                     "swing from batch to batch"};
    cut(view, &small);
}
