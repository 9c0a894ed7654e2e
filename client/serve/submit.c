/* A sweep's specification, handed in as text: what is wrong with it, what it would do, or the sweep
 * that it has become. */
#include <stdlib.h>
#include <string.h>

#include "client/page/html.h"
#include "client/page/list.h"
#include "client/plot/svg.h"
#include "client/problems.h"
#include "client/serve/frame.h"
#include "client/spec_input.h"
#include "client/submit_fate.h"
#include "sweep/require.h"

#define ID_FIELD "id"

/* --- the form ----------------------------------------------------------------------------------
 */

/* Its id goes with it: the same form sent twice is one sweep. */
static void add_form(const struct desk *d, const char *spec, struct buf *out)
{
    char id[SUBMIT_ID_MAX];
    submit_fate_id(id);
    frame_form(d->site, out, &(struct frame_form){"/submit", 0, NULL, "submit"});
    buf_printf(out,
               "<input type=\"hidden\" name=\"" ID_FIELD "\" value=\"%s\"><p class=\"wide\"><label "
               "for=\"spec\">%s</label></p><textarea id=\"spec\" name=\"spec\" rows=\"24\" "
               "spellcheck=\"false\" required>\n",
               id, frame_word(d, WORD_SPEC));
    svg_escape(out, spec);
    buf_printf(out, "</textarea><p class=\"wide soft\">%s</p>\n", frame_word(d, WORD_SPEC_SAYS));
    buf_printf(out, "<button type=\"submit\">%s</button> ", frame_word(d, WORD_SUBMIT_DO));
    buf_printf(out,
               "<button type=\"submit\" name=\"dry_run\" value=\"yes\">%s</button>",
               frame_word(d, WORD_DRY_RUN));
    frame_form_end(out);
}

static void begin(const struct desk *d, struct answer *a)
{
    frame_begin(d->site, a, &(struct frame){.title = WORD_SUBMIT});
}

void page_submit(struct desk *d, const struct request *r, struct answer *a)
{
    begin(d, a);
    add_form(d, "", &a->body);
    frame_end(a, NULL);
}

/* --- what came of it ---------------------------------------------------------------------------
 */

static void add_notes(const struct desk *d, const struct buf *notes, struct buf *out)
{
    if (notes->len == 0)
        return;
    html_element(out, "h2", frame_word(d, WORD_NOTES));
    html_element(out, "pre", notes->data);
}

static void add_problems(const struct desk *d, const struct spec_text *s,
                         const struct rpc_reply *reply, struct buf *out)
{
    struct placed *list;
    size_t count = problems_list(s, reply, &list);
    html_element(out, "h2", frame_word(d, WORD_PROBLEMS));
    buf_puts(out, "<ul role=\"alert\">\n");
    for (size_t i = 0; i < count; i++) {
        char *text = list[i].at.line > 0 ? xasprintf("%zu:%zu: %s", list[i].at.line,
                                                     list[i].at.column, list[i].problem.message)
                                         : xstrdup(list[i].problem.message);
        html_element(out, "li", text);
        free(text);
    }
    buf_puts(out, "</ul>\n");
    free(list);
}

static void add_plan(const struct desk *d, const struct json *plan, struct buf *out)
{
    static const struct page_column stages[] = {
        {WORD_STAGE, "stage", CELL_TEXT},
        {WORD_RUNS, "runs", CELL_COUNT},
        {WORD_WHAT, "what", CELL_TEXT},
    };
    static const struct page_column facts[] = {
        {WORD_RUNS, "runs", CELL_COUNT},
        {WORD_ABOUT_TIME, "estimated_seconds", CELL_DURATION},
    };
    const struct page_list l = {d->site->language, true, WORD_PLAN, stages, ARRAY_LEN(stages),
                                true};
    const struct page_list f = {d->site->language, true, WORD_PLAN, facts, ARRAY_LEN(facts), true};
    page_list(&l, json_get(plan, "stages"), out);
    page_facts(&f, plan, out);
    for (const struct json *v = json_first(json_get(plan, "notes")); v != NULL; v = json_next(v))
        if (json_type(v) == JSON_STRING)
            html_element(out, "p", json_string(v));
}

/* --- handing it in -----------------------------------------------------------------------------
 */

struct submission {
    const char *given; /* as it was sent */
    struct buf text;   /* as it was read */
    struct buf notes;
    bool dry_run;
};

static void refuse(struct desk *d, const struct submission *s, const struct rpc_reply *reply,
                   struct answer *a)
{
    a->status = 422;
    begin(d, a);
    if (reply != NULL) {
        add_problems(d, &(struct spec_text){"", s->text.data, s->text.len}, reply, &a->body);
    } else {
        html_element(&a->body, "h2", frame_word(d, WORD_PROBLEMS));
        buf_puts(&a->body, "<div role=\"alert\">");
        html_element(&a->body, "p", d->failed.message);
        buf_puts(&a->body, "</div>\n");
    }
    add_notes(d, &s->notes, &a->body);
    add_form(d, s->given, &a->body);
    frame_end(a, NULL);
}

static void answer(struct desk *d, const struct submission *s, const struct rpc_reply *reply,
                   struct answer *a)
{
    if (reply->error.code != 0) {
        refuse(d, s, reply, a);
    } else if (!s->dry_run) {
        answer_see(a, "/sweep/%lld", (long long)member_int(reply->result, "sweep", 0));
    } else {
        begin(d, a);
        add_plan(d, reply->result, &a->body);
        add_notes(d, &s->notes, &a->body);
        add_form(d, s->given, &a->body);
        frame_end(a, NULL);
    }
}

void change_submit(struct desk *d, const struct request *r, struct answer *a)
{
    const char *spec = form_get(&r->fields, "spec"), *id = form_get(&r->fields, ID_FIELD);
    char own[SUBMIT_ID_MAX];
    struct submission s = {.given = spec != NULL ? spec : "",
                           .dry_run = form_get(&r->fields, "dry_run") != NULL};
    struct rpc_reply reply;
    submit_fate_id(own);
    buf_puts(&s.text, s.given);
    if (spec_input_read(&s.text, frame_word(d, WORD_SPEC), &s.notes, &d->failed) != 0) {
        refuse(d, &s, NULL, a);
    } else {
        char *params = spec_input_params(
            &s.text, s.dry_run ? NULL : id != NULL && *id != '\0' ? id : own, &s.notes);
        if (client_ask(&d->client, "submit", params, &reply) != CLIENT_DONE) {
            refuse(d, &s, NULL, a);
        } else {
            answer(d, &s, &reply, a);
            rpc_reply_finish(&reply);
        }
        free(params);
    }
    buf_finish(&s.text);
    buf_finish(&s.notes);
}
