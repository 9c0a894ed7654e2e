#include "sweep/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/text.h"

#define LOOK_BYTES 512 /* for UTF-16 without a mark */
#define REPLACEMENT 0xFFFD
#define PAIRS_LEAST 3
#define HANGUL_LEAST 8

enum encoding {
    ENCODING_UTF_8,
    ENCODING_UTF_16LE,
    ENCODING_UTF_16BE,
    ENCODING_WINDOWS_1252, /* or none of these */
};

static const char *const names[] = {
    [ENCODING_UTF_8] = "UTF-8", [ENCODING_UTF_16LE] = "UTF-16 (little-endian)",
    [ENCODING_UTF_16BE] = "UTF-16 (big-endian)", [ENCODING_WINDOWS_1252] = "Windows-1252"};

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

/* Damaged, too, where most of what is not ASCII is UTF-8: in other encodings a few bytes are by
 * chance. */
static bool is_utf8(const char *p, size_t len)
{
    const char *end = p + len;
    size_t good = 0, bad = 0;
    while (p < end) {
        uint64_t word;
        if (end - p >= 8 && (memcpy(&word, p, 8), (word & 0x8080808080808080u) == 0)) {
            p += 8;
            continue;
        }
        size_t n = text_utf8_length(p, (size_t)(end - p));
        good += n > 1;
        bad += n == 0;
        p += n > 0 ? n : 1;
    }
    return good >= bad;
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

/* --- other encodings -------------------------------------------------------------------------- */

/* NULL, and where it stands: bytes that the encoding does not have. Else the text, *len bytes of
 * it, and room for one more. */
static char *convert(iconv_t cd, const char *bytes, size_t *len, size_t *bad)
{
    char *in = (char *)bytes, block[4096];
    size_t left = *len, n;
    struct buf out = {0};
    bool last; /* what the conversion holds back */
    buf_reserve(&out, left + left / 2 + 1);
    do {
        char *to = block;
        size_t room = sizeof(block);
        last = left == 0;
        n = iconv(cd, last ? NULL : &in, &left, &to, &room);
        buf_append(&out, block, (size_t)(to - block));
        if (n == (size_t)-1 && errno != E2BIG) {
            *bad = (size_t)(in - bytes);
            buf_finish(&out);
            return NULL;
        }
    } while (!last || n == (size_t)-1);
    *len = out.len;
    return buf_take(&out);
}

/* Pairs of a byte from 0x81 on and the one behind it, which most characters of East Asia are. */
struct pairs {
    size_t all, hanzi, hangul, kana, marks;
};

static bool within(unsigned char c, unsigned char low, unsigned char high)
{
    return c >= low && c <= high;
}

static struct pairs count_pairs(const char *bytes, size_t len)
{
    const unsigned char *p = (const unsigned char *)bytes, *end = p + len;
    struct pairs n = {0};
    for (; p < end; p++) {
        if (*p < 0x81)
            continue;
        unsigned char lead = *p, trail = p + 1 < end ? *++p : 0;
        bool high = trail >= 0xA1;
        n.all++;
        n.hanzi += high && within(lead, 0xB0, 0xD7);  /* GB 2312, level 1 */
        n.hangul += high && within(lead, 0xB0, 0xC8); /* KS X 1001 */
        n.marks += high && within(lead, 0xA1, 0xA3);  /* of both */
        n.kana += (lead == 0x82 && within(trail, 0x9F, 0xF1)) ||
                  (lead == 0x83 && within(trail, 0x40, 0x96));
    }
    return n;
}

/* As names for iconv, or NULL. What Korean text does not have is most of Chinese; kana are a part
 * of Japanese, and what they are is nearly nothing in others. */
static const char *of_east_asia(const char *bytes, size_t len)
{
    struct pairs n = count_pairs(bytes, len);
    size_t most = n.all - n.all / 5;
    if (n.all < PAIRS_LEAST)
        return NULL;
    if (n.kana >= PAIRS_LEAST && n.kana >= n.all / 4)
        return "CP932";
    if (n.hangul >= HANGUL_LEAST && n.hangul + n.marks >= most && n.hangul == n.hanzi)
        return "CP949";
    return n.hanzi + n.marks >= most && n.hanzi > 0 ? "GB18030" : NULL;
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

static void become(char **bytes, size_t *len, char *other, size_t other_len)
{
    free(*bytes);
    *bytes = other;
    *len = other_len;
}

static void from_own(enum encoding e, size_t mark, char **bytes, size_t *len)
{
    struct buf out = {0};
    const char *text = *bytes + mark;
    size_t left = *len - mark;
    if (e == ENCODING_UTF_8) {
        if (mark > 0)
            memmove(*bytes, text, left);
        *len = left;
        return;
    }
    if (e == ENCODING_WINDOWS_1252) {
        buf_reserve(&out, left + left / 8 + 1);
        from_1252(&out, text, left);
    } else {
        buf_reserve(&out, left / 2 + 1);
        from_utf16(&out, text, left, e == ENCODING_UTF_16BE);
    }
    size_t n = out.len;
    become(bytes, len, buf_take(&out), n);
}

/* Whether all of it was in that encoding, and is UTF-8 now. */
static bool from_named(const char *name, char **bytes, size_t *len, size_t *bad)
{
    iconv_t cd = iconv_open("UTF-8", name);
    size_t n = *len;
    if (cd == (iconv_t)-1)
        return false;
    char *text = convert(cd, *bytes, &n, bad);
    iconv_close(cd);
    if (text)
        become(bytes, len, text, n);
    return text != NULL;
}

static void finish_lines(char **bytes, size_t *len, struct text_origin *o)
{
    join_ends(*bytes, len);
    o->cr_lines = end_lines(*bytes, *len);
}

struct text_origin text_to_utf8(char **bytes, size_t *len)
{
    struct text_origin o = {0};
    size_t mark = 0, bad;
    enum encoding e = *len > 0 ? find(*bytes, *len, &mark) : ENCODING_UTF_8;
    const char *name = e == ENCODING_WINDOWS_1252 ? of_east_asia(*bytes, *len) : NULL;
    if (!name || !from_named(name, bytes, len, &bad)) {
        from_own(e, mark, bytes, len);
        name = names[e];
    }
    str_copy(o.encoding, sizeof(o.encoding), name);
    finish_lines(bytes, len, &o);
    return o;
}

static int fail_bytes(const char *name, const char *bytes, size_t bad, struct errbuf *err)
{
    size_t line = 1;
    for (size_t i = 0; i < bad; i++)
        line += bytes[i] == '\n';
    return err_set(err, ERR_DATA, "line %zu: a byte 0x%02X that %s does not have there", line,
                   (unsigned char)bytes[bad], name);
}

int text_from_encoding(const char *name, char **bytes, size_t *len, struct text_origin *out,
                       struct errbuf *err)
{
    size_t mark = 0, bad = SIZE_MAX;
    if (!name[0] || *len == 0 || find(*bytes, *len, &mark) != ENCODING_WINDOWS_1252) {
        *out = text_to_utf8(bytes, len);
        return 0;
    }
    if (!from_named(name, bytes, len, &bad))
        return bad != SIZE_MAX
                   ? fail_bytes(name, *bytes, bad, err)
                   : err_bad(err, ERR_VALUE, "encoding", name, "a name that `iconv --list` prints "
                             "on this machine, such as GB18030 or SHIFT_JIS");
    *out = (struct text_origin){0};
    str_copy(out->encoding, sizeof(out->encoding), name);
    finish_lines(bytes, len, out);
    return 0;
}
