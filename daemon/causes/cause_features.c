#include "daemon/causes/cause_features.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sweep/buf.h"

/* Settings that differ by less count as equal: random search draws no two rates alike. */
#define SAME_WITHIN 1.25

double score_ramp(double x, double from, double to)
{
    double share = (x - from) / (to - from);
    return share > 0 ? fmin(share, 1) : 0; /* NaN: 0 */
}

double score_noisy_or(double a, double b)
{
    return 1 - (1 - a) * (1 - b);
}

void evidence_printf(char *evidence, const char *format, ...)
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

bool sibling_better(const struct cause_features *x, const struct sibling *s)
{
    double mine = best_loss(x->f), theirs = s ? best_loss(s->facts) : NAN;
    if (!isfinite(theirs))
        return false;
    double noise = isfinite(x->f->val_noise) ? 2 * x->f->val_noise : 0;
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

static void find_neighbours(struct cause_features *x)
{
    for (size_t i = 0; i < x->in->sibling_count; i++) {
        const struct sibling *s = &x->in->siblings[i];
        size_t id = only_difference(x->in->settings, s->settings);
        if (id == SETTING_COUNT)
            continue;
        struct neighbours *n = &x->near[id];
        keep_better(s->settings->v[id] < x->v[id] ? &n->lower : &n->higher, s);
    }
}

/* --- the network ---------------------------------------------------------------------------- */

static bool saturates(double activation)
{
    return activation == ACTIVATION_TANH || activation == ACTIVATION_SIGMOID;
}

static double entry_value(const struct cause_features *x, const struct layer_entry *e,
                          enum layer_option o)
{
    return e->is_setting[o] ? x->v[(size_t)e->value[o]] : e->value[o];
}

static void describe_entry(struct cause_features *x, const struct layer_entry *e)
{
    double times = e->repeat_is_depth ? x->v[SETTING_DEPTH] : (double)e->repeat;
    double activation =
        e->activation_is_setting && e->has_activation ? x->v[(size_t)e->activation] : e->activation;
    if (layer_is(e->kind, LAYER_TRAIT_ACTIVATION))
        activation = entry_value(x, e, LAYER_OPTION_FUNCTION);
    if ((e->has_activation || layer_is(e->kind, LAYER_TRAIT_ACTIVATION)) && saturates(activation))
        x->saturating = true;
    if (layer_is(e->kind, LAYER_TRAIT_DROPOUT))
        x->layer_dropout = fmax(x->layer_dropout, entry_value(x, e, LAYER_OPTION_RATE));
    x->plain_rnn = x->plain_rnn || layer_is(e->kind, LAYER_TRAIT_UNGATED);
    if (layer_is(e->kind, LAYER_TRAIT_WEIGHTED))
        x->depth += times;
}

static void describe_network(struct cause_features *x)
{
    enum model_type type = (enum model_type)x->v[SETTING_MODEL_TYPE];
    x->layer_dropout = x->v[SETTING_DROPOUT];
    x->depth = x->v[SETTING_DEPTH];
    x->saturating = saturates(x->v[SETTING_ACTIVATION]);
    x->plain_rnn = type == MODEL_RNN;
    if (type != MODEL_SEQUENTIAL || !x->in->layers)
        return;
    x->depth = 0;
    x->saturating = false;
    x->layer_dropout = 0;
    for (size_t i = 0; i < x->in->layers->count; i++)
        describe_entry(x, &x->in->layers->entries[i]);
}

/* --- the level of guessing ------------------------------------------------------------------ */

/* Cross entropy of equal shares is ln K; a squared error relates to the targets' variance as R2
 * says. The other losses have no such plain level. */
static void find_guess(struct cause_features *x)
{
    double classes = (double)x->data->classes, r2 = x->f->best_r2;
    enum loss_kind loss = (enum loss_kind)x->v[SETTING_LOSS];
    x->guess = x->chance = NAN;
    if (classes < 2) {
        if ((loss == LOSS_AUTO || loss == LOSS_MSE) && r2 < 0.999)
            x->guess = x->f->best_val / (1 - r2);
        return;
    }
    x->chance = 1 / classes;
    if (loss == LOSS_AUTO || loss == LOSS_CROSS_ENTROPY)
        x->guess = log(classes);
}

/* A few per cent below ln K are what the shares of the classes alone can explain: the entropy of
 * shares of 1 : 2 is 0.92 ln 2. */
static bool is_stuck(const struct cause_features *x)
{
    const struct run_facts *f = x->f;
    if (!isfinite(f->best_train))
        return true;
    if (x->data->classes == 0 && isfinite(f->best_r2))
        return f->best_r2 < 0.05;
    if (isfinite(x->guess))
        return f->best_train > 0.92 * x->guess;
    return f->best_train > 0.95 * f->first_train;
}

/* How far the loss has left what guessing gives, upwards. An untrained regression lies there
 * already: it has the targets' mean to learn, which is some times their deviation. */
static double is_above(const struct cause_features *x)
{
    const struct run_facts *f = x->f;
    double high = fmax(f->first_train, f->end_train) / x->guess;
    if (!isfinite(x->guess))
        return score_ramp(f->end_train / f->first_train, 1.05, 2);
    return x->data->classes > 0 ? score_ramp(high, 1.05, 2) : score_ramp(log10(high), 1, 2);
}

/* A step that changes a layer by a tenth of its weights (a thousandth is usual), or a first epoch
 * whose loss is above that of guessing: what was drawn at the start is gone. */
static double was_thrown(const struct cause_features *x)
{
    bool from_zero = x->v[SETTING_INIT] == INIT_ZEROS; /* any step is large against that */
    double update = from_zero ? 0 : score_ramp(log10(x->f->first_update_ratio), -2, -1);
    double above = x->f->first_train > x->f->end_train ? x->above : 0;
    return score_noisy_or(update, above);
}

/* Also: dropout that leaves one unit in five, batches of one or two samples, batches of one class
 * after the other. */
static double is_disturbed(const struct cause_features *x)
{
    double by = score_noisy_or(x->thrown, score_ramp(x->layer_dropout, 0.5, 0.85));
    by = score_noisy_or(by, score_ramp(log2(x->v[SETTING_BATCH_SIZE]), 3, 0.5));
    return score_noisy_or(by, x->v[SETTING_SHUFFLE] == 0 && x->data->is_sorted ? 1 : 0);
}

void cause_features_init(struct cause_features *x, const struct cause_input *in)
{
    *x = (struct cause_features){.in = in, .f = in->facts, .v = in->settings->v, .data = in->data};
    x->sick = pattern_is_sick(x->f->pattern);
    x->exploded = x->f->pattern == PATTERN_NOT_A_NUMBER || x->f->pattern == PATTERN_DIVERGING;
    x->steps =
        x->f->epochs * ceil((double)x->data->train_samples / fmax(x->v[SETTING_BATCH_SIZE], 1));
    find_guess(x);
    x->stuck = is_stuck(x);
    x->left = isfinite(x->f->best_train / x->guess) ? fmin(x->f->best_train / x->guess, 1) : 1;
    x->above = is_above(x);
    x->thrown = was_thrown(x);
    describe_network(x);
    x->disturbed = is_disturbed(x);
    find_neighbours(x);
}
