#include "client/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "client/client.h"
#include "client/live.h"
#include "client/report.h"

#define FRAME_MS 100   /* at most ten frames a second */
#define TICK_MS 1000   /* the elapsed time moves */
#define PLAIN_WIDTH 200 /* columns of a line that goes to a file */
#define BLOCK_MAX 512  /* lines of the block at the bottom */

struct watcher {
    struct client *client;
    struct live live;
    int signals;            /* signalfd: INT, TERM, WINCH */
    sigset_t old_mask;
    bool titled;            /* the titles stand above the first line */
    size_t width, height;   /* of the terminal */
    size_t lines;           /* of the block drawn last */
    size_t line_width[BLOCK_MAX];
    int64_t drawn_ms;       /* monotonic */
    bool changed;           /* since then */
    bool behind;            /* notifications were left out: the state is to be asked for */
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void measure(struct watcher *w)
{
    w->width = render_terminal(w->client->out, &w->height);
    if (w->height > BLOCK_MAX)
        w->height = BLOCK_MAX;
}

static void signals_open(struct watcher *w)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGWINCH);
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
    while (read(w->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGWINCH)
            measure(w);
        else
            stop = true;
    }
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
    fprintf(c->out, "%s\n", text.data);
    buf_finish(&text);
    fflush(c->out);
}

static void on_notification(void *arg, const struct rpc_reply *n)
{
    struct watcher *w = arg;
    w->behind |= strcmp(n->method, "lagged") == 0;
    if (live_apply(&w->live, n->method, n->result) && w->client->json)
        print_notification(w->client, n);
}

/* Up to the block's first line, and away with it. Lines that were drawn on a wider terminal now
 * take several. */
static void erase_block(struct watcher *w, struct buf *out)
{
    size_t rows = 0;
    for (size_t i = 0; i < w->lines; i++)
        rows += w->line_width[i] == 0 ? 1 : (w->line_width[i] + w->width - 1) / w->width;
    if (rows > 0)
        buf_printf(out, "\x1b[%zuA", rows);
    buf_puts(out, "\r\x1b[J");
    w->lines = 0;
}

/* Columns of each line of text, escape sequences not counted. */
static void remember_block(struct watcher *w, const char *text)
{
    size_t width = 0;
    bool escape = false;
    for (const char *p = text; *p != '\0' && w->lines < BLOCK_MAX; p++) {
        unsigned char b = (unsigned char)*p;
        if (b == '\n') {
            w->line_width[w->lines++] = width;
            width = 0;
        } else if (b == 0x1b) {
            escape = true;
        } else if (escape) {
            escape = b != 'm';
        } else if ((b & 0xc0) != 0x80) {
            width++;
        }
    }
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

static void draw_terminal(struct watcher *w)
{
    struct client *c = w->client;
    struct buf out = {0}, block = {0};
    size_t width = w->width > 1 ? w->width - 1 : 1; /* the last column would wrap */
    size_t room = w->height > 3 ? w->height - 3 : 1;
    erase_block(w, &out);
    take_ended(w, width, &out);
    if (!w->live.ended) {
        live_header(&w->live, human_now_us(), width, c->colour, &block);
        live_titles(width, c->colour, &block);
        live_running(&w->live, room, width, c->colour, &block);
        remember_block(w, block.data);
        buf_append(&out, block.data, block.len);
    }
    buf_finish(&block);
    client_print(c, &out);
    fflush(c->out);
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

/* Draws if it is time; returns how many ms may pass until the next check, -1: until something
 * happens. */
static int draw(struct watcher *w)
{
    int64_t now = now_ms();
    if (w->client->json || !w->client->terminal) {
        (w->client->json ? draw_json : draw_plain)(w);
        return -1;
    }
    int64_t due = w->drawn_ms + (w->changed ? FRAME_MS : TICK_MS);
    if (now < due && !w->live.ended)
        return (int)(due - now);
    draw_terminal(w);
    w->drawn_ms = now;
    w->changed = false;
    return TICK_MS;
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
        w->changed = true;
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
        int timeout = draw(w);
        if (w->live.ended)
            return CLIENT_DONE;
        struct pollfd p[] = {{.fd = w->client->rpc.fd, .events = POLLIN},
                             {.fd = w->signals, .events = POLLIN}};
        if (poll(p, 2, timeout) <= 0)
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
        client_print(c, &text);
        return status;
    }
    live_header(l, human_now_us(), PLAIN_WIDTH, c->colour, &text);
    client_print(c, &text);
    int reported = report_end(c, l->sweep);
    return reported != CLIENT_DONE ? reported : status;
}

int watch_sweep(struct client *c, int64_t sweep)
{
    struct watcher w = {.client = c};
    live_init(&w.live, sweep);
    /* Signals are taken in hand only while we poll for them: Ctrl-C must end a call that hangs. */
    int status = begin(&w);
    if (status == CLIENT_DONE) {
        signals_open(&w);
        measure(&w);
        status = follow(&w);
        signals_close(&w);
    }
    if (status == CLIENT_DONE)
        status = end(&w);
    c->rpc.on_notification = NULL;
    live_finish(&w.live);
    return status;
}
