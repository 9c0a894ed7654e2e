#include "worker/nn/layer.h"

#include <stdio.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/require.h"

/* Residual blocks have two ends; the first stands here and net.c adds the second. */
static const struct layer_ops *const kinds[] = {
    [LAYER_DENSE] = &layer_dense,           [LAYER_RNN] = &layer_rnn,
    [LAYER_GRU] = &layer_gru,               [LAYER_LSTM] = &layer_lstm,
    [LAYER_CONV2D] = &layer_conv2d,         [LAYER_MAX_POOL] = &layer_max_pool,
    [LAYER_AVG_POOL] = &layer_avg_pool,     [LAYER_BATCH_NORM] = &layer_batch_norm,
    [LAYER_LAYER_NORM] = &layer_layer_norm, [LAYER_DROPOUT] = &layer_dropout,
    [LAYER_FLATTEN] = &layer_flatten,       [LAYER_RESIDUAL] = &layer_residual_begin,
};

const struct layer_ops *layer_ops_of(const struct plan_layer *p)
{
    if (p->kind == LAYER_ACTIVATION)
        return layer_activation((enum activation)p->value[LAYER_OPTION_FUNCTION]);
    REQUIRE((size_t)p->kind < ARRAY_LEN(kinds) && kinds[p->kind]);
    return kinds[p->kind];
}

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
