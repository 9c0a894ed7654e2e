/* What the parts of the ONNX writer have in common. Private to them. */
#ifndef SWEEPCTL_ONNX_WRITER_H
#define SWEEPCTL_ONNX_WRITER_H

#include "client/onnx/graph.h"
#include "client/onnx/onnx.h"

#define ONNX_LAYER_MAX 64 /* bytes of a layer's place: "12.body.3" */

struct onnx_writer {
    const struct onnx_model *m;
    struct graph g;
    struct shape shape;        /* of a sample, behind the last node */
    struct graph_name value;   /* the same */
    struct errbuf *err;
};

/* A layer of the plan: `place` names its tensors. */
struct onnx_layer {
    const struct plan_layer *p;
    char place[ONNX_LAYER_MAX];
};

/* A tensor of the weights file: PLACE.name, float32, of exactly that shape. */
struct onnx_tensor {
    const char *bytes; /* little-endian floats at any address */
    int64_t dim[4];
    size_t rank, count;
};
int onnx_tensor_find(const struct onnx_writer *w, const struct onnx_layer *l, const char *name,
                     struct onnx_tensor *t);
/* The same as a constant of the graph. */
int onnx_tensor_add(struct onnx_writer *w, const struct onnx_layer *l, const char *name,
                    struct onnx_tensor *t, struct graph_name *out);
/* [rows, dims of w->shape] of what has as many numbers. */
void onnx_reshape(struct onnx_writer *w);
void onnx_transpose(struct onnx_writer *w, const int64_t *order, size_t rank);
int onnx_refuse(const struct onnx_writer *w, const struct onnx_layer *l);

/* Layers [from, from + count) of the plan. */
int onnx_layers(struct onnx_writer *w, size_t from, size_t count, const char *prefix);
int onnx_recurrent(struct onnx_writer *w, const struct onnx_layer *l);

#endif
