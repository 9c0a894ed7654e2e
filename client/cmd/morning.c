/* The page of the morning: of one sweep, or of all that are open or have ended in the last day. */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "client/influence.h"
#include "client/morning.h"
#include "client/outlook.h"
#include "client/report.h"
#include "sweep/run.h"

#define NIGHT_US (24 * 3600 * INT64_C(1000000))
#define BEST_RUNS 100 /* where the winner's row is looked for */

struct night {
    int64_t since;
    int64_t *sweeps;
    size_t count, cap;
    int64_t newest;
    bool goes_on; /* one of them has runs to start */
};

/* Open, or not ended before the night began. */
static void choose(void *arg, const struct json *sweep)
{
    struct night *n = arg;
    int64_t id = member_int(sweep, "id", 0);
    int status = sweep_status_find(member_string(sweep, "status", ""));
    int64_t ended = human_parse_utc(member_string(sweep, "ended_at", ""));
    bool over = status >= 0 && sweep_status_terminal((enum sweep_status)status);
    n->newest = id > n->newest ? id : n->newest;
    n->goes_on |= outlook_concerns(sweep);
    if (over && ended < n->since)
        return;
    n->sweeps = array_room(n->sweeps, &n->cap, n->count, sizeof *n->sweeps);
    n->sweeps[n->count++] = id;
}

/* The reply of `explain` for one example of each group: {"57": {…}}. */
static int explain(struct client *c, const struct morning *m, struct buf *out)
{
    struct json_writer w;
    int status = CLIENT_DONE;
    jw_init(&w, out);
    jw_begin_object(&w);
    for (size_t i = 0; i < m->labels.count && i < MORNING_GROUPS && status == CLIENT_DONE; i++) {
        struct rpc_reply reply;
        char key[24];
        status = client_call_id(c, "explain", "run", m->labels.items[i].example, &reply);
        if (status != CLIENT_DONE)
            break;
        snprintf(key, sizeof key, "%lld", (long long)m->labels.items[i].example);
        jw_key(&w, key);
        jw_value(&w, reply.result);
        rpc_reply_finish(&reply);
    }
    jw_end_object(&w);
    return status;
}

struct rows {
    struct morning *m;
    struct influence *f; /* NULL: its specification cannot be read */
};

static void take_row(void *arg, const struct json *row)
{
    struct rows *r = arg;
    morning_take_run(r->m, row);
    if (r->f != NULL)
        influence_take(r->f, row);
}

static int read_runs(struct client *c, int64_t sweep, struct rows *rows)
{
    char *params = xasprintf("\"sweep\":%lld", (long long)sweep);
    int status =
        client_pages(c, &(struct client_paged){"runs", params, "runs"}, take_row, rows);
    free(params);
    morning_order(rows->m);
    return status;
}

static void write_page(const struct rows *rows, const struct json *show, const struct json *best,
                       const struct buf *explained, struct buf *out)
{
    struct json *v = json_parse(explained->data, explained->len, NULL);
    morning_write(rows->m, &(struct morning_replies){show, best, v, rows->f}, out);
    json_destroy(v);
}

static int build(struct client *c, const struct json *show, int64_t sweep, struct buf *out)
{
    struct morning m = {0};
    struct rpc_reply best;
    struct buf text = {0};
    struct errbuf why;
    struct influence *f = xcalloc(1, sizeof *f);
    bool read = influence_init(f, json_get(show, "sweep"), IMPORTANCE_PEDANOVA, &why) == 0;
    struct rows rows = {&m, read ? f : NULL};
    int status = report_call_best(c, sweep, BEST_RUNS, &best);
    if (status == CLIENT_DONE) {
        status = read_runs(c, sweep, &rows);
        if (status == CLIENT_DONE)
            status = explain(c, &m, &text);
        if (status == CLIENT_DONE)
            write_page(&rows, show, best.result, &text, out);
        rpc_reply_finish(&best);
    }
    buf_finish(&text);
    morning_finish(&m);
    if (read)
        influence_finish(f);
    free(f);
    return status;
}

static int one(struct client *c, int64_t sweep, struct buf *out)
{
    struct rpc_reply show;
    int status = client_call_id(c, "show", "sweep", sweep, &show);
    if (status != CLIENT_DONE)
        return status;
    status = build(c, show.result, sweep, out);
    rpc_reply_finish(&show);
    return status;
}

static int print(struct client *c, const struct buf *page)
{
    struct errbuf err;
    struct json *v = json_parse(page->data, page->len, &err);
    if (v == NULL)
        return client_fail(c, CLIENT_REFUSED, &err);
    morning_print(c, v);
    json_destroy(v);
    return CLIENT_DONE;
}

static int pages(struct client *c, const struct night *n)
{
    int status = CLIENT_DONE;
    if (c->json)
        fputs("{\"sweeps\":[", c->out);
    for (size_t i = 0; i < n->count && status == CLIENT_DONE; i++) {
        struct buf page = {0};
        status = one(c, n->sweeps[i], &page);
        if (status == CLIENT_DONE && i > 0)
            fputs(c->json ? "," : "\n", c->out);
        if (status == CLIENT_DONE && c->json)
            client_print_document(c, &page);
        else if (status == CLIENT_DONE)
            status = print(c, &page);
        buf_finish(&page);
    }
    if (c->json)
        fputs("]}\n", c->out);
    return status;
}

static int find(struct client *c, struct night *n)
{
    struct errbuf err;
    int status = client_pages(c, &(struct client_paged){"list", "", "sweeps"}, choose, n);
    if (status != CLIENT_DONE)
        return status;
    if (n->newest == 0) {
        err_set(&err, ERR_NOT_FOUND, "there is no sweep yet: `sweepctl submit SPEC.json`");
        return client_fail(c, CLIENT_REFUSED, &err);
    }
    if (n->count == 0) {
        if (!c->json)
            fputs("nothing has ended in the last day; the newest:\n", c->out);
        n->sweeps = array_room(n->sweeps, &n->cap, n->count, sizeof *n->sweeps);
        n->sweeps[n->count++] = n->newest;
    }
    return CLIENT_DONE;
}

int cmd_morning(struct client *c)
{
    struct night n = {.since = human_now_us() - NIGHT_US};
    int status = CLIENT_DONE;
    if (c->opts.arg != NULL) {
        n.sweeps = array_room(NULL, &n.cap, 0, sizeof *n.sweeps);
        n.sweeps[n.count++] = c->opts.id;
    } else {
        status = find(c, &n);
    }
    if (status == CLIENT_DONE)
        status = pages(c, &n);
    if (n.goes_on && status == CLIENT_DONE)
        outlook_say_waiting(c);
    free(n.sweeps);
    return status;
}
