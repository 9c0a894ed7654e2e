#include "client/page/html.h"

#include <math.h>
#include <string.h>

#include "client/human.h"
#include "client/plot/svg.h"
#include "sweep/sha256.h"

#define CELL_CHARACTERS 2000
#define LONG_BYTES 40 /* a text that wants room */

void html_element(struct buf *out, const char *tag, const char *text)
{
    buf_printf(out, "<%s>", tag);
    svg_escape_cut(out, text, CELL_CHARACTERS);
    buf_printf(out, "</%s>\n", tag);
}

void html_table(struct buf *out, const char *caption, const char *const *titles, size_t count)
{
    buf_puts(out, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"");
    svg_escape(out, caption);
    buf_puts(out, "\">\n<table><caption>");
    svg_escape(out, caption);
    buf_puts(out, "</caption>\n<thead><tr>");
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, "<th scope=\"col\">");
        svg_escape_cut(out, titles[i], CELL_CHARACTERS);
        buf_puts(out, "</th>");
    }
    buf_puts(out, "</tr></thead>\n<tbody>\n");
}

void html_chart_begin(struct buf *out, const char *attributes, const char *name)
{
    buf_printf(out, "<figure%s>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"",
               attributes);
    svg_escape(out, name);
    buf_puts(out, "\">\n");
}

void html_chart_end(struct buf *out, const char *says)
{
    buf_puts(out, "</div>\n");
    html_element(out, "figcaption", says);
    buf_puts(out, "</figure>\n");
}

void html_table_end(struct buf *out)
{
    buf_puts(out, "</tbody></table></div>\n");
}

void html_row(struct buf *out)
{
    buf_puts(out, "<tr>");
}

void html_row_end(struct buf *out)
{
    buf_puts(out, "</tr>\n");
}

void html_cell(struct buf *out, const char *text)
{
    buf_puts(out, strlen(text) > LONG_BYTES ? "<td class=\"long\">" : "<td>");
    svg_escape_cut(out, text, CELL_CHARACTERS);
    buf_puts(out, "</td>");
}

void html_number(struct buf *out, double v)
{
    char text[HUMAN_MAX];
    buf_printf(out, "<td class=\"n\">%s</td>", isnan(v) ? "–" : human_number(v, text));
}

void html_fact(struct buf *out, const char *name, const char *value)
{
    if (*value == '\0')
        return;
    buf_puts(out, strlen(value) > LONG_BYTES ? "<div class=\"long\"><dt>" : "<div><dt>");
    svg_escape(out, name);
    buf_puts(out, "</dt><dd>");
    svg_escape_cut(out, value, CELL_CHARACTERS);
    buf_puts(out, "</dd></div>\n");
}

void html_base64(struct buf *out, const void *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = bytes;
    buf_reserve(out, len / 3 * 4 + 4);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)b[i] << 16 | (i + 1 < len ? (uint32_t)b[i + 1] << 8 : 0) |
                     (i + 2 < len ? b[i + 2] : 0);
        buf_putc(out, digits[v >> 18]);
        buf_putc(out, digits[v >> 12 & 63]);
        buf_putc(out, i + 1 < len ? digits[v >> 6 & 63] : '=');
        buf_putc(out, i + 2 < len ? digits[v & 63] : '=');
    }
}

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

void html_hash(struct buf *out, const void *text, size_t len)
{
    struct sha256 sum;
    char hex[65];
    unsigned char raw[32];
    sha256_init(&sum);
    sha256_add(&sum, text, len);
    sha256_hex(&sum, hex);
    for (size_t i = 0; i < sizeof raw; i++)
        raw[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    buf_puts(out, "'sha256-");
    html_base64(out, raw, sizeof raw);
    buf_puts(out, "'");
}
