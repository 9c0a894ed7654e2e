/* One run: what it is, its curve, its label and why, what can be done, what it wrote. */
#include <stdlib.h>
#include <string.h>

#include "client/page/html.h"
#include "client/page/list.h"
#include "client/plot/gather.h"
#include "client/plot/plot.h"
#include "client/plot/svg.h"
#include "client/report.h"
#include "client/serve/frame.h"
#include "sweep/require.h"
#include "sweep/run.h"

#define LOG_CHARACTERS 20000

/* What is known of it, as the daemon answers. */
struct known {
    struct rpc_reply run, explained, log;
    struct study study;
};

static bool ask(struct desk *d, int64_t id, struct known *k)
{
    struct client *c = &d->client;
    const struct gather_runs one = {&id, 1};
    if (client_call_id(c, "run", "run", id, &k->run) != CLIENT_DONE)
        return false;
    if (client_call_id(c, "explain", "run", id, &k->explained) != CLIENT_DONE)
        goto no_explanation;
    if (client_call_id(c, "log", "run", id, &k->log) != CLIENT_DONE)
        goto no_log;
    if (study_gather_runs(c, &one, &k->study) == CLIENT_DONE)
        return true;
    rpc_reply_finish(&k->log);
no_log:
    rpc_reply_finish(&k->explained);
no_explanation:
    rpc_reply_finish(&k->run);
    return false;
}

static void forget(struct known *k)
{
    study_finish(&k->study);
    rpc_reply_finish(&k->log);
    rpc_reply_finish(&k->explained);
    rpc_reply_finish(&k->run);
}

static bool has_ended(const struct json *run)
{
    int status = run_status_find(member_string(run, "status", ""));
    return status >= 0 && run_status_terminal((enum run_status)status);
}

/* --- what can be done --------------------------------------------------------------------------
 */

static void add_treat(const struct desk *d, int64_t id, const struct json *remedies,
                      struct buf *out)
{
    html_element(out, "p", frame_word(d, WORD_TREAT_SAYS));
    frame_form(d->site, out, &(struct frame_form){"/run", id, "treat", "treat"});
    buf_printf(out, "<label>%s <select name=\"remedy\">", frame_word(d, WORD_REMEDY));
    for (const struct json *v = json_first(remedies); v != NULL; v = json_next(v)) {
        buf_puts(out, "<option value=\"");
        svg_escape(out, member_string(v, "remedy", ""));
        buf_puts(out, "\">");
        svg_escape_cut(out, member_string(v, "remedy", ""), 60);
        buf_puts(out, ": ");
        svg_escape_cut(out, member_string(v, "does", ""), 100);
        buf_puts(out, "</option>");
    }
    buf_puts(out, "</select></label> ");
    frame_button(d->site, out, WORD_TREAT);
    frame_form_end(out);
}

static void add_ways(const struct desk *d, const struct json *run, struct buf *out)
{
    long long id = (long long)member_int(run, "id", 0),
              sweep = (long long)member_int(run, "sweep_id", 0),
              parent = (long long)member_int(run, "parent_id", 0);
    buf_printf(out, "<div class=\"actions\"><a href=\"/sweep/%lld\">%s %lld ", sweep,
               frame_word(d, WORD_SWEEP), sweep);
    svg_escape_cut(out, member_string(run, "sweep_name", ""), 120);
    buf_puts(out, "</a>\n");
    if (parent > 0)
        buf_printf(out, "<a href=\"/compare?run=%lld&amp;run=%lld\">%s: %lld, %lld</a>\n", parent,
                   id, frame_word(d, WORD_COMPARE), parent, id);
    if (!has_ended(run))
        frame_action(d->site, out, &(struct frame_form){"/run", id, "cancel", NULL}, WORD_CANCEL);
    buf_puts(out, "</div>\n");
}

/* --- what it is --------------------------------------------------------------------------------
 */

static void add_facts(const struct desk *d, const struct json *run, struct buf *out)
{
    static const struct page_column rows[] = {
        {WORD_STATUS, "status", CELL_TEXT},       {WORD_REASON, "reason", CELL_TEXT},
        {WORD_STAGE, "stage", CELL_TEXT},         {WORD_METRIC, "metric", CELL_TEXT},
        {WORD_BEST, "metric_value", CELL_LOSS},   {WORD_VAL_LOSS, "val_loss", CELL_LOSS},
        {WORD_EPOCH, "epochs_done", CELL_NUMBER}, {WORD_STOPPING, "stop_reason", CELL_TEXT},
        {WORD_FAILED, "error_class", CELL_TEXT},  {WORD_LAST_WORDS, "error_text", CELL_TEXT},
        {WORD_OF_RUN, "parent_id", CELL_NUMBER},  {WORD_REMEDY, "treated_with", CELL_TEXT},
        {WORD_CURED, "cured", CELL_YES},          {WORD_CHANGE, "change", CELL_PERCENT},
        {WORD_SECONDS, "seconds", CELL_DURATION}, {WORD_STARTED, "started_at", CELL_TEXT},
        {WORD_ENDED, "ended_at", CELL_TEXT},
    };
    const struct page_list l = {
        .language = d->site->language, .columns = rows, .count = ARRAY_LEN(rows)};
    page_facts(&l, run, out);
}

/* Names and values: its parameters, or what it came to in each of several objectives. */
static void add_pairs(const struct desk *d, const struct json *pairs, enum word head,
                      struct buf *out)
{
    if (json_first(pairs) == NULL)
        return;
    html_element(out, "h2", frame_word(d, head));
    buf_puts(out, "<dl class=\"facts\">\n");
    for (const struct json *v = json_first(pairs); v != NULL; v = json_next(v)) {
        char *value = render_member(pairs, json_key(v), CELL_TEXT);
        html_fact(out, json_key(v), value);
        free(value);
    }
    buf_puts(out, "</dl>\n");
}

static void add_chart(const struct desk *d, const struct study *s, int64_t run, struct buf *out)
{
    const struct plot_options o = {.language = d->site->language, .run = run};
    struct buf chart = {0};
    if (plot_draw(PLOT_curves, s, &o, &chart)) {
        html_chart_begin(out, " id=\"chart\"", frame_word(d, WORD_CURVES));
        buf_append(out, chart.data, chart.len);
        html_chart_end(out, frame_word(d, WORD_CURVES_ONE_SAYS));
    } else { /* live.js looks for it */
        buf_printf(out, "<p id=\"chart\" class=\"soft\">%s</p>\n", frame_word(d, WORD_NO_CURVE));
    }
    buf_finish(&chart);
}

/* --- why ---------------------------------------------------------------------------------------
 */

static void add_label(const struct desk *d, const struct json *label, struct buf *out)
{
    static const struct page_column rows[] = {
        {WORD_LABEL, "pattern", CELL_TEXT},         {WORD_CONFIDENCE, "confidence", CELL_PERCENT},
        {WORD_RUNNER_UP, "runner_up", CELL_TEXT},   {WORD_GUIDE, "guide_ref", CELL_TEXT},
        {WORD_LOOKS, "look", CELL_TEXT},            {WORD_SAYS, "says", CELL_TEXT},
    };
    const struct page_list l = {
        .language = d->site->language, .columns = rows, .count = ARRAY_LEN(rows)};
    const char *sentence = member_string(json_get(label, "evidence"), "sentence", "");
    if (label == NULL || json_type(label) != JSON_OBJECT)
        return;
    html_element(out, "h2", frame_word(d, WORD_LABEL));
    buf_puts(out, "<dl class=\"facts\">\n");
    page_some_facts(&l, label, out);
    html_fact(out, frame_word(d, WORD_EVIDENCE), sentence);
    buf_puts(out, "</dl>\n");
}

static void add_lists(const struct desk *d, const struct json *explained, struct buf *out)
{
    static const struct page_column causes[] = {
        {WORD_CAUSE, "cause", CELL_TEXT},
        {WORD_WEIGHT, "weight", CELL_NUMBER},
        {WORD_GUIDE, "guide_ref", CELL_TEXT},
        {WORD_EVIDENCE, "evidence", CELL_TEXT},
    };
    static const struct page_column remedies[] = {
        {WORD_REMEDY, "remedy", CELL_TEXT},
        {WORD_GUIDE, "guide_ref", CELL_TEXT},
        {WORD_DOES, "does", CELL_TEXT},
    };
    static const struct page_column treatments[] = {
        {WORD_CHILD, "run_id", CELL_NUMBER},  {WORD_LABEL, "pattern", CELL_TEXT},
        {WORD_REMEDY, "remedy", CELL_TEXT},   {WORD_GUIDE, "guide_ref", CELL_TEXT},
        {WORD_STATUS, "status", CELL_TEXT},   {WORD_LABEL, "label", CELL_TEXT},
        {WORD_CHANGE, "change", CELL_PERCENT}, {WORD_CURED, "cured", CELL_YES},
    };
    static const struct page_column decisions[] = {
        {WORD_KIND, "kind", CELL_TEXT},
        {WORD_WHY, "reason", CELL_TEXT},
    };
    const struct {
        enum word head;
        const struct page_column *columns;
        size_t count;
        const struct json *rows;
    } lists[] = {
        {WORD_CAUSES, causes, ARRAY_LEN(causes),
         json_get(json_get(explained, "label"), "causes")},
        {WORD_CAN_BE_DONE, remedies, ARRAY_LEN(remedies), json_get(explained, "remedies")},
        {WORD_TREATMENTS, treatments, ARRAY_LEN(treatments), json_get(explained, "treatments")},
        {WORD_DECIDED, decisions, ARRAY_LEN(decisions), json_get(explained, "decisions")},
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        page_list(&(struct page_list){d->site->language, true, lists[i].head, lists[i].columns,
                                      lists[i].count, true},
                  lists[i].rows, out);
}

static void add_log(const struct desk *d, const struct json *log, struct buf *out)
{
    const char *text = member_string(log, "text", "");
    if (*text == '\0')
        return;
    html_element(out, "h2", frame_word(d, WORD_LOG_TAIL));
    buf_printf(out, "<pre tabindex=\"0\" role=\"region\" aria-label=\"%s\">",
               frame_word(d, WORD_LOG_TAIL));
    svg_escape_cut(out, text, LOG_CHARACTERS);
    buf_puts(out, "</pre>\n");
}

/* --- the page ----------------------------------------------------------------------------------
 */

static void write_page(const struct desk *d, const struct known *k, int64_t id, struct answer *a)
{
    const struct json *run = json_get(k->run.result, "run");
    const struct json *remedies = json_get(k->explained.result, "remedies");
    struct buf *out = &a->body;
    frame_begin(d->site, a,
                &(struct frame){WORD_RUN, id, NULL, !has_ended(run),
                                member_int(run, "sweep_id", 0)});
    add_ways(d, run, out);
    add_facts(d, run, out);
    add_chart(d, &k->study, id, out);
    add_pairs(d, json_get(run, "objectives"), WORD_OBJECTIVES, out);
    add_pairs(d, json_get(run, "params"), WORD_PARAMETERS, out);
    add_label(d, json_get(k->run.result, "label"), out);
    add_lists(d, k->explained.result, out);
    if (has_ended(run) && !report_is_program(run) && json_first(remedies) != NULL)
        add_treat(d, id, remedies, out);
    add_log(d, k->log.result, out);
    frame_end(a, NULL);
}

void page_run(struct desk *d, const struct request *r, struct answer *a)
{
    struct known k;
    if (!ask(d, r->id, &k)) {
        frame_failed(d, a);
        return;
    }
    write_page(d, &k, r->id, a);
    forget(&k);
}
