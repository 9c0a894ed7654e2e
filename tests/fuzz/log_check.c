#include "log_check.h"

#include <string.h>

#include "sweep/err.h"
#include "sweep/require.h"

static void check_title(const char *title)
{
    size_t len = strlen(title);
    REQUIRE(len <= 512);
    for (size_t i = 0; i < len; i++)
        REQUIRE((unsigned char)title[i] >= 0x20 && title[i] != 0x7f);
}

static void check_rows(const struct training_log *l)
{
    size_t columns = training_log_columns(l), cells = 0;
    REQUIRE(training_log_rows(l) <= LOG_ROWS_MAX && columns <= LOG_COLUMNS_MAX);
    for (size_t c = 0; c < columns; c++)
        check_title(training_log_title(l, c));
    for (size_t r = 0; r < training_log_rows(l); r++)
        for (size_t c = 0; c < columns && cells < 10000; c++, cells++) {
            double number = 42;
            const char *text = NULL;
            enum log_cell_kind kind = training_log_cell(l, r, c, &number, &text);
            REQUIRE(kind != LOG_TEXT || strlen(text) < SIZE_MAX);
            REQUIRE(training_log_where(l, r) > 0);
        }
}

void check_log(const struct curve_format *format, const void *bytes, size_t len)
{
    struct curve_bytes in = {"fuzz", bytes ? bytes : "", len};
    struct errbuf err = {0};
    struct training_log *l = training_log_create();
    format->is(&in);
    int rc = format->read(&in, l, &err);
    if (rc != 0)
        REQUIRE(rc < 0 && err.code == rc && strlen(err.message) > 0);
    check_rows(l);
    training_log_destroy(l);
}
