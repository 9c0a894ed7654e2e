#include "worker/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/paths.h"
#include "sweep/require.h"
#include "worker/nn/gemm.h"
#include "worker/sandbox.h"

#define OPEN_FILES_NEEDED 64

/* --- BLAS ----------------------------------------------------------------------------------- */

static const char *check_blas(struct buf *says)
{
    gemm_init();
    double worst = gemm_check();
    buf_printf(says, "kernels %s of %s, largest error %.3g (at most %.3g)", gemm_core(),
               gemm_library(), worst, GEMM_CHECK_LIMIT);
    return worst < GEMM_CHECK_LIMIT
               ? NULL
               : "set OPENBLAS_CORETYPE to older kernels (HASWELL, SANDYBRIDGE, NEHALEM), as "
                 "sweepd does by itself at its start, or install another OpenBLAS";
}

/* --- the sandbox, tried in a child ----------------------------------------------------------- */

static bool can_read(void)
{
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0;
}

/* A file without a name, in a folder that anybody may write to. */
static bool can_write(void)
{
    return open("/tmp", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600) >= 0 || errno != EACCES;
}

static bool can_connect(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 || errno != EPERM;
}

static bool can_execute(void)
{
    char *const none[] = {NULL};
    execve("/", none, none); /* a folder: no program either way */
    return errno != EPERM;
}

static bool can_signal(void)
{
    return kill(getppid(), 0) == 0;
}

static bool can_change_modes(void)
{
    return chmod("/nowhere", 0600) == 0 || errno != EPERM;
}

static const struct {
    const char *what;
    bool (*can)(void);
} tries[] = {
    {"reading other files", can_read}, {"writing other files", can_write},
    {"the network", can_connect},      {"other programs", can_execute},
    {"signals to others", can_signal}, {"modes of files", can_change_modes},
};

/* Bits of what is still possible inside; -1: nobody knows. */
static int try_inside(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        const struct sandbox nothing = {0};
        int possible = 0;
        sandbox_enter(&nothing);
        for (size_t i = 0; i < ARRAY_LEN(tries); i++)
            possible |= tries[i].can() << i;
        _exit(possible);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

static void list_tries(int mask, struct buf *out)
{
    const char *before = "";
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        if (mask >> i & 1) {
            buf_printf(out, "%s%s", before, tries[i].what);
            before = ", ";
        }
    }
}

static const char *check_sandbox(struct buf *says)
{
    int abi = sandbox_landlock_abi(), possible = try_inside();
    int all = (1 << ARRAY_LEN(tries)) - 1;
    if (abi > 0)
        buf_printf(says, "Landlock ABI %d", abi);
    else
        buf_puts(says, "no Landlock");
    buf_puts(says, sandbox_has_seccomp() ? ", seccomp" : ", no seccomp");
    if (possible < 0) {
        buf_puts(says, "; it cannot be tried");
        return "see why no process can be started (ulimit -u)";
    }
    buf_puts(says, possible == all ? "; workers are refused nothing" : "; refused to workers: ");
    list_tries(all & ~possible, says);
    if (possible == 0)
        return NULL;
    buf_puts(says, "; not refused: ");
    list_tries(possible, says);
    if (abi == 0)
        return "a kernel of 5.13 or later with Landlock (CONFIG_SECURITY_LANDLOCK, lsm=landlock,…)";
    return "a kernel with seccomp filters (CONFIG_SECCOMP_FILTER), on x86-64, aarch64 or riscv64";
}

void check_sandbox_words(struct buf *says)
{
    (void)check_sandbox(says);
}

/* --- limits and the cache --------------------------------------------------------------------- */

static const char *check_limits(struct buf *says)
{
    struct rlimit files, memory;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || getrlimit(RLIMIT_AS, &memory) != 0)
        return "limits cannot be read";
    buf_printf(says, "open files %llu", (unsigned long long)files.rlim_cur);
    if (memory.rlim_cur != RLIM_INFINITY)
        buf_printf(says, ", address space %llu MiB", (unsigned long long)memory.rlim_cur >> 20);
    return files.rlim_cur >= OPEN_FILES_NEEDED ? NULL : "raise the limit of open files (ulimit -n)";
}

static const char *check_cache(struct buf *says)
{
    char folder[PATHS_MAX];
    struct errbuf err;
    int rc = paths_cache(folder, &err);
    if (rc == 0)
        rc = paths_make_dirs(folder, 0700, &err);
    if (rc == 0 && access(folder, R_OK | W_OK | X_OK) != 0)
        rc = err_set(&err, ERR_PERMISSION, "%s: %s", folder, strerror(errno));
    buf_printf(says, "%s", rc == 0 ? folder : err.message);
    return rc == 0 ? NULL : "set XDG_CACHE_HOME to a folder that can be written to";
}

/* --- all ------------------------------------------------------------------------------------ */

/* says what is; what to do about it, or NULL where all is well */
static const struct {
    const char *name;
    const char *(*look)(struct buf *says);
} checks[] = {
    {"blas", check_blas},
    {"sandbox", check_sandbox},
    {"worker_limits", check_limits},
    {"cache", check_cache},
};

int check_run(void)
{
    bool ok = true;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct buf says = {0}, line = {0};
        struct json_writer w;
        const char *mend = checks[i].look(&says);
        jw_init(&w, &line);
        jw_begin_object(&w);
        jw_kv_string(&w, "check", checks[i].name);
        jw_kv_bool(&w, "ok", mend == NULL);
        jw_kv_string(&w, "says", says.data);
        jw_kv_string(&w, "mend", mend);
        jw_end_object(&w);
        ok = ok && mend == NULL;
        printf("%s\n", line.data);
        buf_finish(&says);
        buf_finish(&line);
    }
    return fflush(stdout) != 0 || !ok;
}
