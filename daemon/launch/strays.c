#include "daemon/launch/strays.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/engine/engine.h"
#include "daemon/launch/rundir.h"
#include "daemon/launch/site.h"
#include "sweep/buf.h"
#include "sweep/paths.h"

#define CMDLINE_MAX 16384

/* "/runs/17/config.json" → 17, where /runs is that folder, by whatever name; 0 else. */
static int64_t run_of_config(const char *argument, const char *runs_dir)
{
    char path[PATHS_MAX], parent[PATH_MAX], ours[PATH_MAX], *end;
    str_copy(path, sizeof(path), argument);
    char *file = strrchr(path, '/');
    if (!file || strcmp(file + 1, run_file_name(RUN_FILE_CONFIG)) != 0)
        return 0;
    *file = '\0';
    char *id = strrchr(path, '/');
    if (!id || id == path)
        return 0;
    *id = '\0';
    int64_t run_id = strtoll(id + 1, &end, 10);
    if (*end != '\0' || run_id < 1 || !realpath(path, parent) || !realpath(runs_dir, ours))
        return 0;
    return strcmp(parent, ours) == 0 ? run_id : 0;
}

/* The run whose config.json is among the arguments of that process; 0: none. */
static int64_t run_of_process(int64_t pid, const char *runs_dir)
{
    char path[48], text[CMDLINE_MAX];
    snprintf(path, sizeof(path), "/proc/%" PRId64 "/cmdline", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    int64_t run_id = 0;
    for (const char *word = text; word < text + n && run_id == 0; word += strlen(word) + 1)
        run_id = run_of_config(word, runs_dir);
    return run_id;
}

/* Its stdout is some run.jsonl, there or deleted. */
static bool writes_lines(int64_t pid)
{
    static const char deleted[] = " (deleted)";
    char path[48], target[PATHS_MAX];
    snprintf(path, sizeof(path), "/proc/%" PRId64 "/fd/1", pid);
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    if (n <= 0)
        return false;
    size_t len = (size_t)n, cut = sizeof(deleted) - 1;
    if (len > cut && memcmp(target + len - cut, deleted, cut) == 0)
        len -= cut;
    target[len] = '\0';
    const char *name = strrchr(target, '/');
    return name && strcmp(name + 1, run_file_name(RUN_FILE_LINES)) == 0;
}

/* By what the process is to be ended; 0: it is the worker of a live run, in the folder that is
 * there. That of a run which is over, or which the database has lost, may still leave a checkpoint
 * in a folder of its own; any other would write into those of other runs. */
static int signal_for(const struct launch_site *site, int64_t run_id, int64_t pid)
{
    struct run_owner owner;
    enum run_known known = engine_run_owner(site->engine, run_id, &owner);
    const struct rundir_place at = {site->runs_dir, run_id,
                                    known == RUN_KNOWN_LIVE ? &owner : NULL};
    if (known == RUN_KNOWN_NOT_YET || !rundir_is_written_by(&at, pid))
        return SIGKILL;
    return known == RUN_KNOWN_LIVE ? 0 : SIGTERM;
}

/* With what it has started, where it leads a group. One that is stopped must hear it too. */
static bool end_process(int64_t pid, int pidfd, int signal)
{
    if (getpgid((pid_t)pid) == (pid_t)pid)
        return kill(-(pid_t)pid, signal) == 0 && kill(-(pid_t)pid, SIGCONT) == 0;
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 &&
           syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0) == 0;
}

/* The pidfd is taken first and looked at after: what is ended is this very process. */
static void look_at(const struct launch_site *site, int64_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    int64_t run_id = pidfd < 0 ? 0 : run_of_process(pid, site->runs_dir);
    int signal = run_id > 0 && writes_lines(pid) ? signal_for(site, run_id, pid) : 0;
    if (signal != 0 && end_process(pid, pidfd, signal))
        site_note(site, run_id, "stray_worker_ended",
                  "process %" PRId64 " trained for no run of this database any more: ended", pid);
    if (pidfd >= 0)
        close(pidfd);
}

void strays_end(const struct launch_site *site)
{
    DIR *proc = opendir("/proc");
    if (!proc)
        return;
    for (struct dirent *e = readdir(proc); e; e = readdir(proc)) {
        int64_t pid = strtoll(e->d_name, NULL, 10);
        if (pid > 0 && pid != getpid())
            look_at(site, pid);
    }
    closedir(proc);
}
