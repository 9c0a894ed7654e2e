#include "client/rpc.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sweep/err.h"

#define WAIT_MS 1000
#define READ_BYTES 65536

void rpc_client_init(struct rpc_client *c)
{
    memset(c, 0, sizeof *c);
    c->fd = -1;
    c->timeout_ms = -1;
    c->wake_fd = -1;
}

void rpc_client_close(struct rpc_client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    buf_finish(&c->in);
    c->fd = -1;
    c->scanned = 0;
}

/* Whoever can put a socket where we look could answer in the daemon's name. It must be ours,
 * root's, or that of the folder's owner, who alone can put one there (daemon/serve/listener.c). */
static int check_peer(int fd, const char *path, struct errbuf *err)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct ucred peer;
    socklen_t size = sizeof peer;
    struct stat st;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (peer.uid == geteuid() || peer.uid == 0)
        return 0;
    str_copy(folder, sizeof folder, path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder] = '\0';
    if (stat(slash != NULL ? folder : ".", &st) == 0 && st.st_uid == peer.uid)
        return 0;
    return err_bad(err, ERR_PERMISSION, "--socket", path,
                   "a daemon of your own or of root; user %u answers there", (unsigned)peer.uid);
}

int rpc_client_open(struct rpc_client *c, const char *path, struct errbuf *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return err_bad(err, ERR_VALUE, "--socket", path, "a path of at most %zu bytes",
                       sizeof address.sun_path - 1);
    str_copy(address.sun_path, sizeof address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_IO, "socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        close(fd);
        return ERR_IO;
    }
    int rc = check_peer(fd, path, err);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    rpc_client_close(c);
    c->fd = fd;
    return 0;
}

static int send_all(int fd, const char *bytes, size_t len, struct errbuf *err)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "the daemon closed the connection (%s)", strerror(errno));
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

int rpc_client_fill(struct rpc_client *c, struct errbuf *err)
{
    buf_reserve(&c->in, READ_BYTES);
    for (;;) {
        ssize_t n = recv(c->fd, c->in.data + c->in.len, READ_BYTES, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "cannot read from the daemon: %s", strerror(errno));
        if (n == 0 && c->in.len > 0)
            return err_set(err, ERR_IO,
                           "the daemon closed the connection in the middle of a line");
        if (n == 0)
            return err_set(err, ERR_IO, "the daemon closed the connection");
        c->in.len += (size_t)n;
        c->in.data[c->in.len] = '\0';
        return 0;
    }
}

int rpc_client_take(struct rpc_client *c, struct rpc_reply *reply, struct errbuf *err)
{
    if (c->in.len == 0)
        return 0;
    char *end = memchr(c->in.data + c->scanned, '\n', c->in.len - c->scanned);
    if (end == NULL) {
        c->scanned = c->in.len;
        if (c->in.len > RPC_REPLY_LINE_MAX)
            return err_set(err, ERR_LIMIT, "the daemon sent a line of more than %d bytes",
                           RPC_REPLY_LINE_MAX);
        return 0;
    }
    size_t len = (size_t)(end - c->in.data);
    int rc = rpc_reply_parse(c->in.data, len, reply, err);
    buf_consume(&c->in, len + 1);
    c->scanned = 0;
    return rc == 0 ? 1 : rc;
}

static int wait_readable(struct rpc_client *c, struct errbuf *err)
{
    struct pollfd p[] = {{.fd = c->fd, .events = POLLIN}, {.fd = c->wake_fd, .events = POLLIN}};
    int left = c->timeout_ms; /* -1: for ever */
    for (;;) {
        bool told = c->on_wait != NULL && (left < 0 || left > WAIT_MS);
        int n = poll(p, 2, told ? WAIT_MS : left);
        if (n == 0 && told) {
            left -= left > 0 ? WAIT_MS : 0;
            c->on_wait(c->wait_arg);
            continue;
        }
        if (n > 0 && p[1].revents != 0)
            return err_set(err, ERR_STATE, "interrupted");
        if (n > 0)
            return 0;
        if (n == 0)
            return err_set(err, ERR_IO, "the daemon does not answer");
        if (errno != EINTR)
            return err_set(err, ERR_IO, "poll: %s", strerror(errno));
    }
}

/* The reply to request id; notifications before it go to the callback. */
static int receive(struct rpc_client *c, int64_t id, struct rpc_reply *reply, struct errbuf *err)
{
    for (;;) {
        int rc = rpc_client_take(c, reply, err);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            rc = wait_readable(c, err);
            if (rc == 0)
                rc = rpc_client_fill(c, err);
            if (rc != 0)
                return rc;
            continue;
        }
        if (!reply->notification && reply->id == id)
            return 0;
        if (!reply->notification) {
            /* A refusal of the line itself has id null: it is about the one request under way. */
            if (reply->error.code != 0)
                return 0;
            rpc_reply_finish(reply);
            return err_set(err, ERR_REQUEST, "the daemon answered a request that was not asked");
        }
        if (c->on_notification != NULL)
            c->on_notification(c->arg, reply);
        rpc_reply_finish(reply);
    }
}

int rpc_client_call(struct rpc_client *c, const char *method, const char *params,
                    struct rpc_reply *reply, struct errbuf *err)
{
    struct buf line = {0};
    int64_t id = ++c->last_id;
    rpc_write_request(&line, id, method, params);
    int rc = 0;
    if (line.len > RPC_LINE_MAX + 1)
        rc = err_set(err, ERR_LIMIT, "the request has %zu bytes; allowed: %d", line.len,
                     RPC_LINE_MAX);
    if (rc == 0)
        rc = send_all(c->fd, line.data, line.len, err);
    buf_finish(&line);
    if (rc == ERR_LIMIT)
        return rc;
    /* A daemon that takes no more may have said why before. */
    struct errbuf unheard;
    int heard = receive(c, id, reply, rc == 0 ? err : &unheard);
    return rc == 0 || heard == 0 ? heard : rc;
}
