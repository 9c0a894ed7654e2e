#include "daemon/serve/socket_note.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/paths.h"

#define LOG_MODULE "server"

/* Written beside and renamed: a reader sees all of it or the one before. */
static bool write_note(const char *path, const char *socket)
{
    char beside[PATHS_MAX];
    int n = snprintf(beside, sizeof(beside), "%s.tmp", path);
    if (n < 0 || (size_t)n >= sizeof(beside))
        return false;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool written = dprintf(fd, "%s\n", socket) > 0;
    return close(fd) == 0 && written && rename(beside, path) == 0;
}

void socket_note_write(const char *database, const char *socket)
{
    char path[PATHS_MAX];
    struct errbuf err;
    if (paths_socket_note(path, database, &err) == 0 && !write_note(path, socket))
        log_warn("%s cannot be written: %s", path, strerror(errno));
}

void socket_note_remove(const char *database)
{
    char path[PATHS_MAX];
    struct errbuf err;
    if (paths_socket_note(path, database, &err) == 0)
        unlink(path);
}
