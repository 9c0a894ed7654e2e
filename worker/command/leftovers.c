#include "worker/command/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_MODULE "command"
#include "sweep/log.h"

/* Its descriptors are a link each, to be seen by its owner alone, whose mode says what it may do:
 * somebody who only reads the file (a `tail -f`) is none of a run's. */
static bool may_write(int descriptors, const char *name, const struct stat *file)
{
    struct stat st, link;

    return fstatat(descriptors, name, &st, 0) == 0 && st.st_dev == file->st_dev &&
           st.st_ino == file->st_ino &&
           fstatat(descriptors, name, &link, AT_SYMLINK_NOFOLLOW) == 0 &&
           (link.st_mode & S_IWUSR) != 0;
}

static bool writes_to(long pid, const struct stat *file)
{
    char path[48];
    bool found = false;

    snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
    DIR *dir = opendir(path);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e && !found; e = readdir(dir))
        found = may_write(dirfd(dir), e->d_name, file);
    if (dir)
        closedir(dir);
    return found;
}

/* The pidfd is taken first and looked at after: what is ended is this very process. */
static void look_at(long pid, const struct stat *file)
{
    int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);

    if (pidfd < 0)
        return;
    if (writes_to(pid, file) && syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0)
        log_warn("process %ld was left by an earlier attempt of this run: ended", pid);
    close(pidfd);
}

void leftovers_end(const char *path)
{
    struct stat file;
    DIR *proc = lstat(path, &file) == 0 && S_ISREG(file.st_mode) ? opendir("/proc") : NULL;

    for (struct dirent *e = proc ? readdir(proc) : NULL; e; e = readdir(proc)) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid > 0 && pid != getpid())
            look_at(pid, &file);
    }
    if (proc)
        closedir(proc);
}
