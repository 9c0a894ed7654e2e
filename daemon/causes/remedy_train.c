/* Remedies that change how a run is trained. */
#include <math.h>

#include "daemon/causes/optimizer_rate.h"
#include "daemon/causes/remedy_change.h"
#include "sweep/spec.h"

#define BATCH_FACTOR 4
#define BATCH_LEAST 4         /* below, each step follows chance (G1.2) */
#define L2_START 1e-3
#define L2_BESIDE_CLIP 1e-4
#define L2_MOST 1.0           /* above, nothing but the weights' norm is minimised */
#define CLIP_NORM 1.0         /* of the mean loss's gradient */
#define PATIENCE_LEAST 3      /* epochs */

static double rate_of(const struct treatment *t)
{
    return t->settings.v[SETTING_LEARNING_RATE];
}

bool remedy_rate_up(const struct remedy_context *c, struct treatment *t)
{
    return remedy_set(t, SETTING_LEARNING_RATE, rate_of(t) * 10);
}

bool remedy_rate_down(const struct remedy_context *c, struct treatment *t)
{
    return remedy_set(t, SETTING_LEARNING_RATE, rate_of(t) / 10);
}

/* An optimizer comes with its usual rate: that of another one means nothing to it (G2.2). */
static bool give_optimizer(struct treatment *t, enum optimizer o)
{
    if (!remedy_set(t, SETTING_OPTIMIZER, o))
        return false;
    remedy_set(t, SETTING_LEARNING_RATE, optimizer_usual_rate(o));
    return true;
}

bool remedy_other_optimizer(const struct remedy_context *c, struct treatment *t)
{
    double now = t->settings.v[SETTING_OPTIMIZER];
    bool adam = now == OPTIMIZER_ADAM || now == OPTIMIZER_ADAMW;
    return give_optimizer(t, adam ? OPTIMIZER_MOMENTUM : OPTIMIZER_ADAM);
}

/* The last tuning goes on from the best weights where they are kept (G2.2). */
bool remedy_sgd_last(const struct remedy_context *c, struct treatment *t)
{
    if (c->donor)
        t->start_from = c->donor;
    return give_optimizer(t, OPTIMIZER_SGD);
}

bool remedy_batch_up(const struct remedy_context *c, struct treatment *t)
{
    double batch = t->settings.v[SETTING_BATCH_SIZE] * BATCH_FACTOR;
    return batch <= (double)c->data->train_samples && remedy_set(t, SETTING_BATCH_SIZE, batch);
}

bool remedy_batch_down(const struct remedy_context *c, struct treatment *t)
{
    double batch = floor(t->settings.v[SETTING_BATCH_SIZE] / BATCH_FACTOR);
    return batch >= BATCH_LEAST && remedy_set(t, SETTING_BATCH_SIZE, batch);
}

bool remedy_shuffle(const struct remedy_context *c, struct treatment *t)
{
    return remedy_set(t, SETTING_SHUFFLE, 1);
}

/* Fine-tuning takes smaller steps: larger ones would forget what was learnt. */
bool remedy_pre_train(const struct remedy_context *c, struct treatment *t)
{
    if (c->donor == 0 || t->start_from == c->donor)
        return false;
    t->start_from = c->donor;
    return remedy_set(t, SETTING_LEARNING_RATE, rate_of(t) / 10);
}

/* The norm that a summed loss is clipped to is the batch's multiple of a mean's. */
static bool clip_to_norm(struct treatment *t)
{
    bool sum = t->settings.v[SETTING_LOSS_REDUCTION] == REDUCTION_SUM;
    double norm = CLIP_NORM * (sum ? t->settings.v[SETTING_BATCH_SIZE] : 1);
    if (t->settings.v[SETTING_CLIP] == CLIP_GLOBAL_NORM && t->settings.v[SETTING_CLIP_NORM] <= norm)
        return false;
    remedy_set(t, SETTING_CLIP, CLIP_GLOBAL_NORM);
    remedy_set(t, SETTING_CLIP_NORM, norm);
    return true;
}

static bool regularise(struct treatment *t, double least)
{
    bool changed = remedy_set(t, SETTING_L2_GRADIENT, 1);
    return remedy_set(t, SETTING_L2, fmax(t->settings.v[SETTING_L2], least)) || changed;
}

bool remedy_clip_and_l2(const struct remedy_context *c, struct treatment *t)
{
    bool clips = clip_to_norm(t);
    return regularise(t, L2_BESIDE_CLIP) || clips;
}

bool remedy_clip_by_norm(const struct remedy_context *c, struct treatment *t)
{
    return clip_to_norm(t);
}

bool remedy_l2(const struct remedy_context *c, struct treatment *t)
{
    double l2 = t->settings.v[SETTING_L2];
    if (l2 > 0 && t->settings.v[SETTING_L2_GRADIENT] != 0)
        return l2 * 10 <= L2_MOST && remedy_set(t, SETTING_L2, l2 * 10);
    return regularise(t, L2_START);
}

bool remedy_early_stopping(const struct remedy_context *c, struct treatment *t)
{
    double patience = fmax(PATIENCE_LEAST, floor((double)t->epochs / 10));
    double now = t->settings.v[SETTING_PATIENCE];
    if (patience >= (double)t->epochs || (now > 0 && now <= patience))
        return false;
    return remedy_set(t, SETTING_PATIENCE, patience);
}

bool remedy_more_epochs(const struct remedy_context *c, struct treatment *t)
{
    if (t->epochs > SPEC_MAX_EPOCHS / 2)
        return false;
    t->epochs *= 2;
    return true;
}

bool remedy_cosine(const struct remedy_context *c, struct treatment *t)
{
    return t->settings.v[SETTING_SCHEDULE] == SCHEDULE_CONSTANT &&
           remedy_set(t, SETTING_SCHEDULE, SCHEDULE_COSINE);
}
