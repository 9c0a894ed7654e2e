#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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
    for (size_t i = 0; i < s->count; i++) /* the files of a run share their folders */
        if (s->allowed[i].right == right && strcmp(s->allowed[i].path, path) == 0)
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
    X(WRITE_FILE, 1, 1)                                                                            \
    X(READ_FILE, 1, 1) X(READ_DIR, 1, 0) X(REMOVE_DIR, 1, 0) X(REMOVE_FILE, 1, 0)                  \
        X(MAKE_CHAR, 1, 0) X(MAKE_DIR, 1, 0) X(MAKE_REG, 1, 0) X(MAKE_SOCK, 1, 0)                  \
            X(MAKE_FIFO, 1, 0) X(MAKE_BLOCK, 1, 0) X(MAKE_SYM, 1, 0) X(REFER, 2, 0)                \
                X(TRUNCATE, 3, 1) X(IOCTL_DEV, 5, 1)

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

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef NATIVE_ARCH

/* Newer than the headers this may be built with; the same on every architecture. */
enum { CALL_fchmodat2 = 452, CALL_setxattrat = 463, CALL_removexattrat = 466, CALL_setattr = 469 };

/* Refused with EPERM. */
static const uint32_t refused[] = {
    /* the network, and other processes' sockets */
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4,
    SYS_sendto, SYS_sendmsg, SYS_sendmmsg,
    /* programs */
    SYS_execve, SYS_execveat,
    /* other processes; LeakSanitizer stops its own by ptrace */
#ifndef __SANITIZE_ADDRESS__
    SYS_ptrace,
#endif
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_process_madvise, SYS_pidfd_getfd, SYS_kcmp,
    SYS_shmget, SYS_semget, SYS_msgget, SYS_mq_open,
    /* what Landlock knows nothing of, or not in every ABI */
    SYS_fchmod, SYS_fchmodat, CALL_fchmodat2, SYS_fchown, SYS_fchownat, SYS_setxattr,
    SYS_lsetxattr, SYS_fsetxattr, CALL_setxattrat, SYS_removexattr, SYS_lremovexattr,
    SYS_fremovexattr, CALL_removexattrat, SYS_utimensat, SYS_truncate, SYS_open_by_handle_at,
    CALL_setattr,
#ifdef SYS_chmod /* and its kind, which newer architectures never had */
    SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
    /* ways around this filter, and parts of the kernel that no worker needs */
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_bpf, SYS_perf_event_open,
    SYS_userfaultfd, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_mount, SYS_umount2,
    SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns, SYS_open_tree, SYS_move_mount, SYS_fsopen,
    SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_init_module, SYS_finit_module,
    SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_settimeofday,
    SYS_clock_settime, SYS_acct, SYS_quotactl,
};
/* Refused but to those who may signal; of the second kind with this process as first argument
 * nothing is. */
static const uint32_t refused_signals[] = {SYS_tkill, SYS_pidfd_send_signal};
static const uint32_t signals_to_self[] = {SYS_kill, SYS_tgkill, SYS_rt_sigqueueinfo,
                                           SYS_rt_tgsigqueueinfo};

#define X32_CALLS 0x40000000u /* x86-64's other numbers for the same calls */
#define FILTER_MAX 320
#define LEAF_MAX 3 /* numbers that are compared one by one at the end of the search */

struct filter {
    unsigned short count;
    struct sock_filter code[FILTER_MAX];
};

static void put(struct filter *f, struct sock_filter instruction)
{
    REQUIRE(f->count < FILTER_MAX);
    f->code[f->count++] = instruction;
}

static void put_load(struct filter *f, size_t offset)
{
    put(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void put_end(struct filter *f, uint32_t verdict)
{
    put(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* EPERM where the number in hand is one of these few. */
static void put_leaf(struct filter *f, const uint32_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[i],
                                            (uint8_t)(count - i), 0));
    put_end(f, SECCOMP_RET_ALLOW);
    put_end(f, SECCOMP_RET_ERRNO | EPERM);
}

/* The same of many, in ascending order: a search by halves. The kernel tries a filter with each
 * number there is when it gets it, and runs it at each call that it does not always allow. */
static void put_refusals(struct filter *f, const uint32_t *numbers, size_t count)
{
    size_t half = count / 2, at = f->count;
    if (count <= LEAF_MAX) {
        put_leaf(f, numbers, count);
        return;
    }
    put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, numbers[half], 0, 0));
    put_refusals(f, numbers, half);
    REQUIRE(f->count - at - 1 <= UINT8_MAX);
    f->code[at].jt = (uint8_t)(f->count - at - 1);
    put_refusals(f, numbers + half, count - half);
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The low half of the first argument: a process number has no more. */
static void put_self_only(struct filter *f, uint32_t number)
{
    size_t low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : sizeof(uint32_t);
    put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4));
    put_load(f, offsetof(struct seccomp_data, args) + low);
    put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0));
    put_end(f, SECCOMP_RET_ERRNO | EPERM);
    put_end(f, SECCOMP_RET_ALLOW);
}

static void write_filter(struct filter *f, bool may_signal)
{
    put_load(f, offsetof(struct seccomp_data, arch));
    put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
    put_end(f, SECCOMP_RET_KILL_PROCESS);
    put_load(f, offsetof(struct seccomp_data, nr));
    put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1));
    put_end(f, SECCOMP_RET_ERRNO | EPERM);
    for (size_t i = 0; i < ARRAY_LEN(signals_to_self) && !may_signal; i++)
        put_self_only(f, signals_to_self[i]);
    uint32_t all[ARRAY_LEN(refused) + ARRAY_LEN(refused_signals)];
    size_t count = ARRAY_LEN(refused);
    memcpy(all, refused, sizeof(refused));
    for (size_t i = 0; i < ARRAY_LEN(refused_signals) && !may_signal; i++)
        all[count++] = refused_signals[i];
    qsort(all, count, sizeof(*all), by_number);
    put_refusals(f, all, count);
}

static void restrict_calls(bool may_signal)
{
    struct filter f = {0};
    write_filter(&f, may_signal);
    const struct sock_fprog program = {f.count, f.code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        log_warn("seccomp: %s: system calls are not filtered", strerror(errno));
}

bool sandbox_has_seccomp(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
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
