#include "worker/pilot/charge.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/err.h"
#include "sweep/paths.h"

/* In the child. A session of its own: what reaches the pilot's group does not reach it. It does not
 * outlive the pilot, for then another may have the run. */
static _Noreturn void become_worker(pid_t parent, int lines, int words, const char *config)
{
    sigset_t none;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (getppid() == parent && null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
        dup2(lines, STDOUT_FILENO) >= 0 && dup2(words, STDERR_FILENO) >= 0)
        execl("/proc/self/exe", "sweep-worker", config, (char *)NULL);
    _exit(127);
}

static char *file_of(const char *room, const struct spool_attempt *at, enum run_file f)
{
    char name[SPOOL_ATTEMPT_MAX];
    spool_attempt_name(at, name);
    return xasprintf("%s/" SPOOL_RUNS "/%s/%s", room, name, run_file_name(f));
}

int charge_start(struct charge *c, const char *room, struct errbuf *err)
{
    char *config = file_of(room, &c->at, RUN_FILE_CONFIG);
    char *lines_path = file_of(room, &c->at, RUN_FILE_LINES);
    char *words_path = file_of(room, &c->at, RUN_FILE_STDERR);
    int lines = spool_open_plain(lines_path, O_WRONLY | O_APPEND);
    int words = spool_open_plain(words_path, O_WRONLY | O_APPEND | O_CREAT);
    pid_t parent = getpid(), pid = -1;
    int rc = 0;
    charge_look(c);
    if (lines >= 0 && words >= 0)
        pid = fork();
    if (pid == 0)
        become_worker(parent, lines, words, config);
    if (pid < 0)
        rc = err_set(err, ERR_IO, "%s: no worker: %s", lines < 0 ? lines_path : words_path,
                     strerror(errno));
    else
        *c = (struct charge){.pid = pid, .at = c->at, .oom_kills = c->oom_kills};
    if (lines >= 0)
        close(lines);
    if (words >= 0)
        close(words);
    free(config);
    free(lines_path);
    free(words_path);
    return rc;
}

void charge_term(struct charge *c, double kill_at)
{
    if (c->pid <= 0)
        return;
    if (!c->told)
        kill(c->pid, SIGTERM);
    c->told = true;
    if (c->kill_at == 0 || (kill_at != 0 && kill_at < c->kill_at))
        c->kill_at = kill_at;
}

/* With its whole session; a program that it supervises has a group of its own and goes with it. */
void charge_kill(struct charge *c)
{
    if (c->pid <= 0)
        return;
    c->killed = true;
    kill(-c->pid, SIGKILL);
    kill(c->pid, SIGKILL);
}

/* Processes that this machine's kernel has killed for want of memory; -1: it does not say. */
static double count_oom_kills(void)
{
    char line[128];
    double count = -1;
    FILE *f = fopen("/proc/vmstat", "re");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, "oom_kill ", 9) == 0)
            count = strtod(line + 9, NULL);
    if (f)
        fclose(f);
    return count;
}

void charge_look(struct charge *c)
{
    c->oom_kills = count_oom_kills();
}

bool charge_ended(struct charge *c, struct spool_note *out)
{
    int status;
    if (c->pid <= 0 || waitpid(c->pid, &status, WNOHANG) != c->pid)
        return false;
    *out = (struct spool_note){.type = SPOOL_NOTE_ENDED, .at = c->at};
    if (WIFSIGNALED(status))
        out->signal = WTERMSIG(status);
    else
        out->status = WEXITSTATUS(status);
    /* A program's own end by that is its supervisor's to report, with this to go by. */
    out->out_of_memory = !c->killed && count_oom_kills() > c->oom_kills &&
                         (out->signal == SIGKILL || out->status != 0);
    c->pid = 0;
    return true;
}
