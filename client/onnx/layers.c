/* The layers, each as the nodes that do what PyTorch's module of it does (torch_module.c). */
#include <math.h>
#include <stdio.h>

#include "client/onnx/writer.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define NORM_EPSILON 1e-5f
#define LEAK 0.01f

static int64_t option(const struct onnx_layer *l, enum layer_option o)
{
    return (int64_t)l->p->value[o];
}

static size_t *last_dim(struct onnx_writer *w)
{
    return &w->shape.dim[w->shape.rank - 1];
}

/* x · Wᵀ + b, at each step of a sequence. */
static int write_dense(struct onnx_writer *w, const struct onnx_layer *l)
{
    static const int64_t swapped[] = {1, 0};
    struct onnx_tensor weight, bias;
    struct graph_name a, b;
    struct graph_node n = {.kind = "Transpose"};
    int rc = onnx_tensor_add(w, l, "weight", &weight, &a);
    if (rc == 0)
        rc = onnx_tensor_add(w, l, "bias", &bias, &b);
    if (rc != 0)
        return rc;
    if (w->shape.rank > 2 || weight.rank != 2 || weight.dim[1] != (int64_t)*last_dim(w) ||
        bias.rank != 1 || bias.dim[0] != weight.dim[0])
        return onnx_refuse(w, l);
    graph_input(&n, a);
    graph_attribute_ints(&n, "perm", swapped, 2);
    a = graph_node(&w->g, &n, 1, 0, NULL);
    w->value = graph_simple(&w->g, "MatMul", w->value, a);
    w->value = graph_simple(&w->g, "Add", w->value, b);
    *last_dim(w) = (size_t)weight.dim[0];
    return 0;
}

/* [height, width] is an image of one channel. */
static void enter_image(struct onnx_writer *w)
{
    if (w->shape.rank != 2)
        return;
    w->shape = (struct shape){3, {1, w->shape.dim[0], w->shape.dim[1]}};
    onnx_reshape(w);
}

static int write_conv2d(struct onnx_writer *w, const struct onnx_layer *l)
{
    int64_t stride = option(l, LAYER_OPTION_STRIDE), padding = option(l, LAYER_OPTION_PADDING);
    const int64_t strides[] = {stride, stride}, pads[] = {padding, padding, padding, padding};
    struct onnx_tensor weight, bias;
    struct graph_name a, b;
    struct graph_node n = {.kind = "Conv"};
    enter_image(w);
    int rc = onnx_tensor_add(w, l, "weight", &weight, &a);
    if (rc == 0)
        rc = onnx_tensor_add(w, l, "bias", &bias, &b);
    if (rc != 0)
        return rc;
    int64_t height = (int64_t)w->shape.dim[1] + 2 * padding - weight.dim[2];
    int64_t width = (int64_t)w->shape.dim[2] + 2 * padding - weight.dim[3];
    if (w->shape.rank != 3 || weight.rank != 4 || weight.dim[1] != (int64_t)w->shape.dim[0] ||
        height < 0 || width < 0 || stride < 1)
        return onnx_refuse(w, l);
    graph_input(&n, w->value);
    graph_input(&n, a);
    graph_input(&n, b);
    graph_attribute_ints(&n, "kernel_shape", weight.dim + 2, 2);
    graph_attribute_ints(&n, "strides", strides, 2);
    graph_attribute_ints(&n, "pads", pads, 4);
    w->value = graph_node(&w->g, &n, 1, 0, NULL);
    w->shape = (struct shape){3, {(size_t)weight.dim[0], (size_t)(height / stride + 1),
                                  (size_t)(width / stride + 1)}};
    return 0;
}

static int write_pool(struct onnx_writer *w, const struct onnx_layer *l)
{
    int64_t size = option(l, LAYER_OPTION_SIZE);
    const int64_t both[] = {size, size};
    struct graph_node n = {.kind = l->p->kind == LAYER_MAX_POOL ? "MaxPool" : "AveragePool"};
    enter_image(w);
    if (w->shape.rank != 3 || size < 1 || (int64_t)w->shape.dim[1] < size ||
        (int64_t)w->shape.dim[2] < size)
        return onnx_refuse(w, l);
    graph_input(&n, w->value);
    graph_attribute_ints(&n, "kernel_shape", both, 2);
    graph_attribute_ints(&n, "strides", both, 2);
    w->value = graph_node(&w->g, &n, 1, 0, NULL);
    w->shape.dim[1] /= (size_t)size;
    w->shape.dim[2] /= (size_t)size;
    return 0;
}

/* By channel; of a sequence by feature, over rows and steps. */
static int write_batch_norm(struct onnx_writer *w, const struct onnx_layer *l)
{
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    static const int64_t swapped[] = {0, 2, 1};
    struct graph_node n = {.kind = "BatchNormalization"};
    bool steps = w->shape.rank == 2;
    size_t channels = w->shape.rank == 3 ? w->shape.dim[0] : *last_dim(w);
    if (steps)
        onnx_transpose(w, swapped, 3);
    graph_input(&n, w->value);
    for (size_t i = 0; i < 4; i++) {
        struct onnx_tensor t;
        struct graph_name name;
        int rc = onnx_tensor_add(w, l, names[i], &t, &name);
        if (rc == 0 && (t.rank != 1 || t.count != channels))
            rc = onnx_refuse(w, l);
        if (rc != 0)
            return rc;
        graph_input(&n, name);
    }
    graph_attribute_float(&n, "epsilon", NORM_EPSILON);
    w->value = graph_node(&w->g, &n, 1, 0, NULL);
    if (steps)
        onnx_transpose(w, swapped, 3);
    return 0;
}

static int write_layer_norm(struct onnx_writer *w, const struct onnx_layer *l)
{
    struct graph_node n = {.kind = "LayerNormalization"};
    struct onnx_tensor weight, bias;
    struct graph_name a, b;
    int rc = onnx_tensor_add(w, l, "weight", &weight, &a);
    if (rc == 0)
        rc = onnx_tensor_add(w, l, "bias", &bias, &b);
    if (rc != 0)
        return rc;
    size_t count = w->shape.rank == 3 ? shape_count(&w->shape) : *last_dim(w);
    if (weight.count != count || bias.count != count)
        return onnx_refuse(w, l);
    graph_input(&n, w->value);
    graph_input(&n, a);
    graph_input(&n, b);
    graph_attribute_int(&n, "axis", w->shape.rank == 3 ? 1 : -1);
    graph_attribute_float(&n, "epsilon", NORM_EPSILON);
    w->value = graph_node(&w->g, &n, 1, 0, NULL);
    return 0;
}

/* Does nothing outside of training. */
static int write_dropout(struct onnx_writer *w, const struct onnx_layer *l)
{
    return 0;
}

static int write_flatten(struct onnx_writer *w, const struct onnx_layer *l)
{
    w->shape = (struct shape){1, {shape_count(&w->shape)}};
    onnx_reshape(w);
    return 0;
}

static struct graph_name number(struct onnx_writer *w, float v)
{
    return graph_floats(&w->g, NULL, &v, NULL, 0);
}

/* x/2 · (1 + erf(x/√2)): a node of its own only since opset 20. */
static void write_gelu(struct onnx_writer *w)
{
    struct graph_name x = w->value, none = {""};
    struct graph_name y = graph_simple(&w->g, "Mul", x, number(w, (float)sqrt(0.5)));
    y = graph_simple(&w->g, "Erf", y, none);
    y = graph_simple(&w->g, "Add", y, number(w, 1));
    y = graph_simple(&w->g, "Mul", y, x);
    w->value = graph_simple(&w->g, "Mul", y, number(w, 0.5f));
}

static int write_activation(struct onnx_writer *w, const struct onnx_layer *l)
{
    static const char *const kinds[ACTIVATION_COUNT] = {
        [ACTIVATION_RELU] = "Relu", [ACTIVATION_LEAKY_RELU] = "LeakyRelu",
        [ACTIVATION_ELU] = "Elu",   [ACTIVATION_TANH] = "Tanh",
        [ACTIVATION_SIGMOID] = "Sigmoid",
    };
    size_t function = (size_t)option(l, LAYER_OPTION_FUNCTION);
    REQUIRE(function < ACTIVATION_COUNT);
    if (function == ACTIVATION_GELU) {
        write_gelu(w);
        return 0;
    }
    struct graph_node n = {.kind = kinds[function]};
    graph_input(&n, w->value);
    if (function == ACTIVATION_LEAKY_RELU)
        graph_attribute_float(&n, "alpha", LEAK);
    w->value = graph_node(&w->g, &n, 1, 0, NULL);
    return 0;
}

static int write_residual(struct onnx_writer *w, const struct onnx_layer *l)
{
    struct graph_name before = w->value;
    struct shape shape = w->shape;
    char prefix[ONNX_LAYER_MAX];
    if ((size_t)snprintf(prefix, sizeof prefix, "%s.body.", l->place) >= sizeof prefix)
        return onnx_refuse(w, l);
    int rc = onnx_layers(w, (size_t)(l->p - w->m->plan->layers) + 1, l->p->inside, prefix);
    if (rc == 0 && shape_count(&shape) != shape_count(&w->shape))
        rc = onnx_refuse(w, l);
    if (rc == 0)
        w->value = graph_simple(&w->g, "Add", before, w->value);
    return rc;
}

static int (*const kinds[LAYER_KIND_COUNT])(struct onnx_writer *w, const struct onnx_layer *l) = {
    [LAYER_DENSE] = write_dense,           [LAYER_RNN] = onnx_recurrent,
    [LAYER_GRU] = onnx_recurrent,          [LAYER_LSTM] = onnx_recurrent,
    [LAYER_CONV2D] = write_conv2d,         [LAYER_MAX_POOL] = write_pool,
    [LAYER_AVG_POOL] = write_pool,         [LAYER_BATCH_NORM] = write_batch_norm,
    [LAYER_LAYER_NORM] = write_layer_norm, [LAYER_DROPOUT] = write_dropout,
    [LAYER_FLATTEN] = write_flatten,       [LAYER_ACTIVATION] = write_activation,
    [LAYER_RESIDUAL] = write_residual,
};

int onnx_layers(struct onnx_writer *w, size_t from, size_t count, const char *prefix)
{
    const struct plan_layer *layers = w->m->plan->layers;
    size_t place = 0;
    for (size_t i = from; i < from + count; i += 1 + layers[i].inside) {
        struct onnx_layer l = {.p = &layers[i]};
        if ((size_t)snprintf(l.place, sizeof l.place, "%s%zu", prefix, place++) >= sizeof l.place)
            return onnx_refuse(w, &l);
        int rc = kinds[l.p->kind](w, &l);
        if (rc != 0)
            return rc;
    }
    return 0;
}
