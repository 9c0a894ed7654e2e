/* Two specifications are the same where they mean the same; else the first difference is named. */
#include "expect.h"

#include "spec_text.h"
#include "sweep/require.h"
#include "sweep/spec.h"

static int compare(const char *stored, const char *given, struct errbuf *err)
{
    struct spec a, b;

    if (spec_parse_text(stored, strlen(stored), &a, err) != 0 ||
        spec_parse_text(given, strlen(given), &b, err) != 0)
        fail_msg("%s", err->message);
    int rc = spec_compare(&a, &b, err);
    spec_finish(&a);
    spec_finish(&b);
    return rc;
}

static void what_means_the_same_is_the_same(void **state)
{
    struct errbuf err = {0};

    assert_int_equal(compare(WITH("\"epochs\":10"), "{" CAP "," DEPTH "," DATA "}", &err), 0);
    assert_int_equal(compare(WITH("\"seed\":\"5\""), WITH("\"seed\":5"), &err), 0);
}

static void a_difference_is_named(void **state)
{
    static const struct {
        const char *given;
        struct refusal is;
    } cases[] = {
        {WITH("\"epochs\":11"), {"", ERR_VALUE, "$.epochs", "10, as it was submitted"}},
        {WITH("\"model\":{\"width\":64}"), {"", ERR_VALUE, "$.model.width", "as it was"}},
        {WITH_PARAMETERS("\"depth\":{\"values\":[1,3]}"),
         {"", ERR_VALUE, "$.parameters.depth.values", "[1,2]"}},
        {WITH_PARAMETERS("\"depth\":{\"values\":[1,2]},\"width\":{\"values\":[8,9]}"),
         {"", ERR_VALUE, "$.model.width", "128"}},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct errbuf err = {0};
        int rc = compare("{" DATA "," DEPTH "," CAP "}", cases[i].given, &err);
        expect_refusal(&cases[i].is, rc, &err);
    }
}

/* Parameters are drawn in the spec's order. */
static void the_order_of_parameters_counts(void **state)
{
    struct errbuf err = {0};
    int rc =
        compare(WITH_PARAMETERS("\"depth\":{\"values\":[1,2]},\"width\":{\"values\":[8,9]}"),
                WITH_PARAMETERS("\"width\":{\"values\":[8,9]},\"depth\":{\"values\":[1,2]}"), &err);

    assert_int_equal(rc, ERR_VALUE);
    assert_string_equal(err.key, "$.parameters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_means_the_same_is_the_same),
        cmocka_unit_test(a_difference_is_named),
        cmocka_unit_test(the_order_of_parameters_counts),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
