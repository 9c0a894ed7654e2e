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

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define PASSES_MAX 10000 /* over descendants, that may start others while they are ended */

enum stage { STAGE_SETUP, STAGE_DIRECTORY, STAGE_EXEC };

/* What a child that could not become the program says; error 0: it could. */
struct report {
    enum stage stage;
    int error;
};

/* What the child needs. Its memory is ours until it is the program: all is prepared here. */
struct beginning {
    const char *directory;
    char **words; /* with a NULL at the end */
    int output, metrics;
    pid_t parent;
    volatile struct report report;
};

/* --- in the child ----------------------------------------------------------------------------- */

static void default_signals(void)
{
    sigset_t none;

    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL); /* of SIGKILL, SIGSTOP and the C library's own nothing changes */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int join_pipes(const struct beginning *b)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(b->output, STDOUT_FILENO) < 0 ||
        dup2(b->output, STDERR_FILENO) < 0)
        return -1;
    return fcntl(b->metrics, F_SETFD, 0);
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

static _Noreturn void run_child(struct beginning *b)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != b->parent)
        _exit(1); /* it is gone already */
    default_signals();
    if (join_pipes(b) == 0) {
        b->report.stage = STAGE_DIRECTORY;
        if (chdir(b->directory) == 0) {
            b->report.stage = STAGE_EXEC;
            become(b->words);
        }
    }
    b->report.error = errno;
    _exit(127);
}

/* --- in the parent ---------------------------------------------------------------------------- */

static const char *directory_of(const struct surroundings *s)
{
    return s->config->manner.directory[0] ? s->config->manner.directory : s->run_dir;
}

static int refuse(const volatile struct report *r, const struct surroundings *s, struct errbuf *err)
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

/* No copy of our memory is made for it: we stand still until it is the program, or has failed. */
static __attribute__((noinline)) pid_t start(struct beginning *b)
{
    pid_t pid = vfork();

    if (pid == 0)
        run_child(b);
    return pid;
}

/* In the environment of the program, which is ours for that moment. */
static pid_t start_in(const struct surroundings *s, struct beginning *b)
{
    struct command_words words = {0};
    char **ours = environ;
    size_t count = 0;

    for (size_t i = 0; i < s->config->command.count; i++)
        command_words_add(&words, s->config->command.words[i]);
    command_words_add(&words, NULL);
    b->words = words.words;
    while (ours[count])
        count++;
    char **theirs = xcalloc(count + 1, sizeof(*theirs));
    memcpy(theirs, ours, count * sizeof(*theirs));
    environ = theirs;
    surroundings_enter(s, b->metrics);
    pid_t pid = start(b);
    int error = errno;
    environ = ours;
    free(theirs);
    free(words.words);
    errno = error;
    return pid;
}

/* program: of a child that runs. */
static int take_up(struct program *p, pid_t pid, int output, struct errbuf *err)
{
    *p = (struct program){.pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
                          .output = output};
    fcntl(output, F_SETFL, O_NONBLOCK);
    if (p->pidfd >= 0)
        return 0;
    int rc = err_set(err, ERR_IO, "pidfd_open: %s", strerror(errno));
    program_signal(p, SIGKILL);
    program_reap(p);
    program_close(p);
    return rc;
}

int program_start(struct program *p, const struct surroundings *s, int metrics,
                  struct errbuf *err)
{
    int output[2], rc;

    if (pipe2(output, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "no pipe: %s", strerror(errno));
    /* Orphans of the program become our children: program_reap finds and ends them. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct beginning b = {.directory = directory_of(s), .output = output[1], .metrics = metrics,
                          .parent = getpid()};
    pid_t pid = start_in(s, &b);
    if (pid < 0)
        rc = err_set(err, ERR_IO, "no process: %s", strerror(errno));
    close(output[1]);
    if (pid >= 0 && b.report.error == 0)
        return take_up(p, pid, output[0], err);
    if (pid >= 0) {
        waitpid(pid, NULL, 0);
        rc = refuse(&b.report, s, err);
    }
    close(output[0]);
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
