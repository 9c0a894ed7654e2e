#include "client/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "client/client.h"
#include "client/live.h"
#include "client/outlook.h"
#include "client/report.h"
#include "client/screen/screen.h"

#define PLAIN_WIDTH 200 /* columns of a line that goes to a file */

struct watcher {
    struct client *client;
    struct live live;
    int signals; /* signalfd: INT, TERM */
    sigset_t old_mask;
    bool titled; /* the titles stand above the first line */
    bool behind; /* notifications were left out: the state is to be asked for */
};

static void signals_open(struct watcher *w)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, &w->old_mask);
    w->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void signals_close(struct watcher *w)
{
    if (w->signals >= 0)
        close(w->signals);
    sigprocmask(SIG_SETMASK, &w->old_mask, NULL);
}

/* Whether one of the signals ends the watching. */
static bool signals_read(struct watcher *w)
{
    struct signalfd_siginfo info;
    bool stop = false;
    while (read(w->signals, &info, sizeof info) == (ssize_t)sizeof info)
        stop = true;
    return stop;
}

static void print_notification(struct client *c, const struct rpc_reply *n)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_string(&w, "method", n->method);
    jw_key(&w, "params");
    if (n->result != NULL)
        jw_value(&w, n->result);
    else
        jw_null(&w);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    client_print_document(c, &text);
    fflush(c->out);
}

static void on_notification(void *arg, const struct rpc_reply *n)
{
    struct watcher *w = arg;
    w->behind |= strcmp(n->method, "lagged") == 0;
    if (live_apply(&w->live, n->method, n->result) && w->client->json)
        print_notification(w->client, n);
}

/* The lines of ended runs, with the titles above the first of all. */
static void take_ended(struct watcher *w, size_t width, struct buf *out)
{
    struct buf lines = {0};
    live_take_ended(&w->live, width, w->client->colour, &lines);
    if (lines.len > 0 && !w->titled) {
        live_titles(width, w->client->colour, out);
        w->titled = true;
    }
    buf_append(out, lines.data, lines.len);
    buf_finish(&lines);
}

static void draw_plain(struct watcher *w)
{
    struct buf lines = {0};
    take_ended(w, PLAIN_WIDTH, &lines);
    client_print(w->client, &lines);
    fflush(w->client->out);
}

/* The lines were printed as notifications: only forget the runs. */
static void draw_json(struct watcher *w)
{
    struct buf lines = {0};
    live_take_ended(&w->live, PLAIN_WIDTH, false, &lines);
    buf_finish(&lines);
}

static void draw(struct watcher *w)
{
    (w->client->json ? draw_json : draw_plain)(w);
}

/* The sweep and its runs as they are now. */
static int look(struct watcher *w)
{
    struct client *c = w->client;
    struct rpc_reply reply;
    int status = client_call_id(c, "show", "sweep", w->live.sweep, &reply);
    if (status != CLIENT_DONE)
        return status;
    live_apply_sweep(&w->live, json_get(reply.result, "sweep"));
    rpc_reply_finish(&reply);
    if (c->json || w->live.ended)
        return CLIENT_DONE;
    char *params = xasprintf("\"sweep\":%lld", (long long)w->live.sweep);
    status = client_pages(c, &(struct client_paged){"runs", params, "runs"}, live_apply_run,
                          &w->live);
    free(params);
    return status;
}

/* Subscribes first and queries then, so that nothing falls between. */
static int begin(struct watcher *w)
{
    struct client *c = w->client;
    struct rpc_reply reply;
    c->rpc.on_notification = on_notification;
    c->rpc.arg = w;
    int status = client_call_id(c, "watch", "sweep", w->live.sweep, &reply);
    if (status != CLIENT_DONE)
        return status;
    rpc_reply_finish(&reply);
    return look(w);
}

/* We did not read for a while, and the daemon did not keep all of it for us. */
static int catch_up(struct watcher *w)
{
    w->behind = false;
    live_look_again(&w->live);
    return look(w);
}

/* Takes what has been read. 0, or an error. */
static int take_all(struct watcher *w, struct errbuf *err)
{
    struct rpc_reply reply;
    int rc;
    while (!w->live.ended && (rc = rpc_client_take(&w->client->rpc, &reply, err)) != 0) {
        if (rc < 0)
            return rc;
        if (reply.notification)
            on_notification(w, &reply);
        rpc_reply_finish(&reply);
    }
    return 0;
}

static int interrupted(struct watcher *w)
{
    draw(w);
    fprintf(stderr, "\nsweepctl: the watching ended; sweep %lld goes on (sweepctl watch %lld)\n",
            (long long)w->live.sweep, (long long)w->live.sweep);
    return WATCH_INTERRUPTED;
}

static int broken(struct watcher *w, const struct errbuf *err)
{
    struct errbuf reported;
    err_set(&reported, err->code, "lost the daemon at %s: %s", w->client->socket, err->message);
    return client_fail(w->client, CLIENT_NO_DAEMON, &reported);
}

static int follow(struct watcher *w)
{
    struct errbuf err;
    while (take_all(w, &err) == 0) {
        int status = w->behind && !w->live.ended ? catch_up(w) : CLIENT_DONE;
        if (status != CLIENT_DONE)
            return status;
        draw(w);
        if (w->live.ended)
            return CLIENT_DONE;
        struct pollfd p[] = {{.fd = w->client->rpc.fd, .events = POLLIN},
                             {.fd = w->signals, .events = POLLIN}};
        if (poll(p, 2, -1) <= 0)
            continue;
        if (p[1].revents != 0 && signals_read(w))
            return interrupted(w);
        if (p[0].revents != 0 && rpc_client_fill(&w->client->rpc, &err) != 0)
            return broken(w, &err);
    }
    return broken(w, &err);
}

static int end(struct watcher *w)
{
    struct client *c = w->client;
    const struct live *l = &w->live;
    struct buf text = {0};
    c->rpc.on_notification = NULL;
    int status = strcmp(l->status, "completed") == 0 ? CLIENT_DONE : CLIENT_REFUSED;
    if (c->json) {
        struct json_writer jw;
        jw_init(&jw, &text);
        jw_begin_object(&jw);
        jw_kv_int(&jw, "sweep", l->sweep);
        jw_kv_string(&jw, "status", l->status);
        jw_kv_string(&jw, "reason", l->reason[0] != '\0' ? l->reason : NULL);
        jw_end_object(&jw);
        buf_putc(&text, '\n');
        client_print_document(c, &text);
        return status;
    }
    live_header(l, human_now_us(), PLAIN_WIDTH, c->colour, &text);
    client_print(c, &text);
    int reported = report_end(c, l->sweep);
    return reported != CLIENT_DONE ? reported : status;
}

static int follow_plainly(struct client *c, int64_t sweep)
{
    struct watcher w = {.client = c};
    live_init(&w.live, sweep);
    /* Signals are taken in hand only while we poll for them: Ctrl-C must end a call that hangs. */
    int status = begin(&w);
    if (status == CLIENT_DONE && !w.live.ended)
        outlook_say_waiting(c);
    if (status == CLIENT_DONE) {
        signals_open(&w);
        status = follow(&w);
        signals_close(&w);
    }
    if (status == CLIENT_DONE)
        status = end(&w);
    c->rpc.on_notification = NULL;
    live_finish(&w.live);
    return status;
}

/* Somebody left while it goes on. */
static int left(int64_t sweep)
{
    fprintf(stderr, "sweepctl: the watching ended; sweep %lld goes on (sweepctl watch %lld)\n",
            (long long)sweep, (long long)sweep);
    return WATCH_INTERRUPTED;
}

int watch_all(struct client *c, int64_t select)
{
    enum screen_end end;
    return screen_run(c, select, &end);
}

int watch_sweep(struct client *c, int64_t sweep)
{
    enum screen_end end;
    if (!screen_serves(c))
        return follow_plainly(c, sweep);
    int status = screen_run(c, sweep, &end);
    if (status != CLIENT_DONE)
        return status;
    /* What has ended prints what it came to, as elsewhere. */
    return end == SCREEN_OVER ? follow_plainly(c, sweep) : left(sweep);
}
