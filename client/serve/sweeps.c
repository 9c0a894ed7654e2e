/* All sweeps, the newest first. */
#include <stdlib.h>
#include <string.h>

#include "client/human.h"
#include "client/page/html.h"
#include "client/plot/svg.h"
#include "client/serve/frame.h"
#include "sweep/require.h"

#define SWEEPS_SHOWN 200
#define MINUTE 16 /* characters of a time, without its seconds */

/* Rows as they come, the oldest first. */
struct rows {
    struct row {
        int64_t id;
        char *html;
    } * rows;
    size_t count, cap;
    int64_t before; /* only ids below it; 0: all */
};

static void add_progress(struct buf *out, const struct json *sweep)
{
    long long done = (long long)member_int(sweep, "done", 0);
    long long all = (long long)member_int(sweep, "run_cap", 0);
    long long runs = (long long)member_int(sweep, "runs", 0);
    all = all > runs ? all : runs;
    buf_printf(out,
               "<td><progress max=\"%lld\" value=\"%lld\" aria-label=\"%lld / %lld\"></progress> ",
               all > 0 ? all : 1, done, done, all);
    buf_printf(out, "%lld / %lld</td>", done, all);
}

static void add_member(struct buf *out, const struct json *sweep, const char *key,
                       enum cell_format format)
{
    char *text = render_member(sweep, key, format);
    html_cell(out, text);
    free(text);
}

static void add_time(struct buf *out, const struct json *sweep)
{
    char text[MINUTE + 1];
    str_copy(text, sizeof text, member_string(sweep, "created_at", ""));
    html_cell(out, text);
}

static void add_best(struct buf *out, const struct json *sweep)
{
    long long run = (long long)member_int(sweep, "best_run", 0);
    char *best = render_member(sweep, "best", CELL_LOSS);
    buf_puts(out, "<td class=\"n\">");
    if (run > 0)
        buf_printf(out, "<a href=\"/run/%lld\">", run);
    svg_escape(out, best);
    buf_puts(out, run > 0 ? "</a></td>" : "</td>");
    free(best);
}

static char *row_of(const struct json *sweep)
{
    struct buf out = {0};
    long long id = (long long)member_int(sweep, "id", 0);
    html_row(&out);
    buf_printf(&out, "<td><a href=\"/sweep/%lld\">%lld ", id, id);
    svg_escape_cut(&out, member_string(sweep, "name", ""), 120);
    buf_puts(&out, "</a></td>");
    add_member(&out, sweep, "status", CELL_TEXT);
    add_progress(&out, sweep);
    add_member(&out, sweep, "failed", CELL_COUNT);
    add_best(&out, sweep);
    add_member(&out, sweep, "metric", CELL_TEXT);
    add_member(&out, sweep, "method", CELL_TEXT);
    add_time(&out, sweep);
    add_member(&out, sweep, "reason", CELL_TEXT);
    html_row_end(&out);
    return buf_take(&out);
}

static void take(void *arg, const struct json *sweep)
{
    struct rows *v = arg;
    int64_t id = member_int(sweep, "id", 0);
    if (v->before != 0 && id >= v->before)
        return;
    v->rows = array_room(v->rows, &v->cap, v->count, sizeof *v->rows);
    v->rows[v->count++] = (struct row){id, row_of(sweep)};
}

static void add_table(struct desk *d, const struct rows *v, struct buf *out)
{
    static const enum word words[] = {WORD_SWEEP,  WORD_STATUS, WORD_PROGRESS,
                                      WORD_FAILED, WORD_BEST,   WORD_METRIC,
                                      WORD_METHOD, WORD_CREATED, WORD_REASON};
    const char *titles[ARRAY_LEN(words)];
    size_t shown = v->count < SWEEPS_SHOWN ? v->count : SWEEPS_SHOWN;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        titles[i] = frame_word(d, words[i]);
    html_table(out, frame_word(d, WORD_SITE), titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < shown; i++)
        buf_puts(out, v->rows[v->count - 1 - i].html);
    html_table_end(out);
    if (shown < v->count)
        buf_printf(out, "<p><a href=\"/?before=%lld\">%s</a></p>\n",
                   (long long)v->rows[v->count - shown].id, frame_word(d, WORD_OLDER));
}

void page_sweeps(struct desk *d, const struct request *r, struct answer *a)
{
    struct rows v = {.before = form_id(&r->query, "before")};
    int status =
        client_pages(&d->client, &(struct client_paged){"list", "", "sweeps"}, take, &v);
    if (status == CLIENT_DONE) {
        frame_begin(d->site, a, &(struct frame){.title = WORD_SITE, .live = true});
        if (v.count == 0)
            html_element(&a->body, "p", frame_word(d, WORD_NO_SWEEPS));
        else
            add_table(d, &v, &a->body);
        frame_end(a, NULL);
    } else {
        frame_failed(d, a);
    }
    for (size_t i = 0; i < v.count; i++)
        free(v.rows[i].html);
    free(v.rows);
}
