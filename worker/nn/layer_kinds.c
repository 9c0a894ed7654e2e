#include "sweep/require.h"
#include "worker/nn/layer.h"

static const struct layer_ops *const kinds[] = {
#define X(id, name, options, traits, doc) [LAYER_##id] = &layer_##name,
    LAYER_MAP(X)
#undef X
};

const struct layer_ops *layer_ops_of(const struct plan_layer *p)
{
    REQUIRE((size_t)p->kind < ARRAY_LEN(kinds));
    const struct layer_ops *ops = kinds[p->kind];
    return ops->variant != NULL ? ops->variant(p) : ops;
}
