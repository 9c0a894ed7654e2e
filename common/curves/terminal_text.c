#include "sweep/terminal_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/require.h"

size_t terminal_escape(const char *text, size_t len)
{
    size_t n = 1;
    if (n < len && text[n] == '[')
        for (n++; n < len && !isalpha((unsigned char)text[n]) && (unsigned char)text[n] >= ' '; n++)
            continue;
    return n < len ? n + 1 : len;
}

size_t terminal_state(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && text[n] != '\r' && text[n] != '\b')
        n++;
    return n;
}

bool terminal_has_bar(const char *text)
{
    static const char *const marks[] = {"\xe2\x94\x81" /* ━ */, "\xe2\x96\x88" /* █ */, "it/s",
                                        "s/it", "/step", "[=", "[>", "[.", "ETA:", "%|"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strstr(text, marks[i]))
            return true;
    return false;
}

bool terminal_cut_bar(char *text)
{
    static const char *const marks[] = {"%|", "% |", "% \xe2\x94\x81", "% \xe2\x96\x88",
                                        "% \xe2\x95\xb8" /* ╸ */, "% \xe2\x94\x80" /* ─ */};
    char *bar = NULL;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        char *at = strstr(text, marks[i]);
        bar = at && (!bar || at < bar) ? at : bar;
    }
    if (!bar)
        return false;
    while (bar > text && isdigit((unsigned char)bar[-1]))
        bar--;
    bool partial = strtoul(bar, NULL, 10) < 100;
    while (bar > text && (bar[-1] == ' ' || bar[-1] == ':'))
        bar--;
    *bar = '\0';
    return partial;
}

bool terminal_add_cell(struct terminal_cells *c, const char *from, const char *to)
{
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    if (c->count == TERMINAL_CELLS_MAX)
        return false;
    c->list[c->count++] = (struct terminal_cell){from, (size_t)(to - from)};
    return true;
}

bool terminal_cut_cells(const char *line, size_t blanks, struct terminal_cells *out)
{
    out->count = 0;
    for (const char *p = line; *(p += strspn(p, " \t"));) {
        const char *end = p;
        size_t gap = 0;
        while (*end && *end != '\t' && gap < blanks) {
            gap = strspn(end, " ");
            end += gap > 0 ? gap : 1;
        }
        if (!terminal_add_cell(out, p, end))
            return false;
        p = end;
    }
    return true;
}
