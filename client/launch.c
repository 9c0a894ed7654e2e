#include "client/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/rpc.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define TAIL_BYTES 500 /* of the log, in an error message */
#define ASK_MS 2000  /* of the first question; twice as long each time */
#define PIPE_FD 3      /* in the child, closed by a successful exec */

int launch_ask(const char *socket, int timeout_ms, struct rpc_reply *reply, struct errbuf *err)
{
    struct rpc_client c;
    rpc_client_init(&c);
    c.timeout_ms = timeout_ms;
    int rc = rpc_client_open(&c, socket, err);
    if (rc == 0)
        rc = rpc_client_call(&c, "status", "{}", reply, err);
    rpc_client_close(&c);
    if (rc == 0 && reply->error.code != 0) {
        rc = err_set(err, reply->error.code, "%s", reply->error.message);
        rpc_reply_finish(reply);
    }
    return rc;
}

int launch_ask_patiently(const char *socket, struct rpc_reply *reply, struct errbuf *err)
{
    int rc = launch_ask(socket, LAUNCH_PATIENCE_MS, reply, err);
    if (rc == ERR_TIMEOUT)
        err_set(err, rc, "a daemon listens at %s and does not answer within %d s", socket,
                LAUNCH_PATIENCE_MS / 1000);
    return rc;
}

static bool usable(char *out, const char *dir, size_t dir_len, const char *below)
{
    int n = snprintf(out, PATHS_MAX, "%.*s/%s", (int)dir_len, dir, below);
    return n > 0 && n < PATHS_MAX && access(out, X_OK) == 0;
}

int launch_find(char out[PATHS_MAX], struct errbuf *err)
{
    static const char *const below[] = {"sweepd", "../daemon/sweepd"};
    char dir[PATHS_MAX];
    int rc = paths_program_dir(dir, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(below); i++) {
        if (usable(out, dir, strlen(dir), below[i]))
            return 0;
    }
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        if (len > 0 && usable(out, path, len, "sweepd"))
            return 0;
        path += len + (path[len] == ':');
    }
    return err_set(err, ERR_NOT_FOUND, "sweepd is neither beside sweepctl (%s) nor in PATH", dir);
}

int launch_prepare(struct launch *l, struct errbuf *err)
{
    REQUIRE(l->argc + 2 < LAUNCH_ARGS_MAX);
    int rc = launch_find(l->program, err);
    if (rc == 0)
        rc = paths_daemon_log(l->log, err);
    if (rc == 0)
        rc = paths_make_parent(l->log, 0700, err);
    l->argv[0] = l->program;
    l->argv[l->argc++] = "--log";
    l->argv[l->argc++] = l->log;
    l->argv[l->argc] = NULL;
    return rc;
}

int launch_lock(const struct launch *l)
{
    int fd = open(l->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR)
        ;
    return fd;
}

void launch_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}

/* In the child. Tells errno through the pipe when it cannot go on. */
_Noreturn static void child(const struct launch *l, int log, int report)
{
    sigset_t none;
    sigemptyset(&none);
    int null = open("/dev/null", O_RDONLY);
    setsid();
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    /* 0, 1 and 2 are open (main sees to it), so every descriptor here is above 2; log may be 3,
     * which is why the report moves there last. */
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
        dup2(log, STDERR_FILENO) >= 0 &&
        (report == PIPE_FD || dup2(report, PIPE_FD) >= 0) &&
        fcntl(PIPE_FD, F_SETFD, FD_CLOEXEC) == 0) {
        close_range(PIPE_FD + 1, ~0U, 0);
        /* execv takes char *const[] for historical reasons; it changes nothing. */
        execv(l->program, (char *const *)l->argv);
    }
    int code = errno;
    ssize_t n = write(PIPE_FD, &code, sizeof code);
    _exit(n == (ssize_t)sizeof code ? 126 : 127);
}

/* The child's pid, or a negative code. */
static int spawn(const struct launch *l, int log, pid_t *out, struct errbuf *err)
{
    int report[2], code;
    if (pipe2(report, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        child(l, log, report[1]);
    int fork_errno = errno;
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        return err_set(err, ERR_IO, "fork: %s", strerror(fork_errno));
    }
    ssize_t n;
    do
        n = read(report[0], &code, sizeof code);
    while (n < 0 && errno == EINTR);
    close(report[0]);
    if (n == (ssize_t)sizeof code) {
        waitpid(pid, NULL, 0);
        return err_set(err, ERR_IO, "cannot run %s: %s", l->program, strerror(code));
    }
    *out = pid;
    return 0;
}

/* What the log got since from, its last bytes, whole lines where possible. */
static void log_tail(const char *path, off_t from, struct buf *out)
{
    char text[TAIL_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    off_t size = lseek(fd, 0, SEEK_END);
    bool cut = size - from > TAIL_BYTES;
    ssize_t n = pread(fd, text, TAIL_BYTES, cut ? size - TAIL_BYTES : from);
    close(fd);
    if (n <= 0)
        return;
    text[n] = '\0';
    const char *line = cut ? strchr(text, '\n') : NULL;
    buf_puts(out, line != NULL ? line + 1 : text);
    while (out->len > 0 && out->data[out->len - 1] == '\n')
        out->data[--out->len] = '\0';
}

static int ended(const struct launch *l, off_t from, int wait_status, struct errbuf *err)
{
    struct buf tail = {0};
    log_tail(l->log, from, &tail);
    const char *said = tail.data != NULL ? tail.data : "(it said nothing)";
    int rc = WIFSIGNALED(wait_status)
                 ? err_set(err, ERR_IO, "sweepd ended by signal %d:\n%s", WTERMSIG(wait_status),
                           said)
                 : err_set(err, ERR_IO, "sweepd ended with status %d:\n%s",
                           WEXITSTATUS(wait_status), said);
    buf_finish(&tail);
    return rc;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct launched {
    pid_t pid;
    off_t log_from;     /* where in the log its lines begin */
    const char *socket; /* where it is to answer */
};

/* Opening the database may take long, and so may anything on a loaded machine. */
static void say_it_takes_long(const struct launch *l, const struct launched *d)
{
    fprintf(stderr, "sweepctl: sweepd (process %ld) does not answer at %s yet; its log is %s\n",
            (long)d->pid, d->socket, l->log);
}

/* Until it answers or ends: while it lives it is waited for. No question lasts for ever, for
 * another daemon may be at that socket, which ours ends because of. */
static int await(const struct launch *l, const struct launched *d, struct rpc_reply *status,
                 struct errbuf *err)
{
    const struct timespec pause = {.tv_nsec = LAUNCH_POLL_MS * 1000000L};
    int64_t began = now_ms();
    int wait_status, ask_ms = ASK_MS;
    bool said = false;
    for (;;) {
        if (waitpid(d->pid, &wait_status, WNOHANG) == d->pid)
            return ended(l, d->log_from, wait_status, err);
        int rc = launch_ask(d->socket, ask_ms, status, err);
        if (rc == 0)
            return 0;
        if (rc == ERR_TIMEOUT && ask_ms < LAUNCH_PATIENCE_MS)
            ask_ms *= 2;
        if (!said && now_ms() - began > LAUNCH_SAY_MS) {
            say_it_takes_long(l, d);
            said = true;
        }
        nanosleep(&pause, NULL);
    }
}

int launch_start(struct launch *l, const char *socket, struct rpc_reply *status,
                 struct errbuf *err)
{
    struct launched d = {.pid = -1, .socket = socket};
    int log = open(l->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0)
        return err_set(err, ERR_IO, "%s: %s", l->log, strerror(errno));
    d.log_from = lseek(log, 0, SEEK_END);
    int rc = spawn(l, log, &d.pid, err);
    close(log);
    return rc != 0 ? rc : await(l, &d, status, err);
}
