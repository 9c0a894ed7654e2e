#include "common/base/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/paths.h"

/* Lines come from several threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sink {
    bool never_waits;
    bool socket; /* stderr is one: asked for each line not to wait */
    bool journal;
    int fd; /* of our own, which does not wait; 0: stderr itself */
    size_t lost;
    char path[PATHS_MAX]; /* of the file, "": it is not ours to turn */
    off_t size;
} sink;

/* --- lines ----------------------------------------------------------------------------------- */

static bool put_socket(const char *line, size_t len)
{
    ssize_t n;
    do
        n = send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

/* A pipe that has room takes a line of less than PIPE_BUF whole. */
static bool has_room(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) > 0 && (p.revents & POLLOUT);
}

static bool put_bytes(const char *line, size_t len)
{
    int fd = sink.fd ? sink.fd : STDERR_FILENO;
    ssize_t n;
    if (sink.never_waits && !sink.fd && !has_room(fd))
        return false;
    do
        n = write(fd, line, len);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

static void turn(void);

bool log_sink_put(const char *line, size_t len)
{
    pthread_mutex_lock(&lock);
    bool put = sink.socket ? put_socket(line, len) : put_bytes(line, len);
    sink.lost += !put;
    sink.size += put ? (off_t)len : 0;
    if (sink.path[0] != '\0' && sink.size >= LOG_FILE_BYTES)
        turn();
    pthread_mutex_unlock(&lock);
    return put;
}

size_t log_sink_lost(void)
{
    pthread_mutex_lock(&lock);
    size_t lost = sink.lost;
    pthread_mutex_unlock(&lock);
    return lost;
}

void log_sink_told(size_t lost)
{
    pthread_mutex_lock(&lock);
    sink.lost -= lost;
    pthread_mutex_unlock(&lock);
}

bool log_sink_is_journal(void)
{
    return sink.journal;
}

/* --- what stderr is -------------------------------------------------------------------------- */

/* systemd.exec(5): device and inode of the stream that is connected to the journal. */
static bool is_journal(const struct stat *st)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && st->st_dev == device &&
           st->st_ino == inode;
}

/* A pipe or terminal once more, for us alone: O_NONBLOCK on stderr itself would reach everybody who
 * shares it, the shell among them. */
static int reopened(void)
{
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    return fd > STDERR_FILENO ? fd : 0;
}

void log_never_wait(void)
{
    struct stat st;
    sink.never_waits = true;
    if (fstat(STDERR_FILENO, &st) != 0)
        return;
    sink.socket = S_ISSOCK(st.st_mode);
    sink.journal = is_journal(&st);
    if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
        sink.fd = reopened();
}

/* --- a file that is turned ------------------------------------------------------------------- */

static bool name(char out[PATHS_MAX], int number)
{
    int n = number ? snprintf(out, PATHS_MAX, "%s.%d", sink.path, number)
                   : snprintf(out, PATHS_MAX, "%s", sink.path);
    return n > 0 && n < PATHS_MAX;
}

/* Stderr itself becomes the file, for what is written past log_write. */
static bool take_file(void)
{
    int fd = open(sink.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool taken = dup2(fd, STDERR_FILENO) == STDERR_FILENO;
    off_t size = lseek(fd, 0, SEEK_END);
    sink.size = size > 0 ? size : 0;
    close(fd);
    return taken;
}

/* Where nothing can be renamed the file grows on for as long again. */
static void turn(void)
{
    char from[PATHS_MAX], to[PATHS_MAX];
    for (int i = LOG_FILES_KEPT; i > 0; i--) {
        if (name(from, i - 1) && name(to, i))
            rename(from, to);
    }
    sink.size = 0;
    take_file();
}

int log_to_file(const char *path, struct errbuf *err)
{
    str_copy(sink.path, sizeof(sink.path), path);
    if (take_file()) {
        sink.never_waits = sink.socket = sink.journal = false;
        if (sink.fd)
            close(sink.fd);
        sink.fd = 0;
        return 0;
    }
    sink.path[0] = '\0';
    return err_set(err, ERR_IO, "log %s: %s", path, strerror(errno));
}
