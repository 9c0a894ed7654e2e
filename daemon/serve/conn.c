#include "daemon/serve/conn.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/serve/outbox.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/require.h"
#include "sweep/rpc.h"

#define LOG_MODULE "conn"
#define WRITE_LINES_MAX 64 /* given to the system at a time */

struct conn {
    uv_pipe_t pipe;
    struct conn_owner *owner;
    struct conn *next;
    struct buf in;
    size_t scanned; /* bytes of in known to hold no '\n' */
    struct outbox out;
    uv_write_t write;
    size_t writing; /* bytes of out that libuv has; 0: none */
    uv_shutdown_t shutdown;
    size_t requests;    /* under way, */
    size_t replies;     /* and those that are to be answered soon */
    size_t left;        /* bytes of that which the socket had not taken when we last looked */
    uint64_t taken_ms;  /* when it last took some, or when output began to wait */
    uint64_t active_ms; /* last line or reply */
    uint64_t ending_ms;
    bool watching;
    bool processing; /* conn_go_on is on the stack */
    bool reading;
    bool eof;     /* it will send no more, but may still read */
    bool ending;  /* closed when the output is gone */
    bool shut;    /* our side is */
    bool closing; /* uv_close was called */
};

struct conn **conn_next(struct conn *c)
{
    return &c->next;
}

bool conn_is_closing(const struct conn *c)
{
    return c->closing;
}

static uint64_t now_ms(const struct conn *c)
{
    return uv_now(c->pipe.loop);
}

/* --- the end -------------------------------------------------------------------------------- */

/* Others may wait for it. */
static void give_back(struct conn_owner *owner, size_t bytes)
{
    owner->output -= bytes;
    if (!owner->starved || owner->output > CONN_OUTPUT_ALL_BYTES / 2)
        return;
    owner->starved = false;
    owner->room(owner->arg);
}

static void on_closed(uv_handle_t *handle)
{
    struct conn *c = handle->data;
    give_back(c->owner, c->out.bytes + c->replies * CONN_REPLY_SHARE_BYTES);
    c->owner->closed(c->owner->arg, c);
    outbox_finish(&c->out);
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

static void on_shut(uv_shutdown_t *request, int status)
{
    struct conn *c = request->data;
    if (status < 0)
        conn_close(c);
}

/* A client that is still sending reads nothing once its socket is closed under it: not why, nor
 * that it was refused. So our side ends first, and what it sends is dropped. */
static void say_end(struct conn *c)
{
    if (c->shut)
        return;
    c->shut = true;
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->pipe, on_shut) != 0)
        conn_close(c);
}

/* Closes a client that has nothing more to say and has heard everything. */
static void close_if_done(struct conn *c)
{
    if (c->out.count > 0 || (!c->ending && c->requests > 0))
        return;
    if (c->eof)
        conn_close(c);
    else if (c->ending)
        say_end(c);
}

static void stop_reading(struct conn *c)
{
    if (c->reading)
        uv_read_stop((uv_stream_t *)&c->pipe);
    c->reading = false;
}

static void adjust_reading(struct conn *c);

void conn_end(struct conn *c)
{
    if (c->closing || c->ending)
        return;
    c->ending = true;
    c->ending_ms = now_ms(c);
    adjust_reading(c);
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

/* --- out ------------------------------------------------------------------------------------ */

static void book_sent(struct conn *c, size_t bytes)
{
    c->taken_ms = now_ms(c);
    give_back(c->owner, bytes);
    outbox_sent(&c->out, bytes);
}

static size_t next_lines(const struct conn *c, uv_buf_t bufs[WRITE_LINES_MAX], size_t *bytes)
{
    size_t n = c->out.count < WRITE_LINES_MAX ? c->out.count : WRITE_LINES_MAX;
    *bytes = 0;
    for (size_t i = 0; i < n; i++) {
        char *data;
        size_t len = outbox_at(&c->out, i, &data);
        bufs[i] = uv_buf_init(data, (unsigned)len);
        *bytes += len;
    }
    return n;
}

static void on_written(uv_write_t *request, int status);

/* As much as the socket takes; libuv waits with the next lines until it takes more. */
static void pump(struct conn *c)
{
    uv_buf_t bufs[WRITE_LINES_MAX];
    uv_stream_t *stream = (uv_stream_t *)&c->pipe;
    size_t bytes;
    while (!c->closing && c->writing == 0 && c->out.count > 0) {
        size_t n = next_lines(c, bufs, &bytes);
        int rc = uv_try_write(stream, bufs, (unsigned)n);
        if (rc > 0) {
            book_sent(c, (size_t)rc);
            continue;
        }
        c->write.data = c;
        if (rc == UV_EAGAIN && uv_write(&c->write, stream, bufs, (unsigned)n, on_written) == 0)
            c->writing = bytes;
        else
            conn_close(c);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct conn *c = request->data;
    bool had_notes = c->out.notes > 0;
    size_t bytes = c->writing;
    c->writing = 0;
    if (c->closing)
        return;
    if (status < 0) {
        conn_close(c);
        return;
    }
    book_sent(c, bytes);
    pump(c);
    if (had_notes && c->out.notes == 0 && !c->closing)
        c->owner->relieved(c->owner->arg, c);
    conn_go_on(c);
}

static void push(struct conn *c, struct message *m, bool note)
{
    if (c->out.count == 0)
        c->taken_ms = now_ms(c);
    c->owner->output += m->len;
    outbox_push(&c->out, m, note);
    pump(c);
}

void conn_send(struct conn *c, const char *line, size_t len)
{
    if (!c->closing && !c->shut)
        push(c, message_create(line, len), false);
}

bool conn_notify(struct conn *c, struct message *m)
{
    if (c->closing || c->ending)
        return true;
    if (!outbox_takes_notes(&c->out))
        return false;
    push(c, message_hold(m), true);
    return true;
}

size_t conn_notes(const struct conn *c)
{
    return c->out.notes;
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

/* Its output and that of all clients together leave room for one more reply. One that waits for
 * nothing is always heard. */
static bool has_room(struct conn *c)
{
    if (c->replies == 0 && c->out.bytes == 0)
        return true;
    bool full = c->owner->output >= CONN_OUTPUT_ALL_BYTES;
    c->owner->starved |= full;
    return !full && c->out.bytes + c->replies * CONN_REPLY_SHARE_BYTES < CONN_OUTPUT_PAUSE_BYTES;
}

static bool may_process(struct conn *c)
{
    return !c->closing && !c->ending && c->requests < CONN_REQUESTS_MAX && has_room(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct conn *c = handle->data;
    *buf = uv_buf_init(c->owner->scratch, (unsigned)c->owner->scratch_bytes);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = stream->data;
    if (n > 0 && !c->ending) {
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
    conn_go_on(c);
}

static void adjust_reading(struct conn *c)
{
    bool wanted = !c->eof && (c->ending || may_process(c));
    if (wanted && !c->reading)
        c->reading = uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) == 0;
    else if (!wanted)
        stop_reading(c);
}

static void process_lines(struct conn *c)
{
    size_t at = 0, len, whole;
    while (may_process(c) && next_line(c, at, &len, &whole)) {
        if (len > RPC_LINE_MAX) {
            refuse_long_line(c);
            return;
        }
        /* The line stays where it is: nothing appends to in before this returns. */
        if (!is_blank(c->in.data + at, len)) {
            c->active_ms = now_ms(c);
            c->owner->line(c->owner->arg, c, c->in.data + at, len);
        }
        at += whole;
    }
    buf_consume(&c->in, at);
    if (may_process(c) && c->in.len > RPC_LINE_MAX)
        refuse_long_line(c);
}

/* Serves the lines that are there, as far as the client's shares go. Called after every change of
 * what it waits for; does nothing from within itself. */
void conn_go_on(struct conn *c)
{
    if (c->processing || c->closing)
        return;
    c->processing = true;
    process_lines(c);
    c->processing = false;
    if (c->closing)
        return;
    adjust_reading(c);
    if (c->in.len == 0 || c->ending)
        close_if_done(c);
}

/* --- requests and patience ------------------------------------------------------------------ */

void conn_request_begins(struct conn *c, bool lasting)
{
    c->requests++;
    c->replies += !lasting;
    c->owner->output += lasting ? 0 : CONN_REPLY_SHARE_BYTES;
}

void conn_request_ended(struct conn *c, bool lasting)
{
    REQUIRE(c->requests > 0);
    c->requests--;
    c->replies -= !lasting;
    c->active_ms = now_ms(c);
    give_back(c->owner, lasting ? 0 : CONN_REPLY_SHARE_BYTES);
    conn_go_on(c);
}

void conn_set_watching(struct conn *c, bool watching)
{
    c->watching = watching;
    c->active_ms = now_ms(c);
}

static bool is_idle(const struct conn *c)
{
    return c->requests == 0 && !c->watching && !c->ending && c->out.count == 0;
}

uint64_t conn_idle_ms(const struct conn *c)
{
    return is_idle(c) ? now_ms(c) - c->active_ms : 0;
}

uint64_t conn_unread_ms(const struct conn *c)
{
    return c->out.count > 0 ? now_ms(c) - c->taken_ms : 0;
}

/* libuv says when a write is done; here, whether it goes on. */
static void note_progress(struct conn *c)
{
    size_t left = uv_stream_get_write_queue_size((const uv_stream_t *)&c->pipe);
    if (left != c->left)
        c->taken_ms = now_ms(c);
    c->left = left;
}

void conn_check(struct conn *c)
{
    const struct conn_patience *p = &c->owner->patience;
    if (c->closing)
        return;
    note_progress(c);
    if (c->ending || (c->eof && peer_gone(c))) {
        if (!c->ending || now_ms(c) - c->ending_ms >= p->ending)
            conn_close(c);
    } else if (c->out.count > c->out.notes && conn_unread_ms(c) >= p->unread) {
        log_warn("a client does not read its replies: dropped with %zu bytes waiting for it",
                 c->out.bytes);
        conn_close(c);
    } else if (is_idle(c) && conn_idle_ms(c) >= p->idle) {
        conn_close(c);
    }
}

/* --- the beginning -------------------------------------------------------------------------- */

struct conn *conn_create(struct conn_owner *owner, struct uv_loop_s *loop, int fd)
{
    struct conn *c = xcalloc(1, sizeof(*c));
    c->owner = owner;
    uv_pipe_init(loop, &c->pipe, 0);
    c->pipe.data = c;
    c->active_ms = now_ms(c);
    if (uv_pipe_open(&c->pipe, fd) != 0) {
        close(fd);
        conn_close(c);
    } else {
        adjust_reading(c);
    }
    return c;
}
