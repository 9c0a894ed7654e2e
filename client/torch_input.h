/* What an exported module does around its layers: the scaling of its input and of its targets, and
 * the names of columns and classes, as Python. Pure text. */
#ifndef SWEEPCTL_TORCH_INPUT_H
#define SWEEPCTL_TORCH_INPUT_H

#include <stdbool.h>

#include "sweep/preprocessing.h"
#include "sweep/shape.h"

struct buf;

struct torch_input {
    const struct preprocessing *p; /* NULL: the weights do not tell */
    struct shape input, output;    /* of one sample */
    bool flatten;
};

/* What the docstring says of input and output: a few lines. */
void torch_input_describe(const struct torch_input *t, struct buf *out);
/* Does anything of what follows need `import torch`? */
bool torch_input_needs_torch(const struct torch_input *t);
/* CLASSES, COLUMNS and encode(), where they are known. */
void torch_input_names(const struct torch_input *t, struct buf *out);
/* The last lines of __init__, and forward() where there is something to do. */
void torch_input_methods(const struct torch_input *t, struct buf *out);

#endif
