#include "worker/nn/layer.h"

#include <stdio.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/require.h"

struct tensor *layer_add_tensor(struct layer *l, const char *name, enum tensor_role role,
                                size_t rank, const size_t *dim)
{
    REQUIRE(l->tensor_count < LAYER_TENSORS_MAX && rank >= 1 && rank <= ARRAY_LEN(l->tensors->dim));
    struct tensor *t = &l->tensors[l->tensor_count++];
    *t = (struct tensor){.name = name, .role = role, .rank = rank};
    memcpy(t->dim, dim, rank * sizeof *dim);
    return t;
}

size_t tensor_count(const struct tensor *t)
{
    size_t count = 1;
    for (size_t i = 0; i < t->rank; i++)
        count *= t->dim[i];
    return count;
}

int layer_refuse(const struct layer *l, const char *needs, struct errbuf *err)
{
    char shape[SHAPE_TEXT_MAX];
    return err_set(err, ERR_VALUE, "layer %s (%s) takes %s; its input is %s", l->name,
                   layer_kind_name(l->plan->kind), needs, shape_format(&l->in, shape));
}
