#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/launch/rundir_part.h"

int rundir_folder(const char *runs_dir, int64_t run_id, bool make)
{
    char path[PATHS_MAX];
    if (!paths_run(path, sizeof(path), runs_dir, run_id)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (make && mkdir(path, 0700) != 0 && errno != EEXIST)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int rundir_new_folder(const char *runs_dir, int64_t run_id)
{
    char path[PATHS_MAX];
    if (!paths_run(path, sizeof(path), runs_dir, run_id) || mkdir(path, 0700) != 0)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int rundir_file(int folder, enum run_file f, int flags)
{
    struct stat st;
    int fd = openat(folder, run_file_name(f), flags | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
        return fd;
    close(fd);
    errno = ENOTSUP;
    return -1;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int rundir_new_file(int folder, enum run_file f)
{
    int fd = rundir_file(folder, f, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
    if (fd >= 0 || errno != EEXIST || unlinkat(folder, run_file_name(f), 0) != 0)
        return fd;
    return rundir_file(folder, f, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
}

int rundir_put(int folder, enum run_file f, const char *text)
{
    int fd = rundir_new_file(folder, f);
    if (fd < 0)
        return -1;
    int rc = write_all(fd, text, strlen(text));
    if (rc == 0)
        rc = write_all(fd, "\n", 1);
    int saved = errno;
    if (close(fd) != 0)
        return -1;
    errno = saved;
    return rc;
}

void rundir_remove_unfinished(int folder)
{
    static const char suffix[] = ".tmp";
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        size_t len = strlen(e->d_name), cut = sizeof(suffix) - 1;
        if (len > cut && strcmp(e->d_name + len - cut, suffix) == 0)
            unlinkat(folder, e->d_name, 0);
    }
    closedir(dir);
}
