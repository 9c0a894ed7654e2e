#include "client/serve/hub.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "client/render.h"
#include "client/rpc.h"
#include "client/serve/seats.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define TICK_MS 1000
#define BEAT_TICKS 15 /* a line that says nothing: who is gone is noticed by it */

struct stream {
    struct hub *hub;
    struct stream *next;
    int64_t sweep;
    void *connection;
    struct buf waiting;
    bool held, lagged;
};

struct hub {
    pthread_mutex_t lock;
    struct stream *streams;
    size_t count;
    bool stopping, gone; /* gone: there is no daemon */
    int stop_fd;
    pthread_t thread;
    struct hub_carrier carrier;
    struct seats *seats;
    char *socket;
    struct rpc_client rpc;
};

/* --- streams -----------------------------------------------------------------------------------
 */

/* With the lock. */
static void wake(struct stream *s)
{
    if (!s->held)
        return;
    s->held = false;
    s->hub->carrier.wake(s->connection);
}

/* With the lock. What a reader misses it is told once, and asks for the state anew. */
static void put(struct stream *s, const char *text, size_t len)
{
    static const char lagged[] = "event: lagged\ndata: {}\n\n";
    if (s->waiting.len + len <= HUB_WAITING_MAX) {
        buf_append(&s->waiting, text, len);
        s->lagged = false;
    } else if (!s->lagged) {
        buf_append(&s->waiting, lagged, sizeof lagged - 1);
        s->lagged = true;
    }
    wake(s);
}

/* sweep 0: it is of all. */
static void tell(struct hub *h, int64_t sweep, const struct buf *text)
{
    pthread_mutex_lock(&h->lock);
    for (struct stream *s = h->streams; s != NULL; s = s->next)
        if (sweep == 0 || s->sweep == 0 || s->sweep == sweep)
            put(s, text->data, text->len);
    pthread_mutex_unlock(&h->lock);
}

static void say(struct hub *h, const char *event)
{
    struct buf text = {0};
    buf_printf(&text, "event: %s\ndata: {}\n\n", event);
    tell(h, 0, &text);
    buf_finish(&text);
}

struct stream *hub_join(struct hub *h, int64_t sweep, void *connection)
{
    struct stream *s = NULL;
    pthread_mutex_lock(&h->lock);
    if (!h->stopping && h->count < HUB_STREAMS_MAX) {
        s = xcalloc(1, sizeof *s);
        *s = (struct stream){
            .hub = h, .next = h->streams, .sweep = sweep, .connection = connection};
        h->streams = s;
        h->count++;
        /* a reader that comes back has missed what was meanwhile: `hello` has it look */
        buf_printf(&s->waiting, "retry: 2000\n\nevent: %s\ndata: {}\n\n",
                   h->gone ? "gone" : "hello");
    }
    pthread_mutex_unlock(&h->lock);
    return s;
}

ssize_t hub_read(struct stream *s, char *out, size_t max)
{
    struct hub *h = s->hub;
    ssize_t n = -1;
    pthread_mutex_lock(&h->lock);
    if (!h->stopping) {
        size_t len = s->waiting.len < max ? s->waiting.len : max;
        if (len > 0) {
            memcpy(out, s->waiting.data, len);
            buf_consume(&s->waiting, len);
        } else {
            s->held = true;
            h->carrier.hold(s->connection);
        }
        n = (ssize_t)len;
    }
    pthread_mutex_unlock(&h->lock);
    return n;
}

void hub_leave(struct stream *s)
{
    struct hub *h = s->hub;
    pthread_mutex_lock(&h->lock);
    struct stream **at = &h->streams;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    h->count--;
    pthread_mutex_unlock(&h->lock);
    buf_finish(&s->waiting);
    free(s);
}

/* --- the daemon --------------------------------------------------------------------------------
 */

/* A method's name comes from the daemon, and stands in a line of its own. */
static bool is_word(const char *method)
{
    return *method != '\0' && method[strspn(method, "abcdefghijklmnopqrstuvwxyz_")] == '\0';
}

static void hear(void *arg, const struct rpc_reply *n)
{
    struct hub *h = arg;
    struct buf text = {0};
    struct json_writer w;
    if (!is_word(n->method))
        return;
    buf_printf(&text, "event: %s\ndata: ", n->method);
    jw_init(&w, &text);
    if (n->result != NULL)
        jw_value(&w, n->result);
    else
        jw_null(&w);
    buf_puts(&text, "\n\n");
    tell(h, member_int(n->result, "sweep", 0), &text);
    buf_finish(&text);
}

static int take_lines(struct hub *h)
{
    struct errbuf err;
    for (;;) {
        struct rpc_reply n;
        int rc = rpc_client_take(&h->rpc, &n, &err);
        if (rc <= 0)
            return rc;
        if (n.notification)
            hear(h, &n);
        rpc_reply_finish(&n);
    }
}

static int begin(struct hub *h)
{
    struct rpc_reply reply;
    struct errbuf err;
    int rc = rpc_client_open(&h->rpc, h->socket, &err);
    if (rc == 0)
        rc = rpc_client_call(&h->rpc, "watch", "{}", &reply, &err);
    if (rc == 0) {
        rc = reply.error.code;
        rpc_reply_finish(&reply);
    }
    if (rc == 0)
        rc = take_lines(h);
    return rc;
}

static void set_gone(struct hub *h, bool gone)
{
    pthread_mutex_lock(&h->lock);
    bool changed = h->gone != gone;
    h->gone = gone;
    pthread_mutex_unlock(&h->lock);
    if (changed)
        say(h, gone ? "gone" : "back");
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct clock {
    int64_t next_ms;
    unsigned ticks;
};

static void tick(struct hub *h, struct clock *c)
{
    if (now_ms() < c->next_ms)
        return;
    c->next_ms = now_ms() + TICK_MS;
    seats_expire(h->seats);
    if (++c->ticks % BEAT_TICKS == 0) {
        struct buf beat = {0};
        buf_puts(&beat, ":\n\n");
        tell(h, 0, &beat);
        buf_finish(&beat);
    }
}

/* Once a second, and whenever the daemon says something. false: it is to end. */
static bool step(struct hub *h, struct clock *c)
{
    struct pollfd p[] = {{.fd = h->stop_fd, .events = POLLIN}, {.fd = h->rpc.fd, .events = POLLIN}};
    struct errbuf err;
    int n = poll(p, 2, TICK_MS);
    if (p[0].revents != 0)
        return false;
    if (n > 0 && p[1].revents != 0 &&
        (rpc_client_fill(&h->rpc, &err) != 0 || take_lines(h) != 0))
        rpc_client_close(&h->rpc);
    tick(h, c);
    return true;
}

static void *listen_on(void *arg)
{
    struct hub *h = arg;
    struct clock clock = {0};
    h->rpc.wake_fd = h->stop_fd;
    do {
        if (h->rpc.fd >= 0)
            continue;
        if (begin(h) != 0)
            rpc_client_close(&h->rpc);
        set_gone(h, h->rpc.fd < 0);
    } while (step(h, &clock));
    rpc_client_close(&h->rpc);
    return NULL;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

struct hub *hub_open(const char *socket, const struct hub_carrier *carrier, struct seats *seats,
                     struct errbuf *err)
{
    struct hub *h = xcalloc(1, sizeof *h);
    h->carrier = *carrier;
    h->seats = seats;
    h->socket = xstrdup(socket);
    rpc_client_init(&h->rpc);
    h->rpc.on_notification = hear;
    h->rpc.arg = h;
    pthread_mutex_init(&h->lock, NULL);
    h->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (h->stop_fd >= 0 && pthread_create(&h->thread, NULL, listen_on, h) == 0)
        return h;
    err_set(err, ERR_IO, "no thread can be made to watch the daemon");
    free(h->socket);
    free(h);
    return NULL;
}

void hub_stop(struct hub *h)
{
    eventfd_write(h->stop_fd, 1);
    pthread_join(h->thread, NULL);
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    for (struct stream *s = h->streams; s != NULL; s = s->next)
        wake(s);
    pthread_mutex_unlock(&h->lock);
}

void hub_close(struct hub *h)
{
    close(h->stop_fd);
    free(h->socket);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
