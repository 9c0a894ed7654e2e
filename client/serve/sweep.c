/* One sweep: what a report says of it, while it goes on; and what can be done with it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/human.h"
#include "client/page/html.h"
#include "client/page_gather.h"
#include "client/plot/plot.h"
#include "client/plot/svg.h"
#include "client/serve/frame.h"
#include "sweep/require.h"

#define CURVES_MAX 200 /* runs whose curves are on the page */
#define RUNS_SHOWN 200 /* of one page of runs */

/* --- what can be done --------------------------------------------------------------------------
 */

static bool is_open(enum sweep_status s)
{
    return !sweep_status_terminal(s);
}

static void add_controls(const struct desk *d, int64_t id, enum sweep_status s, struct buf *out)
{
    bool rests = s == SWEEP_PAUSED || s == SWEEP_HELD;
    buf_puts(out, "<div class=\"actions\">\n");
    buf_printf(out, "<a href=\"/sweep/%lld/runs\">%s</a>\n", (long long)id,
               frame_word(d, WORD_ALL_RUNS));
    if (is_open(s) && !rests)
        frame_action(d->site, out, &(struct frame_form){"/sweep", id, "pause", NULL}, WORD_PAUSE);
    if (rests)
        frame_action(d->site, out, &(struct frame_form){"/sweep", id, "resume", NULL},
                     WORD_RESUME);
    if (is_open(s)) {
        frame_form(d->site, out, &(struct frame_form){"/sweep", id, "cancel", NULL});
        buf_printf(out, "<label><input type=\"checkbox\" name=\"sure\" value=\"yes\" required> %s"
                        "</label> ",
                   frame_word(d, WORD_CANCEL_SURE));
        frame_button(d->site, out, WORD_CANCEL);
        frame_form_end(out);
    }
    buf_puts(out, "</div>\n");
}

static void add_field(const struct study_parameter *p, size_t i, struct buf *out)
{
    buf_printf(out, "<label for=\"value-%zu\">", i);
    svg_escape_cut(out, p->name, 60);
    buf_puts(out, "</label> ");
    if (p->choice_count == 0)
        buf_printf(out, "<input id=\"value-%zu\" inputmode=\"decimal\" required", i);
    else
        buf_printf(out, "<select id=\"value-%zu\"", i);
    buf_puts(out, " name=\"value.");
    svg_escape(out, p->name);
    buf_puts(out, "\">");
    for (size_t k = 0; k < p->choice_count; k++) {
        buf_puts(out, "<option>");
        svg_escape(out, p->choices[k]);
        buf_puts(out, "</option>");
    }
    buf_puts(out, p->choice_count > 0 ? "</select>\n" : "\n");
}

static void add_enqueue(const struct desk *d, const struct study *s, struct buf *out)
{
    if (s->parameter_count == 0)
        return;
    html_element(out, "h3", frame_word(d, WORD_ENQUEUE));
    frame_form(d->site, out, &(struct frame_form){"/sweep", s->id, "enqueue", "enqueue"});
    for (size_t i = 0; i < s->parameter_count; i++)
        add_field(&s->parameters[i], i, out);
    frame_button(d->site, out, WORD_ENQUEUE_DO);
    frame_form_end(out);
}

/* --- what is under way -------------------------------------------------------------------------
 */

static void loss_cell(struct buf *out, const char *what, double v)
{
    char text[HUMAN_MAX];
    buf_printf(out, "<td class=\"n\" data-%s>%s</td>", what,
               isfinite(v) ? human_loss(v, text) : "–");
}

/* The script writes into its cells what it hears of the run. */
static void add_running(const struct study_run *r, struct buf *out)
{
    const struct study_curve *c = &r->curve;
    char text[HUMAN_MAX];
    buf_printf(out, "<tr data-run=\"%lld\"><td class=\"n\"><a href=\"/run/%lld\">%lld</a></td>",
               (long long)r->id, (long long)r->id, (long long)r->id);
    html_number(out, (double)r->number);
    html_cell(out, r->stage);
    buf_printf(out, "<td class=\"n\"><span data-epoch>%s</span>",
               isfinite(r->epoch) ? human_number(r->epoch, text) : "0");
    buf_printf(out, " / %s</td>", human_number(r->epochs, text));
    loss_cell(out, "train", c->count > 0 ? c->train[c->count - 1] : NAN);
    loss_cell(out, "val", c->count > 0 ? c->val[c->count - 1] : NAN);
    buf_puts(out, "<td data-label>");
    svg_escape(out, r->pattern != PATTERN_NONE ? pattern_name(r->pattern) : "–");
    buf_puts(out, "</td></tr>\n");
}

static void add_under_way(const struct desk *d, const struct study *s, struct buf *out)
{
    static const enum word words[] = {WORD_RUN,        WORD_NUMBER,   WORD_STAGE, WORD_EPOCH,
                                      WORD_TRAIN_LOSS, WORD_VAL_LOSS, WORD_LABEL};
    const char *titles[ARRAY_LEN(words)];
    size_t running = 0;
    for (size_t i = 0; i < s->run_count; i++)
        running += s->runs[i].status == RUN_RUNNING;
    if (running == 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        titles[i] = frame_word(d, words[i]);
    html_element(out, "h2", frame_word(d, WORD_UNDER_WAY));
    html_table(out, frame_word(d, WORD_UNDER_WAY), titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < s->run_count; i++)
        if (s->runs[i].status == RUN_RUNNING)
            add_running(&s->runs[i], out);
    html_table_end(out);
}

/* --- the page ----------------------------------------------------------------------------------
 */

static void write_page(struct desk *d, const struct page_sweep *s, struct answer *a)
{
    const struct page page = {d->site->language, "", s, 1, true};
    int status = sweep_status_find(member_string(json_get(s->show, "sweep"), "status", ""));
    enum sweep_status is = status >= 0 ? (enum sweep_status)status : SWEEP_COMPLETED;
    frame_begin(d->site, a, &(struct frame){WORD_SWEEP, s->study.id, NULL, is_open(is),
                                            s->study.id});
    add_controls(d, s->study.id, is, &a->body);
    buf_puts(&a->body, "<div id=\"under-way\">\n");
    add_under_way(d, &s->study, &a->body);
    buf_puts(&a->body, "</div>\n");
    page_section(&page, s, &a->body);
    if (is_open(is))
        add_enqueue(d, &s->study, &a->body);
    frame_end(a, &page);
}

void page_sweep(struct desk *d, const struct request *r, struct answer *a)
{
    const struct gather_wish wish = {CURVES_MAX, 0};
    struct rpc_reply show;
    struct page_sweep sweep;
    if (page_sweep_gather(&d->client, r->id, &wish, &show, &sweep) != CLIENT_DONE) {
        frame_failed(d, a);
        return;
    }
    write_page(d, &sweep, a);
    page_sweep_finish(&sweep);
    rpc_reply_finish(&show);
}

/* --- one of its charts -------------------------------------------------------------------------
 */

void page_plot(struct desk *d, const struct request *r, struct answer *a)
{
    const char *name = form_get(&r->query, "kind");
    int kind = plot_find(name != NULL ? name : "");
    struct plot_options o = {.language = d->site->language,
                             .standalone = true,
                             .x = form_get(&r->query, "x"),
                             .y = form_get(&r->query, "y")};
    struct rpc_reply show;
    struct study study;
    if (kind < 0) {
        frame_refuse(d->site, a, 404, WORD_NO_PAGE);
        return;
    }
    o.only = kind == PLOT_slice ? o.x : NULL;
    const struct gather_wish wish = {
        plot_info((enum plot_kind)kind)->curves ? CURVES_MAX : 0, 0};
    if (study_gather(&d->client, r->id, &wish, &show, &study) != CLIENT_DONE) {
        frame_failed(d, a);
        return;
    }
    a->type = "image/svg+xml";
    (void)plot_draw((enum plot_kind)kind, &study, &o, &a->body);
    study_finish(&study);
    rpc_reply_finish(&show);
}

/* --- all its runs ------------------------------------------------------------------------------
 */

static void run_row(const struct desk *d, const struct json *run, struct buf *out)
{
    static const struct {
        const char *key;
        enum cell_format format;
    } cells[] = {{"number", CELL_PLACE},       {"stage", CELL_TEXT},    {"status", CELL_TEXT},
                 {"label", CELL_TEXT},         {"cause", CELL_TEXT},    {"metric_value", CELL_LOSS},
                 {"epochs_done", CELL_NUMBER}, {"seconds", CELL_DURATION},
                 {"params", CELL_PARAMS}};
    long long id = (long long)member_int(run, "run_id", 0);
    html_row(out);
    buf_printf(out,
               "<td><input type=\"checkbox\" name=\"run\" value=\"%lld\" aria-label=\"%s %lld\"> "
               "<a href=\"/run/%lld\">%lld</a></td>",
               id, frame_word(d, WORD_CHOOSE), id, id, id);
    for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
        char *text = render_member(run, cells[i].key, cells[i].format);
        html_cell(out, text);
        free(text);
    }
    html_row_end(out);
}

static void write_runs(struct desk *d, const struct json *reply, struct buf *out)
{
    static const enum word words[] = {WORD_RUN,   WORD_NUMBER, WORD_STAGE,  WORD_STATUS,
                                      WORD_LABEL, WORD_CAUSE,  WORD_METRIC, WORD_EPOCH,
                                      WORD_SECONDS, WORD_PARAMETERS};
    const char *titles[ARRAY_LEN(words)];
    const struct json *list = json_get(reply, "runs");
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        titles[i] = frame_word(d, words[i]);
    buf_puts(out, "<form action=\"/compare\">\n");
    html_table(out, frame_word(d, WORD_ALL_RUNS), titles, ARRAY_LEN(titles));
    for (const struct json *v = json_first(list); v != NULL; v = json_next(v))
        run_row(d, v, out);
    html_table_end(out);
    frame_button(d->site, out, WORD_COMPARE_DO);
    frame_form_end(out);
}

void page_runs(struct desk *d, const struct request *r, struct answer *a)
{
    struct rpc_reply reply;
    int64_t after = form_id(&r->query, "after");
    char *params = xasprintf("{\"sweep\":%lld,\"limit\":%d,\"cursor\":%lld}", (long long)r->id,
                             RUNS_SHOWN, (long long)(after > 0 ? after : -1));
    int status = client_call(&d->client, "runs", params, &reply);
    free(params);
    if (status != CLIENT_DONE) {
        frame_failed(d, a);
        return;
    }
    int64_t next = member_int(reply.result, "cursor", -1);
    frame_begin(d->site, a,
                &(struct frame){WORD_SWEEP, r->id, frame_word(d, WORD_ALL_RUNS), false, 0});
    buf_printf(&a->body, "<p><a href=\"/sweep/%lld\">%s %lld</a></p>\n", (long long)r->id,
               frame_word(d, WORD_SWEEP), (long long)r->id);
    write_runs(d, reply.result, &a->body);
    if (next > 0)
        buf_printf(&a->body, "<p><a href=\"/sweep/%lld/runs?after=%lld\">%s</a></p>\n",
                   (long long)r->id, (long long)next, frame_word(d, WORD_FURTHER));
    frame_end(a, NULL);
    rpc_reply_finish(&reply);
}
