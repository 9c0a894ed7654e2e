/* A sweep as a study of Optuna: a database that it and its dashboard open. */
#ifndef SWEEPCTL_OPTUNA_H
#define SWEEPCTL_OPTUNA_H

#include "client/client.h"

/* Into a file of that name, which must not exist without --force. An exit status. */
int optuna_export(struct client *c, int64_t sweep, const char *path);

#endif
