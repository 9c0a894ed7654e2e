/* What was wrong: labels with examples, treatments beside their parents, failures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/page/html.h"
#include "client/page/section.h"
#include "client/plot/mini.h"
#include "client/plot/svg.h"
#include "client/render.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define EXAMPLES_MAX 3 /* of a label */
#define PAIRS_MAX 12   /* treatments that are drawn */
#define FAILURES_MAX 100

/* --- labels ------------------------------------------------------------------------------------
 */

/* One with a curve, the best of them. */
static const struct study_run *example_of(const struct study *s, enum pattern p)
{
    const struct study_run *found = NULL;
    for (size_t i = 0; i < s->run_count; i++) {
        const struct study_run *r = &s->runs[i];
        if (r->pattern == p && r->curve.count > 1 &&
            (found == NULL || study_better(s, r->metric, found->metric)))
            found = r;
    }
    return found;
}

static void add_examples(const struct section *s, enum pattern p)
{
    const struct study *study = &s->sweep->study;
    const struct study_run *drawn = example_of(study, p);
    size_t listed = 0;
    buf_puts(s->out, "<td>");
    for (size_t i = 0; i < study->run_count && listed < EXAMPLES_MAX; i++) {
        if (study->runs[i].pattern != p)
            continue;
        buf_puts(s->out, listed++ > 0 ? ", " : "");
        section_run(s, study->runs[i].id);
    }
    if (drawn != NULL) {
        char *head = xasprintf("%s %lld", section_word(s, WORD_RUN), (long long)drawn->id);
        buf_puts(s->out, "<div class=\"mini\">");
        plot_mini(drawn, head, s->page->language, s->out);
        buf_puts(s->out, "</div>");
        free(head);
    }
    buf_puts(s->out, "</td>");
}

static void add_pattern(const struct section *s, enum pattern p, size_t runs)
{
    const struct pattern_info *info = pattern_info(p);
    bool zh = s->page->language == LANGUAGE_ZH;
    const char *guide = zh ? info->guide_remedies_zh : info->guide_remedies;
    const char *ours = zh ? info->our_remedies_zh : info->our_remedies;
    char *remedies = xasprintf("%s%s%s", guide, *guide != '\0' && *ours != '\0' ? "; " : "", ours);
    html_row(s->out);
    html_cell(s->out, pattern_name(p));
    html_number(s->out, (double)runs);
    html_cell(s->out, info->guide_ref != NULL ? info->guide_ref : "");
    html_cell(s->out, zh ? info->look_zh : info->look);
    html_cell(s->out, zh ? info->says_zh : info->says);
    html_cell(s->out, remedies);
    add_examples(s, p);
    html_row_end(s->out);
    free(remedies);
}

void section_patterns(const struct section *s)
{
    static const enum word titles[] = {WORD_LABEL, WORD_RUNS,     WORD_GUIDE,   WORD_LOOKS,
                                       WORD_SAYS,  WORD_REMEDIES, WORD_EXAMPLES};
    size_t counts[PATTERN_COUNT] = {0}, all = 0, most = 0;
    for (size_t i = 0; i < s->sweep->study.run_count; i++) {
        if (s->sweep->study.runs[i].pattern == PATTERN_NONE)
            continue;
        size_t n = ++counts[s->sweep->study.runs[i].pattern];
        most = n > most ? n : most;
        all++;
    }
    if (all == 0)
        return;
    section_head(s, WORD_PATTERNS);
    section_table(s, WORD_PATTERNS, titles, ARRAY_LEN(titles));
    for (size_t n = most; n > 0; n--) /* the commonest first */
        for (int p = 0; p < PATTERN_COUNT; p++)
            if (counts[p] == n)
                add_pattern(s, (enum pattern)p, n);
    html_table_end(s->out);
}

/* --- treatments --------------------------------------------------------------------------------
 */

static const struct study_run *run_of(const struct study *s, int64_t id)
{
    for (size_t i = 0; i < s->run_count; i++)
        if (s->runs[i].id == id)
            return &s->runs[i];
    return NULL;
}

static void add_pair(const struct section *s, const struct json *t)
{
    const struct study *study = &s->sweep->study;
    const int64_t ids[] = {member_int(t, "parent_id", 0), member_int(t, "run_id", 0)};
    static const enum word words[] = {WORD_PARENT, WORD_CHILD};
    buf_puts(s->out, "<td><div class=\"pair\">");
    for (size_t i = 0; i < 2; i++) {
        const struct study_run *r = run_of(study, ids[i]);
        if (r == NULL)
            continue;
        char *head = xasprintf("%s %lld: %s", section_word(s, words[i]), (long long)ids[i],
                               pattern_name(r->pattern));
        plot_mini(r, head, s->page->language, s->out);
        free(head);
    }
    buf_puts(s->out, "</div></td>");
}

static void add_treatment(const struct section *s, const struct json *t, bool drawn)
{
    static const struct {
        const char *key;
        enum cell_format format;
    } cells[] = {{"pattern", CELL_TEXT},   {"cause", CELL_TEXT}, {"remedy", CELL_TEXT},
                 {"guide_ref", CELL_TEXT}, {"label", CELL_TEXT}, {"metric_value", CELL_LOSS},
                 {"change", CELL_PERCENT}};
    const struct json *cured = json_get(t, "cured");
    html_row(s->out);
    section_run_cell(s, member_int(t, "run_id", 0));
    section_run_cell(s, member_int(t, "parent_id", 0));
    for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
        char *text = render_member(t, cells[i].key, cells[i].format);
        html_cell(s->out, text);
        free(text);
    }
    html_cell(s->out, cured == NULL || json_type(cured) == JSON_NULL ? "–"
                      : member_real(t, "cured", 0) != 0              ? section_word(s, WORD_YES)
                                                                     : section_word(s, WORD_NO));
    if (drawn)
        add_pair(s, t);
    else
        html_cell(s->out, "");
    html_row_end(s->out);
}

void section_treatments(const struct section *s)
{
    static const enum word titles[] = {WORD_CHILD,  WORD_PARENT, WORD_LABEL, WORD_CAUSE,
                                       WORD_REMEDY, WORD_GUIDE,  WORD_LABEL, WORD_METRIC,
                                       WORD_CHANGE, WORD_CURED,  WORD_CURVES};
    const struct json *list = json_get(s->sweep->show, "treatments");
    size_t n = 0;
    if (json_first(list) == NULL)
        return;
    section_head(s, WORD_TREATMENTS);
    section_table(s, WORD_TREATMENTS, titles, ARRAY_LEN(titles));
    for (const struct json *t = json_first(list); t != NULL; t = json_next(t), n++)
        add_treatment(s, t, n < PAIRS_MAX);
    html_table_end(s->out);
}

/* --- failures ----------------------------------------------------------------------------------
 */

void section_failures(const struct section *s)
{
    static const enum word titles[] = {WORD_RUN, WORD_STATUS, WORD_LAST_WORDS};
    const struct study *study = &s->sweep->study;
    size_t all = 0, listed = 0;
    for (size_t i = 0; i < study->run_count; i++)
        all += study->runs[i].status == RUN_FAILED;
    if (all == 0)
        return;
    section_head(s, WORD_FAILURES);
    section_table(s, WORD_FAILURES, titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < study->run_count && listed < FAILURES_MAX; i++) {
        const struct study_run *r = &study->runs[i];
        if (r->status != RUN_FAILED)
            continue;
        html_row(s->out);
        section_run_cell(s, r->id);
        html_cell(s->out, run_status_name(r->status));
        html_cell(s->out, r->why);
        html_row_end(s->out);
        listed++;
    }
    html_table_end(s->out);
    if (all > listed)
        section_note(s, WORD_FIRST_OF, listed, all);
}
