#include "client/serve/server.h"

#include "sweep/err.h"

#ifndef HAVE_MICROHTTPD

#include <unistd.h>

bool server_is_there(void)
{
    return false;
}

struct server *server_open(int listening, const struct site *site, struct errbuf *err)
{
    close(listening);
    err_set(err, ERR_STATE, "this sweepctl was built without libmicrohttpd");
    return NULL;
}

void server_close(struct server *s)
{
}

#else

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "client/serve/frame.h"
#include "client/serve/hub.h"
#include "client/serve/peer.h"
#include "client/serve/seats.h"
#include "sweep/rpc.h"

#define IDLE_SECONDS 15 /* without a byte in either direction */
#define CONNECTION_BYTES (64 * 1024) /* for the line and the headers of a request */
#define BODY_MAX RPC_LINE_MAX /* as a request on the socket */
/* Of one that is too long so much is read for nothing: who still sends would not hear why. */
#define BODY_HEARD_MAX (16 * RPC_LINE_MAX)
#define STREAM_BLOCK 4096
/* Its own files and nothing else; no script in a page, no frame around it, forms go to itself. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/* A chart by itself has its style within it, and nothing else. */
#define POLICY_OF_CHARTS "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
#define CHART_TYPE "image/svg+xml"

struct server {
    struct MHD_Daemon *daemon;
    const struct site *site;
    struct seats seats;
    struct hub *hub;
    struct desks *desks;
};

/* A request on its way. */
struct exchange {
    struct job job; /* first: a job is its exchange */
    struct server *server;
    struct MHD_Connection *connection;
    struct buf body; /* as it came */
    bool begun, bad, too_long, head;
    enum { EXCHANGE_READING, EXCHANGE_AT_A_DESK, EXCHANGE_ANSWERED } state;
};

/* --- connections -------------------------------------------------------------------------------
 */

static struct seat *seat_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? (struct seat *)info->socket_context : NULL;
}

static int descriptor_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *s = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = descriptor_of(connection);
        *context = seats_take(&s->seats, fd, peer_is_own(fd));
    } else if (*context != NULL) {
        seats_leave(&s->seats, *context);
        *context = NULL;
    }
}

/* The line of a request has come; what is returned is its exchange. */
static void *on_line(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    const char *query = strchr(uri, '?');
    size_t len = query != NULL ? (size_t)(query - uri) : strlen(uri);
    x->server = cls;
    x->connection = connection;
    x->job.answer.status = MHD_HTTP_OK;
    x->job.request.path = form_decode(uri, len, FORM_PLUS_IS_PLUS);
    x->bad = x->job.request.path == NULL ||
             (query != NULL &&
              form_parse(query + 1, strlen(query + 1), &x->job.request.query) != 0);
    return x;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct server *s = cls;
    struct exchange *x = *context;
    struct seat *seat = seat_of(connection);
    if (seat != NULL)
        seats_set(&s->seats, seat, SEAT_WAITING);
    *context = NULL;
    if (x == NULL)
        return;
    request_finish(&x->job.request);
    answer_finish(&x->job.answer);
    buf_finish(&x->body);
    free(x);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void add_headers(struct MHD_Response *response, const struct answer *a)
{
    static const char *const always[][2] = {
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        MHD_add_response_header(response, always[i][0], always[i][1]);
    bool chart = a->type != NULL && strcmp(a->type, CHART_TYPE) == 0;
    MHD_add_response_header(response, "Content-Security-Policy",
                            chart ? POLICY_OF_CHARTS : POLICY);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            a->type != NULL ? a->type : "text/html; charset=utf-8");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            a->cache != NULL ? a->cache : "no-store");
    if (a->location != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, a->location);
    if (a->cookie != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, a->cookie);
    if (a->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (a->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST");
}

static enum MHD_Result send_answer(struct exchange *x)
{
    struct answer *a = &x->job.answer;
    struct seat *seat = seat_of(x->connection);
    size_t len = a->body.len;
    char *bytes = buf_take(&a->body);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(bytes);
        return MHD_NO;
    }
    add_headers(response, a);
    /* What was not read to its end is not read on. */
    if (x->too_long || x->bad)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (seat != NULL)
        seats_set(&x->server->seats, seat, SEAT_SENDING);
    x->state = EXCHANGE_ANSWERED;
    enum MHD_Result rc = MHD_queue_response(x->connection, a->status, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result refuse(struct exchange *x, unsigned status, enum word why)
{
    frame_refuse(x->server->site, &x->job.answer, status, why);
    return send_answer(x);
}

/* --- streams -----------------------------------------------------------------------------------
 */

static void hold(void *connection)
{
    MHD_suspend_connection(connection);
}

static void wake(void *connection)
{
    MHD_resume_connection(connection);
}

static ssize_t read_stream(void *cls, uint64_t at, char *out, size_t max)
{
    ssize_t n = hub_read(cls, out, max);
    return n >= 0 ? n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void leave_stream(void *cls)
{
    hub_leave(cls);
}

static enum MHD_Result send_stream(struct exchange *x)
{
    struct seat *seat = seat_of(x->connection);
    struct stream *stream =
        hub_join(x->server->hub, form_id(&x->job.request.query, "sweep"), x->connection);
    if (stream == NULL)
        return refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE, WORD_BUSY_SAYS);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, stream, leave_stream);
    if (response == NULL) {
        hub_leave(stream);
        return MHD_NO;
    }
    x->job.answer.type = "text/event-stream";
    add_headers(response, &x->job.answer);
    MHD_set_connection_option(x->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    if (seat != NULL)
        seats_set(&x->server->seats, seat, SEAT_STREAM);
    x->state = EXCHANGE_ANSWERED;
    enum MHD_Result rc = MHD_queue_response(x->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return rc;
}

/* --- requests ----------------------------------------------------------------------------------
 */

static void on_done(struct job *j)
{
    struct exchange *x = (struct exchange *)j;
    x->state = EXCHANGE_ANSWERED; /* by the desk; what is left is to send it */
    MHD_resume_connection(x->connection);
}

static enum MHD_Result count_host(void *cls, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    struct visitor *v = cls;
    if (strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0)
        v->hosts++;
    return MHD_YES;
}

static struct visitor visitor_of(struct exchange *x)
{
    struct MHD_Connection *c = x->connection;
    struct seat *seat = seat_of(c);
    struct visitor v = {
        .host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST),
        .origin = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN),
        .cookie = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE),
        .authorization =
            MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION),
        .fetch_site = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Sec-Fetch-Site"),
        .fetch_mode = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Sec-Fetch-Mode"),
        .own = seat != NULL && seat->own,
    };
    MHD_get_connection_values(c, MHD_HEADER_KIND, count_host, &v);
    return v;
}

static enum MHD_Result at_a_desk(struct exchange *x)
{
    struct seat *seat = seat_of(x->connection);
    x->job.done = on_done;
    x->state = EXCHANGE_AT_A_DESK;
    if (seat != NULL)
        seats_set(&x->server->seats, seat, SEAT_WORKING);
    MHD_suspend_connection(x->connection);
    if (desks_put(x->server->desks, &x->job))
        return MHD_YES;
    frame_refuse(x->server->site, &x->job.answer, MHD_HTTP_SERVICE_UNAVAILABLE, WORD_BUSY_SAYS);
    on_done(&x->job);
    return MHD_YES;
}

static enum MHD_Result at_once(struct exchange *x)
{
    struct desk desk;
    desk_init(&desk, x->server->site);
    x->job.route->handle(&desk, &x->job.request, &x->job.answer);
    desk_finish(&desk);
    return send_answer(x);
}

/* The whole request is there: who sends it, and may they? */
static enum MHD_Result enter(struct exchange *x)
{
    const struct visitor v = visitor_of(x);
    struct door *door = x->server->site->door;
    const struct route *route = x->job.route;
    enum entry entry = door_entry(door, &v);
    if (entry == ENTRY_FOREIGN)
        return refuse(x, MHD_HTTP_FORBIDDEN, WORD_FOREIGN_HOST);
    if (door_is_embedded(&v) || (x->job.request.post && door_is_foreign(&v)))
        return refuse(x, MHD_HTTP_FORBIDDEN, WORD_FOREIGN_FORM);
    if (route->kind == ROUTE_HERE)
        return at_once(x);
    if (entry == ENTRY_LOGIN) {
        frame_login(x->server->site, &x->job.answer, MHD_HTTP_UNAUTHORIZED, WORD_LOGIN_SAYS);
        return send_answer(x);
    }
    if (route->kind == ROUTE_CHANGE && !door_may_change(door, &v, &x->job.request))
        return refuse(x, MHD_HTTP_FORBIDDEN, WORD_NO_TOKEN);
    return route->kind == ROUTE_STREAM && !x->head ? send_stream(x)
           : route->kind == ROUTE_STREAM          ? send_answer(x)
                                                  : at_a_desk(x);
}

/* Before its body is read. true: it is answered, with *rc. */
static bool turned_away(struct exchange *x, const char *method, enum MHD_Result *rc)
{
    struct request *r = &x->job.request;
    bool other = false;
    const char *length = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long bytes = length != NULL ? strtoull(length, NULL, 10) : 0;
    x->too_long = bytes > BODY_MAX;
    r->post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    x->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (bytes > BODY_HEARD_MAX)
        *rc = refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, WORD_TOO_LONG);
    else if (x->bad)
        *rc = refuse(x, MHD_HTTP_BAD_REQUEST, WORD_BAD_REQUEST);
    else if (!r->post && !x->head && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        *rc = refuse(x, MHD_HTTP_METHOD_NOT_ALLOWED, WORD_BAD_METHOD);
    else if ((x->job.route = route_find(r->path, r->post, &r->id, &other)) == NULL)
        *rc = other ? refuse(x, MHD_HTTP_METHOD_NOT_ALLOWED, WORD_BAD_METHOD)
                    : refuse(x, MHD_HTTP_NOT_FOUND, WORD_NO_PAGE);
    else
        return false;
    return true;
}

/* One that does not say its length before is cut off where it is too long. */
static enum MHD_Result take_body(struct exchange *x, const char *bytes, size_t *len)
{
    if (!x->too_long && x->body.len + *len > BODY_MAX)
        return MHD_NO;
    if (!x->too_long)
        buf_append(&x->body, bytes, *len);
    *len = 0;
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *len, void **context)
{
    struct exchange *x = *context;
    enum MHD_Result rc;
    if (x == NULL)
        return MHD_NO;
    if (x->state == EXCHANGE_ANSWERED)
        return send_answer(x);
    if (!x->begun) {
        x->begun = true;
        return turned_away(x, method, &rc) ? rc : MHD_YES;
    }
    if (*len > 0)
        return take_body(x, bytes, len);
    if (x->too_long)
        return refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, WORD_TOO_LONG);
    if (x->body.len > 0 && form_parse(x->body.data, x->body.len, &x->job.request.fields) != 0)
        return refuse(x, MHD_HTTP_BAD_REQUEST, WORD_BAD_REQUEST);
    return enter(x);
}

/* --- the whole ---------------------------------------------------------------------------------
 */

bool server_is_there(void)
{
    return true;
}

static struct MHD_Daemon *start(struct server *s, int listening)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, s,
        MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_URI_LOG_CALLBACK, on_line, s,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        s, MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->seats.count,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

struct server *server_open(int listening, const struct site *site, struct errbuf *err)
{
    static const struct hub_carrier carrier = {hold, wake};
    struct server *s = xcalloc(1, sizeof *s);
    s->site = site;
    seats_init(&s->seats, SERVER_SEATS_MAX);
    s->hub = hub_open(site->socket, &carrier, &s->seats, err);
    s->desks = s->hub != NULL ? desks_open(site, err) : NULL;
    s->daemon = s->desks != NULL ? start(s, listening) : NULL;
    if (s->desks != NULL && s->daemon == NULL)
        err_set(err, ERR_IO, "libmicrohttpd cannot start");
    if (s->daemon != NULL)
        return s;
    close(listening);
    server_close(s);
    return NULL;
}

void server_close(struct server *s)
{
    if (s->daemon != NULL) {
        int listening = MHD_quiesce_daemon(s->daemon);
        if (listening >= 0)
            close(listening);
    }
    if (s->desks != NULL)
        desks_stop(s->desks);
    if (s->hub != NULL)
        hub_stop(s->hub);
    if (s->daemon != NULL)
        MHD_stop_daemon(s->daemon);
    if (s->desks != NULL)
        desks_close(s->desks);
    if (s->hub != NULL)
        hub_close(s->hub);
    seats_finish(&s->seats);
    free(s);
}

#endif
