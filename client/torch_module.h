/* A network as Python source: class Net, whose state_dict has the names and shapes of the weights
 * file of that network. Pure text. */
#ifndef SWEEPCTL_TORCH_MODULE_H
#define SWEEPCTL_TORCH_MODULE_H

#include <stddef.h>

#include "sweep/model.h"
#include "sweep/shape.h"

struct buf;
struct errbuf;
struct preprocessing;

struct torch_module {
    const struct model_plan *plan;
    struct shape input;  /* of one sample */
    size_t outputs;      /* of the output layer */
    const struct preprocessing *preprocessing; /* NULL: the weights do not tell */
    const char *title;   /* of the docstring: printable, without quotes and backslashes */
    const char *weights; /* the file's name, for the example in it: likewise */
};

/* Appends the source. ERR_DATA when a layer does not take what the one before it gives: the plan
 * is not that of the weights. */
int torch_module_write(const struct torch_module *m, struct buf *out, struct errbuf *err);

#endif
