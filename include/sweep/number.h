/* Decimal numbers in text, exact and independent of the locale. */
#ifndef SWEEP_NUMBER_H
#define SWEEP_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* [+-](digits[.digits] | .digits)[e[+-]digits], or [+-]nan, inf, infinity in any case; nothing
 * before or behind it. The byte after s[len - 1] must be there, and none that could go on with a
 * number (a delimiter, blank, quote or NUL). */
bool number_is(const char *s, size_t len);
/* Rounded correctly to the nearest double (beyond the largest: ±inf, as IEEE 754 rounds); false
 * and out untouched when it is no number. */
bool number_parse(const char *s, size_t len, double *out);
/* The same, sooner where all bytes before `limit` may be read: s lies in a longer text. */
bool number_parse_in(const char *s, size_t len, const char *limit, double *out);

#endif
