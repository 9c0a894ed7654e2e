/* What columns and classes are called, there and back; hostile texts of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "worker/data/csv_columns.h"
#include "worker/data/schema.h"
#include "worker/data/text.h"

/* The schema of that table. */
static char *schema_of(const char *csv, const struct spec_data *d)
{
    struct text t;
    struct table table = {0};
    struct table_columns *columns = NULL;
    struct classes *classes = calloc(1, sizeof *classes);
    struct errbuf err = {0};
    assert_int_equal(text_decode("/d/t.csv", csv, strlen(csv), &t, NULL), 0);
    if (csv_decode(&t, d, &columns, &table, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(classes_decide(FORMAT_CSV, TASK_AUTO, &table, classes, NULL), 0);
    char *schema = schema_write(&table, columns, classes);
    table_columns_destroy(columns);
    table_finish(&table);
    text_finish(&t);
    free(classes);
    return schema;
}

static struct spec_data by_default(void)
{
    struct spec_data d = {.format = FORMAT_CSV};
    strcpy(d.path, "/d/t.csv");
    return d;
}

static void there_and_back(void **state)
{
    const struct spec_data d = by_default();
    struct table_columns *c = NULL;
    char *text = schema_of("age;job;height;kind\n41;cook;1,75;yes\n17;smith;1,80;no\n"
                     "33;\"say \"\"x\"\"\";1,62;no\n29;cook;1,58;yes\n", &d);
    struct json *root = json_parse(text, strlen(text), NULL);
    assert_non_null(root);
    assert_string_equal(json_string(json_get(root, "target")), "kind");
    assert_int_equal(json_count(json_get(root, "classes")), 2);
    assert_int_equal(schema_columns(root, &c, NULL), 0);
    assert_int_equal(c->count, 4);
    assert_int_equal(c->target, 3);
    assert_int_equal(c->features, 5);
    assert_string_equal(c->header[1], "job");
    assert_int_equal(c->column[1].names->count, 3);
    assert_string_equal(names_at(c->column[1].names, 1), "say \"x\"");
    assert_int_equal(c->column[2].feature, 4);
    assert_false(c->column[2].plain);
    assert_int_equal(c->column[2].form.decimal, ',');
    table_columns_destroy(c);
    json_destroy(root);
    free(text);
}

static void hostile_texts_are_refused(void **state)
{
    static const char *const texts[] = {
        "{\"columns\":7}",
        "{\"columns\":[]}",
        "{\"columns\":[1]}",
        "{\"columns\":[{}]}",
        "{\"header\":true,\"columns\":[{\"target\":true},{}]}",
        "{\"header\":true,\"columns\":[{\"name\":3,\"target\":true}]}",
        "{\"columns\":[{\"target\":true},{\"categories\":[\"b\",\"a\"]}]}",
        "{\"columns\":[{\"target\":true},{\"categories\":[\"a\",\"a\"]}]}",
        "{\"columns\":[{\"target\":true},{\"categories\":[\"a\",1]}]}",
        "{\"columns\":[{\"target\":true},{\"categories\":3}]}",
        "{\"columns\":[{\"target\":true},{\"form\":{\"decimal\":\"x\",\"thousands\":\"\","
        "\"unit\":\"\"}}]}",
        "{\"columns\":[{\"target\":true},{\"form\":{\"decimal\":\".\"}}]}",
        "{\"columns\":[{\"target\":true},{\"form\":5}]}",
        "{\"features\":0}",
        "{\"features\":-3}",
        "{\"features\":99999999999}",
        "{\"features\":\"x\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json *root = json_parse(texts[i], strlen(texts[i]), NULL);
        struct table_columns *c = NULL;
        struct errbuf err = {0};
        assert_non_null(root);
        if (schema_columns(root, &c, &err) != ERR_DATA || c || !err.message[0])
            fail_msg("taken: %s", texts[i]);
        json_destroy(root);
    }
    struct json *root = json_parse("{\"too_long\":true}", 17, NULL);
    struct table_columns *c = NULL;
    assert_int_equal(schema_columns(root, &c, NULL), 0);
    assert_null(c);
    json_destroy(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(hostile_texts_are_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
