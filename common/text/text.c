#include "sweep/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sweep/err.h"

#define SHOW_BYTES 40  /* of the text that text_show shows */
#define PATH_BYTES 160 /* of the path in a message */

size_t text_utf8_length(const char *bytes, size_t len)
{
    /* first byte from..to, second byte from..to, bytes in all */
    static const unsigned char forms[][5] = {
        {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    const unsigned char *p = (const unsigned char *)bytes;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const unsigned char *f = forms[i];
        if (p[0] < f[0] || p[0] > f[1])
            continue;
        if (len < f[4] || (f[4] > 1 && (p[1] < f[2] || p[1] > f[3])))
            return 0;
        for (size_t k = 2; k < f[4]; k++) {
            if ((p[k] & 0xC0) != 0x80)
                return 0;
        }
        return f[4];
    }
    return 0;
}

/* C0, DEL, and the C1 controls that some terminals obey. */
static int is_control(const char *p, size_t n)
{
    unsigned char first = (unsigned char)p[0];
    return n == 1 ? first < 0x20 || first == 0x7F
                  : n == 2 && first == 0xC2 && (unsigned char)p[1] < 0xA0;
}

const char *text_show(char out[TEXT_SHOW_MAX], const char *bytes, size_t len)
{
    size_t at = 0, i = 0;
    out[at++] = '"';
    while (i < len && i < SHOW_BYTES) {
        size_t n = text_utf8_length(bytes + i, len - i);
        if (n == 0 || is_control(bytes + i, n)) {
            at += (size_t)snprintf(out + at, TEXT_SHOW_MAX - at, "\\x%02x",
                                   (unsigned)(unsigned char)bytes[i++]);
            continue;
        }
        memcpy(out + at, bytes + i, n);
        at += n;
        i += n;
    }
    snprintf(out + at, TEXT_SHOW_MAX - at, i < len ? "…\"" : "\"");
    return out;
}

/* The end of a path that is too long for a message. */
static const char *path_tail(const char *path)
{
    size_t len = strlen(path), from = len > PATH_BYTES ? len - PATH_BYTES : 0;
    while (from > 0 && ((unsigned char)path[from] & 0xC0) == 0x80)
        from++;
    return path + from;
}

int text_fail(const struct text *t, size_t line, struct errbuf *err, int code, const char *fmt, ...)
{
    char what[sizeof err->message], where[32] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (line > 0)
        snprintf(where, sizeof where, ", line %zu", line);
    const char *tail = path_tail(t->path);
    return err_set(err, code, "%s%s%s: %s", tail == t->path ? "" : "…", tail, where, what);
}
