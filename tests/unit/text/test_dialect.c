/* Delimiters, comments and preambles found in a text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/csv_scan.h"
#include "sweep/require.h"

struct sample {
    const char *text;
    char own, delimiter;
    size_t skip_lines;
    const char *first; /* field of the first row */
    size_t columns;
    bool title;
};

static const struct sample samples[] = {
    {"a,b\n1,2\n3,4\n", ',', ',', 0, "a", 2, false},
    {"a;b;c\n1,5;2,25;0\n3,0;4,5;1\n", ',', ';', 0, "a", 3, false},
    {"1,5;2,5;0\n3,5;4,5;1\n", ',', ';', 0, "1,5", 3, false},
    {"\"fixed acidity\";\"pH\"\n6.2;2.8\n7.1;2.9\n", ',', ';', 0, "fixed acidity", 2, false},
    {"epoch;\"loss, mean\";x\n0;1;2\n1;1;2\n", ',', ';', 0, "epoch", 3, false},
    {"a\tb\n1\t2\n", ',', '\t', 0, "a", 2, false},
    {"a|b|c\n1|2|3\n", ',', '|', 0, "a", 3, false},
    {"10.1   6   173.1\t\"car 0\"\n9.5  8  12.5\t\"car 1\"\n", '\t', ' ', 0, "10.1", 4, false},
    {"  epoch loss\n  1  0.5 \n  2  0.25\n", ',', ' ', 0, "epoch", 2, false},
    {"name,place\nJohn Smith,New York\nJane Doe,Los Angeles\n", ',', ',', 0, "name", 2, false},
    {"1, 2, 3\n4, 5, 6\n", ',', ',', 0, "1", 3, false},
    {"1 ,2 ,3\n4 ,5 ,6\n", ',', ',', 0, "1", 3, false},
    {"sep=;\na;b\n1;2\n", ',', ';', 1, "a", 2, false},
    {"\"sep=|\"\r\na|b\r\n1|2\r\n", ',', '|', 1, "a", 2, false},
    {"# exported\n# a,b\n1,2\n# in between\n3,4\n", ',', ',', 2, "1", 2, true},
    {"# exported\n\n% a,b\na,b\n1,2\n", ',', ',', 2, "% a", 2, false},
    {"#,name\n1,x\n2,y\n", ',', ',', 1, "1", 2, true},
    {"Company report\nof 2021\n\na,b\n1,2\n3,4\n5,6\n7,8\n", ',', ',', 3, "a", 2, false},
    {"Houses 2023;;\n;;\nArea;Rooms;Price\n12,5;3;9\n1;2;3\n4;4;4\n5;5;5\n", ',', ';', 2, "Area", 3, false},
    {"x;;\n1;2;3\n4;5;6\n7;8;9\n", ',', ';', 0, "x", 3, false},
    {"n/a;;\na;b;c\n1;2;3\n4;5;6\n", ',', ';', 0, "n/a", 3, false},
    {"|1x3 Cross validator\n25, Private, <=50K.\n38, Private, >50K.\n", ',', ',', 1, "25", 3, false},
    {"\xEF\xBB\xBF"
     "a,b\n1,2\n", ',', ',', 0, "a", 2, false},
    {"one\ntwo\n", ',', ',', 0, "one", 0, false},
    {"#ff0000\n#00ff00\n", ',', ',', 0, "#ff0000", 0, false},
    {"", ',', ',', 0, NULL, 0, false},
};

static void test_samples(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        const struct sample *x = &samples[i];
        char bytes[512];
        snprintf(bytes, sizeof bytes, "%s", x->text);
        struct text t = {.data = bytes, .len = strlen(bytes), .path = "f"};
        struct dialect_wish w = {.own = x->own};
        struct dialect d;
        struct csv_scan s;
        dialect_find(&t, &w, &d);
        if (d.delimiter != x->delimiter || d.skip_lines != x->skip_lines ||
            d.columns != x->columns || d.title != x->title)
            fail_msg("%s: '%c', %zu lines, %zu columns, title %d", x->text, d.delimiter,
                     d.skip_lines, d.columns, d.title);
        csv_scan_init(&s, &t, &d);
        assert_int_equal(csv_scan_row(&s, NULL), 0);
        assert_int_equal(s.count > 0, x->first != NULL);
        if (x->first) {
            size_t len;
            const char *first = csv_scan_text(&s, &s.fields[0], &len);
            assert_int_equal(len, strlen(x->first));
            assert_memory_equal(first, x->first, len);
            assert_int_equal(s.line, x->skip_lines + 1);
        }
        csv_scan_finish(&s);
    }
}

static void test_wishes(void **state)
{
    char bytes[] = "title\na;b,c\n1;2,3\n";
    struct text t = {.data = bytes, .len = sizeof bytes - 1, .path = "f"};
    struct dialect_wish w = {.own = ',', .delimiter = ';', .skip = true, .skip_lines = 1};
    struct dialect d;
    dialect_find(&t, &w, &d);
    assert_int_equal(d.delimiter, ';');
    assert_int_equal(d.columns, 2);
    assert_int_equal(d.first_at, 6);
    w.skip_lines = 9; /* beyond the end */
    dialect_find(&t, &w, &d);
    assert_int_equal(d.first_at, t.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples),
                                       cmocka_unit_test(test_wishes)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
