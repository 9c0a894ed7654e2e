#include "worker/fork_server.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sweep/fork_server.h"

#define SERVER_SOCKET STDIN_FILENO
#define EXIT_CANNOT_BEGIN 127 /* as where an exec fails */

struct request {
    char config[FORK_SERVER_ROOM];
    int out, err; /* -1: none */
};

static void close_both(struct request *r)
{
    if (r->out >= 0)
        close(r->out);
    if (r->err >= 0)
        close(r->err);
    r->out = r->err = -1;
}

/* Those that came with the message, however many. */
static void take_descriptors(struct msghdr *m, struct request *r)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int fds[FORK_SERVER_DESCRIPTORS];
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return;
    size_t bytes = c->cmsg_len - CMSG_LEN(0);
    memcpy(fds, CMSG_DATA(c), bytes < sizeof fds ? bytes : sizeof fds);
    r->out = bytes >= sizeof(int) ? fds[0] : -1;
    r->err = bytes >= 2 * sizeof(int) ? fds[1] : -1;
}

/* False: the daemon is gone. */
static bool receive(struct request *r)
{
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(FORK_SERVER_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec text = {r->config, sizeof r->config - 1};
    struct msghdr m = {.msg_iov = &text, .msg_iovlen = 1,
                       .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    r->out = r->err = -1;
    do
        n = recvmsg(SERVER_SOCKET, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    take_descriptors(&m, r);
    r->config[m.msg_flags & MSG_TRUNC ? 0 : n] = '\0';
    return true;
}

static bool reply(int32_t pid)
{
    const struct fork_reply r = {pid};
    ssize_t n;
    do
        n = send(SERVER_SOCKET, &r, sizeof r, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof r;
}

/* A child of our parent: the daemon waits for it as for one that it has started itself. There is no
 * such call in the C library; of what fork() does beside, for threads, there is nothing to be done,
 * for this process has one. */
static pid_t fork_sibling(void)
{
    return (pid_t)syscall(SYS_clone, (unsigned long)CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

/* As daemon/launch/child.c leaves a worker that it starts by exec. */
static bool become(const struct request *r)
{
    int in = open("/dev/null", O_RDWR | O_CLOEXEC);
    setsid();
    return in >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(r->out, STDOUT_FILENO) >= 0 &&
           dup2(r->err, STDERR_FILENO) >= 0 && close(in) == 0;
}

static const char *begin(struct request *r, char *room)
{
    if (!become(r))
        _exit(EXIT_CANNOT_BEGIN);
    close_both(r);
    memset(room, 0, strlen(room));
    memcpy(room, r->config, strlen(r->config));
    return room;
}

const char *fork_server_run(char *room)
{
    struct request r;
    bool goes_on = strlen(room) >= FORK_SERVER_ROOM && reply(FORK_SERVER_VERSION);
    while (goes_on && receive(&r)) {
        bool whole = r.err >= 0 && r.config[0];
        pid_t pid = whole ? fork_sibling() : -1;
        if (pid == 0)
            return begin(&r, room);
        int error = whole ? errno : EINVAL;
        close_both(&r); /* with them the lock: it is the child's now */
        goes_on = reply(pid > 0 ? (int32_t)pid : -error);
    }
    return NULL;
}
