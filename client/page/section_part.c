/* What the parts of a section share. */
#include <stdio.h>

#include "client/page/html.h"
#include "client/page/section.h"
#include "sweep/require.h"

#define TITLES_MAX 16
#define NOTE_MAX 400 /* bytes */

const char *section_word(const struct section *s, enum word w)
{
    return word_in(s->page->language, w);
}

void section_head(const struct section *s, enum word w)
{
    html_element(s->out, "h3", section_word(s, w));
}

void section_table(const struct section *s, enum word caption, const enum word *titles,
                   size_t count)
{
    const char *names[TITLES_MAX];
    REQUIRE(count <= ARRAY_LEN(names));
    for (size_t i = 0; i < count; i++)
        names[i] = section_word(s, titles[i]);
    html_table(s->out, section_word(s, caption), names, count);
}

void section_note(const struct section *s, enum word w, size_t some, size_t all)
{
    char text[NOTE_MAX];
    snprintf(text, sizeof text, section_word(s, w), some, all);
    buf_printf(s->out, "<p class=\"soft\">%s</p>\n", text);
}

void section_run(const struct section *s, int64_t id)
{
    if (s->page->linked)
        buf_printf(s->out, "<a href=\"/run/%lld\">%lld</a>", (long long)id, (long long)id);
    else
        buf_printf(s->out, "%lld", (long long)id);
}

void section_run_cell(const struct section *s, int64_t id)
{
    buf_puts(s->out, "<td class=\"n\">");
    if (id != 0)
        section_run(s, id);
    else
        buf_puts(s->out, "–");
    buf_puts(s->out, "</td>");
}
