#include "common/label/sentence.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sweep/diagnosis.h"
#include "sweep/require.h"

/* "Training loss falls (-0.12 over the last 16 points, noise 0.004)" */
static void side_words(char *out, size_t size, const char *name, const struct diagnosis_trend *t)
{
    static const char *const WORDS[] = {"falls", "is flat", "rises"};

    if (t->window == 0)
        snprintf(out, size, "%s has %zu finite points", name, t->count);
    else
        snprintf(out, size, "%s %s (%+.2g over the last %zu points, noise %.2g)", name,
                 WORDS[t->sign + 1], t->change, t->window, t->noise);
}

/* A fall that the label calls flat. */
static bool fades(const struct diagnosis *d)
{
    return strcmp(d->test, "faded") == 0 ||
           (strcmp(d->test, "train_flat") == 0 && d->pattern != PATTERN_LEARNING);
}

static void cells(const struct diagnosis *d, char *out, size_t size)
{
    char train[96], val[96];
    const struct diagnosis_trend *best = d->val.window > 0 ? &d->val : &d->train;

    side_words(train, sizeof(train), "training loss", &d->train);
    side_words(val, sizeof(val), "validation loss", &d->val);
    snprintf(out, size, "%s; %s%s; best %.4g at epoch %g, now about %.4g.", train, val,
             fades(d) ? ", ever slower" : "", best->best, best->best_epoch, best->end);
}

static void not_a_number(const struct diagnosis *d, char *out, size_t size)
{
    snprintf(out, size,
             "A loss became NaN or Inf and stayed so; %zu training and %zu validation values "
             "were finite.",
             d->train.count, d->val.count);
}

static void too_short(const struct diagnosis *d, char *out, size_t size)
{
    snprintf(out, size, "%zu training and %zu validation points: fewer than 5 give no verdict.",
             d->train.count, d->val.count);
}

static void exploded(const struct diagnosis *d, char *out, size_t size)
{
    const struct diagnosis_trend *t = &d->train, *v = &d->val;
    int at = snprintf(out, size,
                      "The loss has at least doubled since its minimum: training %.4g at epoch %g, "
                      "now %.4g",
                      t->best, t->best_epoch, t->end);

    if (isnan(v->best))
        snprintf(out + at, size - (size_t)at, ".");
    else
        snprintf(out + at, size - (size_t)at, "; validation %.4g at epoch %g, now %.4g.", v->best,
                 v->best_epoch, v->end);
}

static void swinging(const struct diagnosis *d, char *out, size_t size)
{
    const struct diagnosis_trend *t = &d->train, *v = &d->val;
    bool within = strcmp(d->test, "oscillating_within_points") == 0;

    snprintf(out, size,
             "The end swings without direction%s: training noise %.2g at a level of %.4g, "
             "validation noise %.2g at %.4g, over the last %zu points.",
             within ? " between the batches of a point" : "", t->noise, t->level, v->noise,
             v->level, t->window > 0 ? t->window : v->window);
}

static void above(const struct diagnosis *d, char *out, size_t size)
{
    snprintf(out, size,
             "Both losses are flat, and training (%.4g) stays %.4g above validation (%.4g), noise "
             "%.2g and %.2g.",
             d->train.end, d->gap, d->val.end, d->train.noise, d->val.noise);
}

/* What a pattern is explained by, where the trends alone do not; NULL: the trends. */
static void (*const WORDING[PATTERN_COUNT])(const struct diagnosis *, char *, size_t) = {
    [PATTERN_NOT_A_NUMBER] = not_a_number, [PATTERN_TOO_SHORT] = too_short,
    [PATTERN_OSCILLATING] = swinging,      [PATTERN_TRAIN_ABOVE_VAL] = above,
    [PATTERN_DROPOUT_TOO_STRONG] = above,
};

static void add_accuracy(struct diagnosis *d)
{
    size_t len = strlen(d->sentence);
    snprintf(d->sentence + len, sizeof(d->sentence) - len,
             " The accuracy never moved from about %.3g: one class is always predicted, or chance.",
             d->accuracy);
}

void sentence_write(struct diagnosis *d)
{
    void (*write)(const struct diagnosis *, char *, size_t) = WORDING[d->pattern];

    if (strcmp(d->test, "exploded") == 0)
        write = exploded;
    (write ? write : cells)(d, d->sentence, sizeof(d->sentence));
    if (!isnan(d->accuracy))
        add_accuracy(d);
    if (d->sentence[0] >= 'a' && d->sentence[0] <= 'z')
        d->sentence[0] -= 'a' - 'A';
}
