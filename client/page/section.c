/* One sweep of a report: what was found, what was wrong, why it was decided so. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/human.h"
#include "client/page/html.h"
#include "client/page/list.h"
#include "client/page/page.h"
#include "client/page/section.h"
#include "client/plot/plot.h"
#include "client/plot/svg.h"
#include "client/render.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define BEST_MAX 30
#define DECISIONS_LISTED 200

/* --- what it is --------------------------------------------------------------------------------
 */

static void add_facts(const struct section *s)
{
    static const struct page_column rows[] = {
        {WORD_STATUS, "status", CELL_TEXT},  {WORD_REASON, "reason", CELL_TEXT},
        {WORD_METHOD, "method", CELL_TEXT},  {WORD_METRIC, "metric", CELL_TEXT},
        {WORD_BEST, "best", CELL_LOSS},      {WORD_BEST_RUN, "best_run", CELL_NUMBER},
        {WORD_RUNS, "runs", CELL_COUNT},     {WORD_DONE, "done", CELL_COUNT},
        {WORD_FAILED, "failed", CELL_COUNT}, {WORD_STARTED, "started_at", CELL_TEXT},
        {WORD_ENDED, "ended_at", CELL_TEXT},
    };
    const struct page_list l = {.language = s->page->language, .columns = rows,
                                .count = ARRAY_LEN(rows)};
    double seconds = 0;
    char text[HUMAN_MAX];
    for (size_t i = 0; i < s->sweep->study.run_count; i++)
        seconds += isfinite(s->sweep->study.runs[i].seconds) ? s->sweep->study.runs[i].seconds : 0;
    buf_puts(s->out, "<dl class=\"facts\">\n");
    page_some_facts(&l, json_get(s->sweep->show, "sweep"), s->out);
    html_fact(s->out, section_word(s, WORD_TRAINED), human_duration(seconds, text));
    buf_puts(s->out, "</dl>\n");
}

/* What no run has the values for is named, not shown empty. */
static void add_charts(const struct section *s)
{
    struct buf chart = {0}, missing = {0};
    const struct plot_options o = {.language = s->page->language};
    section_head(s, WORD_CHARTS);
    buf_puts(s->out, "<div class=\"charts\">\n");
    for (int k = 0; k < PLOT_COUNT; k++) {
        const struct study *study = &s->sweep->study;
        const char *title = section_word(s, plot_title((enum plot_kind)k, study));
        buf_clear(&chart);
        if (!plot_draw((enum plot_kind)k, study, &o, &chart)) {
            buf_puts(&missing, missing.len > 0 ? ", " : "");
            buf_puts(&missing, title);
            continue;
        }
        html_chart_begin(s->out, "", title);
        buf_append(s->out, chart.data, chart.len);
        html_chart_end(s->out, section_word(s, plot_says((enum plot_kind)k, study)));
    }
    buf_puts(s->out, "</div>\n");
    if (missing.len > 0)
        buf_printf(s->out, "<p class=\"soft\">%s %s</p>\n", section_word(s, WORD_NOT_DRAWN),
                   missing.data);
    buf_finish(&chart);
    buf_finish(&missing);
}

/* Shown by the script. */
static void add_explorer(const struct section *s)
{
    long long id = (long long)s->sweep->study.id;
    buf_printf(s->out,
               "<section hidden data-keep id=\"explorer-%lld\">"
               "<h3>%s</h3>\n"
               "<div class=\"explore\" id=\"explore-%lld\"></div></section>\n",
               id, section_word(s, WORD_EXPLORE), id);
}

/* --- the best ----------------------------------------------------------------------------------
 */

static void add_values(const struct section *s, const struct study_run *r)
{
    const struct study *study = &s->sweep->study;
    for (size_t i = 0; i < study->parameter_count; i++) {
        const struct study_parameter *p = &study->parameters[i];
        if (p->choice_count > 0 && isfinite(r->values[i]))
            html_cell(s->out, p->choices[(size_t)r->values[i]]);
        else
            html_number(s->out, r->values[i]);
    }
}

static int better_first(const void *a, const void *b, void *arg)
{
    const struct study_run *x = *(const struct study_run *const *)a;
    const struct study_run *y = *(const struct study_run *const *)b;
    int order = study_better(arg, y->metric, x->metric) - study_better(arg, x->metric, y->metric);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static void best_titles(const struct section *s)
{
    const struct study *study = &s->sweep->study;
    size_t n = 0;
    const char **titles =
        xmalloc((study->parameter_count + study->objective_count + 4) * sizeof *titles);
    titles[n++] = section_word(s, WORD_RUN);
    titles[n++] = "#";
    titles[n++] = study->metric;
    for (size_t i = 1; i < study->objective_count; i++)
        titles[n++] = study->objectives[i].name;
    titles[n++] = section_word(s, WORD_LABEL);
    for (size_t i = 0; i < study->parameter_count; i++)
        titles[n++] = study->parameters[i].name;
    html_table(s->out, section_word(s, WORD_BEST_RUNS), titles, n);
    free(titles);
}

static void add_best(const struct section *s)
{
    const struct study *study = &s->sweep->study;
    const struct study_run **v = xmalloc((study->run_count + 1) * sizeof *v);
    char text[HUMAN_MAX];
    size_t n = 0;
    for (size_t i = 0; i < study->run_count; i++)
        if (isfinite(study->runs[i].metric))
            v[n++] = &study->runs[i];
    qsort_r(v, n, sizeof *v, better_first, (void *)(uintptr_t)study);
    if (n > 0) {
        section_head(s, WORD_BEST_RUNS);
        best_titles(s);
        for (size_t i = 0; i < n && i < BEST_MAX; i++) {
            html_row(s->out);
            section_run_cell(s, v[i]->id);
            html_number(s->out, (double)v[i]->number);
            buf_printf(s->out, "<td class=\"n\">%s</td>", human_loss(v[i]->metric, text));
            for (size_t k = 1; k < study->objective_count; k++)
                html_number(s->out, v[i]->objectives[k]);
            html_cell(s->out, pattern_name(v[i]->pattern));
            add_values(s, v[i]);
            html_row_end(s->out);
        }
        html_table_end(s->out);
        if (n > BEST_MAX)
            section_note(s, WORD_FIRST_OF, BEST_MAX, n);
        buf_printf(s->out, "<p>%s: <code>sweepctl best %lld --spec</code></p>\n",
                   section_word(s, WORD_AGAIN), (long long)study->id);
    }
    free(v);
}

/* --- why ---------------------------------------------------------------------------------------
 */

/* What was decided how often, in which stage, and why the first time. */
static void add_groups(const struct section *s)
{
    static const enum word titles[] = {WORD_STAGE, WORD_KIND, WORD_TIMES, WORD_FIRST_RUN,
                                       WORD_WHY};
    char text[HUMAN_MAX];
    section_table(s, WORD_DECISIONS, titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < s->sweep->groups.count; i++) {
        const struct decision_group *g = &s->sweep->groups.v[i];
        html_row(s->out);
        html_cell(s->out, *g->stage != '\0' ? g->stage : "–");
        html_cell(s->out, g->kind);
        buf_printf(s->out, "<td class=\"n\">%s</td>", human_count(g->times, text));
        section_run_cell(s, g->run);
        html_cell(s->out, g->reason);
        html_row_end(s->out);
    }
    html_table_end(s->out);
}

static void add_decisions(const struct section *s)
{
    static const enum word titles[] = {WORD_KIND, WORD_RUN, WORD_WHY};
    size_t n = s->sweep->decision_count;
    if (n == 0)
        return;
    section_head(s, WORD_DECISIONS);
    add_groups(s);
    buf_printf(s->out, "<details><summary>%s: %zu</summary>\n", section_word(s, WORD_EACH),
               s->sweep->decisions_all);
    section_table(s, WORD_DECISIONS, titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < n && i < DECISIONS_LISTED; i++) {
        const struct page_decision *d = &s->sweep->decisions[i];
        html_row(s->out);
        html_cell(s->out, d->kind);
        section_run_cell(s, d->run);
        html_cell(s->out, d->reason);
        html_row_end(s->out);
    }
    html_table_end(s->out);
    if (s->sweep->decisions_all > n || n > DECISIONS_LISTED)
        section_note(s, WORD_FIRST_OF, n < DECISIONS_LISTED ? n : DECISIONS_LISTED,
                     s->sweep->decisions_all);
    buf_puts(s->out, "</details>\n");
}

static void add_thinning(const struct section *s)
{
    const struct study *study = &s->sweep->study;
    size_t with = 0;
    for (size_t i = 0; i < study->run_count; i++)
        with += study->runs[i].curve.count > 0;
    if (with < study->run_count && with > 0)
        section_note(s, WORD_CURVES_OF, with, study->run_count);
}

void page_section(const struct page *p, const struct page_sweep *sweep, struct buf *out)
{
    const struct section s = {p, sweep, out};
    buf_printf(out, "<section id=\"sweep-%lld\">\n<h2>%s %lld ", (long long)sweep->study.id,
               section_word(&s, WORD_SWEEP), (long long)sweep->study.id);
    svg_escape_cut(out, sweep->study.name, 300);
    buf_puts(out, "</h2>\n");
    add_facts(&s);
    if (sweep->study.run_count == 0)
        html_element(out, "p", section_word(&s, WORD_NO_RUNS));
    section_patterns(&s);
    section_front(&s);
    add_best(&s);
    section_configurations(&s);
    add_charts(&s);
    add_thinning(&s);
    add_explorer(&s);
    section_treatments(&s);
    section_failures(&s);
    section_lists(&s);
    add_decisions(&s);
    buf_puts(out, "</section>\n");
}
