/* Values of W&B's parameters that are no one thing: lists, objects, null, several kinds in one
 * list. A parameter of ours then has their texts, as on W&B's command lines, and the task says
 * what they stand for. */
#ifndef SWEEPCTL_WANDB_VALUES_H
#define SWEEPCTL_WANDB_VALUES_H

#include <stdbool.h>

#include "sweep/json.h"

/* A member of a parameter that is put as texts: "value" or "values". */
bool wandb_is_put_as_text(const struct json *member);
void wandb_put_as_text(const struct json *member, struct json_writer *w);
/* The key "literals" of the task, where any of the parameters needs it; nested ones are called by
 * all their keys. */
/* Has one parameters of its own? */
bool wandb_is_nested(const struct json *parameters);
void wandb_put_literals(const struct json *parameters, struct json_writer *w);

#endif
