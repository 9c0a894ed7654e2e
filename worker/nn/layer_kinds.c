#include "sweep/require.h"
#include "worker/nn/layer.h"

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
