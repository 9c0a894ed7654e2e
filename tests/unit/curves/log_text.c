#include "log_text.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/require.h"

static const struct {
    const char *name;
    const struct curve_format *format;
} formats[] = {
#define X(name) {#name, &curve_format_##name},
    CURVE_FORMAT_MAP(X)
#undef X
};

const struct curve_format *format_of(const char *bytes, size_t len)
{
    struct curve_bytes in = {"x", bytes, len};
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (strcmp(formats[i].name, "delimited") != 0 && formats[i].format->is(&in))
            return formats[i].format;
    return NULL;
}

const char *format_name(const struct curve_format *f)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (formats[i].format == f)
            return formats[i].name;
    return "none";
}

static void put_cell(struct buf *out, const struct training_log *l, size_t row, size_t column)
{
    double number = 0;
    const char *text = "";
    switch (training_log_cell(l, row, column, &number, &text)) {
    case LOG_NOTHING:
        buf_putc(out, '-');
        break;
    case LOG_NUMBER:
        buf_printf(out, "%.6g", number);
        break;
    case LOG_TEXT:
        buf_printf(out, "'%s'", text);
        break;
    }
}

static char *text_of(const struct training_log *l)
{
    struct buf out = {0};
    for (size_t c = 0; c < training_log_columns(l); c++)
        buf_printf(&out, "%s%s", c ? "|" : "", training_log_title(l, c));
    buf_putc(&out, '\n');
    for (size_t r = 0; r < training_log_rows(l); r++) {
        for (size_t c = 0; c < training_log_columns(l); c++) {
            buf_puts(&out, c ? "|" : "");
            put_cell(&out, l, r, c);
        }
        buf_putc(&out, '\n');
    }
    return buf_take(&out);
}

char *log_text(const char *bytes, size_t len, struct errbuf *err)
{
    const struct curve_format *format = format_of(bytes, len);
    struct curve_bytes in = {"x", bytes, len};
    struct training_log *l = training_log_create();
    char *text = NULL;
    if (!format)
        err_set(err, ERR_PARSE, "no format");
    else if (format->read(&in, l, err) == 0)
        text = text_of(l);
    training_log_destroy(l);
    return text;
}

void expect_log(const char *format, const char *bytes, size_t len, const char *expected)
{
    struct errbuf err = {0};
    assert_string_equal(format_name(format_of(bytes, len)), format);
    char *text = log_text(bytes, len, &err);
    assert_string_equal(text ? text : err.message, expected);
    free(text);
}

void expect_text(const char *format, const char *text, const char *expected)
{
    expect_log(format, text, strlen(text), expected);
}

void expect_refusal(const char *bytes, size_t len, int code, const char *part)
{
    struct errbuf err = {0};
    char *text = log_text(bytes, len, &err);
    assert_string_equal(text ? text : "", "");
    assert_int_equal(err.code, code);
    if (!strstr(err.message, part))
        assert_string_equal(err.message, part);
}
