/* Bytes of a text file → UTF-8 whose lines end with LF or CRLF. */
#ifndef SWEEP_ENCODING_H
#define SWEEP_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

struct errbuf;

#define ENCODING_NAME_MAX 32

struct text_origin {
    char encoding[ENCODING_NAME_MAX]; /* "UTF-8", "Windows-1252", … */
    bool cr_lines;                    /* a carriage return alone ended its lines */
};

/* bytes: from xmalloc, *len of them and room for one more; replaced where they are another
 * encoding. A byte order mark is believed and goes; without one, a NUL in every second of the
 * first bytes says UTF-16. Bytes that are no UTF-8 anywhere are taken for Chinese, Korean or
 * Japanese text where nearly all of them are its common characters (GB 18030, CP949, Shift JIS),
 * else for Windows-1252. Where there is no LF, CR becomes one. */
struct text_origin text_to_utf8(char **bytes, size_t *len);
/* The same; what is neither marked nor UTF-8 is in the encoding of that name, as iconv(3) has them;
 * "": as above. ERR_VALUE: no such encoding is known here; ERR_DATA: bytes that it does not have,
 * with the line. On an error the bytes are as they were. */
int text_from_encoding(const char *name, char **bytes, size_t *len, struct text_origin *out,
                       struct errbuf *err);

#endif
