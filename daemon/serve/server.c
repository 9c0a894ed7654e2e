#include "daemon/serve/server.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "daemon/serve/conn.h"
#include "daemon/serve/dispatch.h"
#include "daemon/serve/events.h"
#include "daemon/serve/listener.h"
#include "daemon/serve/request.h"
#include "daemon/serve/socket_note.h"
#include "daemon/serve/staged_import.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/rpc.h"

#define LOG_MODULE "server"
#define CLIENTS_MAX 1024
#define ENDING_MAX 64          /* beside them: clients that are told why they were refused */
#define DESCRIPTORS_MAX 65536  /* more are never needed */
#define DESCRIPTORS_KEPT 64    /* for the database, files and pipes, */
#define DESCRIPTORS_OF_A_RUN 8 /* and for each run */
#define CHECK_MS 1000
#define OUTPUT_DROP_BYTES (2 * CONN_OUTPUT_ALL_BYTES)
#define UNREAD_MS 1000 /* so long at least nothing was read where room is needed */

static const struct conn_patience patience = {
    .unread = 30 * 1000, .idle = 600 * 1000, .ending = 2000};

struct server {
    struct daemon *daemon;
    struct listener *listener;                         /* NULL: none at the moment */
    char trouble[sizeof((struct errbuf *)0)->message]; /* why there is none, as it was last said */
    struct conn_owner owner;                           /* us, to the clients */
    struct conn *clients;
    size_t client_count, clients_max;
    uv_timer_t check; /* of the socket and the clients */
    uv_timer_t room;  /* of no time: in the next turn of the loop */
    char scratch[65536];
};

/* --- clients -------------------------------------------------------------------------------- */

static void on_line(void *arg, struct conn *c, const char *line, size_t len)
{
    struct server *s = arg;
    dispatch_line(s->daemon, c, line, len);
}

static void on_relieved(void *arg, struct conn *c)
{
    struct server *s = arg;
    events_relieved(s->daemon, c);
}

/* Its requests and watches go with it. */
static void on_closed(void *arg, struct conn *c)
{
    struct server *s = arg;
    struct conn **at = &s->clients;
    while (*at != c)
        at = conn_next(*at);
    *at = *conn_next(c);
    events_unsubscribe(s->daemon->events, c);
    requests_drop(s->daemon->requests, c);
    staged_import_drop(&s->daemon->imports, c);
    s->client_count--;
}

static void each_client(struct server *s, void (*act)(struct conn *c))
{
    for (struct conn *c = s->clients, *next; c; c = next) {
        next = *conn_next(c);
        act(c);
    }
}

static void on_room_timer(uv_timer_t *timer)
{
    each_client(timer->data, conn_go_on);
}

static void on_room(void *arg)
{
    struct server *s = arg;
    if (!uv_is_closing((uv_handle_t *)&s->room))
        uv_timer_start(&s->room, on_room_timer, 0, 0);
}

/* The client that has been in that state for the longest, at least that long; NULL: none. */
static struct conn *longest(const struct server *s, uint64_t (*ms)(const struct conn *c),
                            uint64_t least)
{
    struct conn *found = NULL;
    for (struct conn *c = s->clients; c; c = *conn_next(c)) {
        if (conn_is_closing(c) || ms(c) < least)
            continue;
        least = ms(c) + 1;
        found = c;
    }
    return found;
}

/* What those hold who do not read is taken from them, the most patient first. */
static void drop_unread(struct server *s)
{
    struct conn *c;
    while (s->owner.output > OUTPUT_DROP_BYTES &&
           (c = longest(s, conn_unread_ms, UNREAD_MS)) != NULL) {
        log_warn("%zu bytes wait for clients: one that does not read is dropped", s->owner.output);
        conn_close(c);
    }
}

/* --- who comes ------------------------------------------------------------------------------ */

/* The longest idle one goes, else one that does not read. */
static bool make_room(struct server *s)
{
    struct conn *c = longest(s, conn_idle_ms, 1);
    if (!c)
        c = longest(s, conn_unread_ms, UNREAD_MS);
    if (!c)
        return false;
    log_debug("all %zu places for clients are taken: an idle one makes room", s->clients_max);
    conn_close(c);
    return true;
}

static struct conn *add_client(struct server *s, int fd)
{
    struct conn *c = conn_create(&s->owner, s->daemon->loop.uv, fd);
    *conn_next(c) = s->clients;
    s->clients = c;
    s->client_count++;
    return c;
}

static void refuse_crowd(struct server *s, int fd)
{
    struct errbuf err;
    struct buf line = {0};
    struct rpc_id none = {.present = false};
    char why[80];
    snprintf(why, sizeof(why), "%zu clients are connected already, and none is idle",
             s->clients_max);
    if (s->client_count >= s->clients_max + ENDING_MAX) {
        listener_turn_away(fd, why);
        return;
    }
    struct conn *c = add_client(s, fd);
    err_set(&err, ERR_BUSY, "%s", why);
    rpc_write_error(&line, &none, &err);
    conn_send(c, line.data, line.len);
    buf_finish(&line);
    conn_end(c);
}

static void on_client(void *arg, int fd)
{
    struct server *s = arg;
    if (s->client_count >= s->clients_max && !make_room(s))
        refuse_crowd(s, fd);
    else
        add_client(s, fd);
}

/* --- the socket ----------------------------------------------------------------------------- */

static int listen_at(struct server *s, const char *path, struct errbuf *err)
{
    const struct config *config = s->daemon->config;
    struct listener_place place = {.path = path, .group = config->group};
    struct listener *l;
    int rc = listener_open(s->daemon->loop.uv, &place, on_client, s, &l, err);
    if (rc < 0)
        return rc;
    listener_close(s->listener);
    s->listener = l;
    s->trouble[0] = '\0';
    socket_note_write(config->db, path);
    return 0;
}

int server_listen(struct server *s, struct errbuf *err)
{
    return listen_at(s, s->daemon->config->socket, err);
}

/* Where its folder has gone (a runtime directory, with the session), there is one beside the
 * database, which the note names. */
static int listen_elsewhere(struct server *s, struct errbuf *err)
{
    char path[PATHS_MAX];
    int n = snprintf(path, sizeof(path), "%s.sock", s->daemon->config->db);
    if (n < 0 || (size_t)n >= sizeof(path))
        return ERR_VALUE;
    int rc = listen_at(s, path, err);
    if (rc == 0)
        log_warn("the socket %s cannot be made: clients are heard at %s", s->daemon->config->socket,
                 path);
    return rc;
}

static void listen_again(struct server *s)
{
    struct errbuf err, other;
    bool there = s->listener && listener_is_there(s->listener);
    bool elsewhere =
        s->listener && strcmp(listener_path(s->listener), s->daemon->config->socket) != 0;
    if (there && !elsewhere)
        return;
    if (server_listen(s, &err) == 0) {
        log_info("the socket had vanished: made again");
        return;
    }
    if (there || listen_elsewhere(s, &other) == 0)
        return;
    if (strcmp(s->trouble, err.message) != 0)
        log_warn("the socket has vanished and cannot be made again: %s", err.message);
    str_copy(s->trouble, sizeof(s->trouble), err.message);
}

static void on_check_timer(uv_timer_t *timer)
{
    struct server *s = timer->data;
    listen_again(s);
    if (s->listener)
        listener_go_on(s->listener);
    each_client(s, conn_check);
    drop_unread(s);
}

/* --- life ----------------------------------------------------------------------------------- */

/* Descriptors that this process may have: as many as it may ask for. */
static size_t descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return CLIENTS_MAX;
    rlim_t wanted = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur < DESCRIPTORS_MAX ? (size_t)limit.rlim_cur : DESCRIPTORS_MAX;
}

/* So many that they never take the descriptors that runs need. */
static size_t most_clients(size_t workers)
{
    size_t all = descriptors(), kept = DESCRIPTORS_KEPT + ENDING_MAX;
    kept += workers * DESCRIPTORS_OF_A_RUN;
    size_t most = all > 2 * kept ? all - kept : all / 4;
    if (most < CLIENTS_MAX)
        log_warn("%zu descriptors (ulimit -n): at most %zu clients at a time", all, most);
    return most < CLIENTS_MAX ? most : CLIENTS_MAX;
}

struct server *server_create(struct daemon *d)
{
    struct server *s = xcalloc(1, sizeof(*s));
    s->daemon = d;
    s->owner = (struct conn_owner){.line = on_line,
                                   .relieved = on_relieved,
                                   .room = on_room,
                                   .closed = on_closed,
                                   .arg = s,
                                   .patience = patience,
                                   .scratch = s->scratch,
                                   .scratch_bytes = sizeof(s->scratch)};
    s->clients_max = most_clients(d->config->workers);
    uv_timer_init(d->loop.uv, &s->check);
    uv_timer_init(d->loop.uv, &s->room);
    s->check.data = s->room.data = s;
    uv_timer_start(&s->check, on_check_timer, CHECK_MS, CHECK_MS);
    return s;
}

void server_close(struct server *s)
{
    if (s->listener && listener_is_there(s->listener))
        socket_note_remove(s->daemon->config->db);
    listener_close(s->listener);
    s->listener = NULL;
    each_client(s, conn_close);
    uv_close((uv_handle_t *)&s->check, NULL);
    uv_close((uv_handle_t *)&s->room, NULL);
}

void server_destroy(struct server *s)
{
    free(s);
}
