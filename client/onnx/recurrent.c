/* RNN, GRU and LSTM: ONNX wants steps first, the gates in an order of its own, and both directions
 * in one tensor. */
#include <stdlib.h>
#include <string.h>

#include "client/onnx/writer.h"
#include "sweep/err.h"

#define GATES_MAX 4

static const struct kind {
    const char *name;
    size_t gates;
    size_t from[GATES_MAX]; /* place in the weights of each gate, in ONNX's order */
    size_t outputs;         /* Y, Y_h, and of LSTM Y_c */
} kinds[] = {
    [LAYER_RNN] = {"RNN", 1, {0}, 2},
    [LAYER_GRU] = {"GRU", 3, {1, 0, 2}, 2},       /* z r h of r z n */
    [LAYER_LSTM] = {"LSTM", 4, {0, 3, 1, 2}, 3},  /* i o f c of i f g o */
};

/* Where one tensor's gates go. */
struct target {
    char *bytes;
    size_t units, width; /* rows of a gate, floats of a row */
};

static int copy_gates(const struct onnx_writer *w, const struct onnx_layer *l, const char *name,
                      struct target to)
{
    const struct kind *k = &kinds[l->p->kind];
    struct onnx_tensor t;
    size_t gate = to.units * to.width * sizeof(float);
    int rc = onnx_tensor_find(w, l, name, &t);
    if (rc == 0 && t.count != k->gates * to.units * to.width)
        rc = onnx_refuse(w, l);
    for (size_t i = 0; i < k->gates && rc == 0; i++)
        memcpy(to.bytes + i * gate, t.bytes + k->from[i] * gate, gate);
    return rc;
}

/* W [dirs, gates·units, inputs], R [dirs, gates·units, units], B [dirs, 2·gates·units]. */
struct weights {
    size_t units, inputs, directions, gates;
    char *w, *r, *b;
};

static int gather(const struct onnx_writer *w, const struct onnx_layer *l, struct weights *x)
{
    static const char *const names[2][4] = {
        {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"},
        {"weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse",
         "bias_hh_l0_reverse"}};
    size_t rows = x->gates * x->units, word = sizeof(float);
    int rc = 0;
    for (size_t d = 0; d < x->directions && rc == 0; d++) {
        const struct target to[4] = {
            {x->w + d * rows * x->inputs * word, x->units, x->inputs},
            {x->r + d * rows * x->units * word, x->units, x->units},
            {x->b + d * 2 * rows * word, x->units, 1},
            {x->b + (d * 2 + 1) * rows * word, x->units, 1}};
        for (size_t i = 0; i < 4 && rc == 0; i++)
            rc = copy_gates(w, l, names[d][i], to[i]);
    }
    return rc;
}

static struct graph_name add_node(struct onnx_writer *w, const struct onnx_layer *l,
                                  const struct weights *x, bool sequence)
{
    const struct kind *k = &kinds[l->p->kind];
    const int64_t directions = (int64_t)x->directions, rows = (int64_t)(x->gates * x->units);
    const int64_t w_dim[] = {directions, rows, (int64_t)x->inputs};
    const int64_t r_dim[] = {directions, rows, (int64_t)x->units}, b_dim[] = {directions, 2 * rows};
    struct graph_node n = {.kind = k->name};
    graph_input(&n, w->value);
    graph_input(&n, graph_floats(&w->g, NULL, x->w, w_dim, 3));
    graph_input(&n, graph_floats(&w->g, NULL, x->r, r_dim, 3));
    graph_input(&n, graph_floats(&w->g, NULL, x->b, b_dim, 2));
    graph_attribute_int(&n, "hidden_size", (int64_t)x->units);
    graph_attribute_text(&n, "direction", x->directions == 2 ? "bidirectional" : "forward");
    if (l->p->kind == LAYER_GRU)
        graph_attribute_int(&n, "linear_before_reset", 1);
    return graph_node(&w->g, &n, k->outputs, sequence ? 0 : 1, NULL);
}

int onnx_recurrent(struct onnx_writer *w, const struct onnx_layer *l)
{
    static const int64_t steps_first[] = {1, 0, 2}, rows_first[] = {2, 0, 1, 3};
    bool sequence = (size_t)l->p->value[LAYER_OPTION_RETURN] == RETURN_SEQUENCE;
    if (w->shape.rank != 2)
        return onnx_refuse(w, l);
    struct weights x = {.units = (size_t)l->p->value[LAYER_OPTION_UNITS],
                        .inputs = w->shape.dim[1],
                        .directions = l->p->value[LAYER_OPTION_BIDIRECTIONAL] != 0 ? 2 : 1,
                        .gates = kinds[l->p->kind].gates};
    size_t rows = x.directions * x.gates * x.units;
    x.w = xmalloc(rows * x.inputs * sizeof(float));
    x.r = xmalloc(rows * x.units * sizeof(float));
    x.b = xmalloc(2 * rows * sizeof(float));
    int rc = gather(w, l, &x);
    if (rc == 0) {
        size_t features = x.directions * x.units;
        onnx_transpose(w, steps_first, 3);
        w->value = add_node(w, l, &x, sequence);
        if (sequence) /* [steps, dirs, rows, units] */
            onnx_transpose(w, rows_first, 4);
        else /* [dirs, rows, units] */
            onnx_transpose(w, steps_first, 3);
        w->shape = sequence ? (struct shape){2, {w->shape.dim[0], features}}
                            : (struct shape){1, {features}};
        onnx_reshape(w);
    }
    free(x.w);
    free(x.r);
    free(x.b);
    return rc;
}
