#include "client/page/list.h"

#include <stdlib.h>
#include <string.h>

#include "client/page/html.h"
#include "client/plot/svg.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define COLUMNS_MAX 12

static bool names_a_run(const char *key)
{
    return strcmp(key, "run_id") == 0 || strcmp(key, "parent_id") == 0;
}

static void add_cell(const struct page_list *l, const struct page_column *c,
                     const struct json *row, struct buf *out)
{
    long long run = names_a_run(c->key) ? (long long)member_int(row, c->key, 0) : 0;
    if (l->linked && run > 0) {
        buf_printf(out, "<td class=\"n\"><a href=\"/run/%lld\">%lld</a></td>", run, run);
        return;
    }
    char *text = render_member(row, c->key, c->format);
    html_cell(out, text);
    free(text);
}

void page_list(const struct page_list *l, const struct json *rows, struct buf *out)
{
    const char *titles[COLUMNS_MAX];
    if (json_first(rows) == NULL)
        return;
    REQUIRE(l->count <= COLUMNS_MAX);
    for (size_t i = 0; i < l->count; i++)
        titles[i] = word_in(l->language, l->columns[i].title);
    html_element(out, l->top ? "h2" : "h3", word_in(l->language, l->head));
    html_table(out, word_in(l->language, l->head), titles, l->count);
    for (const struct json *v = json_first(rows); v != NULL; v = json_next(v)) {
        html_row(out);
        for (size_t i = 0; i < l->count; i++)
            add_cell(l, &l->columns[i], v, out);
        html_row_end(out);
    }
    html_table_end(out);
}

void page_some_facts(const struct page_list *l, const struct json *object, struct buf *out)
{
    for (size_t i = 0; i < l->count; i++) {
        char *value = render_member(object, l->columns[i].key, l->columns[i].format);
        html_fact(out, word_in(l->language, l->columns[i].title),
                  strcmp(value, "-") == 0 ? "" : value);
        free(value);
    }
}

void page_facts(const struct page_list *l, const struct json *object, struct buf *out)
{
    buf_puts(out, "<dl class=\"facts\">\n");
    page_some_facts(l, object, out);
    buf_puts(out, "</dl>\n");
}
