#include "daemon/check.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/config.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/lingering.h"

#define FREE_BYTES_MIN (1ULL << 30)
#define FILES_MIN 1024       /* descriptors: fewer mean fewer clients and runs */
#define PROCESSES_OF_A_RUN 4 /* the worker, and a program with some children */
#define YEAR_MIN 2024
#define DAY_SECONDS 86400
#define USAGE_STATUS 2 /* of a worker that does not know --check */

struct finding {
    bool ok;
    struct buf says, mend;
};

static void print_finding(const char *check, struct finding *f)
{
    struct buf line = {0};
    struct json_writer w;
    jw_init(&w, &line);
    jw_begin_object(&w);
    jw_kv_string(&w, "check", check);
    jw_kv_bool(&w, "ok", f->ok);
    jw_kv_string(&w, "says", f->says.data ? f->says.data : "");
    jw_kv_string(&w, "mend", f->ok || !f->mend.data ? "" : f->mend.data);
    jw_end_object(&w);
    printf("%s\n", line.data);
    fflush(stdout);
    buf_finish(&line);
    buf_finish(&f->says);
    buf_finish(&f->mend);
}

/* --- each check ------------------------------------------------------------------------------ */

/* The folder that is there, of a path that need not be. */
static void folder_of(char out[PATHS_MAX], const char *path)
{
    struct stat st;
    str_copy(out, PATHS_MAX, path);
    do {
        char *slash = strrchr(out, '/');
        if (!slash)
            break;
        slash[slash == out] = '\0';
    } while (out[1] && stat(out, &st) != 0);
}

static void check_disk(const struct config *c, struct finding *f)
{
    char folder[PATHS_MAX];
    struct statvfs fs;
    folder_of(folder, c->db);
    if (statvfs(folder, &fs) != 0) {
        buf_printf(&f->says, "%s: %s", folder, strerror(errno));
        buf_puts(&f->mend, "name another place with --db");
        return;
    }
    uint64_t bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    bool writable = access(folder, W_OK) == 0 && !(fs.f_flag & ST_RDONLY);
    f->ok = bytes >= FREE_BYTES_MIN && writable && (fs.f_favail > 0 || fs.f_files == 0);
    buf_printf(&f->says, "%.1f GiB are free at %s%s", (double)bytes / (double)(1 << 30), folder,
               writable ? "" : ", which cannot be written to");
    buf_puts(&f->mend, "make room (1 GiB, and some inodes), or name another place with --db");
}

static void check_files(const struct config *c, struct finding *f)
{
    struct rlimit l = {0};
    getrlimit(RLIMIT_NOFILE, &l);
    f->ok = l.rlim_max >= FILES_MIN;
    buf_printf(&f->says, "%llu files may be open", (unsigned long long)l.rlim_max);
    buf_printf(&f->mend, "ulimit -Hn %d, or LimitNOFILE=%d of the service", 4 * FILES_MIN,
               4 * FILES_MIN);
}

static void check_processes(const struct config *c, struct finding *f)
{
    struct rlimit l = {0};
    size_t needed = c->workers * PROCESSES_OF_A_RUN;
    getrlimit(RLIMIT_NPROC, &l);
    f->ok = l.rlim_cur == RLIM_INFINITY || l.rlim_cur >= needed;
    if (l.rlim_cur == RLIM_INFINITY)
        buf_puts(&f->says, "any number of processes may run");
    else
        buf_printf(&f->says, "%llu processes of this user may run", (unsigned long long)l.rlim_cur);
    buf_printf(&f->mend, "ulimit -u, or TasksMax= of the service: at least %zu for %zu workers",
               needed, c->workers);
}

/* Nothing we do depends on the time of day; what people read does. */
static void check_clock(const struct config *c, struct finding *f)
{
    time_t now = time(NULL);
    struct tm utc = {0};
    struct stat st;
    char text[32];
    gmtime_r(&now, &utc);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &utc);
    bool behind = stat(c->db, &st) == 0 && st.st_mtime > now + DAY_SECONDS;
    f->ok = utc.tm_year + 1900 >= YEAR_MIN && !behind;
    buf_printf(&f->says, "it is %s UTC%s", text,
               behind ? ", but the database was written more than a day later" : "");
    buf_puts(&f->mend, "set the clock (timedatectl set-ntp true)");
}

/* sqlite.org/fileformat2.html, 1.3: what a database begins with. */
static void check_database(const struct config *c, struct finding *f)
{
    static const char magic[16] = "SQLite format 3";
    char head[sizeof(magic)] = "";
    int fd = open(c->db, O_RDONLY | O_CLOEXEC);
    buf_puts(&f->mend, "chown and chmod it, or name another with --db; a damaged one is better "
                       "moved aside than written to");
    if (fd < 0) {
        f->ok = errno == ENOENT;
        buf_printf(&f->says, "%s %s", c->db, f->ok ? "is not there yet" : strerror(errno));
        return;
    }
    ssize_t n = read(fd, head, sizeof(head));
    close(fd);
    bool is_one = n == 0 || (n == sizeof(head) && memcmp(head, magic, sizeof(magic)) == 0);
    bool writable = access(c->db, W_OK) == 0;
    f->ok = is_one && writable;
    buf_printf(&f->says, "%s %s", c->db,
               !is_one    ? "is no SQLite database"
               : writable ? "is a database"
                          : "cannot be written to");
}

static void check_lingering(const struct config *c, struct finding *f)
{
    enum lingering l = lingering_of("", getpid());
    f->ok = l == LINGERING_FINE;
    buf_puts(&f->says, lingering_says(l));
    buf_puts(&f->mend, lingering_mend(l));
}

static const struct {
    const char *name;
    void (*check)(const struct config *c, struct finding *f);
} checks[] = {
    {"disk", check_disk},   {"files", check_files},       {"processes", check_processes},
    {"clock", check_clock}, {"database", check_database}, {"lingering", check_lingering},
};

/* --- the worker's ---------------------------------------------------------------------------- */

/* Exit status of the worker program with that flag; -1: it could not be run or was killed. */
static int run_worker(const struct config *c, const char *flag, bool silent)
{
    char *argv[] = {(char *)(uintptr_t)c->worker, (char *)(uintptr_t)flag, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    posix_spawn_file_actions_init(&actions);
    for (int fd = silent ? STDOUT_FILENO : STDERR_FILENO; fd <= STDERR_FILENO; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    int rc = posix_spawn(&pid, c->worker, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static bool check_worker(const struct config *c)
{
    int status = run_worker(c, "--check", false);
    if (status != USAGE_STATUS && status >= 0)
        return status == 0;
    struct finding f = {.ok = run_worker(c, "--blas-check", true) == 0};
    buf_printf(&f.says, "the BLAS kernels of %s %s", c->worker,
               f.ok ? "compute right" : "do not compute right, or it cannot run");
    buf_puts(&f.mend, "name older kernels (OPENBLAS_CORETYPE=HASWELL), or another "
                      "--worker-program");
    print_finding("blas", &f);
    return f.ok;
}

int check_machine(const struct config *c)
{
    bool ok = true;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        struct finding f = {.ok = false};
        checks[i].check(c, &f);
        ok &= f.ok;
        print_finding(checks[i].name, &f);
    }
    return check_worker(c) && ok ? 0 : 1;
}
