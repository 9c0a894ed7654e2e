/* Logs that are JSON: whole documents, and lines. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "log_text.h"

static void test_trainer_state(void **state)
{
    expect_text("trainer_state",
                "{\n  \"best_metric\": 0.5,\n  \"epoch\": 2.0,\n  \"log_history\": [\n"
                "{\"epoch\": 1.0, \"grad_norm\": NaN, \"loss\": 0.61, \"step\": 4},\n"
                "{\"epoch\": 1.0, \"eval_loss\": 0.5, \"step\": 4},\n"
                "{\"epoch\": 2.0, \"step\": 8, \"train_loss\": 0.6}\n],\n\"max_steps\": 8}",
                "epoch|grad_norm|loss|step|eval_loss|train_loss\n"
                "1|nan|0.61|4|-|-\n1|-|-|4|0.5|-\n2|-|-|8|-|0.6\n");
    expect_refusal("{\"log_history\": 3}", 18, ERR_MISSING, "log_history");
    expect_refusal("{\"log_history\": [{]", 19, ERR_PARSE, "line 1, column 19");
}

static void test_lists_by_name(void **state)
{
    expect_text("json_history", "{\"loss\": [0.5, 0.4], \"val_loss\": [NaN, \"Infinity\"]}",
                "loss|val_loss\n0.5|nan\n0.4|inf\n");
    expect_text("json_history", "{'loss': [0.5, 0.4], 'acc': [np.float64(0.9), tensor(1.)], }",
                "loss|acc\n0.5|0.9\n0.4|1\n");
    expect_text("json_history",
                "\xef\xbb\xbf{\"params\": {\"epochs\": 2}, \"epoch\": [0, 1], "
                "\"history\": {\"loss\": [0.5, null]}}",
                "epoch|loss\n0|0.5\n1|-\n");
    expect_text("json_history",
                "{\"train\": {\"rmse\": [1, 2]}, \"validation_0\": {\"rmse\": [3, 4]}}",
                "train-rmse|validation_0-rmse\n1|3\n2|4\n");
}

static void test_lists_of_other_lengths(void **state)
{
    /* measured every second epoch; ended early; neither */
    expect_text("json_history", "{\"loss\": [1,2,3,4,5], \"val_loss\": [7,8]}",
                "loss|val_loss\n1|-\n2|7\n3|-\n4|8\n5|-\n");
    expect_text("json_history", "{\"loss\": [1,2,3], \"val_loss\": [7,8]}",
                "loss|val_loss\n1|7\n2|8\n3|-\n");
    expect_text("json_history", "{\"loss\": [1,2,3,4,5,6,7,8,9,10,11], \"layers\": [64, 32, 8]}",
                "loss|layers\n1|-\n2|-\n3|64\n4|-\n5|-\n6|32\n7|-\n8|-\n9|8\n10|-\n11|-\n");
    static const char two[] = "{\"loss\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14], "
                              "\"val_loss\": [1,2,3,4,5,6,7,8,9,10]}";
    expect_text("json_history", two,
                "loss|val_loss\n1|1\n2|2\n3|3\n4|4\n5|5\n6|6\n7|7\n8|8\n9|9\n10|10\n11|-\n12|-\n"
                "13|-\n14|-\n");
}

static void test_lists_of_objects(void **state)
{
    expect_text("json_history",
                "[{\"epoch\": 1, \"train\": {\"loss\": 0.5}, \"grad\": {\"_type\": \"histogram\", "
                "\"values\": [1, 2]}},\n{\"epoch\": 2, \"train\": {\"loss\": \"0.25\"}, \"run\": \"7\"}]",
                "epoch|train/loss|run\n1|0.5|-\n2|0.25|'7'\n");
    expect_text("json_history", "{\"meta\": {\"a\": [{\"name\": \"RMSE\"}]}, \"rows\": "
                "[{\"loss\": [0.5], \"iteration\": 0}, {\"loss\": [0.4], \"iteration\": 1}]}",
                "loss|iteration\n0.5|0\n0.4|1\n");
    expect_text("json_history", "{\"loss\":{\"0\":0.5,\"1\":0.4},\"epoch\":{\"0\":0,\"1\":1}}",
                "loss|epoch\n0.5|0\n0.4|1\n");
    expect_text("json_history",
                "{\"columns\":[\"epoch\",\"loss\"],\"index\":[0,1],\"data\":[[1,0.5],[2,null]]}",
                "epoch|loss\n1|0.5\n2|-\n");
    expect_text("json_history", "[[1700000000.5, 1, 0.5], [1700000001.5, 2, 0.4]]",
                "Wall time|Step|Value\n1.7e+09|1|0.5\n1.7e+09|2|0.4\n");
    expect_text("json_history", "{\"loss\": 0.5, \"ok\": true}", "loss|ok\n0.5|'true'\n");
}

static void test_what_is_no_history(void **state)
{
    expect_refusal("{\"loss\": [1, 2", 14, ERR_PARSE, "the end of the text");
    expect_refusal("[[1,2,3], 4]", 12, ERR_MISSING, "value 2 of the list has no name");
    static const char twice[] = "{\"history\": {\"loss\": [1]}, \"metrics\": {\"loss\": [2]}}";
    expect_refusal(twice, sizeof(twice) - 1, ERR_VALUE, "two lists are named \"loss\"");
    char deep[300];
    memset(deep, '[', sizeof(deep));
    expect_refusal(deep, sizeof(deep), ERR_LIMIT, "at most 64 levels");
}

static void test_lines(void **state)
{
    expect_text("json_lines", "{\"step\": 1, \"loss\": NaN}\n\n{\"step\": 2, \"loss\": \"-inf\", "
                "\"eval\": {\"loss\": 0.5}}\n{\"step\": 3, \"lo",
                "step|loss|eval/loss\n1|nan|-\n2|-inf|0.5\n");
    expect_text("json_lines", "{\"loss\": 1}\n{\"loss\": 2}\nsaved model.pt\n{\"loss\": 3}",
                "loss\n1\n2\n3\n");
    static const char bad[] = "{\"loss\": 1}\n{\"loss\" 2}\n{\"loss\": 3}\n";
    expect_refusal(bad, sizeof(bad) - 1, ERR_PARSE, "line 2, column 9");
}

static void test_trackio_lines(void **state)
{
    expect_text("json_lines",
                "{\"v\":1,\"kind\":\"metric\",\"project\":\"p\",\"run\":\"12\",\"metrics\":"
                "{\"train/loss\":0.5,\"x\":\"NaN\"},\"step\":1,\"config\":{\"lr\":0.1}}\n"
                "{\"v\":1,\"kind\":\"system_metric\",\"run\":\"12\",\"metrics\":{\"cpu\":0.5}}\n"
                "{\"v\":1,\"kind\":\"metric\",\"run\":\"13\",\"metrics\":{\"train/loss\":0.4},"
                "\"step\":2}\n",
                "run|step|train/loss|x\n'12'|1|0.5|nan\n'13'|2|0.4|-\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trainer_state), cmocka_unit_test(test_lists_by_name),
        cmocka_unit_test(test_lists_of_other_lengths), cmocka_unit_test(test_lists_of_objects),
        cmocka_unit_test(test_what_is_no_history), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_trackio_lines),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
