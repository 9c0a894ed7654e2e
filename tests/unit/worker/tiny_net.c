#include "tiny_net.h"

#include <stdio.h>
#include <string.h>

#include "sweep/require.h"

static const struct {
    size_t layer;
    const char *name;
    enum tensor_role role;
    size_t rank, dim[2];
} tensors[TINY_TENSORS] = {
    {0, "weight", TENSOR_WEIGHT, 2, {2, 3}}, {0, "bias", TENSOR_BIAS, 1, {2}},
    {1, "weight", TENSOR_BIAS, 1, {2}},      {1, "bias", TENSOR_BIAS, 1, {2}},
    {1, "running_mean", TENSOR_BUFFER, 1, {2}}, {1, "running_var", TENSOR_BUFFER, 1, {2}},
    {2, "weight", TENSOR_WEIGHT, 2, {2, 2}}, {2, "unused", TENSOR_BIAS, 1, {1}},
    {3, "weight", TENSOR_WEIGHT, 2, {2, 2}}, {3, "bias", TENSOR_BIAS, 1, {2}},
};

void tiny_net_init(struct tiny_net *t)
{
    static const char *const names[TINY_LAYERS] = {"0", "1", "2.body.0", "3"};
    size_t trained = 0, buffer = TINY_BUFFERS;
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < TINY_LAYERS; i++) {
        t->layers[i].plan = &t->plan[i];
        snprintf(t->layers[i].name, sizeof t->layers[i].name, "%s", names[i]);
    }
    t->plan[TINY_LAYERS - 1].is_output = true;
    for (size_t i = 0; i < TINY_TENSORS; i++) {
        struct layer *l = &t->layers[tensors[i].layer];
        struct tensor *to = &l->tensors[l->tensor_count++];
        *to = (struct tensor){.name = tensors[i].name, .role = tensors[i].role,
                              .rank = tensors[i].rank};
        memcpy(to->dim, tensors[i].dim, sizeof tensors[i].dim);
        size_t *at = to->role == TENSOR_BUFFER ? &buffer : &trained;
        to->value = t->values + *at;
        *at += tensor_count(to);
    }
    REQUIRE(trained == TINY_BUFFERS && buffer == TINY_VALUES);
    for (size_t i = 0; i < TINY_VALUES; i++)
        t->values[i] = (real)(i + 1);
    t->net.layers = t->layers;
    t->net.layer_count = TINY_LAYERS;
    t->net.values = t->values;
    t->net.parameter_count = TINY_BUFFERS;
    t->net.value_count = TINY_VALUES;
}
