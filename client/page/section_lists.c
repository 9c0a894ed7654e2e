/* Lists of a sweep as the daemon has them, each a table where there is something in it. */
#include <stdlib.h>

#include "client/page/html.h"
#include "client/page/section.h"
#include "client/render.h"
#include "sweep/json.h"
#include "sweep/require.h"

struct list_column {
    enum word title;
    const char *key;
    enum cell_format format;
};

static void add_list(const struct section *s, enum word head, const char *member,
                     const struct list_column *columns, size_t count)
{
    const struct json *list = json_get(s->sweep->show, member);
    enum word titles[12];
    if (json_first(list) == NULL)
        return;
    REQUIRE(count <= ARRAY_LEN(titles));
    for (size_t i = 0; i < count; i++)
        titles[i] = columns[i].title;
    section_head(s, head);
    section_table(s, head, titles, count);
    for (const struct json *v = json_first(list); v != NULL; v = json_next(v)) {
        html_row(s->out);
        for (size_t i = 0; i < count; i++) {
            char *text = render_member(v, columns[i].key, columns[i].format);
            html_cell(s->out, text);
            free(text);
        }
        html_row_end(s->out);
    }
    html_table_end(s->out);
}

void section_configurations(const struct section *s)
{
    static const struct list_column columns[] = {
        {WORD_BEST_RUN, "run_id", CELL_NUMBER}, {WORD_SEEDS, "repetitions", CELL_COUNT},
        {WORD_MEAN, "mean", CELL_LOSS},         {WORD_SPREAD, "spread", CELL_LOSS},
        {WORD_SETTING, "params", CELL_PARAMS},
    };
    add_list(s, WORD_CONFIGURATIONS, "configurations", columns, ARRAY_LEN(columns));
}

void section_lists(const struct section *s)
{
    static const struct list_column stopping[] = {
        {WORD_RULE, "rule", CELL_TEXT},
        {WORD_RUNS, "stopped", CELL_COUNT},
        {WORD_EPOCHS_SAVED, "epochs_saved", CELL_COUNT},
        {WORD_AUDITED, "audited", CELL_COUNT},
        {WORD_WRONG, "wrong", CELL_COUNT},
    };
    static const struct list_column edits[] = {
        {WORD_KIND, "kind", CELL_TEXT},       {WORD_SETTING, "setting", CELL_TEXT},
        {WORD_FROM, "from", CELL_NUMBER},     {WORD_TO, "to", CELL_NUMBER},
        {WORD_GUIDE, "guide_ref", CELL_TEXT}, {WORD_WHY, "sentence", CELL_TEXT},
    };
    static const struct list_column findings[] = {
        {WORD_KIND, "kind", CELL_TEXT},
        {WORD_RUNS, "count", CELL_COUNT},
        {WORD_WHY, "text", CELL_TEXT},
    };
    add_list(s, WORD_STOPPING, "stopping", stopping, ARRAY_LEN(stopping));
    add_list(s, WORD_EDITS, "range_edits", edits, ARRAY_LEN(edits));
    add_list(s, WORD_FINDINGS, "findings", findings, ARRAY_LEN(findings));
}
