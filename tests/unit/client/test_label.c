/* `sweepctl label`. Argument 1: the folder of recorded curves. */
#include "client/label.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/render.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const char *folder;

static char *label_text(const struct label_request *q)
{
    char *text = NULL;
    size_t size = 0;
    struct errbuf err;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    if (label_file(q, out, &err) != 0)
        fail_msg("%s", err.message);
    fclose(out);
    return text;
}

static void test_label_as_of_a_point(void **state)
{
    char *path = xasprintf("%s/f0204.csv", folder);
    struct label_request q = {.path = path, .at = 4, .json = true};
    char *text = label_text(&q);
    struct errbuf err;

    assert_non_null(strstr(text, "\"pattern\":\"too_short\""));
    assert_non_null(strstr(text, "\"points\":4"));
    q.at = 1000;
    assert_int_equal(label_file(&q, stdout, &err), ERR_VALUE);
    assert_non_null(strstr(err.message, "--at: got 1000; "));
    assert_non_null(strstr(err.message, "has 40 points"));
    free(text);
    free(path);
}

static void test_label_is_one_document(void **state)
{
    char *path = xasprintf("%s/f0204.csv", folder), *text = label_text(&(struct label_request){.path = path, .json = true});
    struct errbuf err;
    struct json *v = json_parse(text, strlen(text), &err);

    assert_non_null(v);
    assert_string_equal(json_string(json_get(v, "pattern")), "slow_rise");
    assert_string_equal(json_string(json_get(v, "runner_up")), "diverging");
    assert_string_equal(json_string(json_get(v, "guide_ref")), "G4.8");
    assert_true(json_number(json_get(v, "confidence")) > 0);
    assert_int_equal(json_type(json_get(v, "evidence")), JSON_OBJECT);
    assert_int_equal(json_type(json_get(v, "tags")), JSON_ARRAY);
    assert_int_equal(json_type(json_get(v, "timeline")), JSON_ARRAY);
    json_destroy(v);
    free(text);
    free(path);
}

static void test_label_for_people(void **state)
{
    char *path = xasprintf("%s/f0204.csv", folder), *text = label_text(&(struct label_request){.path = path});

    assert_non_null(strstr(text, "pattern         slow_rise (confidence "));
    assert_non_null(strstr(text, "guide           G4.8\n"));
    assert_non_null(strstr(text, "guide's remedy  lower the learning rate"));
    assert_non_null(strstr(text, "Training loss rises"));
    assert_non_null(strstr(text, "validation  rises"));
    assert_non_null(strstr(text, "\nvalidation loss █"));
    assert_null(strchr(text, '\x1b'));
    free(text);
    free(path);
}

/* As wide as the terminal, the stretches under the blocks, and colour where it is wanted. */
static void test_label_on_a_terminal(void **state)
{
    char *path = xasprintf("%s/f0204.csv", folder);
    static const size_t widths[] = {40, 60, 80, 200};

    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        char *text = label_text(&(struct label_request){.path = path, .width = widths[i]});
        for (char *at = text, *end; *at != '\0'; at = end + 1) {
            end = strchr(at, '\n');
            assert_non_null(end);
            *end = '\0';
            if (widths[i] >= 80 && render_width(at) > widths[i])
                fail_msg("%zu columns at %zu: %s", render_width(at), widths[i], at);
            if (strncmp(at, "label ", 6) == 0)
                assert_non_null(strstr(at, "slow_rise"));
        }
        free(text);
    }
    char *text = label_text(&(struct label_request){.path = path, .width = 80, .colour = true});
    assert_non_null(strstr(text, "\x1b[33mslow_rise\x1b[0m"));
    free(text);
    free(path);
}

static void test_a_missing_file_is_named(void **state)
{
    struct errbuf err;

    assert_int_equal(label_file(&(struct label_request){.path = "/nonexistent/x.csv"}, stdout, &err), ERR_IO);
    assert_non_null(strstr(err.message, "/nonexistent/x.csv"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_label_as_of_a_point),
        cmocka_unit_test(test_label_is_one_document),
        cmocka_unit_test(test_label_for_people),
        cmocka_unit_test(test_label_on_a_terminal),
        cmocka_unit_test(test_a_missing_file_is_named),
    };

    if (argc < 2) {
        fprintf(stderr, "usage: test_label FOLDER\n");
        return 2;
    }
    folder = argv[1];
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("client_label", tests, NULL, NULL);
}
