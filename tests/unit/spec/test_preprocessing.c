/* What weights tell of input and output, there and back, and hostile texts of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/preprocessing.h"
#include "sweep/require.h"

static const struct shape vector = {1, {2}}, steps = {2, {4, 2}}, image = {3, {2, 3, 5}};

static void there_and_back(void **state)
{
    float shift[] = {0.1f, -3e20f}, factor[] = {2, INFINITY}, fill[] = {0.3f, 7};
    double target_shift[] = {1987.1}, target_unit[] = {1e-9};
    const struct preprocessing p = {.regression = true, .missing = MISSING_IMPUTE, .features = 2,
                                    .shift = shift, .factor = factor, .places = 2, .fill = fill,
                                    .targets = 1, .target_shift = target_shift,
                                    .target_unit = target_unit};
    struct preprocessing back;
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    preprocessing_write(&p, "{\"target\":\"year\"}", &w);
    assert_int_equal(preprocessing_parse(text.data, &vector, &back, NULL), 0);
    assert_true(back.regression && !back.bytes && !back.has_probabilities);
    assert_true(back.missing == MISSING_IMPUTE && back.targets == 1);
    assert_memory_equal(back.shift, shift, sizeof shift);
    assert_memory_equal(back.factor, factor, sizeof factor);
    assert_memory_equal(back.fill, fill, sizeof fill);
    assert_memory_equal(back.target_shift, target_shift, sizeof target_shift);
    assert_memory_equal(back.target_unit, target_unit, sizeof target_unit);
    assert_string_equal(json_string(json_get(back.schema, "target")), "year");
    preprocessing_finish(&back);
    buf_finish(&text);
}

static void features_of_a_shape(void **state)
{
    assert_int_equal(preprocessing_features(&vector), 2);
    assert_int_equal(preprocessing_features(&steps), 2);
    assert_int_equal(preprocessing_features(&image), 2);
    assert_int_equal(preprocessing_feature(&steps, 5), 1);
    assert_int_equal(preprocessing_feature(&image, 14), 0);
    assert_int_equal(preprocessing_feature(&image, 15), 1);
}

#define TOLD(more) "{\"version\":1,\"task\":\"regression\",\"missing\":\"refuse\"" more "}"

static void hostile_texts_are_refused(void **state)
{
    static const char *const texts[] = {
        "", "[]", "{}", "{\"version\":2,\"missing\":\"refuse\"}", "{\"version\":1}",
        "{\"version\":1,\"missing\":\"guess\"}",
        TOLD(",\"shift\":[1,2]"),
        TOLD(",\"factor\":[1,2]"),
        TOLD(",\"shift\":[1],\"factor\":[1]"),
        TOLD(",\"shift\":[1,\"x\"],\"factor\":[1,2]"),
        TOLD(",\"shift\":7,\"factor\":[1,2]"),
        TOLD(",\"fill\":[1,\"nan\"]"),
        TOLD(",\"fill\":[1,2,3]"),
        TOLD(",\"target_shift\":[1],\"target_unit\":[1,2]"),
        TOLD(",\"target_shift\":[1]"),
        TOLD(",\"target_shift\":[\"+inf\"],\"target_unit\":[1]"),
        TOLD(",\"target_shift\":[],\"target_unit\":[]"),
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct preprocessing p;
        struct errbuf err = {0};
        if (preprocessing_parse(texts[i], &vector, &p, &err) != ERR_DATA || !err.message[0])
            fail_msg("taken: %s", texts[i]);
    }
    struct preprocessing p;
    assert_int_equal(preprocessing_parse(TOLD(""), &vector, &p, NULL), 0);
    assert_true(!p.shift && !p.fill && !p.target_unit && !p.schema);
    preprocessing_finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(features_of_a_shape),
        cmocka_unit_test(hostile_texts_are_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
