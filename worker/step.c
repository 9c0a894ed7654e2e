#include "worker/step.h"

/* One row of the loss for each step of a sequence that is classified step by step. */
static size_t answers_of(const struct step *s)
{
    return shape_count(&s->net.output) / s->loss.outputs;
}

static struct loss_sum mixed_loss(struct step *s, size_t rows, const struct targets *t,
                                  double share)
{
    struct mixup_batch b = {.rows = rows,
                            .answers = answers_of(s),
                            .z = net_forward(&s->net, rows, true, s->optim.step),
                            .targets = t,
                            .dz = s->net.output_grad};
    return mixup_loss(&s->mixup, &s->loss, share, &b);
}

static struct loss_sum plain_loss(struct step *s, size_t rows, const struct targets *t)
{
    const real *z = net_forward(&s->net, rows, true, s->optim.step);
    return loss_compute(&s->loss, rows * answers_of(s), z, t, s->net.output_grad);
}

struct step_result step_run(struct step *s, size_t rows, const struct targets *t)
{
    struct net *n = &s->net;
    struct step_result result;
    uint64_t step = s->optim.step;
    if (s->mixup.alpha > 0) {
        double share = mixup_share(&s->mixup, step);
        mixup_input(share, rows, shape_count(&n->plan.input), n->input);
        result.sum = mixed_loss(s, rows, t, share);
    } else {
        result.sum = plain_loss(s, rows, t);
    }
    net_backward(n, rows, step);
    s->optim.learning_rate = schedule_rate(&s->schedule, step);
    result.norm2 = optim_step(&s->optim, n);
    average_step(&s->average, n->value_count, n->values);
    return result;
}
