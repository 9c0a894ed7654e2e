#include "worker/command/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/err.h"
#include "sweep/require.h"

#define PASSES_MAX 10000 /* over descendants, that may start others while they are ended */

enum stage { STAGE_SETUP, STAGE_DIRECTORY, STAGE_EXEC };

/* What a child that could not become the program says; nothing when it could. */
struct report {
    enum stage stage;
    int error;
};

struct pipes {
    int output[2], report[2];
};

static const int NO_PIPE[2] = {-1, -1};

static void close_pipe(int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    memcpy(fds, NO_PIPE, sizeof(NO_PIPE));
}

static void close_pipes(struct pipes *p)
{
    close_pipe(p->output);
    close_pipe(p->report);
}

static int open_pipes(struct pipes *p, struct errbuf *err)
{
    int *all[] = {p->output, p->report};
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        memcpy(all[i], NO_PIPE, sizeof(NO_PIPE));
    for (size_t i = 0; i < ARRAY_LEN(all) && rc == 0; i++)
        rc = pipe2(all[i], O_CLOEXEC);
    if (rc == 0)
        return 0;
    rc = err_set(err, ERR_IO, "no pipe: %s", strerror(errno));
    close_pipes(p);
    return rc;
}

/* --- in the child ----------------------------------------------------------------------------- */

static void default_signals(void)
{
    sigset_t none;

    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL); /* of SIGKILL, SIGSTOP and the C library's own nothing changes */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int join_pipes(const struct pipes *p, int metrics)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(p->output[1], STDOUT_FILENO) < 0 ||
        dup2(p->output[1], STDERR_FILENO) < 0)
        return -1;
    return fcntl(metrics, F_SETFD, 0);
}

/* Without a '/' the name is looked for in PATH; with one the file must be a program itself: no
 * shell tries to read it. */
static void become(char **words)
{
    if (strchr(words[0], '/'))
        execv(words[0], words);
    else
        execvp(words[0], words);
}

static const char *directory_of(const struct surroundings *s)
{
    return s->config->manner.directory[0] ? s->config->manner.directory : s->run_dir;
}

static _Noreturn void run_child(const struct surroundings *s, const struct pipes *p, int metrics,
                                pid_t parent)
{
    struct report r = {STAGE_SETUP, 0};
    struct command_words words = s->config->command;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1); /* it is gone already */
    default_signals();
    surroundings_enter(s, metrics);
    if (join_pipes(p, metrics) == 0) {
        r.stage = STAGE_DIRECTORY;
        if (chdir(directory_of(s)) == 0) {
            r.stage = STAGE_EXEC;
            command_words_add(&words, NULL);
            become(words.words);
        }
    }
    r.error = errno;
    if (write(p->report[1], &r, sizeof(r)) < 0)
        _exit(126);
    _exit(127);
}

/* --- in the parent ---------------------------------------------------------------------------- */

static int refuse(const struct report *r, const struct surroundings *s, struct errbuf *err)
{
    const char *directory = directory_of(s);
    const char *program = s->config->command.words[0];
    int code = r->error == ENOENT ? ERR_NOT_FOUND : ERR_PERMISSION;

    if (r->stage == STAGE_SETUP)
        return err_set(err, ERR_IO, "the program cannot be started: %s", strerror(r->error));
    if (r->stage == STAGE_DIRECTORY)
        return err_set(err, code, "directory %s: %s", directory, strerror(r->error));
    if (r->error == ENOEXEC)
        return err_set(err, code, "%s (in %s): no program, nor a script that begins with #!",
                       program, directory);
    if (r->error == ENOENT && !strchr(program, '/'))
        return err_set(err, code, "%s: no such program in PATH", program);
    if (r->error == ENOENT)
        return err_set(err, code,
                       "%s (in %s): there is no such program, or not the one its first "
                       "line (#!) names",
                       program, directory);
    return err_set(err, code, "%s (in %s): %s", program, directory, strerror(r->error));
}

static bool has_failed(const struct pipes *p, struct report *out)
{
    ssize_t n;

    do
        n = read(p->report[0], out, sizeof(*out));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(*out);
}

static int take_end(int fds[2])
{
    int fd = fds[0];
    fds[0] = -1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

int program_start(struct program *p, const struct surroundings *s, int metrics,
                  struct errbuf *err)
{
    struct pipes pipes;
    struct report failure;
    pid_t parent = getpid();
    int rc = open_pipes(&pipes, err);

    if (rc)
        return rc;
    /* Orphans of the program become our children: program_reap finds and ends them. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t pid = fork();
    if (pid == 0)
        run_child(s, &pipes, metrics, parent);
    if (pid < 0) {
        rc = err_set(err, ERR_IO, "no process: %s", strerror(errno));
        goto fail;
    }
    setpgid(pid, pid); /* both do it: a signal to the group must never come too early */
    close(pipes.report[1]);
    pipes.report[1] = -1;
    if (has_failed(&pipes, &failure)) {
        waitpid(pid, NULL, 0);
        rc = refuse(&failure, s, err);
        goto fail;
    }
    *p = (struct program){.pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0)};
    p->output = take_end(pipes.output);
    close_pipes(&pipes);
    if (p->pidfd >= 0)
        return 0;
    rc = err_set(err, ERR_IO, "pidfd_open: %s", strerror(errno));
    program_signal(p, SIGKILL);
    program_reap(p);
    program_close(p);
    return rc;
fail:
    close_pipes(&pipes);
    return rc;
}

void program_signal(const struct program *p, int signal)
{
    kill(-p->pid, signal);
}

/* Sends SIGKILL to each of our children. False: there are none, or they cannot be listed. */
static bool kill_children(void)
{
    char path[64], line[4096];
    bool any = false;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    if (fgets(line, sizeof(line), f)) {
        char *at = line, *end;
        /* Each number ends with a blank: one without was cut, and would be another process. */
        for (long pid; (pid = strtol(at, &end, 10)) > 0 && *end == ' '; at = end)
            any |= kill((pid_t)pid, SIGKILL) == 0;
    }
    fclose(f);
    return any;
}

int program_reap(struct program *p)
{
    int status = 0;

    /* While it is not reaped, no other process can get its number. */
    program_signal(p, SIGKILL);
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    /* One at least has got its signal, so the first wait ends. Others may have become ours since:
     * to wait for all would be for ever. */
    for (int i = 0; i < PASSES_MAX && kill_children(); i++)
        for (pid_t pid = waitpid(-1, NULL, 0); pid > 0;)
            pid = waitpid(-1, NULL, WNOHANG);
    return status;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int64_t program_left(const struct program *p)
{
    return p->output >= 0 ? fcntl(p->output, F_GETPIPE_SZ) : 0;
}

void program_close_output(struct program *p)
{
    close_one(&p->output);
}

void program_close(struct program *p)
{
    close_one(&p->pidfd);
    close_one(&p->output);
}
