/* Learning-rate schedules: pure functions of how far the training is; plateau also of what the
 * epochs brought. PyTorch's formulas. */
#ifndef WORKER_OPTIM_SCHEDULE_H
#define WORKER_OPTIM_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "sweep/setting.h"

/* All of it is plain data: a checkpoint stores it as it is. */
struct schedule {
    enum schedule_kind kind;
    double base;                 /* learning_rate */
    double warmup_steps;
    double factor, floor;
    int64_t epochs_per_cut;
    int64_t steps_per_epoch, total_steps;
    /* plateau */
    double best, cut;            /* best metric so far; product of the cuts */
    bool has_best;
    int64_t bad_epochs;
};

void schedule_init(struct schedule *s, const struct settings *settings, int64_t epochs,
                   int64_t steps_per_epoch);
/* The rate of step number `step` (from 0). */
double schedule_rate(const struct schedule *s, uint64_t step);
/* The metric at an epoch's end (torch.optim.lr_scheduler.ReduceLROnPlateau, threshold 1e-4
 * relative). */
void schedule_end_epoch(struct schedule *s, double metric, bool maximize);

#endif
