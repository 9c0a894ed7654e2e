#include "client/onnx/onnx.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "client/proto.h"
#include "client/onnx/writer.h"
#include "sweep/err.h"
#include "sweep/preprocessing.h"
#include "sweep/require.h"

#define IR_VERSION 8
#define OPSET 17

/* Field numbers of onnx.proto */
enum { MODEL_IR_VERSION = 1, MODEL_PRODUCER = 2, MODEL_DOC = 6, MODEL_GRAPH = 7, MODEL_OPSET = 8,
       MODEL_METADATA = 14 };
enum { GRAPH_NAME = 2, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

#define INPUT "input"
#define OUTPUT "output"
#define PROBABILITIES "probabilities"

static const struct graph_name none = {""};

/* --- the input -------------------------------------------------------------------------------- */

static bool is_bytes(const struct onnx_model *m)
{
    return m->preprocessing && m->preprocessing->bytes;
}

/* How a number of each feature lies beside a sample. */
static struct graph_name by_feature(struct onnx_writer *w, const float *v)
{
    const struct preprocessing *p = w->m->preprocessing;
    const int64_t dim[] = {(int64_t)p->features, 1, 1};
    return graph_floats(&w->g, NULL, v, dim, w->m->input.rank == 3 ? 3 : 1);
}

static void cast_bytes(struct onnx_writer *w)
{
    const float scale = 1.0f / 255.0f;
    struct graph_node n = {.kind = "Cast"};
    graph_input(&n, w->value);
    graph_attribute_int(&n, "to", GRAPH_FLOAT);
    w->value = graph_node(&w->g, &n, 1, 0, NULL);
    w->value = graph_simple(&w->g, "Mul", w->value, graph_floats(&w->g, NULL, &scale, NULL, 0));
}

/* x - x is 0, or NaN for NaN and Inf. */
static void fill_holes(struct onnx_writer *w)
{
    struct graph_node n = {.kind = "Where"};
    int64_t dim[SHAPE_RANK_MAX];
    struct graph_name hole = graph_simple(&w->g, "Sub", w->value, w->value);
    for (size_t i = 0; i < w->m->input.rank; i++)
        dim[i] = (int64_t)w->m->input.dim[i];
    graph_input(&n, graph_simple(&w->g, "IsNaN", hole, none));
    graph_input(&n, graph_floats(&w->g, NULL, w->m->preprocessing->fill, dim, w->m->input.rank));
    graph_input(&n, w->value);
    w->value = graph_node(&w->g, &n, 1, 0, NULL);
}

static void scale_input(struct onnx_writer *w)
{
    const struct preprocessing *p = w->m->preprocessing;
    if (is_bytes(w->m))
        cast_bytes(w);
    if (p && p->fill)
        fill_holes(w);
    if (p && p->shift) {
        w->value = graph_simple(&w->g, "Sub", w->value, by_feature(w, p->shift));
        w->value = graph_simple(&w->g, "Mul", w->value, by_feature(w, p->factor));
    }
}

/* --- the output ------------------------------------------------------------------------------- */

static struct graph_name by_target(struct onnx_writer *w, const double *v)
{
    size_t count = shape_count(&w->shape);
    float *floats = xmalloc(count * sizeof *floats);
    int64_t dim[SHAPE_RANK_MAX];
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)v[i];
    for (size_t i = 0; i < w->shape.rank; i++)
        dim[i] = (int64_t)w->shape.dim[i];
    struct graph_name name = graph_floats(&w->g, NULL, floats, dim, w->shape.rank);
    free(floats);
    return name;
}

static void scale_output(struct onnx_writer *w)
{
    const struct preprocessing *p = w->m->preprocessing;
    struct graph_node n = {.kind = "Identity"};
    if (p && p->regression && p->target_unit && p->targets == shape_count(&w->shape)) {
        w->value = graph_simple(&w->g, "Mul", w->value, by_target(w, p->target_unit));
        w->value = graph_simple(&w->g, "Add", w->value, by_target(w, p->target_shift));
    }
    graph_input(&n, w->value);
    w->value = graph_node(&w->g, &n, 1, 0, OUTPUT);
}

static bool has_probabilities(const struct onnx_model *m)
{
    return m->preprocessing && !m->preprocessing->regression && m->preprocessing->has_probabilities;
}

static void add_probabilities(struct onnx_writer *w)
{
    bool sigmoid = w->m->preprocessing->sigmoid;
    struct graph_node n = {.kind = sigmoid ? "Sigmoid" : "Softmax"};
    graph_input(&n, w->value);
    if (!sigmoid)
        graph_attribute_int(&n, "axis", -1);
    graph_node(&w->g, &n, 1, 0, PROBABILITIES);
}

/* --- the file --------------------------------------------------------------------------------- */

static void put_value(struct buf *out, unsigned field, const char *name, enum graph_type type,
                      const struct shape *s)
{
    int64_t dim[SHAPE_RANK_MAX];
    for (size_t i = 0; i < s->rank; i++)
        dim[i] = (int64_t)s->dim[i];
    graph_value(out, field, name, type, dim, s->rank);
}

static void put_metadata(struct buf *out, const char *key, const char *text)
{
    struct buf entry = {0};
    proto_text(&entry, 1, key);
    proto_text(&entry, 2, text);
    proto_message(out, MODEL_METADATA, &entry);
}

static void put_model(struct onnx_writer *w, struct buf *out)
{
    const struct onnx_model *m = w->m;
    struct buf graph = {0}, opset = {0};
    buf_append(&graph, w->g.nodes.data, w->g.nodes.len);
    proto_text(&graph, GRAPH_NAME, "net");
    buf_append(&graph, w->g.constants.data, w->g.constants.len);
    put_value(&graph, GRAPH_INPUT, INPUT, is_bytes(m) ? GRAPH_UINT8 : GRAPH_FLOAT, &m->input);
    put_value(&graph, GRAPH_OUTPUT, OUTPUT, GRAPH_FLOAT, &w->shape);
    if (has_probabilities(m))
        put_value(&graph, GRAPH_OUTPUT, PROBABILITIES, GRAPH_FLOAT, &w->shape);
    proto_int(out, MODEL_IR_VERSION, IR_VERSION);
    proto_text(out, MODEL_PRODUCER, "sweepd");
    proto_text(out, MODEL_DOC, m->title);
    proto_message(out, MODEL_GRAPH, &graph);
    proto_text(&opset, 1, "");
    proto_int(&opset, 2, OPSET);
    proto_message(out, MODEL_OPSET, &opset);
    if (m->preprocessing_text)
        put_metadata(out, PREPROCESSING_KEY, m->preprocessing_text);
}

int onnx_write(const struct onnx_model *m, struct buf *out, struct errbuf *err)
{
    REQUIRE(m->input.rank >= 1 && m->input.rank <= SHAPE_RANK_MAX);
    struct onnx_writer w = {.m = m, .shape = m->input, .value = {INPUT}, .err = err};
    int rc = m->data_len < INT_MAX / 2 ? 0 : err_set(err, ERR_LIMIT, "an ONNX file holds at most "
                                                     "2 GiB; the weights are too many");
    scale_input(&w);
    if (m->plan->flatten_input && m->input.rank > 1) {
        w.shape = (struct shape){1, {shape_count(&m->input)}};
        onnx_reshape(&w);
    }
    if (rc == 0)
        rc = onnx_layers(&w, 0, m->plan->count, "");
    if (rc == 0) {
        scale_output(&w);
        if (has_probabilities(m))
            add_probabilities(&w);
        put_model(&w, out);
    }
    graph_finish(&w.g);
    return rc;
}
