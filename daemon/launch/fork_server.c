#include "daemon/launch/fork_server.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/launch/child.h"
#include "sweep/err.h"
#include "sweep/fork_server.h"
#include "sweep/log.h"
#include "sweep/require.h"

#define LOG_MODULE "fork"

#define IDLE_MS 10000   /* without a start; a new one costs as much as a worker by exec */
#define ANSWER_SECONDS 2 /* a fork takes less than a millisecond */
#define FAILURES_MAX 3

/* --- the process ------------------------------------------------------------------------------ */

/* Whatever it does. Its workers have nothing of it. */
static void end(struct fork_server *f)
{
    if (f->pid == 0)
        return;
    close(f->socket);
    kill(f->pid, SIGKILL);
    child_reap(f->pid);
    f->pid = 0;
    uv_timer_stop(&f->idle);
}

static void on_idle(uv_timer_t *timer)
{
    end(timer->data);
}

static bool hear(const struct fork_server *f, struct fork_reply *out)
{
    ssize_t n;
    do
        n = recv(f->socket, out, sizeof(*out), 0);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(*out);
}

static pid_t spawn(const struct fork_server *f, int socket)
{
    char room[FORK_SERVER_ROOM + 1];
    memset(room, ' ', sizeof(room) - 1);
    room[sizeof(room) - 1] = '\0';
    char *words[] = {(char *)f->program, FORK_SERVER_FLAG, room, NULL};
    const struct child_program program = {.words = words,
                                          .environment = f->environment,
                                          .in = socket,
                                          .out = STDERR_FILENO,
                                          .err = STDERR_FILENO};
    return child_spawn(&program);
}

/* It says its version: a newer program may lie there by now. */
static int begin(struct fork_server *f)
{
    const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    struct fork_reply hello;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return ERR_IO;
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    pid_t pid = spawn(f, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return ERR_IO;
    }
    f->pid = pid;
    f->socket = ends[0];
    if (hear(f, &hello) && hello.pid == FORK_SERVER_VERSION)
        return 0;
    end(f);
    return ERR_IO;
}

/* --- a worker --------------------------------------------------------------------------------- */

static bool ask(const struct fork_server *f, const struct fork_request *r)
{
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(FORK_SERVER_DESCRIPTORS * sizeof(int))];
    } control = {.bytes = {0}};
    const int fds[FORK_SERVER_DESCRIPTORS] = {r->out, r->err};
    struct iovec text = {(char *)r->config, strlen(r->config)};
    struct msghdr m = {.msg_iov = &text, .msg_iovlen = 1,
                       .msg_control = &control, .msg_controllen = sizeof(control)};
    control.aligned = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(fds)),
                                       .cmsg_level = SOL_SOCKET,
                                       .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.aligned), fds, sizeof(fds));
    ssize_t n;
    do
        n = sendmsg(f->socket, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n >= 0;
}

static void note_failure(struct fork_server *f, const char *what)
{
    end(f);
    if (++f->failures < FAILURES_MAX)
        return;
    log_warn("%s --fork-server %s: each worker is started by itself from now on", f->program, what);
    f->program = NULL;
}

/* One that has ended meanwhile is noticed by what is sent to it: nothing of it has run then. */
static int send_to_one(struct fork_server *f, const struct fork_request *r)
{
    if (f->pid != 0 && ask(f, r))
        return 0;
    end(f);
    if (begin(f) == 0 && ask(f, r))
        return 0;
    note_failure(f, "does not begin");
    return ERR_IO;
}

int fork_server_start(struct fork_server *f, const struct fork_request *r, pid_t *out)
{
    struct fork_reply reply;
    if (!f->program || send_to_one(f, r) != 0)
        return ERR_IO;
    if (!hear(f, &reply)) {
        note_failure(f, "does not answer");
        return ERR_BUSY;
    }
    uv_timer_start(&f->idle, on_idle, IDLE_MS, 0);
    if (reply.pid <= 0)
        return ERR_IO;
    f->failures = 0;
    *out = (pid_t)reply.pid;
    return 0;
}

/* --- its life --------------------------------------------------------------------------------- */

void fork_server_init(struct fork_server *f, uv_loop_t *loop, const char *program,
                      char *const *environment)
{
    *f = (struct fork_server){.program = program, .environment = environment, .socket = -1};
    int rc = uv_timer_init(loop, &f->idle);
    REQUIRE(rc == 0);
    f->idle.data = f;
}

void fork_server_close(struct fork_server *f)
{
    end(f);
    uv_close((uv_handle_t *)&f->idle, NULL);
}
