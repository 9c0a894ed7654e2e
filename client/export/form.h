/* Forms in which a sweep is taken into other tools: one file each, and a row of the table. */
#ifndef SWEEPCTL_FORM_H
#define SWEEPCTL_FORM_H

#include "client/export/exported.h"
#include "client/opts.h"

/* X(name, option) */
#define EXPORT_FORM_MAP(X)     \
    X(optuna, OPTUNA)          \
    X(csv, CSV)                \
    X(tensorboard, TENSORBOARD) \
    X(wandb, WANDB)            \
    X(mlflow, MLFLOW)

struct export_form {
    const char *what; /* "a study of Optuna" */
    /* All of it, under the path that was asked for, or nothing. An exit status; what failed has
     * been reported. */
    int (*write)(struct exported *e, const char *path);
};

#define X(name, option) extern const struct export_form export_form_##name;
EXPORT_FORM_MAP(X)
#undef X

#endif
