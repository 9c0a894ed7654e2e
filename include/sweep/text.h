/* Text of numbers and names that came from a file: showing it, and saying what is wrong with a
 * line. */
#ifndef SWEEP_TEXT_H
#define SWEEP_TEXT_H

#include <stddef.h>

#include "sweep/encoding.h"

struct errbuf;

#define TEXT_LINE_MAX ((size_t)64 << 20) /* bytes of a line, or of a row with quoted newlines */
#define TEXT_SHOW_MAX 256                /* bytes of what text_show writes */

struct text {
    char *data; /* len bytes without a NUL, then one; owned */
    size_t len;
    const char *path;        /* for messages; the caller's */
    struct text_origin origin; /* what its bytes were */
    size_t values_max_bytes; /* what may be allocated for the numbers in it */
};

/* bytes in double quotes for a message: shortened, control characters and what is not UTF-8 as
 * \xNN. Returns out. */
const char *text_show(char out[TEXT_SHOW_MAX], const char *bytes, size_t len);
/* Length of the UTF-8 character that bytes[0..len) start with, 0 when they start with none
 * (Unicode 15, table 3-7). len >= 1. */
size_t text_utf8_length(const char *bytes, size_t len);
/* Sets "PATH, line LINE: …" (line 0: only "PATH: …"; a long path loses its beginning, so that the
 * reason is never cut off). Returns code. */
int text_fail(const struct text *t, size_t line, struct errbuf *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
