#include "client/torch_module.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/preprocessing.h"
#include "sweep/require.h"

/* A plan as a run's configuration means it: "model" and "train" in JSON. */
static void make_plan(const char *text, struct model_plan *plan)
{
    struct settings s;
    struct layer_list list = {0};
    struct errbuf err = {0};
    struct json *root = json_parse(text, strlen(text), &err);
    if (!root)
        fail_msg("%s", err.message);
    const struct json *layers = json_get(json_get(root, "model"), "layers");
    settings_init(&s);
    if (settings_from_json(&s, root, NULL, &err) != 0 ||
        (layers && layer_list_parse(layers, "$.model.layers", &list, &err) != 0) ||
        model_plan_init(plan, &s, layers ? &list : NULL, &err) != 0)
        fail_msg("%s", err.message);
    json_destroy(root);
}

static int write_module(const char *text, struct shape input, struct buf *out, struct errbuf *err)
{
    struct model_plan plan;
    make_plan(text, &plan);
    struct torch_module m = {.plan = &plan, .input = input, .outputs = 2,
                             .title = "Run 7 of sweep 1", .weights = "best.safetensors"};
    int rc = torch_module_write(&m, out, err);
    model_plan_finish(&plan);
    return rc;
}

static void expect_module(const char *text, struct shape input, const char *const *parts,
                          size_t count)
{
    struct buf out = {0};
    struct errbuf err = {0};
    if (write_module(text, input, &out, &err) != 0)
        fail_msg("%s", err.message);
    const char *at = out.data;
    for (size_t i = 0; i < count; i++) { /* in this order */
        at = strstr(at, parts[i]);
        if (!at)
            fail_msg("no \"%s\" in its place in\n%s", parts[i], out.data);
        at += strlen(parts[i]);
    }
    buf_finish(&out);
}

static void expect_refused(const char *text, struct shape input, const char *words)
{
    struct buf out = {0};
    struct errbuf err = {0};
    assert_int_equal(write_module(text, input, &out, &err), ERR_DATA);
    if (!strstr(err.message, words))
        fail_msg("message \"%s\" does not say \"%s\"", err.message, words);
    assert_int_equal(out.len, 0);
    buf_finish(&out);
}

static const struct shape line = {1, {4}}, sequence = {2, {30, 3}}, image = {3, {1, 28, 28}};

static void test_whole_file(void **state)
{
    struct buf out = {0};
    assert_int_equal(write_module("{\"model\":{\"depth\":1,\"width\":8}}", image, &out, NULL), 0);
    assert_string_equal(out.data,
                        "\"\"\"Run 7 of sweep 1\n"
                        "\n"
                        "    net = Net()\n"
                        "    net.load_state_dict(safetensors.torch.load_file("
                        "\"best.safetensors\"))\n"
                        "    net.eval()\n"
                        "\n"
                        "Input: [rows, 1, 28, 28], bytes divided by 255, scaled as in training.\n"
                        "Output: [rows, 2], before any softmax or sigmoid.\n"
                        "\"\"\"\n"
                        "from torch import nn\n"
                        "\n"
                        "\n"
                        "class Net(nn.Sequential):\n"
                        "    def __init__(self):\n"
                        "        super().__init__(\n"
                        "            nn.Linear(784, 8),  # 0\n"
                        "            nn.ReLU(),  # 1\n"
                        "            nn.Linear(8, 2),  # 2\n"
                        "        )\n"
                        "\n"
                        "    def forward(self, x):\n"
                        "        x = x.flatten(1)\n"
                        "        return super().forward(x)\n");
    buf_finish(&out);
}

/* The module of a small dense net whose weights tell that. */
static char *module_of(const char *told, struct shape input)
{
    struct preprocessing p;
    struct model_plan plan;
    struct buf out = {0};
    make_plan("{\"model\":{\"depth\":0}}", &plan);
    assert_int_equal(preprocessing_parse(told, &input, &p, NULL), 0);
    struct torch_module m = {.plan = &plan, .input = input, .outputs = 2, .preprocessing = &p,
                             .title = "Run 7", .weights = "w"};
    assert_int_equal(torch_module_write(&m, &out, NULL), 0);
    preprocessing_finish(&p);
    model_plan_finish(&plan);
    return buf_take(&out);
}

static void expect_in(char *module, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!strstr(module, parts[i]))
            fail_msg("no \"%s\" in\n%s", parts[i], module);
    }
    free(module);
}

static void test_what_lies_around_the_layers(void **state)
{
    static const char *const bytes[] = {
        ", bytes, 0 to 255, as the file has them.\nThey are scaled here",
        "CLASSES = [\"a \\\"b\\\"\", \"c\\u202e\\x9b\"]\n",
        "        self.register_buffer(\"input_shift\", torch.tensor([0.5]).reshape(1, 1, 1), "
        "persistent=False)\n",
        "        x = x.to(next(self.parameters()).dtype) * (1 / 255)\n"
        "        x = (x - self.input_shift) * self.input_factor\n"
        "        x = x.flatten(1)\n"
        "        return super().forward(x)\n",
    };
    static const char *const prices[] = {
        "as the file has them: encode() makes them of its rows.",
        "Output: [rows, 2], in the target's own units.\n",
        "COLUMNS = [\n    (\"age\", None),\n    (\"job\", [\"cook\", \"smith\"]),\n]\n",
        "torch.tensor([1, 2, 3]).reshape(3)",
        "        x = torch.where(torch.isfinite(x), x, self.input_fill)\n"
        "        return super().forward(x) * self.target_unit + self.target_shift\n",
    };
    expect_in(module_of("{\"version\":1,\"task\":\"classification\",\"input\":\"bytes\","
                        "\"missing\":\"refuse\",\"shift\":[0.5],\"factor\":[2],"
                        "\"schema\":{\"classes\":[\"a \\\"b\\\"\",\"c\\u202e\\u009b\"]}}", image),
              bytes, ARRAY_LEN(bytes));
    expect_in(module_of("{\"version\":1,\"task\":\"regression\",\"input\":\"numbers\","
                        "\"missing\":\"impute\",\"fill\":[1,2,3],\"target_shift\":[5,6],"
                        "\"target_unit\":[7,8],\"schema\":{\"header\":true,\"columns\":["
                        "{\"name\":\"age\"},{\"name\":\"job\",\"categories\":[\"cook\",\"smith\"]},"
                        "{\"name\":\"price\",\"target\":true}]}}", (struct shape){1, {3}}),
              prices, ARRAY_LEN(prices));
}

static void test_mlp_with_all_that_goes_between(void **state)
{
    static const char *const parts[] = {
        "from torch import nn\n\n\nclass Residual(nn.Module):",
        "nn.Linear(4, 6),  # 0\n",
        "nn.BatchNorm1d(6),  # 1\n",
        "nn.ELU(),  # 2\n",
        "nn.Dropout(0.25),  # 3\n",
        "            Residual(\n                nn.Linear(6, 6),  # body.0\n",
        "                nn.BatchNorm1d(6),  # body.1\n",
        "                nn.Dropout(0.25),  # body.3\n            ),  # 4\n",
        "nn.Linear(6, 2),  # 5\n        )\n",
    };
    expect_module("{\"model\":{\"depth\":2,\"width\":6,\"activation\":\"elu\",\"residual\":true,"
                  "\"normalization\":\"batch\"},\"train\":{\"dropout\":0.25}}",
                  line, parts, ARRAY_LEN(parts));
}

/* The guide's net: dense 64, LSTM, dense, output (G1.1). */
static void test_recurrent(void **state)
{
    static const char *const parts[] = {
        "import torch\nfrom torch import nn\n\n\nclass Recurrent:",
        "\n\n\nclass LSTM(Recurrent, nn.LSTM):\n    pass\n\n\nclass Net(",
        "nn.Linear(3, 64),  # 0\n", "nn.ReLU(),  # 1\n",
        "LSTM(64, 64, bidirectional=True, sequence=True),  # 2\n",
        "LSTM(128, 64, bidirectional=True),  # 3\n",
        "nn.Linear(128, 64),  # 4\n", "nn.Linear(64, 2),  # 6\n        )\n",
    };
    expect_module("{\"model\":{\"type\":\"lstm\",\"depth\":2,\"width\":64,"
                  "\"bidirectional\":true}}", sequence, parts, ARRAY_LEN(parts));
}

static void test_images(void **state)
{
    static const char *const parts[] = {
        "nn.Conv2d(1, 16, 3, stride=1, padding=1),  # 0\n", "nn.ReLU(),  # 1\n",
        "nn.BatchNorm2d(16),  # 2\n", "nn.MaxPool2d(2),  # 3\n",
        "nn.LayerNorm((16, 14, 14)),  # 4\n",
        "nn.Conv2d(16, 4, 5, stride=2, padding=0),  # 5\n", "nn.AvgPool2d(2),  # 6\n",
        "nn.Flatten(),  # 7\n", "nn.Linear(16, 2),  # 8\n",
    };
    static const char layers[] =
        "{\"model\":{\"type\":\"sequential\",\"layers\":["
        "{\"type\":\"conv2d\",\"channels\":16,\"padding\":1,\"activation\":\"relu\"},"
        "{\"type\":\"batch_norm\"},{\"type\":\"max_pool\"},{\"type\":\"layer_norm\"},"
        "{\"type\":\"conv2d\",\"channels\":4,\"kernel\":5,\"stride\":2},"
        "{\"type\":\"avg_pool\"},{\"type\":\"flatten\"}]}}";
    expect_module(layers, image, parts, ARRAY_LEN(parts));
    /* [height, width]: the first of them sees one channel */
    static const char *const plane[] = {
        "class Plane:", "class PlaneConv2d(Plane, nn.Conv2d):\n    pass\n\n\nclass Net",
        "            PlaneConv2d(1, 16, 3, stride=1, padding=1),  # 0\n", "nn.MaxPool2d(2),  # 3",
    };
    expect_module(layers, (struct shape){2, {28, 28}}, plane, ARRAY_LEN(plane));
}

static void test_sequences_and_nesting(void **state)
{
    static const char *const parts[] = {
        "class StepBatchNorm(", "class Residual(", "StepBatchNorm(3),  # 0\n",
        "            Residual(\n                nn.LayerNorm(3),  # body.0\n"
        "                Residual(\n                    GRU(3, 3, sequence=True),  # body.0\n"
        "                ),  # body.1\n            ),  # 1\n",
        "RNN(3, 5),  # 2\n", "nn.Linear(5, 2),  # 3\n",
    };
    expect_module("{\"model\":{\"type\":\"sequential\",\"layers\":[{\"type\":\"batch_norm\"},"
                  "{\"type\":\"residual\",\"layers\":[{\"type\":\"layer_norm\"},"
                  "{\"type\":\"residual\",\"layers\":[{\"type\":\"gru\",\"units\":3,"
                  "\"return\":\"sequence\"}]}]},{\"type\":\"rnn\",\"units\":5}]}}",
                  sequence, parts, ARRAY_LEN(parts));
}

static void test_layers_that_do_not_fit(void **state)
{
    expect_refused("{\"model\":{\"type\":\"lstm\"}}", line, "a lstm layer cannot take [128]");
    expect_refused("{\"model\":{\"type\":\"sequential\",\"layers\":[{\"type\":\"dense\"}]}}", image,
                   "a dense layer cannot take [1, 28, 28]");
    expect_refused("{\"model\":{\"type\":\"sequential\",\"layers\":[{\"type\":\"conv2d\"}]}}", line,
                   "a conv2d layer cannot take [4]");
    expect_refused("{\"model\":{\"type\":\"sequential\",\"layers\":[{\"type\":\"max_pool\","
                   "\"size\":64}]}}", image, "a max_pool layer cannot take [1, 28, 28]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_lies_around_the_layers),
        cmocka_unit_test(test_whole_file),
        cmocka_unit_test(test_mlp_with_all_that_goes_between),
        cmocka_unit_test(test_recurrent),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_sequences_and_nesting),
        cmocka_unit_test(test_layers_that_do_not_fit),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
