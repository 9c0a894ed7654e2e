#include "worker/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "worker/nn/init.h"
#include "worker/weights.h"

/* Most rows evaluated at once: enough for full speed of the products. */
#define EVAL_ROWS 512

#define MODEL_KEY "$.model"

/* An error about the network's shape gets the key that decides it. */
static int blame_model(int rc, struct errbuf *err)
{
    struct errbuf e;
    if (rc == 0 || !err || err->key[0])
        return rc;
    e = *err;
    err_set(err, rc, MODEL_KEY ": %s", e.message);
    str_copy(err->key, sizeof err->key, MODEL_KEY);
    return rc;
}

static size_t batch_rows(const struct settings *s, size_t samples)
{
    size_t asked = (size_t)s->v[SETTING_BATCH_SIZE];
    return asked < samples ? asked : samples;
}

/* Loss and outputs that settings and data ask for. */
static int plan_loss(const struct settings *s, const struct samples *x, struct loss *loss,
                     struct errbuf *err)
{
    enum loss_kind kind = loss_resolve((enum loss_kind)s->v[SETTING_LOSS], x->classes > 0);
    *loss = (struct loss){
        .kind = kind,
        .sum = s->v[SETTING_LOSS_REDUCTION] == REDUCTION_SUM,
        .huber_delta = (real)s->v[SETTING_HUBER_DELTA],
        .probability_clip = (real)s->v[SETTING_PROBABILITY_CLIP],
        .smoothing = (real)s->v[SETTING_LABEL_SMOOTHING],
    };
    if (loss->smoothing > 0 && kind != LOSS_CROSS_ENTROPY && kind != LOSS_BINARY_CROSS_ENTROPY) {
        char value[32];
        setting_format(SETTING_LABEL_SMOOTHING, s->v[SETTING_LABEL_SMOOTHING], value);
        return err_bad(err, ERR_VALUE, "$.train.label_smoothing", value,
                       "0: only cross_entropy and binary_cross_entropy have labels to smooth");
    }
    if (x->classes == 0 && s->v[SETTING_CLASS_WEIGHTS] != CLASS_WEIGHTS_NONE)
        return err_bad(err, ERR_VALUE, "$.train.class_weights", "balanced",
                       "none: the target is numbers, not classes");
    return loss_outputs(kind, x->classes, x->outputs, &loss->outputs, err);
}

/* Units of the output layer: a regression whose network answers at each step shares its targets out
 * among them. */
static int plan_outputs(struct net_plan *plan, const struct samples *x, const struct loss *loss,
                        struct errbuf *err)
{
    struct net_size size;
    plan->outputs = loss->outputs;
    if (x->classes > 0 || loss->outputs == 1)
        return 0;
    plan->outputs = 1;
    int rc = net_check(plan, &size, err);
    size_t steps = rc == 0 ? shape_count(&size.output) : 1;
    plan->outputs = loss->outputs % steps == 0 ? loss->outputs / steps : loss->outputs;
    return rc;
}

/* As many answers as the data asks for: one of a sample, or one for each step. */
static int check_answers(const struct net_plan *plan, const struct samples *x,
                         const struct shape *output, struct errbuf *err)
{
    size_t answers = shape_count(output) / plan->outputs;
    size_t asked = x->outputs;
    if (x->classes == 0 ? shape_count(output) == asked : answers == asked)
        return 0;
    const char *help = asked == 1 ? "flatten the sequence, or let the last recurrent layer "
                                    "\"return\": \"last\""
                                  : "model type sequential whose recurrent layers all \"return\": "
                                    "\"sequence\" answers at each step";
    return err_set(err, ERR_VALUE,
                   "the network gives %zu answer%s per sample, but the data has %zu %s%s: %s",
                   answers, answers == 1 ? "" : "s", asked, x->classes > 0 ? "label" : "target",
                   asked == 1 ? "" : "s", help);
}

static struct net_plan plan_net(const struct settings *s, const struct model_plan *model,
                                const struct samples *x)
{
    return (struct net_plan){
        .model = model,
        .input = x->shape,
        .init = init_resolve((enum init)s->v[SETTING_INIT],
                             (enum activation)s->v[SETTING_ACTIVATION]),
        .eval_rows = EVAL_ROWS,
        .freeze = (size_t)s->v[SETTING_FREEZE],
    };
}

/* Copies of all values that averaging takes. */
static size_t averages(const struct settings *s)
{
    return s->v[SETTING_AVERAGE] != AVERAGE_NONE ? 1 : 0;
}

int setup_check(const struct run_config *c, const struct samples *x, double *flop,
                struct errbuf *err)
{
    struct settings s = c->settings;
    struct model_plan model;
    struct loss loss;
    struct net_size size;
    settings_apply_preset(&s);
    int rc = plan_loss(&s, x, &loss, err);
    if (rc != 0)
        return rc;
    rc = blame_model(model_plan_init(&model, &s, &c->layers, err), err);
    if (rc != 0)
        return rc;
    struct net_plan plan = plan_net(&s, &model, x);
    struct optim optim;
    optim_init(&optim, &s);
    plan.train_rows = batch_rows(&s, x->parts[PART_TRAIN]);
    plan.copies = optim.ops->state_count + 1 + averages(&s);
    rc = plan_outputs(&plan, x, &loss, err);
    if (rc == 0)
        rc = net_check(&plan, &size, err);
    if (rc == 0)
        rc = check_answers(&plan, x, &size.output, err);
    if (rc == 0 && flop)
        *flop = size.flop;
    model_plan_finish(&model);
    return blame_model(rc, err);
}

/* Balanced: samples / (classes · samples of the class), 0 for a class without any
 * (scikit-learn's compute_class_weight). */
static real *balance_classes(const struct samples *x, const struct split *split)
{
    size_t *count = xcalloc(x->classes, sizeof *count), total = 0;
    for (size_t i = 0; i < split->train_count; i++) {
        const uint16_t *label = x->labels + (size_t)split->train[i] * x->outputs;
        for (size_t k = 0; k < x->outputs; k++, total++)
            count[label[k]]++;
    }
    real *weights = xcalloc(x->classes, sizeof *weights);
    for (size_t i = 0; i < x->classes; i++) {
        if (count[i] > 0)
            weights[i] = (real)((double)total / ((double)x->classes * (double)count[i]));
    }
    free(count);
    return weights;
}

/* Losses are told in the targets' own units, whatever they are scaled by. */
static double *report_units(enum loss_kind kind, const struct samples *x, const struct split *split)
{
    if (!split->scaling.target_unit)
        return NULL;
    double *report = xmalloc(x->outputs * sizeof *report);
    for (size_t k = 0; k < x->outputs; k++)
        report[k] = loss_unit(kind, split->scaling.target_unit[k]);
    return report;
}

static void give_optimizer(struct setup *s, const struct run_config *c, size_t train_count)
{
    struct step *step = &s->step;
    const struct net *n = &step->net;
    size_t batch = n->plan.train_rows, copies = step->optim.ops->state_count;
    for (size_t i = 0; i < copies; i++)
        step->optim.state[i] = n->copies[i];
    step->optim.seed = c->seed;
    average_init(&step->average, &s->settings, c->epochs,
                 averages(&s->settings) > 0 ? n->copies[copies++] : NULL);
    s->best = copies < n->plan.copies ? n->copies[copies] : NULL;
    schedule_init(&step->schedule, &s->settings, c->epochs,
                  (int64_t)((train_count + batch - 1) / batch));
}

/* Values, or labels in their place, and the gradient of a batch's outputs. */
static void give_mixup(struct setup *s, uint64_t seed)
{
    const struct net *n = &s->step.net;
    size_t count = n->plan.train_rows * shape_count(&n->output);
    s->step.mixup = (struct mixup){.alpha = s->settings.v[SETTING_MIXUP], .seed = seed};
    if (s->step.mixup.alpha == 0)
        return;
    real *room = xcalloc(2 * count, sizeof *room);
    s->mixing = room;
    s->step.mixup.gradient = room;
    s->step.mixup.values = room + count;
    s->step.mixup.labels = (uint16_t *)(void *)(room + count); /* as many at most, and smaller */
}

static int start_values(struct setup *s, const struct run_config *c, struct errbuf *err)
{
    if (!c->start_weights[0])
        return 0;
    return weights_read(c->start_weights, &s->step.net, true, s->step.net.values, err);
}

int setup_open(struct setup *out, const struct run_config *c, const struct samples *x,
               const struct split *split, struct errbuf *err)
{
    struct setup s = {.settings = c->settings};
    settings_apply_preset(&s.settings);
    int rc = plan_loss(&s.settings, x, &s.step.loss, err);
    if (rc != 0)
        return rc;
    rc = blame_model(model_plan_init(&s.model, &s.settings, &c->layers, err), err);
    if (rc != 0)
        return rc;
    /* The network refers to the plan, so it must lie where it stays. */
    *out = s;
    optim_init(&out->step.optim, &out->settings);
    struct net_plan plan = plan_net(&out->settings, &out->model, x);
    plan.train_rows = batch_rows(&out->settings, split->train_count);
    plan.copies = out->step.optim.ops->state_count + (c->weights[0] ? 1 : 0) +
                  averages(&out->settings);
    rc = blame_model(plan_outputs(&plan, x, &out->step.loss, err), err);
    if (rc == 0)
        rc = blame_model(net_init(&out->step.net, &plan, c->seed, err), err);
    if (rc == 0)
        rc = blame_model(check_answers(&plan, x, &out->step.net.output, err), err);
    if (rc == 0)
        rc = start_values(out, c, err);
    if (rc != 0) {
        setup_close(out);
        return rc;
    }
    give_optimizer(out, c, split->train_count);
    give_mixup(out, c->seed);
    if (x->classes > 0 && out->settings.v[SETTING_CLASS_WEIGHTS] == CLASS_WEIGHTS_BALANCED)
        out->class_weights = balance_classes(x, split);
    out->step.loss.class_weights = out->class_weights;
    out->report = report_units(out->step.loss.kind, x, split);
    out->step.loss.report = out->report;
    return 0;
}

void setup_close(struct setup *s)
{
    net_finish(&s->step.net);
    model_plan_finish(&s->model);
    free(s->class_weights);
    free(s->report);
    free(s->mixing);
    memset(s, 0, sizeof *s);
}
