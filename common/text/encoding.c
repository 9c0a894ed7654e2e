#include "sweep/encoding.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/require.h"
#include "sweep/text.h"

#define LOOK_BYTES 512 /* for UTF-16 without a mark */
#define REPLACEMENT 0xFFFD

const char *encoding_name(enum encoding e)
{
    static const char *const names[] = {
        [ENCODING_UTF_8] = "UTF-8", [ENCODING_UTF_16LE] = "UTF-16 (little-endian)",
        [ENCODING_UTF_16BE] = "UTF-16 (big-endian)", [ENCODING_WINDOWS_1252] = "Windows-1252"};
    REQUIRE((unsigned)e < ARRAY_LEN(names));
    return names[e];
}

static void put_utf8(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_putc(b, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    buf_putc(b, (char)(lead[more] | c >> 6 * more));
    while (more-- > 0)
        buf_putc(b, (char)(0x80 | (c >> 6 * more & 0x3F)));
}

static uint32_t unit(const unsigned char *p, bool big)
{
    return big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static void from_utf16(struct buf *out, const char *bytes, size_t len, bool big)
{
    const unsigned char *p = (const unsigned char *)bytes;
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint32_t c = unit(p + i, big);
        if (c >= 0xD800 && c < 0xE000) {
            uint32_t low = c < 0xDC00 && i + 3 < len ? unit(p + i + 2, big) : 0;
            bool pair = low >= 0xDC00 && low < 0xE000;
            c = pair ? 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00) : REPLACEMENT;
            i += pair ? 2 : 0;
        }
        put_utf8(out, c);
    }
}

/* Windows-1252, as the Encoding Standard has it (whatwg.org, index-windows-1252). */
static void from_1252(struct buf *out, const char *bytes, size_t len)
{
    static const uint16_t high[32] = {
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        put_utf8(out, c >= 0x80 && c < 0xA0 ? high[c - 0x80] : c);
    }
}

/* Text with a character of UTF-8 beyond ASCII is that, damaged or not. */
static bool is_utf8(const char *p, size_t len)
{
    const char *end = p + len;
    bool good = false, bad = false;
    while (p < end) {
        uint64_t word;
        if (end - p >= 8 && (memcpy(&word, p, 8), (word & 0x8080808080808080u) == 0)) {
            p += 8;
            continue;
        }
        size_t n = text_utf8_length(p, (size_t)(end - p));
        good |= n > 1;
        bad |= n == 0;
        p += n > 0 ? n : 1;
    }
    return good || !bad;
}

/* A NUL in every second byte, and none between, as in text that is mostly ASCII. */
static bool looks_utf16(const char *bytes, size_t len, bool big)
{
    size_t n = (len < LOOK_BYTES ? len : LOOK_BYTES) & ~(size_t)1, nul = 0;
    for (size_t i = 0; i < n; i += 2) {
        if (bytes[i + (big ? 1 : 0)] == '\0')
            return false;
        nul += bytes[i + (big ? 0 : 1)] == '\0';
    }
    return n >= 8 && len % 2 == 0 && nul * 4 >= n / 2 * 3;
}

static enum encoding find(const char *bytes, size_t len, size_t *mark)
{
    *mark = 0;
    if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        *mark = 3;
    else if (len >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0))
        *mark = 2;
    if (*mark == 2)
        return bytes[0] == '\xFF' ? ENCODING_UTF_16LE : ENCODING_UTF_16BE;
    if (*mark == 0 && looks_utf16(bytes, len, false))
        return ENCODING_UTF_16LE;
    if (*mark == 0 && looks_utf16(bytes, len, true))
        return ENCODING_UTF_16BE;
    return is_utf8(bytes, len) ? ENCODING_UTF_8 : ENCODING_WINDOWS_1252;
}

static bool end_lines(char *bytes, size_t len)
{
    if (len == 0 || memchr(bytes, '\n', len) || !memchr(bytes, '\r', len))
        return false;
    for (char *p = bytes; (p = memchr(p, '\r', len - (size_t)(p - bytes))) != NULL;)
        *p = '\n';
    return true;
}

/* CR CR LF, where a program wrote CRLF through a stream that ends lines so itself: the CRs go. Told
 * by the first line. */
static void join_ends(char *bytes, size_t *len)
{
    char *lf = *len > 0 ? memchr(bytes, '\n', *len) : NULL;
    size_t used = lf ? (size_t)(lf - bytes) : 0;
    if (used < 2 || lf[-1] != '\r' || lf[-2] != '\r')
        return;
    for (size_t i = used; i < *len; i++) {
        while (bytes[i] == '\n' && used > 0 && bytes[used - 1] == '\r')
            used--;
        bytes[used++] = bytes[i];
    }
    *len = used;
}

struct text_origin text_to_utf8(char **bytes, size_t *len)
{
    struct text_origin o = {.encoding = ENCODING_UTF_8};
    struct buf out = {0};
    size_t mark = 0;
    if (*len > 0)
        o.encoding = find(*bytes, *len, &mark);
    const char *text = *bytes + mark;
    size_t left = *len - mark;
    if (o.encoding == ENCODING_WINDOWS_1252) {
        buf_reserve(&out, left + left / 8 + 1);
        from_1252(&out, text, left);
    } else if (o.encoding != ENCODING_UTF_8) {
        buf_reserve(&out, left / 2 + 1);
        from_utf16(&out, text, left, o.encoding == ENCODING_UTF_16BE);
    } else if (mark > 0) {
        memmove(*bytes, text, left);
        *len = left;
    }
    if (o.encoding != ENCODING_UTF_8) {
        free(*bytes);
        *len = out.len;
        *bytes = buf_take(&out);
    }
    join_ends(*bytes, len);
    o.cr_lines = end_lines(*bytes, *len);
    return o;
}
