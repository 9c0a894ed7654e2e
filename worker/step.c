#include "worker/step.h"

struct step_result step_run(struct step *s, size_t rows, const struct targets *t)
{
    struct net *n = &s->net;
    struct step_result result;
    uint64_t step = s->optim.step;
    const real *z = net_forward(n, rows, true, step);
    /* One row of the loss for each step of a sequence that is classified step by step. */
    size_t loss_rows = rows * (shape_count(&n->output) / s->loss.outputs);
    result.sum = loss_compute(&s->loss, loss_rows, z, t, n->output_grad);
    net_backward(n, rows, step);
    s->optim.learning_rate = schedule_rate(&s->schedule, step);
    result.norm2 = optim_step(&s->optim, n);
    return result;
}
