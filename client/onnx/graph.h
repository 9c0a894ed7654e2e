/* A graph of ONNX nodes under construction (onnx.proto of github.com/onnx/onnx). Values are known
 * by names; the graph gives them. */
#ifndef SWEEPCTL_ONNX_GRAPH_H
#define SWEEPCTL_ONNX_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

#define GRAPH_NAME_MAX 96
#define GRAPH_INPUTS_MAX 8

/* TensorProto.DataType */
enum graph_type { GRAPH_FLOAT = 1, GRAPH_UINT8 = 2, GRAPH_INT64 = 7 };

struct graph_name {
    char text[GRAPH_NAME_MAX];
};

struct graph {
    struct buf nodes, constants; /* fields of the GraphProto */
    size_t count;                /* values so far */
};

/* One node: its inputs, then its attributes, then graph_node. */
struct graph_node {
    const char *kind;
    struct buf attributes;
    size_t input_count;
    struct graph_name inputs[GRAPH_INPUTS_MAX]; /* "": one that is left out */
};

void graph_finish(struct graph *g);
/* A constant of floats, its bytes little-endian as they lie in a weights file; or of integers. */
struct graph_name graph_floats(struct graph *g, const char *name, const void *bytes,
                               const int64_t *dim, size_t rank);
struct graph_name graph_ints(struct graph *g, const int64_t *v, size_t count);

void graph_input(struct graph_node *n, struct graph_name name);
void graph_attribute_int(struct graph_node *n, const char *name, int64_t v);
void graph_attribute_ints(struct graph_node *n, const char *name, const int64_t *v, size_t count);
void graph_attribute_float(struct graph_node *n, const char *name, float v);
void graph_attribute_text(struct graph_node *n, const char *name, const char *v);
/* Adds the node with so many outputs, of which the one at `which` is wanted; empties it. Where name
 * is not NULL, that output is called so. */
struct graph_name graph_node(struct graph *g, struct graph_node *n, size_t outputs, size_t which,
                             const char *name);
/* A node of one or two inputs without attributes. b "": one. */
struct graph_name graph_simple(struct graph *g, const char *kind, struct graph_name a,
                               struct graph_name b);

/* A ValueInfoProto as a field of the graph: dim 0 is "rows", of any number. */
void graph_value(struct buf *out, unsigned field, const char *name, enum graph_type type,
                 const int64_t *dim, size_t rank);

#endif
