#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#include "folder.h"
#include "table_text.h"

static const struct spec_data csv = {.format = FORMAT_CSV};
static const struct spec_data tsv = {.format = FORMAT_TSV};
static const struct spec_data with_header = {.format = FORMAT_CSV, .header = HEADER_YES};
static const struct spec_data no_header = {.format = FORMAT_CSV, .header = HEADER_NO};

static int decode(const char *text, const struct spec_data *d, struct table_columns **columns,
                  struct table *out, struct errbuf *err)
{
    struct text t;
    int rc = text_decode("t.csv", text, strlen(text), &t, err);
    if (rc != 0)
        return rc;
    rc = csv_decode(&t, d, columns, out, err);
    text_finish(&t);
    return rc;
}

static void read_text(const char *text, const struct spec_data *d, struct table_columns **columns,
                      struct table *out)
{
    struct errbuf err = {0};
    if (decode(text, d, columns, out, &err) != 0)
        fail_msg("%s", err.message);
}

/* A training file's features and targets, row by row. */
static void expect_rows(const char *text, const struct spec_data *d, size_t count, size_t features,
                        const double *want)
{
    struct table_columns *columns = NULL;
    struct table t;
    read_text(text, d, &columns, &t);
    assert_true(t.type == SAMPLES_F32 && t.outputs == 1 && t.shape.rank == 1);
    assert_int_equal(t.count, count);
    assert_int_equal(t.shape.dim[0], features);
    for (size_t r = 0; r < count; r++, want += features + 1) {
        for (size_t i = 0; i < features; i++) {
            float got = value_at(&t, r, i), due = (float)want[i];
            if (got != due && !(isnan(got) && isnan(due)))
                fail_msg("row %zu, feature %zu: %g, not %g", r, i, (double)got, (double)due);
        }
        assert_true(t.targets[r] == want[features]);
    }
    table_finish(&t);
    table_columns_destroy(columns);
}

#define ROWS(...)                                                                                  \
    (const double[])                                                                               \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void expect_refused(const char *text, const struct spec_data *d, const char *words)
{
    struct table out = {.count = 77};
    struct table_columns *columns = NULL;
    struct errbuf err = {0};
    int rc = decode(text, d, &columns, &out, &err);
    assert_true(rc < 0 && rc == err.code && out.count == 77 && !columns);
    expect_words(&err, words);
}

/* Of a file that is read after a training file. */
static void expect_next_refused(const char *training, const char *next, const struct spec_data *d,
                                const char *words)
{
    struct table first, out = {.count = 77};
    struct table_columns *columns = NULL;
    struct errbuf err = {0};
    read_text(training, d, &columns, &first);
    assert_int_equal(decode(next, d, &columns, &out, &err), ERR_DATA);
    assert_int_equal(out.count, 77);
    expect_words(&err, words);
    table_finish(&first);
    table_columns_destroy(columns);
}

static void test_plain(void **state)
{
    const double *rows = ROWS(1, 2, 3, 4, 5, 6);
    expect_rows("1,2,3\n4,5,6\n", &csv, 2, 2, rows);
    expect_rows("1,2,3\n4,5,6", &csv, 2, 2, rows);
    expect_rows("1,2,3\r\n4,5,6\r\n", &csv, 2, 2, rows);
    expect_rows("\xEF\xBB\xBF"
                "1,2,3\r\n4,5,6",
                &csv, 2, 2, rows);
    expect_rows("\n1,2,3\n\n  \n\r\n4,5,6\n\n", &csv, 2, 2, rows);
    expect_rows(" 1,\t2 , 3 \n4,5,6 \n", &csv, 2, 2, rows);
    expect_rows("1\t2\t3\n4\t 5\t6\n", &tsv, 2, 2, rows);
    expect_rows("\"1\",\"2\" , \"3\"\n4,\"5\",6\n", &csv, 2, 2, rows);
    expect_rows("a,b,c\n1,2,3\n4,5,6\n", &csv, 2, 2, rows);
}

static void test_holes(void **state)
{
    expect_rows("a,b,y\n,nan,1\n-inf,\"\",2\n 1e39 ,+5.,3\n", &csv, 3, 2,
                ROWS(NAN, NAN, 1, -INFINITY, NAN, 2, INFINITY, 5, 3));
    expect_rows("\t\t1\n\t2\t1\n", &tsv, 2, 2, ROWS(NAN, NAN, 1, NAN, 2, 1));
}

static void test_header(void **state)
{
    /* one number in the first line, and it is data */
    expect_rows("1,b,0\n2,c,1\n", &csv, 2, 3, ROWS(1, 1, 0, 0, 2, 0, 1, 1));
    expect_rows("nan,1\n2,3\n", &csv, 2, 1, ROWS(NAN, 1, 2, 3));
    /* names that are numbers only when told */
    expect_rows("1,2\n3,4\n", &with_header, 1, 1, ROWS(3, 4));
    expect_rows("a,b\nc,d\n", &no_header, 2, 2, ROWS(1, 0, 0, 0, 1, 1));
    expect_rows("a,b\nc,d\n", &csv, 1, 1, ROWS(1, 0));
    expect_rows(",\n3,4\n", &csv, 1, 1, ROWS(3, 4));
    expect_refused("a,b\n", &csv, "t.csv: no rows of data behind the header");
}

static struct spec_data with_target(const char *target, enum header header)
{
    struct spec_data d = {.format = FORMAT_CSV, .header = header};
    str_copy(d.target, sizeof d.target, target);
    return d;
}

static void test_target(void **state)
{
    struct spec_data d = with_target("y", HEADER_AUTO);
    expect_rows("a,y,b\n1,2,3\n", &d, 1, 2, ROWS(1, 3, 2));
    expect_rows("a,\"y\",b\n1,2,3\n", &d, 1, 2, ROWS(1, 3, 2));
    d = with_target("1", HEADER_AUTO);
    expect_rows("a,y,b\n1,2,3\n", &d, 1, 2, ROWS(2, 3, 1));
    expect_rows("1,2,3\n", &d, 1, 2, ROWS(2, 3, 1));
    d = with_target("1", HEADER_YES); /* a name comes before a number */
    expect_rows("3,2,1\n7,8,9\n", &d, 1, 2, ROWS(7, 8, 9));
    d = with_target("a\"b", HEADER_AUTO);
    expect_rows("x,\"a\"\"b\",y\n1,2,3\n", &d, 1, 2, ROWS(1, 3, 2));
    /* two features of one name are no matter */
    d = with_target("y", HEADER_AUTO);
    expect_rows("a,a,y\n1,2,3\n", &d, 1, 2, ROWS(1, 2, 3));
}

static void test_target_refused(void **state)
{
    struct spec_data d = with_target("y", HEADER_AUTO);
    expect_refused("y,a,y\n1,2,3\n", &d,
                   "$.data.target: got y; allowed: a name that one column has; 2 have this one");
    expect_refused(
        "1,2,3\n", &d,
        "$.data.target: got y; allowed: the number of a column, 1..3 (the file has no header");
    d = with_target("incone", HEADER_AUTO);
    expect_refused(
        "age,income,a,b,c,d\n1,2,3,4,5,6\n", &d,
        "allowed: \"age\", \"income\", \"a\", \"b\", \"c\", … (6), or the number of a column, "
        "1..6; did you mean \"income\"?");
    for (const char *const *p =
             (const char *const[]){"0", "4", "-1", "1.0", "99999999999999999999", NULL};
         *p; p++) {
        d = with_target(*p, HEADER_AUTO);
        expect_refused("1,2,3\n", &d, "the number of a column, 1..3");
    }
    expect_refused(
        "a,y\n1,2\n3,\n", &csv,
        "t.csv, line 3: column 2 (\"y\"): the target is empty; allowed: finite numbers, or "
        "names of classes");
    expect_refused("1,nan\n", &csv, "line 1: column 2: the target is \"nan\"");
    expect_refused("1,2\n3,1e999\n", &csv, "line 2: column 2: the target is \"1e999\"");
    expect_refused("1,2\n3,x\n4,inf\n", &csv, "line 3: column 2: the target is \"inf\"");
    struct spec_data regression = {.format = FORMAT_CSV, .task = TASK_REGRESSION};
    expect_refused("a,y\n1,2\n3,low\n", &regression,
                   "line 3: column 2 (\"y\"): the target is \"low\" (line 3), where 1 of 2 fields are "
                   "numbers; allowed: finite numbers of one form (task regression)");
}

static void test_quotes(void **state)
{
    struct table_columns *columns = NULL;
    struct table t;
    read_text("\"na\nme\",y\n"
              "\"a,b\",\"x\"\"y\"\n"
              "\"li\r\nne\",z\n"
              "\"\"\"\",\" z\"\n"
              "plain , z",
              &csv, &columns, &t);
    assert_true(t.count == 4 && t.shape.dim[0] == 4 && t.class_names == 3);
    assert_string_equal(t.class_name[0], " z");
    assert_string_equal(t.class_name[1], "x\"y");
    assert_string_equal(t.class_name[2], "z");
    /* sorted: one quote, "a,b", "li…", "plain" */
    assert_true(value_at(&t, 0, 1) == 1 && value_at(&t, 1, 2) == 1 && value_at(&t, 2, 0) == 1 &&
                value_at(&t, 3, 3) == 1);
    assert_true(t.targets[0] == 1 && t.targets[1] == 2 && t.targets[2] == 0 && t.targets[3] == 2);
    table_finish(&t);
    table_columns_destroy(columns);
}

static void test_quotes_refused(void **state)
{
    expect_refused("1,2\n3,\"4\n5,6\n", &csv,
                   "t.csv, line 2: field 2: the quote that opens it is never closed");
    expect_refused("1,2\n\"3\n\n\"x,4\n", &csv, "line 4: field 1: text behind the closing quote");
    expect_refused("a,b\n5\" disk,1\n", &csv,
                   "line 2: field 1: a quote within a field without quotes");
    expect_refused("a,b\n1,2\r3,4\r", &csv, "line 2: field 2: a carriage return without a newline");
    expect_refused("a\t\"b\n", &tsv, "field 2: the quote that opens it");
}

static void test_shape_refused(void **state)
{
    expect_refused("", &csv, "t.csv: the file is empty");
    expect_refused("\xEF\xBB\xBF\n\n", &csv, "the file is empty");
    expect_refused("a,b,c\n1,2,3\n\n1,2\n", &csv,
                   "t.csv, line 4: 2 fields; allowed: 3, as in the first line");
    expect_refused("1,2\n\"a\nb\",2\n1,2,3\n", &csv, "line 4: 3 fields; allowed: 2");
    expect_refused("one\ntwo\n", &csv,
                   "1 column; allowed: features and a target, with commas between them");
}

static void test_nul_and_long_paths(void **state)
{
    static const char bytes[] = "1,2\n3,\0\n";
    char path[600];
    struct text t;
    struct errbuf err = {0};
    assert_int_equal(text_decode("t.csv", bytes, sizeof bytes - 1, &t, &err), ERR_DATA);
    expect_words(&err, "t.csv, line 2: a NUL byte");
    memset(path, 'p', sizeof path);
    snprintf(path + 590, 10, "/end.csv");
    assert_int_equal(text_decode(path, bytes, sizeof bytes - 1, &t, &err), ERR_DATA);
    expect_words(&err, "pp/end.csv, line 2: a NUL byte; allowed");
}

static void test_text_is_shown_safely(void **state)
{
    expect_next_refused(
        "x,1\n\"\",2\n", "\"\x1b[2J\n\x9b\xc2\x9b\xc3\xa9\",1\n", &no_header,
        "column 1: got \"\\x1b[2J\\x0a\\x9b\\xc2\\x9bé\"; allowed: what the training "
        "file has, \"x\"");
    struct buf b = {0};
    buf_puts(&b, "a,y\n1,2\n3,");
    for (int i = 0; i < 1000; i++)
        buf_puts(&b, "é");
    expect_refused(b.data, &csv, "ééé…\"; allowed: at most 63 bytes of UTF-8");
    buf_finish(&b);
    expect_refused("1,\xc3\xa9\xff\n", &csv,
                   "column 2: class name \"é\\xff\"; allowed: at most 63 bytes of UTF-8");
}

/* Text in the last row makes the whole column categorical: its numbers are texts, too. */
static void test_categories(void **state)
{
    expect_rows("a,b,y\n10,1,0\n9,2,1\n,3,0\nz,,1\n", &csv, 4, 4,
                ROWS(1, 0, 0, 1, 0, 0, 1, 0, 2, 1, NAN, NAN, NAN, 3, 0, 0, 0, 1, NAN, 1));
    expect_rows("a,y\né,1\nz,2\nZ,3\n", &csv, 3, 3, ROWS(0, 0, 1, 1, 0, 1, 0, 2, 1, 0, 0, 3));
}

/* A text among numbers is a mistake, unless they are few codes. */
static void expect_names(const char *text, size_t names)
{
    struct table_columns *columns = NULL;
    struct table t;
    read_text(text, &csv, &columns, &t);
    assert_int_equal(t.class_names, names);
    table_finish(&t);
    table_columns_destroy(columns);
}

/* Numbers with a few texts between them are no categories, unless they are codes. */
static void test_text_among_numbers(void **state)
{
    struct buf b = {0};
    buf_puts(&b, "mpg,hp,y\n");
    for (int i = 0; i < 30; i++)
        buf_printf(&b, i % 10 == 7 ? "%d,\"x%d\",0\n" : "%d,%d,0\n", i, i + 50);
    expect_refused(b.data, &csv,
                   "line 9: column 2 (\"hp\"): got \"x57\" (line 9), \"x67\" (line 19), \"x77\" "
                   "(line 29), where 27 of 30 fields are numbers; allowed: numbers of one form");
    expect_refused(b.data, &csv, "data.missing: [\"...\", \"x57\"]");
    expect_refused(b.data, &csv, "data.ignore: [2]");
    buf_clear(&b);
    for (int i = 0; i < 12; i++)
        buf_printf(&b, i == 3 ? "off,1\n" : "%d.5,1\n", i % 2);
    expect_refused(b.data, &csv, "line 4: column 1: got \"off\" (line 4), where 11 of 12");
    buf_clear(&b);
    for (int i = 0; i < 12; i++)
        buf_printf(&b, "1,%d\n", i % 4);
    buf_puts(&b, "1,3a\n");
    expect_names(b.data, 5);
    buf_finish(&b);
}

static void append_rows(struct buf *b, const char *format, int count)
{
    for (int i = 0; i < count; i++) {
        buf_printf(b, format, i);
        buf_puts(b, ",1\n");
    }
}

static void test_too_many_categories(void **state)
{
    struct spec_data wide = {.format = FORMAT_CSV, .max_categories = 1000};
    struct table_columns *columns = NULL;
    struct table t;
    struct buf b = {0};
    buf_puts(&b, "note,y\n");
    append_rows(&b, "t%04d", 1000);
    read_text(b.data, &wide, &columns, &t);
    assert_true(t.count == 1000 && t.shape.dim[0] == 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_true(value_at(&t, i, i) == 1 && value_at(&t, i, (i + 1) % 1000) == 0);
    table_finish(&t);
    table_columns_destroy(columns);
    buf_puts(&b, "u,1\n");
    expect_refused(b.data, &wide,
                   "line 2: column 1 (\"note\"): more than 1000 different values, texts: \"t0000\" "
                   "(line 2), \"t0001\" (line 3), \"t0002\" (line 4)");
    expect_refused(b.data, &csv, "at most 64 categories (data.max_categories)");
    buf_clear(&b);
    append_rows(&b, "19%02d-01-31", 99);
    expect_refused(b.data, &csv, "more than 64 different values, dates: \"1900-01-31\" (line 1)");
    expect_refused(b.data, &csv, "data.ignore: [1]");
    buf_clear(&b);
    for (int i = 0; i <= 1001; i++)
        buf_printf(&b, "1,c%d\n", i);
    expect_refused(b.data, &csv, "column 2 is the target and has more than 1000 different texts");
    buf_finish(&b);
}

static void test_following_file(void **state)
{
    struct table_columns *columns = NULL;
    struct table t;
    read_text("x,colour,y\n1,red,no\n2,blue,yes\n", &csv, &columns, &t);
    table_finish(&t);
    read_text("x,colour,y\n5,red,yes\n,,no\n", &csv, &columns, &t);
    assert_true(t.count == 2 && t.shape.dim[0] == 3 && t.class_names == 2);
    assert_string_equal(t.class_name[1], "yes");
    assert_true(value_at(&t, 0, 0) == 5 && value_at(&t, 0, 1) == 0 && value_at(&t, 0, 2) == 1);
    assert_true(isnan(value_at(&t, 1, 0)) && isnan(value_at(&t, 1, 1)) &&
                isnan(value_at(&t, 1, 2)));
    assert_true(t.targets[0] == 1 && t.targets[1] == 0);
    table_finish(&t);
    /* without a header, and with more blank lines than rows */
    read_text("\n\n7,blue,no\n\n", &csv, &columns, &t);
    assert_true(t.count == 1 && value_at(&t, 0, 0) == 7 && value_at(&t, 0, 1) == 1);
    table_finish(&t);
    table_columns_destroy(columns);
}

static void test_following_file_refused(void **state)
{
    static const char training[] = "x,colour,y\n1,red,no\n2,blue,yes\n";
    expect_next_refused(
        training, "x,colour,y\n1,red,no\n2,green,no\n", &csv,
        "t.csv, line 3: column 2 (\"colour\"): got \"green\"; allowed: what the training "
        "file has, \"blue\", \"red\"");
    expect_next_refused(
        training, "1,red,maybe\n", &csv,
        "line 1: column 3 (\"y\"): got \"maybe\"; allowed: what the training file has");
    expect_next_refused(training, "1,red,\n", &csv, "column 3 (\"y\"): got nothing");
    expect_next_refused(training, "1,red,no\nmany,red,no\n", &csv,
                        "line 2: column 1 (\"x\"): got \"many\"; allowed: a number");
    expect_next_refused(training, "x,y\n1,2\n", &csv,
                        "line 1: 2 columns; allowed: 3, as in the training");
    expect_next_refused(
        training, "x,y,colour\n1,no,red\n", &csv,
        "line 1: column 2 is named \"y\"; allowed: \"colour\", as in the training file");
    expect_next_refused(training, "x,colour,y\n", &csv, "no rows of data");
    expect_next_refused(training, "1,red,no\n1,red\n", &csv, "line 2: 2 fields; allowed: 3");
    expect_next_refused("a,1\nb,2\nc,3\nd,4\ne,5\nf,6\n", "g,1\n", &csv,
                        "\"a\", \"b\", \"c\", \"d\", \"e\", … (6)");
    expect_next_refused("1,2\n", "1,inf\n", &csv,
                        "column 2: got \"inf\"; allowed: a finite number as target");
}

/* A row of 2^20 fields is read, one more is too many. */
static void test_widest_row(void **state)
{
    struct buf b = {0};
    struct table_columns *columns = NULL;
    struct table t;
    for (int i = 1; i < 1 << 20; i++)
        buf_puts(&b, "1,");
    buf_puts(&b, "2");
    read_text(b.data, &csv, &columns, &t);
    assert_true(t.count == 1 && t.shape.dim[0] == (1 << 20) - 1 && t.targets[0] == 2);
    table_finish(&t);
    table_columns_destroy(columns);
    buf_puts(&b, ",3");
    expect_refused(b.data, &csv, "line 1: more than 1048576 fields");
    buf_finish(&b);
}

/* The values of a small text may not take more than is allowed. */
static void test_memory_is_checked_first(void **state)
{
    struct buf b = {0};
    struct text t;
    struct table out = {0};
    struct table_columns *columns = NULL;
    struct errbuf err = {0};
    const struct spec_data wide = {.format = FORMAT_CSV, .max_categories = 1000};
    append_rows(&b, "t%d", 1000);
    assert_int_equal(text_decode("t.csv", b.data, b.len, &t, NULL), 0);
    t.values_max_bytes = 4000 * 1000;
    assert_int_equal(csv_decode(&t, &wide, &columns, &out, &err), ERR_LIMIT);
    expect_words(&err, "t.csv: 1000 samples of 1000 features need");
    assert_true(!columns && !out.values);
    t.values_max_bytes = 4000 * 1000 + 8 * 1000;
    assert_int_equal(csv_decode(&t, &wide, &columns, &out, &err), 0);
    table_finish(&out);
    table_columns_destroy(columns);
    text_finish(&t);
    buf_finish(&b);
}

/* Doubles of all sizes come back as (float)strtod of what was written. */
static void test_values_are_exact(void **state)
{
    enum { ROWS_COUNT = 500, COLUMNS = 7 };
    struct rng r;
    struct buf b = {0};
    struct table_columns *columns = NULL;
    struct table t;
    double want[ROWS_COUNT][COLUMNS];
    char number[64];
    rng_init(&r, 2, RNG_TEST, 0);
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        for (size_t k = 0; k < COLUMNS; k++) {
            double x = ldexp((double)rng_next(&r) - 0x1p63, -(int)rng_below(&r, 120));
            snprintf(number, sizeof number, "%.*g", 1 + (int)rng_below(&r, 18), x);
            want[i][k] = strtod(number, NULL);
            buf_printf(&b, "%s%s", number, k + 1 < COLUMNS ? "," : "\n");
        }
    }
    read_text(b.data, &csv, &columns, &t);
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        for (size_t k = 0; k + 1 < COLUMNS; k++)
            assert_true(value_at(&t, i, k) == (float)want[i][k]);
        assert_true(t.targets[i] == want[i][COLUMNS - 1]);
    }
    table_finish(&t);
    table_columns_destroy(columns);
    buf_finish(&b);
}

static void expect_file(const char *path, const char *words)
{
    struct table_columns *columns = NULL;
    struct table t;
    struct errbuf err = {0};
    int rc = csv_read(path, &csv, &columns, &t, &err);
    if (words) {
        assert_true(rc < 0 && !columns);
        expect_words(&err, words);
        return;
    }
    assert_int_equal(rc, 0);
    assert_true(t.count == 3000 && value_at(&t, 2999, 0) == 2999);
    table_finish(&t);
    table_columns_destroy(columns);
}

static void test_files(void **state)
{
    struct folder f;
    struct buf b = {0};
    unsigned char packed[65536];
    char path[128];
    folder_init(&f);
    append_rows(&b, "%d", 3000);
    snprintf(path, sizeof path, "%s/a.csv", f.data);
    expect_file(path, "a.csv: No such file or directory");
    expect_file(f.data, "not a regular file");
    folder_write(&f, "a.csv", b.data, b.len);
    expect_file(path, NULL);
    size_t half = folder_gzip(b.data, b.len / 2, packed, sizeof packed);
    size_t len = half + folder_gzip(b.data + b.len / 2, b.len - b.len / 2, packed + half,
                                    sizeof packed - half);
    folder_write(&f, "a.csv", packed, len); /* two members */
    expect_file(path, NULL);
    for (size_t cut = 2; cut < len; cut += cut < half ? 101 : 977) {
        folder_write(&f, "a.csv", packed, cut);
        expect_file(path, cut == half ? NULL : "the gzip data ends too early (truncated file)");
    }
    packed[len - 5] ^= 1;
    folder_write(&f, "a.csv", packed, len);
    expect_file(path, "a.csv: damaged gzip data");
    packed[len - 5] ^= 1;
    memset(packed + len, 'x', 3);
    folder_write(&f, "a.csv", packed, len + 3);
    expect_file(path, "a.csv: 3 bytes after the end of the gzip data");
    buf_finish(&b);
    folder_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_target_refused),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_quotes_refused),
        cmocka_unit_test(test_shape_refused),
        cmocka_unit_test(test_nul_and_long_paths),
        cmocka_unit_test(test_text_is_shown_safely),
        cmocka_unit_test(test_categories),
        cmocka_unit_test(test_text_among_numbers),
        cmocka_unit_test(test_too_many_categories),
        cmocka_unit_test(test_following_file),
        cmocka_unit_test(test_following_file_refused),
        cmocka_unit_test(test_widest_row),
        cmocka_unit_test(test_memory_is_checked_first),
        cmocka_unit_test(test_values_are_exact),
        cmocka_unit_test(test_files),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
