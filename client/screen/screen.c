#include "client/screen/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "client/client.h"
#include "client/outlook.h"
#include "client/screen/keys.h"
#include "client/screen/layout.h"
#include "client/screen/terminal.h"
#include "client/screen/writer.h"

#define FRAME_MS 250  /* from frame to frame, but after a key */
#define TICK_MS 1000  /* times move on */
#define ESCAPE_MS 60  /* a lone escape is the key after that */
#define CURVES_AT_ONCE 12 /* of runs under way, read when a sweep is selected */
#define DETAIL_MS 5000 /* words of a run that goes on are asked for again */
#define STATUS_MS 5000 /* so is whether runs start */
#define POINTS_BACK 20000 /* of a run that has more only those are read */

struct screen {
    struct client *c;
    struct model model;
    struct view view;
    struct terminal terminal;
    struct grid shown;
    int signals;
    sigset_t before;
    int64_t drawn_ms, detail_ms, status_ms;
    int64_t reading; /* the run whose curve is being read */
    bool changed, behind, resized, stop, gone;
    struct buf in; /* bytes of keys */
};

bool screen_serves(const struct client *c)
{
    return c->terminal && !c->json && terminal_serves(STDOUT_FILENO);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- what the daemon says --------------------------------------------------------------------- */

static void on_notification(void *arg, const struct rpc_reply *n)
{
    struct screen *s = arg;
    s->behind |= strcmp(n->method, "lagged") == 0;
    if (s->reading != 0 && strcmp(n->method, "point") == 0 &&
        member_int(n->result, "run", 0) == s->reading)
        return; /* the page that is awaited has it */
    s->changed |= model_apply(&s->model, n->method, n->result, human_now_us());
}

static void take_sweep(void *arg, const struct json *row)
{
    model_take_sweep(&((struct screen *)arg)->model, row);
}

static void take_run(void *arg, const struct json *row)
{
    struct screen *s = arg;
    model_take_run(&s->model, s->model.selected, row);
}

static void take_point(void *arg, const struct json *point)
{
    struct screen *s = arg;
    struct model_run *r = model_run(&s->model, s->reading);
    if (r != NULL)
        model_take_point(&s->model, r, point);
}

static int read_sweeps(struct screen *s)
{
    s->model.stale = false;
    return client_pages(s->c, &(struct client_paged){"list", "", "sweeps", NULL}, take_sweep, s);
}

static int read_curve(struct screen *s, int64_t run)
{
    struct model_run *r = model_run(&s->model, run);
    char from[24];
    if (r == NULL || r->count > 0)
        return CLIENT_DONE;
    double back = r->epoch - POINTS_BACK;
    snprintf(from, sizeof from, "%lld", (long long)(back > 0 ? back : 0));
    char *params = xasprintf("\"run\":%lld", (long long)run);
    s->reading = run;
    int status = client_pages(s->c, &(struct client_paged){"curve", params, "points",
                                                           back > 0 ? from : NULL}, take_point, s);
    s->reading = 0;
    free(params);
    return status;
}

static int read_curves(struct screen *s, bool marked)
{
    int64_t ids[CURVES_AT_ONCE];
    size_t count = 0;
    for (size_t i = s->model.run_count; i-- > 0 && count < CURVES_AT_ONCE;) {
        const struct model_run *r = &s->model.runs[i];
        if (marked ? r->marked : r->running && r->sweep == s->model.selected)
            ids[count++] = r->id;
    }
    int status = CLIENT_DONE;
    for (size_t i = 0; i < count && status == CLIENT_DONE; i++)
        status = read_curve(s, ids[i]);
    return status;
}

/* The runs of the selected sweep: its newest, where there are very many. */
static int read_runs(struct screen *s)
{
    const struct model_sweep *sweep = model_sweep(&s->model, s->model.selected);
    char from[24];
    if (sweep == NULL)
        return CLIENT_DONE;
    int64_t first = sweep->runs - MODEL_RUNS_MAX;
    snprintf(from, sizeof from, "%lld", (long long)first);
    char *params = xasprintf("\"sweep\":%lld", (long long)sweep->id);
    model_select(&s->model, sweep->id);
    s->model.left_out = first > 0;
    int status = client_pages(s->c, &(struct client_paged){"runs", params, "runs",
                                                           first > 0 ? from : NULL}, take_run, s);
    free(params);
    return status == CLIENT_DONE ? read_curves(s, false) : status;
}

/* A refusal (no log, no label) is no failure: then there is nothing to show. */
static int ask(struct screen *s, const char *method, int64_t run, struct rpc_reply *reply)
{
    char *params = xasprintf("{\"run\":%lld}", (long long)run);
    int status = client_ask(s->c, method, params, reply);
    free(params);
    return status;
}

static int read_detail(struct screen *s)
{
    struct rpc_reply why, log;
    const struct model_run *r = view_run(&s->view, &s->model);
    if (r == NULL)
        return CLIENT_DONE;
    int64_t id = r->id;
    s->detail_ms = now_ms();
    int status = read_curve(s, id);
    if (status == CLIENT_DONE)
        status = ask(s, "explain", id, &why);
    if (status != CLIENT_DONE)
        return status;
    status = ask(s, "log", id, &log);
    if (status == CLIENT_DONE) {
        model_take_detail(&s->model, id, why.result, member_string(log.result, "text", ""));
        rpc_reply_finish(&log);
    }
    rpc_reply_finish(&why);
    return status;
}

static int read_status(struct screen *s)
{
    struct rpc_reply reply;
    int status = client_call(s->c, "status", "{}", &reply);
    if (status != CLIENT_DONE)
        return status;
    s->model.workers = member_int(reply.result, "workers", 1);
    free(s->model.waits);
    s->model.waits = outlook_reason(reply.result);
    s->status_ms = now_ms();
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

/* Runs that start or yield are told of, why they do is not. */
static int renew_status(struct screen *s)
{
    return now_ms() - s->status_ms < STATUS_MS ? CLIENT_DONE : read_status(s);
}

static int begin(struct screen *s)
{
    struct rpc_reply reply;
    s->c->rpc.on_notification = on_notification;
    s->c->rpc.arg = s;
    int status = client_call(s->c, "watch", "{}", &reply);
    if (status != CLIENT_DONE)
        return status;
    rpc_reply_finish(&reply);
    status = read_status(s);
    if (status == CLIENT_DONE)
        status = read_sweeps(s);
    return status == CLIENT_DONE ? read_runs(s) : status;
}

/* Label and log of the run that is looked at change while it goes on. */
static int renew_detail(struct screen *s)
{
    const struct model_run *r = view_run(&s->view, &s->model);
    bool shown = s->view.page == PAGE_RUN || s->view.page == PAGE_LOG;
    if (!shown || r == NULL || !r->running || now_ms() - s->detail_ms < DETAIL_MS)
        return CLIENT_DONE;
    return read_detail(s);
}

/* Notifications were left out, or a sweep came that is not known. */
static int catch_up(struct screen *s)
{
    bool behind = s->behind;
    if (!behind && !s->model.stale)
        return CLIENT_DONE;
    s->behind = false;
    int status = read_sweeps(s);
    return status == CLIENT_DONE && behind ? read_runs(s) : status;
}

/* --- drawing ---------------------------------------------------------------------------------- */

static void draw(struct screen *s)
{
    struct grid next;
    struct buf out = {0};
    size_t rows, columns = render_terminal(s->c->out, &rows);
    grid_init(&next, columns, rows, s->view.ascii);
    view_order(&s->view, &s->model);
    layout_draw(&next, &s->model, &s->view, human_now_us());
    if (s->resized) /* what the terminal made of the old lines is its own affair */
        grid_finish(&s->shown);
    s->resized = false;
    writer_diff(&s->shown, &next, s->view.colour, &out);
    s->gone |= !terminal_write(&s->terminal, out.data, out.len);
    buf_finish(&out);
    grid_finish(&next);
    s->drawn_ms = now_ms();
    s->changed = false;
}

/* Draws if it is time; ms until it may be again. A line that is still busy with the last frame gets
 * no other. */
static int draw_in_time(struct screen *s, bool at_once)
{
    int64_t now = now_ms();
    int64_t due = s->drawn_ms + (s->changed ? FRAME_MS : TICK_MS);
    if (!at_once && now < due)
        return (int)(due - now);
    if (!at_once && terminal_is_behind(&s->terminal))
        return FRAME_MS;
    draw(s);
    return TICK_MS;
}

/* --- keys and signals ------------------------------------------------------------------------- */

static int fulfil(struct screen *s, enum view_wish wish)
{
    switch (wish) {
    case WISH_LEAVE:
        s->stop = true;
        return CLIENT_DONE;
    case WISH_SWEEP:
        return read_runs(s);
    case WISH_DETAIL:
        return read_detail(s);
    case WISH_CURVES:
        return read_curves(s, true);
    default:
        return CLIENT_DONE;
    }
}

/* All whole keys of what was read. */
static int take_keys(struct screen *s, bool ended)
{
    int key, status = CLIENT_DONE;
    size_t used;
    while (status == CLIENT_DONE && (used = keys_take(s->in.data, s->in.len, ended, &key)) > 0) {
        buf_consume(&s->in, used);
        view_order(&s->view, &s->model);
        if (key != KEY_NONE)
            status = fulfil(s, view_key(&s->view, &s->model, key));
    }
    return status;
}

static void read_keys(struct screen *s)
{
    char bytes[256];
    ssize_t n = read(s->terminal.in, bytes, sizeof bytes);
    if (n > 0)
        buf_append(&s->in, bytes, (size_t)n);
    s->gone |= n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void signals_open(struct screen *s)
{
    static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP};
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(&mask, taken[i]);
    sigprocmask(SIG_BLOCK, &mask, &s->before);
    s->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void signals_close(struct screen *s)
{
    if (s->signals >= 0)
        close(s->signals);
    sigprocmask(SIG_SETMASK, &s->before, NULL);
}

/* Ctrl-Z: the shell has the terminal until we are continued. */
static void suspend(struct screen *s)
{
    terminal_close(&s->terminal);
    raise(SIGSTOP);
    terminal_open(&s->terminal, STDOUT_FILENO);
    s->resized = true;
}

static void read_signals(struct screen *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGWINCH)
            s->resized = true;
        else if (info.ssi_signo == SIGTSTP)
            suspend(s);
        else
            s->stop = true;
    }
}

/* --- the loop --------------------------------------------------------------------------------- */

static bool is_over(const struct screen *s, int64_t sweep)
{
    const struct model_sweep *w = model_sweep(&s->model, sweep);
    return w != NULL && (w->over || strcmp(w->status, "held") == 0);
}

static int lost(struct screen *s, const struct errbuf *err)
{
    terminal_close(&s->terminal);
    struct errbuf reported;
    err_set(&reported, err->code, "lost the daemon at %s: %s", s->c->socket, err->message);
    return client_fail(s->c, CLIENT_NO_DAEMON, &reported);
}

static int take_notifications(struct screen *s, struct errbuf *err)
{
    struct rpc_reply reply;
    int rc;
    while ((rc = rpc_client_take(&s->c->rpc, &reply, err)) > 0) {
        if (reply.notification)
            on_notification(s, &reply);
        rpc_reply_finish(&reply);
    }
    return rc;
}

/* Waits for the first thing to happen, and takes it. */
static int turn(struct screen *s, int timeout, bool *at_once)
{
    struct errbuf err;
    struct pollfd p[] = {{.fd = s->c->rpc.fd, .events = POLLIN},
                         {.fd = s->signals, .events = POLLIN},
                         {.fd = s->terminal.in, .events = POLLIN}};
    bool half = s->in.len > 0; /* a key of which more may come */
    int n = poll(p, 3, half ? ESCAPE_MS : timeout), status = CLIENT_DONE;
    *at_once = false;
    if (n > 0 && p[1].revents != 0)
        read_signals(s);
    if (n > 0 && p[2].revents != 0)
        read_keys(s);
    if (s->in.len > 0) {
        status = take_keys(s, n == 0);
        *at_once = true;
    }
    *at_once |= s->resized;
    if (status == CLIENT_DONE && n > 0 && p[0].revents != 0 &&
        rpc_client_fill(&s->c->rpc, &err) != 0)
        return lost(s, &err);
    if (status == CLIENT_DONE && take_notifications(s, &err) < 0)
        return lost(s, &err);
    if (status == CLIENT_DONE)
        status = catch_up(s);
    if (status == CLIENT_DONE)
        status = renew_status(s);
    return status == CLIENT_DONE ? renew_detail(s) : status;
}

static int follow(struct screen *s, int64_t sweep)
{
    bool at_once = true;
    int status = CLIENT_DONE, timeout;
    bool was_over = is_over(s, sweep);
    while (status == CLIENT_DONE && !s->stop && !s->gone) {
        timeout = draw_in_time(s, at_once);
        status = turn(s, timeout, &at_once);
        if (!was_over && is_over(s, sweep) && !s->view.touched)
            break;
    }
    return status;
}

int screen_run(struct client *c, int64_t select, enum screen_end *end)
{
    struct screen s = {.c = c, .view = {.ascii = !terminal_has_unicode(), .colour = c->colour}};
    model_init(&s.model);
    s.model.selected = select;
    s.model.since_us = human_now_us();
    int status = begin(&s);
    if (status == CLIENT_DONE) {
        signals_open(&s);
        terminal_open(&s.terminal, STDOUT_FILENO);
        status = follow(&s, select);
        if (status != CLIENT_NO_DAEMON)
            terminal_close(&s.terminal);
        signals_close(&s);
    }
    *end = is_over(&s, select) ? SCREEN_OVER : SCREEN_LEFT;
    c->rpc.on_notification = NULL;
    buf_finish(&s.in);
    grid_finish(&s.shown);
    view_finish(&s.view);
    model_finish(&s.model);
    return status;
}
