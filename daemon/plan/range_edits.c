#include "daemon/plan/range_edits.h"

#include <math.h>

#include "daemon/plan/range_view.h"
#include "sweep/json.h"
#include "sweep/require.h"

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
    if (e->log_scale)
        jw_kv_string(w, "distribution", distribution_name(DISTRIBUTION_LOG_UNIFORM_VALUES));
    jw_end_object(w);
}

/* --- what causes speak for --------------------------------------------------------------------*/

/* Runs with that cause, when they are enough of all. */
static bool caused(const struct range_view *view, enum cause_id c, struct range_edit *e)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->runs[i].trial->cause == c)
            range_edit_support(e, &view->runs[i]);
    return e->run_count >= EDIT_RUNS_LEAST &&
           (double)e->run_count >= CAUSE_SHARE * (double)view->count;
}

/* The largest of a setting becomes `to`, a fixed one is opened up to it. */
static void grow(struct range_view *view, enum edit_kind kind, enum setting_id id,
                 double (*more)(double), const char *what)
{
    struct range_edit e = {.kind = kind, .setting = id};
    double low, high;
    spec_setting_range(view->spec, id, &low, &high);
    if (!caused(view, CAUSE_CAPACITY_TOO_SMALL, &e) || range_closed(view, id, 1) ||
        range_edit_of(view, EDIT_EXTEND_ABOVE, id) != NULL || !spec_may_sweep(view->spec, id))
        return;
    e.from = e.low = high;
    e.to = more(high);
    e.opens = spec_dimension(view->spec, id) == NULL;
    range_say(&e, "%zu of %zu runs cannot fit the data with up to %.0f %s", e.run_count,
              view->count, high, what);
    range_propose(view, &e);
}

static double one_more(double v)
{
    return v + 1;
}

static double four_times(double v)
{
    return 4 * v;
}

static bool only_recurrent(const struct spec *s)
{
    return !spec_may_be(s, SETTING_MODEL_TYPE, MODEL_MLP) &&
           !spec_may_be(s, SETTING_MODEL_TYPE, MODEL_SEQUENTIAL);
}

/* The guide's dense layer more is behind the recurrent ones (G1.1). */
static void more_capacity(struct range_view *view)
{
    bool behind = only_recurrent(view->spec);
    grow(view, EDIT_MORE_LAYERS, behind ? SETTING_DENSE_AFTER : SETTING_DEPTH, one_more,
         behind ? "dense layers behind the recurrent ones" : "hidden layers");
    grow(view, EDIT_MORE_CAPACITY, SETTING_WIDTH, four_times, "units a layer");
}

static void shuffle(struct range_view *view)
{
    struct range_edit e = {.kind = EDIT_SHUFFLE, .setting = SETTING_SHUFFLE, .from = 0, .to = 1};
    if (!caused(view, CAUSE_NOT_SHUFFLED, &e) || !spec_may_be(view->spec, SETTING_SHUFFLE, 0))
        return;
    range_say(&e, "%zu of %zu runs learn the samples in the file's order", e.run_count,
              view->count);
    range_propose(view, &e);
}

/* --- where runs overfit -----------------------------------------------------------------------*/

static bool overfits(const struct range_run *r)
{
    enum pattern p = trial_pattern(r->trial);
    return p == PATTERN_OVERFITTING || p == PATTERN_OVERFITTING_RISING;
}

static bool has_weight_decay(const struct spec *s)
{
    return spec_may_be(s, SETTING_OPTIMIZER, OPTIMIZER_ADAMW);
}

/* Of adamw the decay does what l2 does of the others. */
static bool has_l2(const struct spec *s)
{
    const struct dimension *d = spec_dimension(s, SETTING_OPTIMIZER);
    return d != NULL ? d->value_count > 1 || !has_weight_decay(s) : !has_weight_decay(s);
}

/* Where most of the best overfit, and nothing against it is swept. */
static void regularise(struct range_view *view)
{
    static const struct {
        enum setting_id setting;
        double low, to;
        bool log_scale;
        bool (*has)(const struct spec *s); /* NULL: always */
    } opened[] = {
        {SETTING_DROPOUT, 0, 0.5, false, NULL},
        {SETTING_L2, 1e-5, 1e-2, true, has_l2},
        {SETTING_WEIGHT_DECAY, 1e-3, 0.3, true, has_weight_decay},
    };
    struct range_edit found = {.kind = EDIT_REGULARISE, .opens = true};
    size_t overfit = 0;
    for (size_t i = 0; i < view->best_count; i++)
        overfit += overfits(view->best[i]);
    for (size_t i = 0; i < view->count; i++)
        if (overfits(&view->runs[i]))
            range_edit_support(&found, &view->runs[i]);
    for (size_t i = 0; i < ARRAY_LEN(opened) && most_of(overfit, view->best_count); i++) {
        struct range_edit e = found;
        double from = view->spec->trainer.fixed.v[opened[i].setting];
        if (spec_dimension(view->spec, opened[i].setting) != NULL ||
            (opened[i].has != NULL && !opened[i].has(view->spec)))
            continue;
        e.setting = opened[i].setting;
        e.from = from;
        e.low = opened[i].low;
        e.log_scale = opened[i].log_scale;
        e.to = fmax(opened[i].to, fmin(2 * from, (from + setting_get(e.setting)->max) / 2));
        range_say(&e, "%zu of the best %zu runs overfit, and %s is not swept", overfit,
                  view->best_count, setting_label(e.setting));
        range_propose(view, &e);
    }
}

/* --- all -------------------------------------------------------------------------------------- */

void range_edits_find(const struct spec *s, const struct trial *const *trials,
                      const int64_t *run_ids, size_t count, struct range_edits *out)
{
    static void (*const rules[])(struct range_view *) = {
        range_cut_rates, range_cut_depth, range_cut_batches, /* these close an end … */
        range_extend,    more_capacity,   regularise,        /* … that these would open */
        shuffle,
    };
    struct range_view view;
    *out = (struct range_edits){0};
    range_view_init(&view, s, trials, run_ids, count, out);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        rules[i](&view);
    range_view_finish(&view);
}
