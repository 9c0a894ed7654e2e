#include "daemon/serve/conn.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/require.h"
#include "sweep/rpc.h"

#define LOG_MODULE "conn"
#define REQUESTS_MAX 256                    /* under way, per client */
#define OUTPUT_PAUSE_BYTES (1024 * 1024)    /* queued: no further request is read */
#define OUTPUT_DROP_BYTES (8 * 1024 * 1024) /* queued: the client does not read */

struct conn {
    uv_pipe_t pipe;
    const struct conn_owner *owner;
    struct conn *next;
    struct buf in;
    size_t scanned;    /* bytes of in known to hold no '\n' */
    size_t requests;   /* under way */
    bool processing;   /* conn_process is on the stack */
    bool reading;
    bool eof;          /* it will send no more, but may still read */
    bool ending;       /* closed when the output is gone */
    bool closing;      /* uv_close was called */
    unsigned checks;   /* housekeeping turns since it is ending */
};

static void conn_process(struct conn *c);

struct conn **conn_next(struct conn *c)
{
    return &c->next;
}

/* --- the end -------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct conn *c = handle->data;
    c->owner->closed(c->owner->arg, c);
    buf_finish(&c->in);
    free(c);
}

void conn_close(struct conn *c)
{
    if (c->closing)
        return;
    c->closing = true;
    uv_close((uv_handle_t *)&c->pipe, on_closed);
}

static size_t queued(const struct conn *c)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&c->pipe);
}

/* Closes a client that has nothing more to say and has heard everything. */
static void close_if_done(struct conn *c)
{
    bool waits = c->requests > 0 && !c->ending;
    if ((c->eof || c->ending) && !waits && queued(c) == 0)
        conn_close(c);
}

static void stop_reading(struct conn *c)
{
    if (c->reading)
        uv_read_stop((uv_stream_t *)&c->pipe);
    c->reading = false;
}

void conn_end(struct conn *c)
{
    c->ending = true;
    stop_reading(c);
    close_if_done(c);
}

/* Both directions shut: the peer is gone, not only silent. */
static bool peer_gone(const struct conn *c)
{
    struct pollfd p = {.events = 0};
    if (uv_fileno((const uv_handle_t *)&c->pipe, &p.fd) != 0)
        return true;
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

void conn_check(struct conn *c)
{
    if (c->closing)
        return;
    if ((c->eof && peer_gone(c)) || (c->ending && ++c->checks > 1))
        conn_close(c);
}

/* --- out ------------------------------------------------------------------------------------ */

struct output {
    uv_write_t request;
    struct conn *conn;
    char data[];
};

static void on_written(uv_write_t *request, int status)
{
    struct output *o = request->data;
    struct conn *c = o->conn;
    free(o);
    if (c->closing)
        return;
    if (status < 0) {
        conn_close(c);
        return;
    }
    conn_process(c);
}

void conn_send(struct conn *c, const char *line, size_t len)
{
    if (c->closing)
        return;
    if (queued(c) + len > OUTPUT_DROP_BYTES) {
        log_warn("a client does not read: dropped with %zu bytes waiting for it", queued(c));
        conn_close(c);
        return;
    }
    struct output *o = xmalloc(sizeof(*o) + len);
    memcpy(o->data, line, len);
    o->conn = c;
    o->request.data = o;
    uv_buf_t buf = uv_buf_init(o->data, (unsigned)len);
    if (uv_write(&o->request, (uv_stream_t *)&c->pipe, &buf, 1, on_written) != 0) {
        free(o);
        conn_close(c);
    }
}

/* --- in ------------------------------------------------------------------------------------- */

static void refuse_long_line(struct conn *c)
{
    struct errbuf err;
    struct buf line = {0};
    struct rpc_id none = {.present = false};
    err_set(&err, ERR_REQUEST, "a request line may have %d bytes; this one has more", RPC_LINE_MAX);
    rpc_write_error(&line, &none, &err);
    conn_send(c, line.data, line.len);
    buf_finish(&line);
    buf_clear(&c->in);
    c->scanned = 0;
    conn_end(c);
}

/* The next line of in; at the end of the input also one without its '\n'. */
static bool next_line(struct conn *c, size_t from, size_t *len, size_t *whole)
{
    size_t rest = c->in.len - from;
    if (rest == 0)
        return false;
    const char *start = c->in.data + from;
    const char *end = memchr(start + c->scanned, '\n', rest - c->scanned);
    if (end) {
        *len = (size_t)(end - start);
        *whole = *len + 1;
    } else if (c->eof) {
        *len = *whole = rest;
    } else {
        c->scanned = rest;
        return false;
    }
    c->scanned = 0;
    return true;
}

static bool is_blank(const char *line, size_t len)
{
    return strspn(line, " \t\r") >= len;
}

static bool may_process(const struct conn *c)
{
    return !c->closing && !c->ending && c->requests < REQUESTS_MAX &&
           queued(c) < OUTPUT_PAUSE_BYTES;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct conn *c = handle->data;
    *buf = uv_buf_init(c->owner->scratch, (unsigned)c->owner->scratch_bytes);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = stream->data;
    if (n > 0) {
        buf_append(&c->in, buf->base, (size_t)n);
    } else if (n == UV_EOF) {
        /* Half closed (`echo … | socat`) still hears its answers; gone is gone. */
        c->eof = true;
        stop_reading(c);
        if (peer_gone(c)) {
            conn_close(c);
            return;
        }
    } else if (n < 0) {
        conn_close(c);
        return;
    }
    conn_process(c);
}

static void adjust_reading(struct conn *c)
{
    bool wanted = may_process(c) && !c->eof;
    if (wanted && !c->reading)
        c->reading = uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) == 0;
    else if (!wanted)
        stop_reading(c);
}

/* Serves the lines that are there, as far as the client's shares go. Called after every change of
 * what it waits for; does nothing from within itself. */
static void conn_process(struct conn *c)
{
    size_t at = 0, len, whole;
    if (c->processing || c->closing)
        return;
    c->processing = true;
    while (may_process(c) && next_line(c, at, &len, &whole)) {
        if (len > RPC_LINE_MAX) {
            refuse_long_line(c);
            at = 0;
            break;
        }
        /* The line stays where it is: nothing appends to in before this returns. */
        if (!is_blank(c->in.data + at, len))
            c->owner->line(c->owner->arg, c, c->in.data + at, len);
        at += whole;
    }
    buf_consume(&c->in, at);
    if (may_process(c) && c->in.len > RPC_LINE_MAX)
        refuse_long_line(c);
    c->processing = false;
    if (c->closing)
        return;
    adjust_reading(c);
    if (c->in.len == 0 || c->ending)
        close_if_done(c);
}

void conn_request_begins(struct conn *c)
{
    c->requests++;
}

void conn_request_ended(struct conn *c)
{
    REQUIRE(c->requests > 0);
    c->requests--;
    conn_process(c);
}

/* --- the beginning -------------------------------------------------------------------------- */

static bool same_user(uv_pipe_t *pipe)
{
    int fd;
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (uv_fileno((uv_handle_t *)pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return false;
    if (peer.uid == geteuid())
        return true;
    log_warn("a client of user %u was turned away", (unsigned)peer.uid);
    return false;
}

static void on_unused_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct conn *conn_accept(const struct conn_owner *owner, struct uv_stream_s *listener)
{
    struct conn *c = xcalloc(1, sizeof(*c));
    c->owner = owner;
    uv_pipe_init(listener->loop, &c->pipe, 0);
    c->pipe.data = c;
    if (uv_accept(listener, (uv_stream_t *)&c->pipe) != 0 || !same_user(&c->pipe)) {
        uv_close((uv_handle_t *)&c->pipe, on_unused_closed);
        return NULL;
    }
    adjust_reading(c);
    return c;
}
