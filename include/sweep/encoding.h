/* Bytes of a text file → UTF-8 whose lines end with LF or CRLF. */
#ifndef SWEEP_ENCODING_H
#define SWEEP_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

enum encoding { ENCODING_UTF_8, ENCODING_UTF_16LE, ENCODING_UTF_16BE, ENCODING_WINDOWS_1252 };

struct text_origin {
    enum encoding encoding;
    bool cr_lines; /* a carriage return alone ended its lines */
};

/* bytes: from xmalloc, *len of them and room for one more; replaced where they are another
 * encoding. A byte order mark is believed and goes; without one, a NUL in every second of the
 * first bytes says UTF-16. Bytes that are no UTF-8 anywhere are taken for Windows-1252. Where there
 * is no LF, CR becomes one. */
struct text_origin text_to_utf8(char **bytes, size_t *len);
const char *encoding_name(enum encoding e);

#endif
