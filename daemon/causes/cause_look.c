#include "daemon/causes/cause_look.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sweep/buf.h"

/* Settings that differ by less count as equal: random search draws no two rates alike. */
#define SAME_WITHIN 1.25

double look_ramp(double x, double from, double to)
{
    double share = (x - from) / (to - from);
    return share > 0 ? fmin(share, 1) : 0; /* NaN: 0 */
}

double look_either(double a, double b)
{
    return 1 - (1 - a) * (1 - b);
}

void look_say(char *evidence, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(evidence, CAUSE_EVIDENCE_MAX, format, args);
    va_end(args);
}

static double best_loss(const struct run_facts *f)
{
    return isfinite(f->best_val) ? f->best_val : f->best_train;
}

bool look_better(const struct look *l, const struct sibling *s)
{
    double mine = best_loss(l->f), theirs = s ? best_loss(s->facts) : NAN;
    if (!isfinite(theirs))
        return false;
    double noise = isfinite(l->f->val_noise) ? 2 * l->f->val_noise : 0;
    return !isfinite(mine) || theirs < mine - fmax(0.1 * fabs(mine), noise);
}

/* --- siblings ------------------------------------------------------------------------------- */

static bool same_value(enum setting_id id, double a, double b)
{
    if (a == b)
        return true;
    return setting_get(id)->type == SETTING_REAL && a > 0 && b > 0 && a / b < SAME_WITHIN &&
           b / a < SAME_WITHIN;
}

/* The one setting in which two runs differ; SETTING_COUNT: in none, or in several. */
static size_t only_difference(const struct settings *a, const struct settings *b)
{
    size_t found = SETTING_COUNT;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (same_value((enum setting_id)i, a->v[i], b->v[i]))
            continue;
        if (found < SETTING_COUNT)
            return SETTING_COUNT;
        found = i;
    }
    return found;
}

static void keep_better(const struct sibling **kept, const struct sibling *s)
{
    double loss = best_loss(s->facts);
    if (isfinite(loss) && (!*kept || loss < best_loss((*kept)->facts)))
        *kept = s;
}

static void find_neighbours(struct look *l)
{
    for (size_t i = 0; i < l->in->sibling_count; i++) {
        const struct sibling *s = &l->in->siblings[i];
        size_t id = only_difference(l->in->settings, s->settings);
        if (id == SETTING_COUNT)
            continue;
        struct neighbours *n = &l->near[id];
        keep_better(s->settings->v[id] < l->v[id] ? &n->lower : &n->higher, s);
    }
}

/* --- the network ---------------------------------------------------------------------------- */

static bool saturates(double activation)
{
    return activation == ACTIVATION_TANH || activation == ACTIVATION_SIGMOID;
}

static double entry_value(const struct look *l, const struct layer_entry *e, enum layer_option o)
{
    return e->is_setting[o] ? l->v[(size_t)e->value[o]] : e->value[o];
}

static void look_at_entry(struct look *l, const struct layer_entry *e)
{
    double times = e->repeat_is_depth ? l->v[SETTING_DEPTH] : (double)e->repeat;
    double activation = e->activation_is_setting && e->has_activation
                            ? l->v[(size_t)e->activation] : e->activation;
    if (layer_is(e->kind, LAYER_TRAIT_ACTIVATION))
        activation = entry_value(l, e, LAYER_OPTION_FUNCTION);
    if ((e->has_activation || layer_is(e->kind, LAYER_TRAIT_ACTIVATION)) && saturates(activation))
        l->saturating = true;
    if (layer_is(e->kind, LAYER_TRAIT_DROPOUT))
        l->layer_dropout = fmax(l->layer_dropout, entry_value(l, e, LAYER_OPTION_RATE));
    l->plain_rnn = l->plain_rnn || layer_is(e->kind, LAYER_TRAIT_UNGATED);
    if (layer_is(e->kind, LAYER_TRAIT_WEIGHTED))
        l->depth += times;
}

static void look_at_net(struct look *l)
{
    enum model_type type = (enum model_type)l->v[SETTING_MODEL_TYPE];
    l->layer_dropout = l->v[SETTING_DROPOUT];
    l->depth = l->v[SETTING_DEPTH];
    l->saturating = saturates(l->v[SETTING_ACTIVATION]);
    l->plain_rnn = type == MODEL_RNN;
    if (type != MODEL_SEQUENTIAL || !l->in->layers)
        return;
    l->depth = 0;
    l->saturating = false;
    l->layer_dropout = 0;
    for (size_t i = 0; i < l->in->layers->count; i++)
        look_at_entry(l, &l->in->layers->entries[i]);
}

/* --- the level of guessing ------------------------------------------------------------------ */

/* Cross entropy of equal shares is ln K; a squared error relates to the targets' variance as R2
 * says. The other losses have no such plain level. */
static void find_guess(struct look *l)
{
    double classes = (double)l->data->classes, r2 = l->f->best_r2;
    enum loss_kind loss = (enum loss_kind)l->v[SETTING_LOSS];
    l->guess = l->chance = NAN;
    if (classes < 2) {
        if ((loss == LOSS_AUTO || loss == LOSS_MSE) && r2 < 0.999)
            l->guess = l->f->best_val / (1 - r2);
        return;
    }
    l->chance = 1 / classes;
    if (loss == LOSS_AUTO || loss == LOSS_CROSS_ENTROPY)
        l->guess = log(classes);
}

/* A few per cent below ln K are what the shares of the classes alone can explain: the entropy of
 * shares of 1 : 2 is 0.92 ln 2. */
static bool is_stuck(const struct look *l)
{
    const struct run_facts *f = l->f;
    if (!isfinite(f->best_train))
        return true;
    if (l->data->classes == 0 && isfinite(f->best_r2))
        return f->best_r2 < 0.05;
    if (isfinite(l->guess))
        return f->best_train > 0.92 * l->guess;
    return f->best_train > 0.95 * f->first_train;
}

/* How far the loss has left what guessing gives, upwards. An untrained regression lies there
 * already: it has the targets' mean to learn, which is some times their deviation. */
static double is_above(const struct look *l)
{
    const struct run_facts *f = l->f;
    double high = fmax(f->first_train, f->end_train) / l->guess;
    if (!isfinite(l->guess))
        return look_ramp(f->end_train / f->first_train, 1.05, 2);
    return l->data->classes > 0 ? look_ramp(high, 1.05, 2) : look_ramp(log10(high), 1, 2);
}

/* A step that changes a layer by a tenth of its weights (a thousandth is usual), or a first epoch
 * whose loss is above that of guessing: what was drawn at the start is gone. */
static double was_thrown(const struct look *l)
{
    bool from_zero = l->v[SETTING_INIT] == INIT_ZEROS; /* any step is large against that */
    double update = from_zero ? 0 : look_ramp(log10(l->f->first_update_ratio), -2, -1);
    double above = l->f->first_train > l->f->end_train ? l->above : 0;
    return look_either(update, above);
}

/* Also: dropout that leaves one unit in five, batches of one or two samples, batches of one class
 * after the other. */
static double is_disturbed(const struct look *l)
{
    double by = look_either(l->thrown, look_ramp(l->layer_dropout, 0.5, 0.85));
    by = look_either(by, look_ramp(log2(l->v[SETTING_BATCH_SIZE]), 3, 0.5));
    return look_either(by, l->v[SETTING_SHUFFLE] == 0 && l->data->is_sorted ? 1 : 0);
}

void look_init(struct look *l, const struct cause_input *in)
{
    *l = (struct look){.in = in, .f = in->facts, .v = in->settings->v, .data = in->data};
    l->sick = pattern_is_sick(l->f->pattern);
    l->exploded = l->f->pattern == PATTERN_NOT_A_NUMBER || l->f->pattern == PATTERN_DIVERGING;
    l->steps = l->f->epochs * ceil((double)l->data->train_samples /
                                   fmax(l->v[SETTING_BATCH_SIZE], 1));
    find_guess(l);
    l->stuck = is_stuck(l);
    l->left = isfinite(l->f->best_train / l->guess) ? fmin(l->f->best_train / l->guess, 1) : 1;
    l->above = is_above(l);
    l->thrown = was_thrown(l);
    look_at_net(l);
    l->disturbed = is_disturbed(l);
    find_neighbours(l);
}
