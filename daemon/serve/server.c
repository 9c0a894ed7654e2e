#include "daemon/serve/server.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/serve/activation.h"
#include "daemon/serve/conn.h"
#include "daemon/serve/dispatch.h"
#include "daemon/serve/events.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/paths.h"
#include "sweep/process.h"
#include "sweep/rpc.h"

#define LOG_MODULE "server"
#define CLIENTS_MAX 256
#define BACKLOG 128

struct server {
    struct daemon *daemon;
    uv_pipe_t *listener;  /* on the heap: a vanished socket's listener outlives its successor's
                           * beginning until the loop has closed it */
    dev_t device;         /* of the socket's file, */
    ino_t inode;          /* so that another daemon's is never removed */
    bool inherited;       /* from a service manager, who keeps it */
    struct conn_owner owner; /* us, to the clients */
    struct conn *clients;
    size_t client_count;
    char scratch[65536];
};

/* --- clients -------------------------------------------------------------------------------- */

static void on_line(void *arg, struct conn *c, const char *line, size_t len)
{
    struct server *s = arg;
    dispatch_line(s->daemon, c, line, len);
}

/* Its requests and watches go with it. */
static void on_closed(void *arg, struct conn *c)
{
    struct server *s = arg;
    struct conn **at = &s->clients;
    while (*at != c)
        at = conn_next(*at);
    *at = *conn_next(c);
    s->client_count--;
    events_unsubscribe(s->daemon->events, c);
    requests_drop(s->daemon->requests, c);
}

static void refuse_crowd(struct conn *c)
{
    struct errbuf err;
    struct buf line = {0};
    struct rpc_id none = {.present = false};
    err_set(&err, ERR_BUSY, "%d clients are connected already", CLIENTS_MAX);
    rpc_write_error(&line, &none, &err);
    conn_send(c, line.data, line.len);
    buf_finish(&line);
    conn_end(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct server *s = listener->data;
    struct conn *c = status == 0 ? conn_accept(&s->owner, listener) : NULL;
    if (!c)
        return;
    *conn_next(c) = s->clients;
    s->clients = c;
    if (++s->client_count > CLIENTS_MAX)
        refuse_crowd(c);
}

struct server *server_create(struct daemon *d)
{
    struct server *s = xcalloc(1, sizeof(*s));
    s->daemon = d;
    s->owner = (struct conn_owner){on_line, on_closed, s, s->scratch, sizeof(s->scratch)};
    return s;
}

/* --- the socket ----------------------------------------------------------------------------- */

static int fail_at(struct errbuf *err, const char *path, const char *what)
{
    return err_set(err, ERR_IO, "socket %s: %s: %s", path, what, strerror(errno));
}

/* The folder must be ours, or one like /tmp where nobody can replace what is not theirs. */
static int check_folder(const char *path, struct errbuf *err)
{
    char folder[PATHS_MAX];
    struct stat st;
    str_copy(folder, sizeof(folder), path);
    char *slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
    if (stat(folder, &st) != 0)
        return fail_at(err, path, "its folder");
    if (st.st_mode & S_ISVTX)
        return 0;
    if (st.st_uid != geteuid())
        return err_bad(err, ERR_PERMISSION, "--socket", path,
                       "a folder of your own; %s belongs to user %u", folder, (unsigned)st.st_uid);
    if (st.st_mode & 022)
        return err_bad(err, ERR_PERMISSION, "--socket", path,
                       "a folder that others cannot write to (chmod 700 %s)", folder);
    /* Folders of that name are ours; another one keeps what its owner gave it. */
    const char *name = strrchr(folder, '/');
    if ((st.st_mode & 055) && name && strcmp(name, "/sweepd") == 0 && chmod(folder, 0700) != 0)
        return fail_at(err, path, "its folder");
    return 0;
}

/* Will nobody accept this connection? A child that a killed daemon was starting keeps the
 * daemon's listener until its exec: one can connect, but who listened is not there any more. */
static bool is_orphaned(int fd)
{
    struct ucred listener;
    socklen_t size = sizeof(listener);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &size) == 0 &&
           process_is_ending(listener.pid);
}

/* Removes a socket nobody answers on. */
static int remove_stale(const struct sockaddr_un *address, struct errbuf *err)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT ? 0 : fail_at(err, address->sun_path, "stat");
    if (!S_ISSOCK(st.st_mode))
        return err_bad(err, ERR_VALUE, "--socket", address->sun_path,
                       "a path where there is nothing, or a socket; this is a file");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail_at(err, address->sun_path, "socket");
    int rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    bool nobody = rc != 0 ? errno == ECONNREFUSED : is_orphaned(fd);
    close(fd);
    if (!nobody)
        return err_set(err, ERR_BUSY, "another daemon answers on the socket %s",
                       address->sun_path);
    if (unlink(address->sun_path) != 0)
        return fail_at(err, address->sun_path, "stale socket");
    return 0;
}

/* Bound by hand: libuv would cut a long path and remove the file by its name alone. */
static int bind_socket(struct server *s, const struct sockaddr_un *address, int *out,
                       struct errbuf *err)
{
    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail_at(err, address->sun_path, "socket");
    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 ||
        chmod(address->sun_path, 0600) != 0 || lstat(address->sun_path, &st) != 0) {
        int rc = fail_at(err, address->sun_path, "bind");
        close(fd);
        return rc;
    }
    s->device = st.st_dev;
    s->inode = st.st_ino;
    *out = fd;
    return 0;
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle);
}

static void close_listener(struct server *s)
{
    if (s->listener)
        uv_close((uv_handle_t *)s->listener, on_listener_closed);
    s->listener = NULL;
}

static int start_listener(struct server *s, int fd, const char *path, struct errbuf *err)
{
    uv_pipe_t *pipe = xcalloc(1, sizeof(*pipe));
    uv_pipe_init(s->daemon->loop.uv, pipe, 0);
    pipe->data = s;
    int rc = uv_pipe_open(pipe, fd);
    if (rc != 0)
        close(fd);
    else
        rc = uv_listen((uv_stream_t *)pipe, BACKLOG, on_connection);
    s->listener = pipe;
    if (rc == 0)
        return 0;
    close_listener(s);
    return err_set(err, ERR_IO, "socket %s: %s", path, uv_strerror(rc));
}

int server_listen(struct server *s, struct errbuf *err)
{
    const char *path = s->daemon->config->socket;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = activation_take(), rc;
    if (fd >= 0) {
        s->inherited = true;
        return start_listener(s, fd, path, err);
    }
    if (strlen(path) >= sizeof(address.sun_path))
        return err_bad(err, ERR_VALUE, "--socket", path, "a path of fewer than %zu bytes",
                       sizeof(address.sun_path));
    str_copy(address.sun_path, sizeof(address.sun_path), path);
    if ((rc = paths_make_parent(path, 0700, err)) < 0 || (rc = check_folder(path, err)) < 0 ||
        (rc = remove_stale(&address, err)) < 0 || (rc = bind_socket(s, &address, &fd, err)) < 0)
        return rc;
    return start_listener(s, fd, path, err);
}

static bool socket_is_ours(const struct server *s)
{
    struct stat st;
    return !s->inherited && lstat(s->daemon->config->socket, &st) == 0 && st.st_dev == s->device &&
           st.st_ino == s->inode;
}

void server_check(struct server *s)
{
    for (struct conn *c = s->clients, *next; c; c = next) {
        next = *conn_next(c);
        conn_check(c);
    }
    if (s->inherited || socket_is_ours(s))
        return;
    struct errbuf err;
    close_listener(s);
    if (server_listen(s, &err) < 0)
        log_warn("the socket has vanished and cannot be made again: %s", err.message);
    else
        log_info("the socket had vanished: made again");
}

void server_close(struct server *s)
{
    if (s->listener && socket_is_ours(s))
        unlink(s->daemon->config->socket);
    close_listener(s);
    for (struct conn *c = s->clients; c; c = *conn_next(c))
        conn_close(c);
}

void server_destroy(struct server *s)
{
    free(s);
}
