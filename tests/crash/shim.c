/* Preloaded into a program under test: a death at a chosen call, and what a power cut would leave.
 *
 * SHIM_PROGRAM  file names of the programs, with ":" between; any other is left alone
 * SHIM_KILL     CALL:N:before|after — SIGKILL around the N-th call. CALL is a name below; `exec` is
 *               the child between fork and exec, which then kills its parent and goes on
 * SHIM_DEATHS   a file that gets a byte for each such death
 * SHIM_FAIL     CALL:N:COUNT:ERRNO — COUNT calls from the N-th on fail with that number; `alloc` is
 *               malloc, calloc and realloc
 * SHIM_DURABLE  folder that gets what is durable at each moment: of a file its bytes at the last
 *               fsync, named KEY; of a folder its names at the last fsync, named KEY.names
 *
 * KEY is inode-birthtime, so that an inode used again is another file. */
#undef _FILE_OFFSET_BITS /* open and open64 are two functions here */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define CALL_MAP(X)                                                                                \
    X(fsync)                                                                                       \
    X(fdatasync)                                                                                   \
    X(rename)                                                                                      \
    X(write)                                                                                       \
    X(ftruncate)                                                                                   \
    X(unlink)                                                                                      \
    X(open)                                                                                        \
    X(alloc)                                                                                       \
    X(sendmsg)                                                                                     \
    X(exec)

enum call {
#define X(name) CALL_##name,
    CALL_MAP(X)
#undef X
        CALL_COUNT
};

static const char *const names[] = {
#define X(name) #name,
    CALL_MAP(X)
#undef X
};

static struct {
    bool ready, on;
    enum call kill_call, fail_call;
    long kill_at, fail_from, fail_count;
    bool kill_after;
    int fail_errno;
    int deaths; /* opened at the start: a sandbox comes later */
    char durable[PATH_MAX];
    atomic_long *seen; /* shared with the children of a fork: they count on */
} shim;

static enum call call_of(const char *text, size_t len)
{
    for (int i = 0; i < CALL_COUNT; i++)
        if (strlen(names[i]) == len && strncmp(names[i], text, len) == 0)
            return (enum call)i;
    return CALL_COUNT;
}

static bool is_program(const char *wanted)
{
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    if (n < 0)
        return false;
    exe[n] = '\0';
    const char *name = strrchr(exe, '/') + 1;
    size_t len = strlen(name);
    for (const char *p = wanted; p && *p; p += strcspn(p, ":"), p += *p == ':')
        if (strcspn(p, ":") == len && strncmp(p, name, len) == 0)
            return true;
    return false;
}

/* "CALL:REST" → the call and where REST begins. */
static const char *split(const char *text, enum call *call)
{
    size_t len = text ? strcspn(text, ":") : 0;

    *call = text ? call_of(text, len) : CALL_COUNT;
    if (text && (*call == CALL_COUNT || text[len] != ':')) {
        fprintf(stderr, "shim: no such call: %s\n", text);
        _exit(99);
    }
    return text ? text + len + 1 : "";
}

__attribute__((constructor)) static void begin(void)
{
    const char *durable = getenv("SHIM_DURABLE");
    char when[8] = "";

    shim.seen = mmap(NULL, CALL_COUNT * sizeof(*shim.seen), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shim.seen == MAP_FAILED)
        _exit(96);
    shim.on = is_program(getenv("SHIM_PROGRAM"));
    sscanf(split(getenv("SHIM_KILL"), &shim.kill_call), "%ld:%7s", &shim.kill_at, when);
    shim.kill_after = strcmp(when, "after") == 0;
    sscanf(split(getenv("SHIM_FAIL"), &shim.fail_call), "%ld:%ld:%d", &shim.fail_from,
           &shim.fail_count, &shim.fail_errno);
    const char *deaths = getenv("SHIM_DEATHS");
    shim.deaths = shim.on && deaths
                      ? (int)syscall(SYS_openat, AT_FDCWD, deaths,
                                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                      : -1;
    if (durable)
        snprintf(shim.durable, sizeof(shim.durable), "%s", durable);
    shim.ready = true;
}

/* --- what is durable -------------------------------------------------------------------------- */

static bool key_of(int at, const char *name, char *out, size_t size, unsigned *mode)
{
    struct statx st;
    int flags = name[0] ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;

    if (statx(at, name, flags, STATX_INO | STATX_BTIME | STATX_TYPE, &st) != 0)
        return false;
    snprintf(out, size, "%llu-%lld.%09u", (unsigned long long)st.stx_ino,
             (long long)st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
    *mode = st.stx_mode;
    return true;
}

static int real_open(const char *path, int flags)
{
    int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    return next(path, flags, 0600);
}

static void write_all(int fd, const char *data, size_t len)
{
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    while (len > 0) {
        ssize_t n = next(fd, data, len);
        if (n <= 0)
            _exit(98);
        data += n;
        len -= (size_t)n;
    }
}

static void copy_bytes(int to, int from)
{
    char block[1 << 16];
    off_t at = 0;

    for (ssize_t n; (n = pread(from, block, sizeof(block), at)) > 0; at += n)
        write_all(to, block, (size_t)n);
}

static void copy_names(int to, int folder)
{
    char key[64], line[NAME_MAX + 80];
    unsigned mode;
    DIR *dir = fdopendir(dup(folder));

    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            !key_of(folder, e->d_name, key, sizeof(key), &mode))
            continue;
        int n = snprintf(line, sizeof(line), "%s %s\n", key, e->d_name);
        write_all(to, line, (size_t)n);
    }
    if (dir)
        closedir(dir);
}

/* The copy takes the place of the one before at once, as the disk's own would. */
static void keep_durable(int fd)
{
    static atomic_long number;
    char key[64], self[64], part[PATH_MAX + 64], whole[PATH_MAX + 80];
    unsigned mode;
    int (*next_rename)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");

    if (!shim.durable[0] || !key_of(fd, "", key, sizeof(key), &mode))
        return;
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    snprintf(part, sizeof(part), "%s/part-%d-%ld", shim.durable, getpid(),
             atomic_fetch_add(&number, 1));
    snprintf(whole, sizeof(whole), "%s/%s%s", shim.durable, key, S_ISDIR(mode) ? ".names" : "");
    int from = real_open(self, O_RDONLY | O_CLOEXEC);
    int to = real_open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
    if (from < 0 || to < 0)
        _exit(97);
    if (S_ISDIR(mode))
        copy_names(to, from);
    else
        copy_bytes(to, from);
    close(from);
    close(to);
    next_rename(part, whole);
}

/* --- around each call ------------------------------------------------------------------------- */

/* A disk is full, a socket is not. */
static bool may_fail(int fd)
{
    struct stat st;
    return fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
}

static void die(pid_t who)
{
    (void)syscall(SYS_write, shim.deaths, "x", 1);
    kill(who, SIGKILL);
}

/* False: the call fails, with errno. fd: what is written to; -1: nothing. */
static bool before(enum call c, int fd, bool *dies)
{
    *dies = false;
    if (!shim.ready || !shim.on)
        return true;
    long n = atomic_fetch_add(&shim.seen[c], 1) + 1;
    if (c == shim.kill_call && n == shim.kill_at) {
        if (!shim.kill_after)
            die(getpid());
        *dies = true;
    }
    if (c == shim.fail_call && n >= shim.fail_from && n < shim.fail_from + shim.fail_count &&
        may_fail(fd)) {
        errno = shim.fail_errno;
        return false;
    }
    return true;
}

#define AROUND(call, fd, type, name, parameters, arguments)                                        \
    type name parameters                                                                           \
    {                                                                                              \
        static type(*next) parameters;                                                             \
        bool dies;                                                                                 \
        if (!next)                                                                                 \
            next = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                    \
        if (!before(CALL_##call, fd, &dies))                                                       \
            return -1;                                                                             \
        type rc = next arguments;                                                                  \
        if (dies)                                                                                  \
            die(getpid());                                                                        \
        return rc;                                                                                 \
    }

AROUND(rename, -1, int, rename, (const char *from, const char *to), (from, to))
AROUND(rename, -1, int, renameat, (int a, const char *from, int b, const char *to),
       (a, from, b, to))
AROUND(rename, -1, int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
       (a, from, b, to, flags))
AROUND(write, fd, ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len))
AROUND(write, fd, ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
AROUND(write, fd, ssize_t, pwrite, (int fd, const void *data, size_t len, off_t at),
       (fd, data, len, at))
AROUND(write, fd, ssize_t, pwrite64, (int fd, const void *data, size_t len, off64_t at),
       (fd, data, len, at))
AROUND(ftruncate, fd, int, ftruncate, (int fd, off_t len), (fd, len))
AROUND(ftruncate, fd, int, ftruncate64, (int fd, off64_t len), (fd, len))
AROUND(sendmsg, fd, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
AROUND(unlink, -1, int, unlink, (const char *path), (path))
AROUND(unlink, -1, int, unlinkat, (int at, const char *path, int flags), (at, path, flags))

#define SYNCING(name)                                                                              \
    int name(int fd)                                                                               \
    {                                                                                              \
        static int (*next)(int);                                                                   \
        bool dies;                                                                                 \
        if (!next)                                                                                 \
            next = (int (*)(int))dlsym(RTLD_NEXT, #name);                                          \
        if (!before(CALL_##name, fd, &dies))                                                       \
            return -1;                                                                             \
        int rc = next(fd);                                                                         \
        if (rc == 0)                                                                               \
            keep_durable(fd);                                                                      \
        if (dies)                                                                                  \
            die(getpid());                                                                        \
        return rc;                                                                                 \
    }

SYNCING(fsync)
SYNCING(fdatasync)

#define OPENING(name)                                                                              \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        static int (*next)(const char *, int, ...);                                                \
        bool dies;                                                                                 \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;                  \
        va_end(rest);                                                                              \
        if (!next)                                                                                 \
            next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);                       \
        if (!before(CALL_open, -1, &dies))                                                         \
            return -1;                                                                             \
        int rc = next(path, flags, mode);                                                          \
        if (dies)                                                                                  \
            die(getpid());                                                                        \
        return rc;                                                                                 \
    }

OPENING(open)
OPENING(open64)

#define ALLOCATING(name, parameters, arguments)                                                    \
    void *__libc_##name parameters;                                                                \
    void *name parameters                                                                          \
    {                                                                                              \
        bool dies;                                                                                 \
        return before(CALL_alloc, -1, &dies) ? __libc_##name arguments : NULL;                     \
    }

ALLOCATING(malloc, (size_t size), (size))
ALLOCATING(calloc, (size_t n, size_t size), (n, size))
ALLOCATING(realloc, (void *p, size_t size), (p, size))

/* The child of a fork has its parent's program, and so its counts. */
static void before_exec(void)
{
    if (shim.on && shim.kill_call == CALL_exec &&
        atomic_fetch_add(&shim.seen[CALL_exec], 1) + 1 == shim.kill_at)
        die(getppid());
}

int execvp(const char *file, char *const arguments[])
{
    int (*next)(const char *, char *const[]) = dlsym(RTLD_NEXT, "execvp");

    before_exec();
    return next(file, arguments);
}

int execve(const char *file, char *const arguments[], char *const environment[])
{
    int (*next)(const char *, char *const[], char *const[]) = dlsym(RTLD_NEXT, "execve");

    before_exec();
    return next(file, arguments, environment);
}
