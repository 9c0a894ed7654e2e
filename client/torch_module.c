#include "client/torch_module.h"

#include <stdbool.h>

#include "client/torch_input.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define INDENT 4

/* Classes that PyTorch does not have; written out only where they are used, in this order. */
enum helper {
    HELPER_RECURRENT,
    HELPER_RNN,
    HELPER_GRU,
    HELPER_LSTM,
    HELPER_STEP_BATCH_NORM,
    HELPER_PLANE,
    HELPER_PLANE_CONV,
    HELPER_PLANE_MAX,
    HELPER_PLANE_AVG,
    HELPER_RESIDUAL,
    HELPER_COUNT,
};
#define BIT(id) (1u << HELPER_##id)

static const struct {
    unsigned needs; /* those it builds on */
    const char *source;
} helpers[HELPER_COUNT] = {
    [HELPER_RECURRENT] =
        {0, "class Recurrent:\n"
            "    \"\"\"Rows first. Gives all outputs, or the last state of each end.\"\"\"\n"
            "\n"
            "    def __init__(self, inputs, units, bidirectional=False, sequence=False):\n"
            "        super().__init__(inputs, units, batch_first=True,\n"
            "                         bidirectional=bidirectional)\n"
            "        self.sequence = sequence\n"
            "\n"
            "    def forward(self, x):\n"
            "        outputs, state = super().forward(x)\n"
            "        if self.sequence:\n"
            "            return outputs\n"
            "        hidden = state[0] if isinstance(state, tuple) else state\n"
            "        return torch.cat(tuple(hidden), 1)\n"},
    [HELPER_RNN] = {BIT(RECURRENT), "class RNN(Recurrent, nn.RNN):\n    pass\n"},
    [HELPER_GRU] = {BIT(RECURRENT), "class GRU(Recurrent, nn.GRU):\n    pass\n"},
    [HELPER_LSTM] = {BIT(RECURRENT), "class LSTM(Recurrent, nn.LSTM):\n    pass\n"},
    [HELPER_STEP_BATCH_NORM] =
        {0, "class StepBatchNorm(nn.BatchNorm1d):\n"
            "    \"\"\"Of [rows, steps, features]: by feature, over rows and steps.\"\"\"\n"
            "\n"
            "    def forward(self, x):\n"
            "        return super().forward(x.transpose(1, 2)).transpose(1, 2)\n"},
    [HELPER_PLANE] =
        {0, "class Plane:\n"
            "    \"\"\"Takes [rows, height, width] as images of one channel.\"\"\"\n"
            "\n"
            "    def forward(self, x):\n"
            "        return super().forward(x.unsqueeze(1))\n"},
    [HELPER_PLANE_CONV] = {BIT(PLANE), "class PlaneConv2d(Plane, nn.Conv2d):\n    pass\n"},
    [HELPER_PLANE_MAX] = {BIT(PLANE), "class PlaneMaxPool2d(Plane, nn.MaxPool2d):\n    pass\n"},
    [HELPER_PLANE_AVG] = {BIT(PLANE), "class PlaneAvgPool2d(Plane, nn.AvgPool2d):\n    pass\n"},
    [HELPER_RESIDUAL] =
        {0, "class Residual(nn.Module):\n"
            "    def __init__(self, *body):\n"
            "        super().__init__()\n"
            "        self.body = nn.Sequential(*body)\n"
            "\n"
            "    def forward(self, x):\n"
            "        return x + self.body(x)\n"},
};

struct writer {
    const struct plan_layer *layers;
    size_t outputs;
    struct shape shape; /* behind the last layer that was written */
    unsigned used;      /* bits of helpers */
    struct buf lines;   /* the arguments of Sequential */
    int indent;
    struct errbuf *err;
};

/* --- one layer ----------------------------------------------------------------------------- */

static size_t option(const struct plan_layer *p, enum layer_option o)
{
    return (size_t)p->value[o];
}

static int refuse(const struct writer *w, const struct plan_layer *p)
{
    char shape[SHAPE_TEXT_MAX];
    return err_set(w->err, ERR_DATA, "the run's layers do not fit its weights: a %s layer cannot "
                   "take %s", layer_kind_name(p->kind), shape_format(&w->shape, shape));
}

static size_t *last_dim(struct writer *w)
{
    return &w->shape.dim[w->shape.rank - 1];
}

static int write_dense(struct writer *w, const struct plan_layer *p)
{
    if (w->shape.rank > 2)
        return refuse(w, p);
    size_t units = p->is_output ? w->outputs : option(p, LAYER_OPTION_UNITS);
    buf_printf(&w->lines, "nn.Linear(%zu, %zu)", *last_dim(w), units);
    *last_dim(w) = units;
    return 0;
}

static int write_recurrent(struct writer *w, const struct plan_layer *p)
{
    static const struct {
        const char *name;
        unsigned helper;
    } kinds[] = {
        [LAYER_RNN] = {"RNN", BIT(RNN)},
        [LAYER_GRU] = {"GRU", BIT(GRU)},
        [LAYER_LSTM] = {"LSTM", BIT(LSTM)},
    };
    if (w->shape.rank != 2)
        return refuse(w, p);
    size_t units = option(p, LAYER_OPTION_UNITS), both = option(p, LAYER_OPTION_BIDIRECTIONAL);
    bool sequence = option(p, LAYER_OPTION_RETURN) == RETURN_SEQUENCE;
    buf_printf(&w->lines, "%s(%zu, %zu%s%s)", kinds[p->kind].name, *last_dim(w), units,
               both ? ", bidirectional=True" : "", sequence ? ", sequence=True" : "");
    w->used |= kinds[p->kind].helper;
    units *= both ? 2 : 1;
    w->shape = sequence ? (struct shape){2, {w->shape.dim[0], units}} : (struct shape){1, {units}};
    return 0;
}

/* [height, width] is an image of one channel. Returns whether it was such a plane. */
static bool enter_image(struct writer *w)
{
    bool plane = w->shape.rank == 2;
    if (plane)
        w->shape = (struct shape){3, {1, w->shape.dim[0], w->shape.dim[1]}};
    return plane;
}

static int write_conv2d(struct writer *w, const struct plan_layer *p)
{
    size_t kernel = option(p, LAYER_OPTION_KERNEL), stride = option(p, LAYER_OPTION_STRIDE);
    size_t padding = option(p, LAYER_OPTION_PADDING), channels = option(p, LAYER_OPTION_CHANNELS);
    bool plane = enter_image(w);
    const size_t *d = w->shape.dim;
    if (w->shape.rank < 3 || d[1] + 2 * padding < kernel || d[2] + 2 * padding < kernel)
        return refuse(w, p);
    buf_printf(&w->lines, "%sConv2d(%zu, %zu, %zu, stride=%zu, padding=%zu)",
               plane ? "Plane" : "nn.", d[0], channels, kernel, stride, padding);
    w->used |= plane ? BIT(PLANE_CONV) : 0;
    w->shape = (struct shape){3, {channels, (d[1] + 2 * padding - kernel) / stride + 1,
                                  (d[2] + 2 * padding - kernel) / stride + 1}};
    return 0;
}

static int write_pool(struct writer *w, const struct plan_layer *p)
{
    size_t size = option(p, LAYER_OPTION_SIZE);
    bool plane = enter_image(w), max = p->kind == LAYER_MAX_POOL;
    if (w->shape.rank < 3 || w->shape.dim[1] < size || w->shape.dim[2] < size)
        return refuse(w, p);
    buf_printf(&w->lines, "%s%sPool2d(%zu)", plane ? "Plane" : "nn.", max ? "Max" : "Avg", size);
    w->used |= !plane ? 0 : max ? BIT(PLANE_MAX) : BIT(PLANE_AVG);
    w->shape.dim[1] /= size;
    w->shape.dim[2] /= size;
    return 0;
}

static int write_batch_norm(struct writer *w, const struct plan_layer *p)
{
    static const char *const by_rank[] = {"", "nn.BatchNorm1d", "StepBatchNorm", "nn.BatchNorm2d"};
    size_t rank = w->shape.rank;
    buf_printf(&w->lines, "%s(%zu)", by_rank[rank], rank == 3 ? w->shape.dim[0] : *last_dim(w));
    w->used |= rank == 2 ? BIT(STEP_BATCH_NORM) : 0;
    return 0;
}

static int write_layer_norm(struct writer *w, const struct plan_layer *p)
{
    const size_t *d = w->shape.dim;
    if (w->shape.rank == 3)
        buf_printf(&w->lines, "nn.LayerNorm((%zu, %zu, %zu))", d[0], d[1], d[2]);
    else
        buf_printf(&w->lines, "nn.LayerNorm(%zu)", *last_dim(w));
    return 0;
}

static int write_dropout(struct writer *w, const struct plan_layer *p)
{
    buf_printf(&w->lines, "nn.Dropout(%.17g)", p->value[LAYER_OPTION_RATE]);
    return 0;
}

static int write_flatten(struct writer *w, const struct plan_layer *p)
{
    buf_puts(&w->lines, "nn.Flatten()");
    w->shape = (struct shape){1, {shape_count(&w->shape)}};
    return 0;
}

static int write_activation(struct writer *w, const struct plan_layer *p)
{
    static const char *const modules[ACTIVATION_COUNT] = {
        [ACTIVATION_RELU] = "ReLU()", [ACTIVATION_LEAKY_RELU] = "LeakyReLU(0.01)",
        [ACTIVATION_ELU] = "ELU()",   [ACTIVATION_TANH] = "Tanh()",
        [ACTIVATION_SIGMOID] = "Sigmoid()", [ACTIVATION_GELU] = "GELU()",
    };
    size_t function = option(p, LAYER_OPTION_FUNCTION);
    REQUIRE(function < ARRAY_LEN(modules));
    buf_printf(&w->lines, "nn.%s", modules[function]);
    return 0;
}

static int write_layers(struct writer *w, size_t from, size_t count, const char *prefix);

static int write_residual(struct writer *w, const struct plan_layer *p)
{
    struct shape before = w->shape;
    buf_puts(&w->lines, "Residual(\n");
    w->used |= BIT(RESIDUAL);
    w->indent += INDENT;
    int rc = write_layers(w, (size_t)(p - w->layers) + 1, p->inside, "body.");
    w->indent -= INDENT;
    if (rc == 0 && shape_count(&before) != shape_count(&w->shape))
        rc = refuse(w, p);
    buf_printf(&w->lines, "%*s)", w->indent, "");
    return rc;
}

static int (*const kinds[LAYER_KIND_COUNT])(struct writer *w, const struct plan_layer *p) = {
    [LAYER_DENSE] = write_dense,           [LAYER_RNN] = write_recurrent,
    [LAYER_GRU] = write_recurrent,         [LAYER_LSTM] = write_recurrent,
    [LAYER_CONV2D] = write_conv2d,         [LAYER_MAX_POOL] = write_pool,
    [LAYER_AVG_POOL] = write_pool,         [LAYER_BATCH_NORM] = write_batch_norm,
    [LAYER_LAYER_NORM] = write_layer_norm, [LAYER_DROPOUT] = write_dropout,
    [LAYER_FLATTEN] = write_flatten,       [LAYER_ACTIVATION] = write_activation,
    [LAYER_RESIDUAL] = write_residual,
};

/* Layers [from, from + count) of the plan, one a line with its place in its Sequential. */
static int write_layers(struct writer *w, size_t from, size_t count, const char *prefix)
{
    size_t place = 0;
    for (size_t i = from; i < from + count; i += 1 + w->layers[i].inside) {
        const struct plan_layer *p = &w->layers[i];
        buf_printf(&w->lines, "%*s", w->indent, "");
        int rc = kinds[p->kind](w, p);
        if (rc != 0)
            return rc;
        buf_printf(&w->lines, ",  # %s%zu\n", prefix, place++);
    }
    return 0;
}

/* --- the file ------------------------------------------------------------------------------ */

static void write_helpers(unsigned used, struct buf *out)
{
    for (size_t i = 0; i < HELPER_COUNT; i++)
        used |= used >> i & 1 ? helpers[i].needs : 0;
    for (size_t i = 0; i < HELPER_COUNT; i++) {
        if (used >> i & 1)
            buf_printf(out, "\n\n%s", helpers[i].source);
    }
}

static void write_docstring(const struct torch_module *m, const struct torch_input *input,
                            struct buf *out)
{
    buf_printf(out,
               "\"\"\"%s\n"
               "\n"
               "    net = Net()\n"
               "    net.load_state_dict(safetensors.torch.load_file(\"%s\"))\n"
               "    net.eval()\n"
               "\n", m->title, m->weights);
    torch_input_describe(input, out);
    buf_puts(out, "\"\"\"\n");
}

static void write_file(const struct torch_module *m, const struct writer *w, struct buf *out)
{
    const struct torch_input input = {.p = m->preprocessing,
                                      .input = m->input,
                                      .output = w->shape,
                                      .flatten = m->plan->flatten_input};
    bool torch = torch_input_needs_torch(&input) || w->used & (BIT(RNN) | BIT(GRU) | BIT(LSTM));
    write_docstring(m, &input, out);
    buf_printf(out, "%sfrom torch import nn\n", torch ? "import torch\n" : "");
    torch_input_names(&input, out);
    write_helpers(w->used, out);
    buf_printf(out,
               "\n\nclass Net(nn.Sequential):\n"
               "    def __init__(self):\n"
               "        super().__init__(\n"
               "%s"
               "        )\n", w->lines.data);
    torch_input_methods(&input, out);
}

int torch_module_write(const struct torch_module *m, struct buf *out, struct errbuf *err)
{
    REQUIRE(m->input.rank >= 1 && m->input.rank <= SHAPE_RANK_MAX);
    struct writer w = {
        .layers = m->plan->layers,
        .outputs = m->outputs,
        .shape = m->input,
        .indent = 3 * INDENT,
        .err = err,
    };
    if (m->plan->flatten_input)
        w.shape = (struct shape){1, {shape_count(&m->input)}};
    int rc = write_layers(&w, 0, m->plan->count, "");
    if (rc == 0)
        write_file(m, &w, out);
    buf_finish(&w.lines);
    return rc;
}
