/* The value behind the last node, in another shape. */
#include "client/onnx/writer.h"
#include "sweep/err.h"

int onnx_refuse(const struct onnx_writer *w, const struct onnx_layer *l)
{
    char shape[SHAPE_TEXT_MAX];
    return err_set(w->err, ERR_DATA,
                   "the run's layers do not fit its weights: layer %s (%s) cannot take %s",
                   l->place, layer_kind_name(l->p->kind), shape_format(&w->shape, shape));
}

void onnx_reshape(struct onnx_writer *w)
{
    int64_t dim[1 + SHAPE_RANK_MAX] = {-1};
    for (size_t i = 0; i < w->shape.rank; i++)
        dim[i + 1] = (int64_t)w->shape.dim[i];
    w->value = graph_simple(&w->g, "Reshape", w->value, graph_ints(&w->g, dim, w->shape.rank + 1));
}

void onnx_transpose(struct onnx_writer *w, const int64_t *order, size_t rank)
{
    struct graph_node n = {.kind = "Transpose"};
    graph_input(&n, w->value);
    graph_attribute_ints(&n, "perm", order, rank);
    w->value = graph_node(&w->g, &n, 1, 0, NULL);
}
