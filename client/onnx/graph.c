#include "client/onnx/graph.h"

#include <stdio.h>
#include <string.h>

#include "client/proto.h"
#include "sweep/require.h"

/* Field numbers of onnx.proto */
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OP_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum { TENSOR_DIMS = 1, TENSOR_DATA_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW_DATA = 9 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_S = 4, ATTRIBUTE_INTS = 8,
       ATTRIBUTE_TYPE = 20 };
enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2 };

void graph_finish(struct graph *g)
{
    buf_finish(&g->nodes);
    buf_finish(&g->constants);
}

static struct graph_name next_name(struct graph *g)
{
    struct graph_name n;
    snprintf(n.text, sizeof n.text, "v%zu", ++g->count);
    return n;
}

static struct graph_name add_constant(struct graph *g, const char *name, enum graph_type type,
                                      const void *bytes, const int64_t *dim, size_t rank)
{
    struct buf tensor = {0};
    struct graph_name n = next_name(g);
    size_t size = type == GRAPH_INT64 ? sizeof(int64_t) : sizeof(float);
    if (name)
        snprintf(n.text, sizeof n.text, "%s", name);
    for (size_t i = 0; i < rank; i++)
        size *= (size_t)dim[i];
    proto_ints(&tensor, TENSOR_DIMS, dim, rank);
    proto_int(&tensor, TENSOR_DATA_TYPE, type);
    proto_text(&tensor, TENSOR_NAME, n.text);
    proto_bytes(&tensor, TENSOR_RAW_DATA, bytes, size);
    proto_message(&g->constants, GRAPH_INITIALIZER, &tensor);
    return n;
}

struct graph_name graph_floats(struct graph *g, const char *name, const void *bytes,
                               const int64_t *dim, size_t rank)
{
    return add_constant(g, name, GRAPH_FLOAT, bytes, dim, rank);
}

struct graph_name graph_ints(struct graph *g, const int64_t *v, size_t count)
{
    const int64_t dim[] = {(int64_t)count};
    return add_constant(g, NULL, GRAPH_INT64, v, dim, 1);
}

void graph_input(struct graph_node *n, struct graph_name name)
{
    REQUIRE(n->input_count < GRAPH_INPUTS_MAX);
    n->inputs[n->input_count++] = name;
}

void graph_attribute_int(struct graph_node *n, const char *name, int64_t v)
{
    struct buf a = {0};
    proto_text(&a, ATTRIBUTE_NAME, name);
    proto_int(&a, ATTRIBUTE_I, v);
    proto_int(&a, ATTRIBUTE_TYPE, TYPE_INT);
    proto_message(&n->attributes, NODE_ATTRIBUTE, &a);
}

void graph_attribute_ints(struct graph_node *n, const char *name, const int64_t *v, size_t count)
{
    struct buf a = {0};
    proto_text(&a, ATTRIBUTE_NAME, name);
    proto_ints(&a, ATTRIBUTE_INTS, v, count);
    proto_int(&a, ATTRIBUTE_TYPE, TYPE_INTS);
    proto_message(&n->attributes, NODE_ATTRIBUTE, &a);
}

void graph_attribute_float(struct graph_node *n, const char *name, float v)
{
    struct buf a = {0};
    proto_text(&a, ATTRIBUTE_NAME, name);
    proto_float(&a, ATTRIBUTE_F, v);
    proto_int(&a, ATTRIBUTE_TYPE, TYPE_FLOAT);
    proto_message(&n->attributes, NODE_ATTRIBUTE, &a);
}

void graph_attribute_text(struct graph_node *n, const char *name, const char *v)
{
    struct buf a = {0};
    proto_text(&a, ATTRIBUTE_NAME, name);
    proto_text(&a, ATTRIBUTE_S, v);
    proto_int(&a, ATTRIBUTE_TYPE, TYPE_STRING);
    proto_message(&n->attributes, NODE_ATTRIBUTE, &a);
}

struct graph_name graph_node(struct graph *g, struct graph_node *n, size_t outputs, size_t which,
                             const char *name)
{
    struct buf node = {0};
    struct graph_name out = next_name(g);
    if (name)
        snprintf(out.text, sizeof out.text, "%s", name);
    for (size_t i = 0; i < n->input_count; i++)
        proto_text(&node, NODE_INPUT, n->inputs[i].text);
    for (size_t i = 0; i < outputs; i++)
        proto_text(&node, NODE_OUTPUT, i == which ? out.text : "");
    proto_text(&node, NODE_OP_TYPE, n->kind);
    if (n->attributes.len > 0)
        buf_append(&node, n->attributes.data, n->attributes.len);
    proto_message(&g->nodes, GRAPH_NODE, &node);
    buf_finish(&n->attributes);
    return out;
}

struct graph_name graph_simple(struct graph *g, const char *kind, struct graph_name a,
                               struct graph_name b)
{
    struct graph_node n = {.kind = kind};
    graph_input(&n, a);
    if (b.text[0])
        graph_input(&n, b);
    return graph_node(g, &n, 1, 0, NULL);
}

void graph_value(struct buf *out, unsigned field, const char *name, enum graph_type type,
                 const int64_t *dim, size_t rank)
{
    struct buf shape = {0}, tensor = {0}, kind = {0}, value = {0};
    for (size_t i = 0; i < rank + 1; i++) {
        struct buf d = {0};
        if (i == 0)
            proto_text(&d, 2, "rows"); /* Dimension.dim_param */
        else
            proto_int(&d, 1, dim[i - 1]); /* Dimension.dim_value */
        proto_message(&shape, 1, &d); /* TensorShapeProto.dim */
    }
    proto_int(&tensor, 1, type);        /* TypeProto.Tensor.elem_type */
    proto_message(&tensor, 2, &shape);  /* TypeProto.Tensor.shape */
    proto_message(&kind, 1, &tensor);   /* TypeProto.tensor_type */
    proto_text(&value, VALUE_NAME, name);
    proto_message(&value, VALUE_TYPE, &kind);
    proto_message(out, field, &value);
}
