#include "daemon/launch/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- in the child ---------------------------------------------------------------------------- */

/* Its memory is ours until it is another program: nothing is written but errno and *failed. */
static _Noreturn void become(const struct child_program *p, volatile int *failed)
{
    static const struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int s = 1; s < NSIG; s++)
        sigaction(s, &usual, NULL); /* of SIGKILL, SIGSTOP and the C library's nothing changes */
    setsid();
    int in = p->in >= 0 ? p->in : open("/dev/null", O_RDWR | O_CLOEXEC);
    if (in >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(p->out, STDOUT_FILENO) >= 0 &&
        dup2(p->err, STDERR_FILENO) >= 0) {
        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, NULL);
        execve(p->words[0], p->words, p->environment);
    }
    *failed = errno;
    _exit(127);
}

/* --- here ------------------------------------------------------------------------------------ */

/* The calling thread stands still until the child is another program, or has failed. */
static __attribute__((noinline)) pid_t start(const struct child_program *p, volatile int *failed)
{
    pid_t pid = vfork();

    if (pid == 0)
        become(p, failed);
    return pid;
}

int child_reap(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void on_readable(uv_poll_t *poll, int rc, int events)
{
    struct child *c = poll->data;

    (void)rc;
    (void)events;
    uv_poll_stop(poll);
    int status = child_reap(c->pid);
    bool signalled = WIFSIGNALED(status);
    c->ended(c, signalled ? 0 : WEXITSTATUS(status), signalled ? WTERMSIG(status) : 0);
}

static int watch(struct child *c, uv_loop_t *loop)
{
    c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0); /* closed in every program we become */
    if (c->pidfd < 0)
        return -errno;
    int rc = uv_poll_init(loop, &c->poll, c->pidfd);
    if (rc != 0) {
        close(c->pidfd);
        return rc;
    }
    c->poll.data = c;
    return uv_poll_start(&c->poll, UV_READABLE, on_readable);
}

pid_t child_spawn(const struct child_program *program)
{
    volatile int failed = 0;
    sigset_t all, before;

    /* No handler of ours runs in the child. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = start(program, &failed);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return -error;
    if (failed == 0)
        return pid;
    child_reap(pid);
    return -failed;
}

int child_watch(struct child *c, uv_loop_t *loop, pid_t pid)
{
    c->pid = pid;
    int rc = watch(c, loop);
    if (rc != 0) {
        kill(pid, SIGKILL);
        child_reap(pid);
    }
    return rc;
}

int child_start(struct child *c, uv_loop_t *loop, const struct child_program *program)
{
    pid_t pid = child_spawn(program);
    return pid < 0 ? pid : child_watch(c, loop, pid);
}

void child_close(struct child *c, uv_close_cb closed)
{
    int pidfd = c->pidfd;

    uv_close((uv_handle_t *)&c->poll, closed); /* it is looked at no more */
    close(pidfd);
}
