#include "client/page/page.h"

#include "client/page/html.h"
#include "client/plot/svg.h"

/* All that the page may do: run its own scripts, by their sums, and have its own style. */
static void add_policy(struct buf *out, const struct buf *style)
{
    buf_puts(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "base-uri 'none'; form-action 'none'; style-src ");
    html_hash(out, style->data, style->len);
    buf_puts(out, "; script-src ");
    html_hash(out, page_script.text, page_script.len);
    if (page_library.len > 0) {
        buf_puts(out, " ");
        html_hash(out, page_library.text, page_library.len);
    }
    buf_puts(out, "\">\n");
}

static void add_head(const struct page *p, struct buf *out)
{
    struct buf style = {0};
    buf_append(&style, page_style.text, page_style.len);
    svg_style(&style);
    buf_printf(out, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
               p->language == LANGUAGE_ZH ? "zh-Hans" : "en");
    add_policy(out, &style);
    buf_puts(out, "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    buf_puts(out, word_in(p->language, WORD_REPORT));
    for (size_t i = 0; i < p->count; i++) {
        buf_puts(out, i == 0 ? ": " : ", ");
        svg_escape_cut(out, p->sweeps[i].study.name, 60);
    }
    buf_puts(out, "</title>\n<style>");
    buf_append(out, style.data, style.len);
    buf_puts(out, "</style>\n</head>\n");
    buf_finish(&style);
}

static void add_contents(const struct page *p, struct buf *out)
{
    buf_printf(out, "<nav aria-label=\"%s\"><ul>\n", word_in(p->language, WORD_SWEEPS));
    for (size_t i = 0; i < p->count; i++) {
        buf_printf(out, "<li><a href=\"#sweep-%lld\">%s %lld ", (long long)p->sweeps[i].study.id,
                   word_in(p->language, WORD_SWEEP), (long long)p->sweeps[i].study.id);
        svg_escape_cut(out, p->sweeps[i].study.name, 200);
        buf_puts(out, "</a></li>\n");
    }
    buf_puts(out, "</ul></nav>\n");
}

void page_probe(struct buf *out)
{
    buf_puts(out, "<svg class=\"chart probe\" width=\"0\" height=\"0\" aria-hidden=\"true\">");
    for (int i = PATTERN_NONE; i < PATTERN_COUNT; i++)
        buf_printf(out, "<rect class=\"%s\" width=\"0\" height=\"0\"/>",
                   svg_pattern_class((enum pattern)i));
    buf_puts(out, "</svg>\n");
}

void page_write(const struct page *p, struct buf *out)
{
    add_head(p, out);
    buf_printf(out, "<body>\n<a class=\"skip\" href=\"#main\">%s</a>\n<header><h1>%s</h1>\n",
               word_in(p->language, WORD_SKIP), word_in(p->language, WORD_REPORT));
    buf_printf(out, "<p class=\"soft\">%s %s UTC</p>\n", word_in(p->language, WORD_MADE_AT),
               p->made_at);
    add_contents(p, out);
    buf_puts(out, "</header>\n<main id=\"main\">\n");
    for (size_t i = 0; i < p->count; i++)
        page_section(p, &p->sweeps[i], out);
    buf_puts(out, "</main>\n");
    page_probe(out);
    buf_puts(out, "<script type=\"application/json\" id=\"data\">");
    page_data(p, out);
    buf_puts(out, "</script>\n");
    if (page_library.len > 0) {
        buf_puts(out, "<script>");
        buf_append(out, page_library.text, page_library.len);
        buf_puts(out, "</script>\n");
    }
    buf_puts(out, "<script>");
    buf_append(out, page_script.text, page_script.len);
    buf_puts(out, "</script>\n</body>\n</html>\n");
}
