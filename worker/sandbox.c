#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

#include "sweep/buf.h"
#define LOG_MODULE "sandbox"
#include "sweep/log.h"
#include "sweep/require.h"
#include "worker/memory.h"

#define OPEN_FILES_MAX 256
#define FILE_BYTES_MIN ((rlim_t)1 << 30)

/* --- limits --------------------------------------------------------------------------------- */

static void limit(int resource, rlim_t most)
{
    struct rlimit r;
    if (getrlimit(resource, &r) != 0)
        return;
    r.rlim_cur = r.rlim_cur < most ? r.rlim_cur : most;
    r.rlim_max = r.rlim_max < most ? r.rlim_max : most;
    setrlimit(resource, &r);
}

/* A checkpoint and a cache lie in memory before they are written. */
static rlim_t largest_file(void)
{
    rlim_t memory = memory_physical_bytes();
    return memory > FILE_BYTES_MIN ? memory : FILE_BYTES_MIN;
}

void sandbox_limit(bool own)
{
    limit(RLIMIT_CORE, 0); /* it would hold data and fill the disk */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!own)
        return;
    limit(RLIMIT_NOFILE, OPEN_FILES_MAX);
    limit(RLIMIT_FSIZE, largest_file());
    signal(SIGXFSZ, SIG_IGN); /* a file too large is an error of write */
}

/* --- what is allowed ------------------------------------------------------------------------ */

void sandbox_allow(struct sandbox *s, const char *path, enum sandbox_right right)
{
    if (path[0] == '\0')
        return;
    REQUIRE(s->count < SANDBOX_PATHS_MAX);
    s->allowed[s->count].path = xstrdup(path);
    s->allowed[s->count++].right = right;
}

void sandbox_allow_parent(struct sandbox *s, const char *path, enum sandbox_right right)
{
    char *copy = xstrdup(path);
    if (path[0] != '\0')
        sandbox_allow(s, dirname(copy), right);
    free(copy);
}

void sandbox_finish(struct sandbox *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->allowed[i].path);
    *s = (struct sandbox){0};
}

/* --- Landlock ------------------------------------------------------------------------------- */

/* Rights of files in the order of their bits (landlock(7)). X(name, ABI that began with it, of
 * files too, not of folders alone) */
#define ACCESS_MAP(X)                                                                              \
    X(EXECUTE, 1, 1)                                                                               \
    X(WRITE_FILE, 1, 1) X(READ_FILE, 1, 1) X(READ_DIR, 1, 0) X(REMOVE_DIR, 1, 0)                   \
        X(REMOVE_FILE, 1, 0) X(MAKE_CHAR, 1, 0) X(MAKE_DIR, 1, 0) X(MAKE_REG, 1, 0)                \
            X(MAKE_SOCK, 1, 0) X(MAKE_FIFO, 1, 0) X(MAKE_BLOCK, 1, 0) X(MAKE_SYM, 1, 0)            \
                X(REFER, 2, 0) X(TRUNCATE, 3, 1) X(IOCTL_DEV, 5, 1)

enum access {
#define X(id, abi, file) ACCESS_##id,
    ACCESS_MAP(X)
#undef X
};

static const struct {
    int abi;
    bool of_files;
} accesses[] = {
#define X(id, abi, file) {abi, file},
    ACCESS_MAP(X)
#undef X
};

#define BIT(id) (UINT64_C(1) << ACCESS_##id)

static const uint64_t rights[] = {
    [SANDBOX_LIST] = BIT(READ_DIR),
    [SANDBOX_READ] = BIT(READ_DIR) | BIT(READ_FILE),
    [SANDBOX_WRITE] = BIT(READ_DIR) | BIT(READ_FILE) | BIT(WRITE_FILE) | BIT(TRUNCATE) |
                      BIT(MAKE_REG) | BIT(REMOVE_FILE),
};

/* Parts of the system that libraries read: the processor's features, locales, what a sanitizer
 * wants to know of its own process. Of other processes Landlock hides in /proc what is theirs. */
static const char *const system_paths[] = {
    "/usr",           "/lib",      "/lib64",       "/proc", "/sys", "/etc/ld.so.cache",
    "/etc/localtime", "/dev/null", "/dev/urandom",
};

/* The kernel's own structures, of which older ones know the beginning. */
struct ruleset {
    uint64_t files, network, scoped;
};
struct __attribute__((packed)) path_beneath {
    uint64_t access;
    int32_t parent;
};
#define RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1
#define NETWORK_TCP 3u /* bind, connect: since 4 */
#define SCOPED_ALL 3u  /* abstract sockets, signals: since 6 */
#define SCOPED_SOCKETS 1u

int sandbox_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
    const char *most = getenv(SANDBOX_ABI_VARIABLE);
    long bound = most ? strtol(most, NULL, 10) : abi;
    abi = abi < bound ? abi : bound;
    return abi > 0 ? (int)abi : 0;
}

static uint64_t known(int abi, bool files_only)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < ARRAY_LEN(accesses); i++)
        if (accesses[i].abi <= abi && (accesses[i].of_files || !files_only))
            mask |= UINT64_C(1) << i;
    return mask;
}

static int create_ruleset(int abi, bool may_signal)
{
    struct ruleset r = {.files = known(abi, false)};
    size_t size = abi < 4 ? sizeof r.files : abi < 6 ? 2 * sizeof r.files : sizeof r;
    if (abi >= 4)
        r.network = NETWORK_TCP;
    if (abi >= 6)
        r.scoped = may_signal ? SCOPED_SOCKETS : SCOPED_ALL;
    return (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
}

/* What cannot be opened now is refused later with the same reason, or by the rules. */
static void add_rule(int ruleset, int abi, const char *path, enum sandbox_right right)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0) {
        struct path_beneath rule = {rights[right] & known(abi, !S_ISDIR(st.st_mode)), fd};
        if (rule.access != 0)
            (void)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
    }
    if (fd >= 0)
        close(fd);
}

static void restrict_files(const struct sandbox *s)
{
    int abi = sandbox_landlock_abi();
    int ruleset = abi > 0 ? create_ruleset(abi, s->may_signal) : -1;
    if (ruleset >= 0) {
        for (size_t i = 0; i < ARRAY_LEN(system_paths); i++)
            add_rule(ruleset, abi, system_paths[i], SANDBOX_READ);
        for (size_t i = 0; i < s->count; i++)
            add_rule(ruleset, abi, s->allowed[i].path, s->allowed[i].right);
    }
    if (abi > 0 && (ruleset < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) != 0))
        log_warn("Landlock ABI %d: %s: files are not protected", abi, strerror(errno));
    if (ruleset >= 0)
        close(ruleset);
}

/* --- seccomp -------------------------------------------------------------------------------- */

#ifdef HAVE_SECCOMP

/* LeakSanitizer stops its own process by ptrace. */
#ifdef __SANITIZE_ADDRESS__
#define PTRACE
#else
#define PTRACE "ptrace",
#endif

/* Refused with EPERM; names that this architecture lacks count for nothing. */
static const char *const refused[] = {
    /* the network, and other processes' sockets */
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "sendto",
    "sendmsg",
    "sendmmsg",
    /* programs */
    "execve",
    "execveat",
    /* other processes */
    PTRACE "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "pidfd_getfd",
    "kcmp",
    "shmget",
    "semget",
    "msgget",
    "mq_open",
    /* what Landlock knows nothing of, or not in every ABI */
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "chown",
    "lchown",
    "fchown",
    "fchownat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "setxattrat",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "removexattrat",
    "utime",
    "utimes",
    "utimensat",
    "futimesat",
    "truncate",
    "truncate64",
    "open_by_handle_at",
    "file_setattr",
    /* ways around this filter, and parts of the kernel that no worker needs */
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "keyctl",
    "add_key",
    "request_key",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
    "swapoff",
    "settimeofday",
    "clock_settime",
    "acct",
    "quotactl",
    "iopl",
    "ioperm",
    "modify_ldt",
};
/* Refused where they name another process in their first argument. */
static const char *const refused_to_others[] = {"kill", "tgkill", "rt_sigqueueinfo",
                                                "rt_tgsigqueueinfo"};
static const char *const refused_signals[] = {"tkill", "pidfd_send_signal"};

static int refuse(scmp_filter_ctx filter, const char *name, const struct scmp_arg_cmp *when)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0;
    return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), number, when ? 1 : 0, when);
}

static int fill_filter(scmp_filter_ctx filter, bool may_signal)
{
    const struct scmp_arg_cmp other = SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid());
    int rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(refused) && rc == 0; i++)
        rc = refuse(filter, refused[i], NULL);
    for (size_t i = 0; i < ARRAY_LEN(refused_signals) && rc == 0 && !may_signal; i++)
        rc = refuse(filter, refused_signals[i], NULL);
    for (size_t i = 0; i < ARRAY_LEN(refused_to_others) && rc == 0 && !may_signal; i++)
        rc = refuse(filter, refused_to_others[i], &other);
    return rc;
}

static void restrict_calls(bool may_signal)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int rc = filter ? fill_filter(filter, may_signal) : -ENOMEM;
    if (rc == 0)
        rc = seccomp_load(filter);
    if (rc != 0)
        log_warn("seccomp: %s: system calls are not filtered", strerror(-rc));
    if (filter)
        seccomp_release(filter);
}

bool sandbox_has_seccomp(void)
{
    return true;
}

#else

static void restrict_calls(bool may_signal)
{
    (void)may_signal;
}

bool sandbox_has_seccomp(void)
{
    return false;
}

#endif

void sandbox_enter(const struct sandbox *s)
{
    sandbox_limit(true);
    restrict_files(s);
    restrict_calls(s->may_signal);
}

void sandbox_narrow(const struct sandbox *s)
{
    restrict_files(s);
}
