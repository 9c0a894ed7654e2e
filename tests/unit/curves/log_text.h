/* A format's reader, and what it read as text that a test can compare. */
#ifndef TESTS_UNIT_CURVES_LOG_TEXT_H
#define TESTS_UNIT_CURVES_LOG_TEXT_H

#include <stddef.h>

#include "common/curves/format.h"
#include "sweep/err.h"

/* The format among all that says the bytes are its own, first in the table's order; NULL: none.
 * Delimited text is not asked. */
const struct curve_format *format_of(const char *bytes, size_t len);
const char *format_name(const struct curve_format *f);

/* Titles, then the rows, a line each: cells with six digits, "-" for nothing, '|' between. NULL:
 * the file was refused, err says why. The caller frees. */
char *log_text(const char *bytes, size_t len, struct errbuf *err);

/* The format of that name reads the bytes as that text. */
void expect_log(const char *format, const char *bytes, size_t len, const char *expected);
void expect_text(const char *format, const char *text, const char *expected);
/* It refuses them, and the message has that part. */
void expect_refusal(const char *bytes, size_t len, int code, const char *part);

#endif
