/* Runs beside each other: their curves in one chart, what they have and what came of it. */
#include <stdlib.h>
#include <string.h>

#include "client/opts.h"
#include "client/page/html.h"
#include "client/plot/gather.h"
#include "client/plot/mini.h"
#include "client/plot/plot.h"
#include "client/plot/svg.h"
#include "client/serve/frame.h"
#include "sweep/require.h"

#define COMPARED_MAX PLOT_OWN_COLOURS
#define NAMES_MAX 512 /* parameters of all of them together */

struct compared {
    int64_t ids[COMPARED_MAX];
    size_t count, asked;
    struct rpc_reply replies[COMPARED_MAX];
    size_t answered;
    struct study study;
};

/* --- which runs --------------------------------------------------------------------------------
 */

static void add_id(struct compared *v, int64_t id)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->ids[i] == id)
            return;
    v->asked++;
    if (v->count < COMPARED_MAX)
        v->ids[v->count++] = id;
}

/* Ids with anything between them: what a person has typed. */
static void add_text(struct compared *v, const char *text)
{
    for (const char *p = text; *p != '\0';) {
        char digits[17];
        int64_t id;
        size_t len = strspn(p, "0123456789");
        if (len > 0 && len < sizeof digits) {
            str_copy(digits, len + 1, p);
            if (opts_positive(digits, &id) == 0)
                add_id(v, id);
        }
        p += len > 0 ? len : 1;
    }
}

static void take_ids(struct compared *v, const struct form *query)
{
    for (size_t i = 0; i < query->count; i++)
        if (strcmp(query->fields[i].name, "run") == 0)
            add_text(v, query->fields[i].value);
}

static bool ask(struct desk *d, struct compared *v)
{
    const struct gather_runs runs = {v->ids, v->count};
    for (; v->answered < v->count; v->answered++)
        if (client_call_id(&d->client, "run", "run", v->ids[v->answered],
                           &v->replies[v->answered]) != CLIENT_DONE)
            return false;
    return v->count == 0 || study_gather_runs(&d->client, &runs, &v->study) == CLIENT_DONE;
}

/* --- the table ---------------------------------------------------------------------------------
 */

static const struct json *run_of(const struct compared *v, size_t i)
{
    return json_get(v->replies[i].result, "run");
}

/* One line; marked where the runs are not all alike in it. */
static void add_line(const struct desk *d, const char *title, char *const *cells, size_t count,
                     struct buf *out)
{
    bool differs = false;
    for (size_t i = 1; i < count; i++)
        differs = differs || strcmp(cells[i], cells[0]) != 0;
    buf_puts(out, differs ? "<tr class=\"differs\"><th scope=\"row\">" : "<tr><th scope=\"row\">");
    svg_escape_cut(out, title, 100);
    if (differs)
        buf_printf(out, " <span class=\"soft\">(%s)</span>", frame_word(d, WORD_DIFFERS));
    buf_puts(out, "</th>");
    for (size_t i = 0; i < count; i++)
        html_cell(out, cells[i]);
    html_row_end(out);
}

static void add_member(const struct desk *d, const struct compared *v, const char *title,
                       const char *within, const char *key, enum cell_format format,
                       struct buf *out)
{
    char *cells[COMPARED_MAX];
    for (size_t i = 0; i < v->count; i++) {
        const struct json *object = run_of(v, i);
        if (within != NULL)
            object = json_get(object, within);
        cells[i] = render_member(object, key, format);
    }
    add_line(d, title, cells, v->count, out);
    for (size_t i = 0; i < v->count; i++)
        free(cells[i]);
}

/* All names that any of them has within that member, in the order in which they come. */
static size_t names_within(const struct compared *v, const char *member,
                           const char *names[NAMES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++) {
        const struct json *p = json_first(json_get(run_of(v, i), member));
        for (; p != NULL; p = json_next(p)) {
            size_t k = 0;
            while (k < count && strcmp(names[k], json_key(p)) != 0)
                k++;
            if (k == count && count < NAMES_MAX)
                names[count++] = json_key(p);
        }
    }
    return count;
}

static void add_members(const struct desk *d, const struct compared *v, const char *member,
                        struct buf *out)
{
    const char *names[NAMES_MAX];
    size_t count = names_within(v, member, names);
    for (size_t i = 0; i < count; i++)
        add_member(d, v, names[i], member, names[i], CELL_TEXT, out);
}

static void add_table(const struct desk *d, const struct compared *v, struct buf *out)
{
    static const struct {
        enum word title;
        const char *key;
        enum cell_format format;
    } rows[] = {
        {WORD_SWEEP, "sweep_id", CELL_NUMBER},  {WORD_STATUS, "status", CELL_TEXT},
        {WORD_METRIC, "metric", CELL_TEXT},     {WORD_BEST, "metric_value", CELL_LOSS},
        {WORD_LABEL, "label", CELL_TEXT},       {WORD_CAUSE, "cause", CELL_TEXT},
        {WORD_REMEDY, "treated_with", CELL_TEXT}, {WORD_EPOCH, "epochs_done", CELL_NUMBER},
        {WORD_SECONDS, "seconds", CELL_DURATION},
    };
    buf_printf(out,
               "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">\n<table>"
               "<caption>%s</caption><thead><tr><th scope=\"col\">%s</th>",
               frame_word(d, WORD_COMPARE), frame_word(d, WORD_COMPARE), frame_word(d, WORD_RUN));
    for (size_t i = 0; i < v->count; i++)
        buf_printf(out, "<th scope=\"col\"><a href=\"/run/%lld\">%lld</a></th>",
                   (long long)v->ids[i], (long long)v->ids[i]);
    buf_puts(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        add_member(d, v, frame_word(d, rows[i].title), NULL, rows[i].key, rows[i].format, out);
    add_members(d, v, "objectives", out);
    add_members(d, v, "params", out);
    html_table_end(out);
}

/* --- the charts --------------------------------------------------------------------------------
 */

static void add_charts(const struct desk *d, const struct compared *v, struct buf *out)
{
    const struct plot_options o = {.language = d->site->language, .each = true};
    html_chart_begin(out, " class=\"each\"", frame_word(d, WORD_CURVES));
    (void)plot_draw(PLOT_curves, &v->study, &o, out);
    html_chart_end(out, frame_word(d, WORD_CURVES_EACH_SAYS));
    buf_puts(out, "<div class=\"minis\">\n");
    for (size_t i = 0; i < v->study.run_count; i++) {
        const struct study_run *r = &v->study.runs[i];
        char *head = xasprintf("%s %lld: %s", frame_word(d, WORD_RUN), (long long)r->id,
                               pattern_name(r->pattern));
        if (r->curve.count > 0)
            buf_puts(out, "<figure>\n");
        plot_mini(r, head, d->site->language, out);
        buf_puts(out, r->curve.count > 0 ? "</figure>\n" : "");
        free(head);
    }
    buf_puts(out, "</div>\n");
}

static void add_form(const struct desk *d, const struct compared *v, struct buf *out)
{
    buf_printf(out, "<form action=\"/compare\" class=\"fields\"><label>%s <input name=\"run\" "
                    "inputmode=\"numeric\" value=\"",
               frame_word(d, WORD_RUNS));
    for (size_t i = 0; i < v->count; i++)
        buf_printf(out, "%s%lld", i > 0 ? " " : "", (long long)v->ids[i]);
    buf_puts(out, "\"></label> ");
    frame_button(d->site, out, WORD_COMPARE);
    buf_puts(out, "</form>\n");
    html_element(out, "p", frame_word(d, WORD_COMPARE_SAYS));
}

static void write_page(const struct desk *d, const struct compared *v, struct answer *a)
{
    char text[200];
    frame_begin(d->site, a, &(struct frame){.title = WORD_COMPARE, .live = v->count > 0});
    add_form(d, v, &a->body);
    if (v->asked > v->count) {
        snprintf(text, sizeof text, frame_word(d, WORD_TOO_MANY), v->count, v->asked);
        html_element(&a->body, "p", text);
    }
    if (v->count > 0) {
        add_charts(d, v, &a->body);
        add_table(d, v, &a->body);
    }
    frame_end(a, NULL);
}

void page_compare(struct desk *d, const struct request *r, struct answer *a)
{
    struct compared *v = xcalloc(1, sizeof *v);
    take_ids(v, &r->query);
    if (ask(d, v))
        write_page(d, v, a);
    else
        frame_failed(d, a);
    for (size_t i = 0; i < v->answered; i++)
        rpc_reply_finish(&v->replies[i]);
    study_finish(&v->study);
    free(v);
}
