/* Lists of a sweep as the daemon has them, each a table where there is something in it. */
#include "client/page/list.h"
#include "client/page/section.h"
#include "sweep/json.h"
#include "sweep/require.h"

static void add_list(const struct section *s, enum word head, const char *member,
                     const struct page_column *columns, size_t count)
{
    const struct page_list l = {s->page->language, s->page->linked, head, columns, count};
    page_list(&l, json_get(s->sweep->show, member), s->out);
}

void section_configurations(const struct section *s)
{
    static const struct page_column columns[] = {
        {WORD_BEST_RUN, "run_id", CELL_NUMBER}, {WORD_SEEDS, "repetitions", CELL_COUNT},
        {WORD_MEAN, "mean", CELL_LOSS},         {WORD_SPREAD, "spread", CELL_LOSS},
        {WORD_SETTING, "params", CELL_PARAMS},
    };
    add_list(s, WORD_CONFIGURATIONS, "configurations", columns, ARRAY_LEN(columns));
}

void section_lists(const struct section *s)
{
    static const struct page_column stopping[] = {
        {WORD_RULE, "rule", CELL_TEXT},
        {WORD_RUNS, "stopped", CELL_COUNT},
        {WORD_EPOCHS_SAVED, "epochs_saved", CELL_COUNT},
        {WORD_AUDITED, "audited", CELL_COUNT},
        {WORD_WRONG, "wrong", CELL_COUNT},
    };
    static const struct page_column edits[] = {
        {WORD_KIND, "kind", CELL_TEXT},       {WORD_SETTING, "setting", CELL_TEXT},
        {WORD_FROM, "from", CELL_NUMBER},     {WORD_TO, "to", CELL_NUMBER},
        {WORD_GUIDE, "guide_ref", CELL_TEXT}, {WORD_WHY, "sentence", CELL_TEXT},
    };
    static const struct page_column findings[] = {
        {WORD_KIND, "kind", CELL_TEXT},
        {WORD_RUNS, "count", CELL_COUNT},
        {WORD_WHY, "text", CELL_TEXT},
    };
    add_list(s, WORD_STOPPING, "stopping", stopping, ARRAY_LEN(stopping));
    add_list(s, WORD_EDITS, "range_edits", edits, ARRAY_LEN(edits));
    add_list(s, WORD_FINDINGS, "findings", findings, ARRAY_LEN(findings));
}
