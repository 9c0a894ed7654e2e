#include "daemon/serve/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/serve/activation.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/paths.h"
#include "sweep/process.h"
#include "sweep/rpc.h"

#define LOG_MODULE "listener"
#define BACKLOG 4096 /* the system may allow less: net.core.somaxconn */
#define ACCEPTS_A_TURN 64
#define PEER_GROUPS_MAX 256

struct listener {
    uv_poll_t poll;
    int fd;
    int spare; /* given up for a moment where there are no more descriptors */
    char path[PATHS_MAX];
    gid_t group;
    dev_t device;   /* of the socket's file, */
    ino_t inode;    /* so that another daemon's is never removed */
    bool inherited; /* from a service manager, who keeps the file */
    listener_cb *cb;
    void *arg;
};

/* --- who may -------------------------------------------------------------------------------- */

static bool in_group(int fd, const struct ucred *peer, gid_t group)
{
    gid_t groups[PEER_GROUPS_MAX];
    socklen_t size = sizeof(groups);
    if (group == CONFIG_NO_GROUP)
        return false;
    if (peer->gid == group)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
        return false;
    for (size_t i = 0; i < size / sizeof(groups[0]); i++) {
        if (groups[i] == group)
            return true;
    }
    return false;
}

static bool may_connect(const struct listener *l, int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return false;
    if (peer.uid == geteuid() || in_group(fd, &peer, l->group))
        return true;
    log_warn("a client of user %u was turned away", (unsigned)peer.uid);
    return false;
}

void listener_turn_away(int fd, const char *why)
{
    struct errbuf err;
    struct buf line = {0};
    struct rpc_id none = {.present = false};
    err_set(&err, ERR_BUSY, "%s", why);
    rpc_write_error(&line, &none, &err);
    send(fd, line.data, line.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    buf_finish(&line);
    close(fd);
}

/* --- accepting ------------------------------------------------------------------------------ */

static void open_spare(struct listener *l)
{
    if (l->spare < 0)
        l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* There are no more descriptors: who waits is told so with the spare one. Left alone, he would be
 * there at every turn of the loop. */
static void accept_to_refuse(struct listener *l)
{
    if (l->spare >= 0)
        close(l->spare);
    l->spare = -1;
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        listener_turn_away(fd, "the daemon has no descriptors left; try again later");
    open_spare(l);
    if (l->spare < 0 || fd < 0)
        uv_poll_stop(&l->poll); /* listener_go_on comes */
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0 && errno != EAGAIN)
            accept_to_refuse(l);
        if (fd < 0)
            return;
        if (may_connect(l, fd))
            l->cb(l->arg, fd);
        else
            close(fd);
    }
}

void listener_go_on(struct listener *l)
{
    open_spare(l);
    uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

/* --- the file ------------------------------------------------------------------------------- */

static int fail_at(struct errbuf *err, const char *path, const char *what)
{
    return err_set(err, ERR_IO, "socket %s: %s: %s", path, what, strerror(errno));
}

/* Folders of the name "sweepd" are ours; another one keeps what its owner gave it. */
static int set_folder_mode(const struct listener *l, const char *folder, const struct stat *st,
                           struct errbuf *err)
{
    const char *name = strrchr(folder, '/');
    bool shared = l->group != CONFIG_NO_GROUP;
    mode_t mode = shared ? 0750 : 0700;
    if (!name || strcmp(name, "/sweepd") != 0)
        return 0;
    if ((shared && st->st_gid != l->group && chown(folder, (uid_t)-1, l->group) != 0) ||
        ((st->st_mode & 0777) != mode && chmod(folder, mode) != 0))
        return fail_at(err, l->path, "its folder");
    return 0;
}

/* The folder must be ours, or one like /tmp where nobody but root can replace what is not his: the
 * owner of a sticky folder may rename and remove what he likes in it. */
static int check_folder(const struct listener *l, struct errbuf *err)
{
    char folder[PATHS_MAX];
    struct stat st;
    str_copy(folder, sizeof(folder), l->path);
    char *slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
    if (stat(folder, &st) != 0)
        return fail_at(err, l->path, "its folder");
    if ((st.st_mode & S_ISVTX) && st.st_uid == 0)
        return 0;
    if (st.st_uid != geteuid())
        return err_bad(err, ERR_PERMISSION, "--socket", l->path,
                       "a folder of your own; %s belongs to user %u", folder, (unsigned)st.st_uid);
    if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
        return err_bad(err, ERR_PERMISSION, "--socket", l->path,
                       "a folder that others cannot write to (chmod 700 %s)", folder);
    return set_folder_mode(l, folder, &st, err);
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
        return err_set(err, ERR_BUSY, "another daemon answers on the socket %s", address->sun_path);
    if (unlink(address->sun_path) != 0)
        return fail_at(err, address->sun_path, "stale socket");
    return 0;
}

static bool set_socket_mode(const struct listener *l)
{
    if (l->group == CONFIG_NO_GROUP)
        return chmod(l->path, 0600) == 0;
    return chown(l->path, (uid_t)-1, l->group) == 0 && chmod(l->path, 0660) == 0;
}

/* Bound by hand: libuv would cut a long path and remove the file by its name alone. */
static int bind_socket(struct listener *l, const struct sockaddr_un *address, struct errbuf *err)
{
    struct stat st;
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        return fail_at(err, l->path, "socket");
    if (bind(l->fd, (const struct sockaddr *)address, sizeof(*address)) != 0 ||
        !set_socket_mode(l) || lstat(l->path, &st) != 0 || listen(l->fd, BACKLOG) != 0)
        return fail_at(err, l->path, "bind");
    l->device = st.st_dev;
    l->inode = st.st_ino;
    return 0;
}

static int make_socket(struct listener *l, struct errbuf *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int rc;
    l->fd = activation_take();
    l->inherited = l->fd >= 0;
    if (l->inherited)
        return 0;
    if (strlen(l->path) >= sizeof(address.sun_path))
        return err_bad(err, ERR_VALUE, "--socket", l->path, "a path of fewer than %zu bytes",
                       sizeof(address.sun_path));
    str_copy(address.sun_path, sizeof(address.sun_path), l->path);
    if ((rc = paths_make_parent(l->path, 0700, err)) < 0 || (rc = check_folder(l, err)) < 0 ||
        (rc = remove_stale(&address, err)) < 0)
        return rc;
    return bind_socket(l, &address, err);
}

/* --- life ----------------------------------------------------------------------------------- */

static void free_listener(struct listener *l)
{
    if (l->fd >= 0)
        close(l->fd);
    if (l->spare >= 0)
        close(l->spare);
    free(l);
}

static void on_closed(uv_handle_t *handle)
{
    free_listener(handle->data);
}

int listener_open(struct uv_loop_s *loop, const struct listener_place *place, listener_cb *cb,
                  void *arg, struct listener **out, struct errbuf *err)
{
    struct listener *l = xcalloc(1, sizeof(*l));
    l->fd = l->spare = -1;
    l->group = place->group;
    l->cb = cb;
    l->arg = arg;
    str_copy(l->path, sizeof(l->path), place->path);
    int rc = make_socket(l, err);
    if (rc == 0 && uv_poll_init(loop, &l->poll, l->fd) != 0)
        rc = fail_at(err, l->path, "poll");
    if (rc < 0) {
        free_listener(l);
        return rc;
    }
    l->poll.data = l;
    listener_go_on(l);
    *out = l;
    return 0;
}

const char *listener_path(const struct listener *l)
{
    return l->path;
}

bool listener_is_there(const struct listener *l)
{
    struct stat st;
    return l->inherited ||
           (lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode);
}

void listener_close(struct listener *l)
{
    if (!l)
        return;
    if (!l->inherited && listener_is_there(l))
        unlink(l->path);
    uv_poll_stop(&l->poll);
    uv_close((uv_handle_t *)&l->poll, on_closed);
}
