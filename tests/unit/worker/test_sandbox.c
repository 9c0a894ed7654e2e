/* The sandbox: for each right what is refused and what is needed, by the kernel's own ABI and by
 * the lower ones that it is told to believe in. Each is tried in a child, for there is no way
 * back. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/require.h"
#include "worker/sandbox.h"

#include "folder.h"

/* root/run is to be written, root/data/file and what root/data/link leads to are to be read;
 * nothing is said of root/other. */
struct place {
    struct folder folder;
    char run[128], data[128], linked[128], other[128], secret[128];
    int socket; /* made before */
};

static bool make(const char *path, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    if (fd < 0)
        return false;
    bool done = write(fd, "x", 1) == 1;
    close(fd);
    return done;
}

static bool reads(const char *path)
{
    char c;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && (read(fd, &c, 1) == 1 || errno == EISDIR);
}

static const char *in(const char *folder, const char *name)
{
    static char path[2][256];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

/* --- what is tried: true where it could be done ----------------------------------------------- */

static bool write_run(const struct place *p)
{
    return make(in(p->run, "file"), O_TRUNC);
}
static bool write_other(const struct place *p)
{
    return make(in(p->other, "new"), 0);
}
static bool write_data(const struct place *p)
{
    return make(p->data, 0);
}

static bool rename_in_run(const struct place *p)
{
    return make(in(p->run, "a.tmp"), 0) && rename(in(p->run, "a.tmp"), in(p->run, "a")) == 0;
}
static bool rename_out(const struct place *p)
{
    return rename(in(p->run, "file"), in(p->other, "file")) == 0;
}
static bool remove_run(const struct place *p)
{
    return unlink(in(p->run, "file")) == 0;
}
static bool remove_secret(const struct place *p)
{
    return unlink(p->secret) == 0;
}
static bool truncate_run(const struct place *p)
{
    int fd = open(in(p->run, "file"), O_WRONLY | O_CLOEXEC);
    return fd >= 0 && ftruncate(fd, 0) == 0;
}
static bool truncate_secret(const struct place *p)
{
    return truncate(p->secret, 0) == 0;
}
static bool read_data(const struct place *p)
{
    return reads(p->data) && reads(p->linked);
}
static bool read_processor(const struct place *p)
{
    return reads("/proc/cpuinfo") && reads("/proc/self/maps") &&
           reads("/sys/devices/system/cpu/online");
}
static bool read_secret(const struct place *p)
{
    return reads(p->secret);
}
static bool list_run(const struct place *p)
{
    return reads(p->run);
}
static bool list_other(const struct place *p)
{
    return reads(p->other);
}
static bool make_folder(const struct place *p)
{
    return mkdir(in(p->run, "folder"), 0700) == 0;
}
static bool link_secret(const struct place *p)
{
    return link(p->secret, in(p->run, "hard")) == 0 || symlink(p->secret, in(p->run, "soft")) == 0;
}
static bool start_program(const struct place *p)
{
    pid_t child = fork();
    int status;
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}
static bool start_process(const struct place *p)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return waitpid(child, NULL, 0) == child;
}
static bool open_socket(const struct place *p)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}
static bool open_unix_socket(const struct place *p)
{
    return socket(AF_UNIX, SOCK_DGRAM, 0) >= 0;
}
static bool open_pipe(const struct place *p)
{
    int ends[2];
    return pipe(ends) == 0;
}
/* Nobody listens there: it is refused by the peer, unless it is by the sandbox. */
static bool connect_socket(const struct place *p)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons(1);
    return connect(p->socket, (struct sockaddr *)&to, sizeof to) == 0 || errno == ECONNREFUSED;
}
static bool signal_parent(const struct place *p)
{
    return kill(getppid(), 0) == 0;
}
static bool signal_self(const struct place *p)
{
    signal(SIGUSR1, SIG_IGN);
    return raise(SIGUSR1) == 0 && kill(getpid(), 0) == 0;
}
static bool change_mode(const struct place *p)
{
    return chmod(p->secret, 0644) == 0;
}
static bool change_times(const struct place *p)
{
    return utimensat(AT_FDCWD, p->secret, NULL, 0) == 0;
}
static bool stat_secret(const struct place *p)
{
    struct stat st;
    return stat(p->secret, &st) == 0;
}

/* --- which must be refused, and by what ------------------------------------------------------- */

enum { NEVER = 99 };

static const struct right {
    const char *name;
    int abi;                                /* of Landlock that refuses it; NEVER: none does */
    bool seccomp;                           /* refuses it */
    bool (*refused)(const struct place *p); /* NULL: nothing of it is */
    bool (*allowed)(const struct place *p);
} rights[] = {
    {"write a file", 1, false, write_other, write_run},
    {"write to the data", 1, false, write_data, read_data},
    {"rename", 1, false, rename_out, rename_in_run},
    {"remove", 1, false, remove_secret, remove_run},
    {"truncate", 3, true, truncate_secret, truncate_run},
    {"read", 1, false, read_secret, read_data},
    {"read of the system", NEVER, false, NULL, read_processor},
    {"list a folder", 1, false, list_other, list_run},
    {"make a folder", 1, false, make_folder, write_run},
    {"link to what is elsewhere", 1, false, link_secret, stat_secret},
    {"start a program", 1, true, start_program, start_process},
    {"network sockets", NEVER, true, open_socket, open_pipe},
    {"unix sockets", NEVER, true, open_unix_socket, open_pipe},
    {"connect", 4, true, connect_socket, open_pipe},
    {"signals", 6, true, signal_parent, signal_self},
    {"modes", NEVER, true, change_mode, stat_secret},
    {"times", NEVER, true, change_times, stat_secret},
};

static void place_init(struct place *p)
{
    folder_init(&p->folder);
    const char *root = p->folder.root;
    snprintf(p->run, sizeof p->run, "%.90s/run", root);
    snprintf(p->other, sizeof p->other, "%.90s/other", root);
    snprintf(p->data, sizeof p->data, "%.90s/data/file", root);
    snprintf(p->linked, sizeof p->linked, "%.90s/data/link", root);
    snprintf(p->secret, sizeof p->secret, "%.90s/other/secret", root);
    assert_int_equal(mkdir(p->run, 0700) | mkdir(p->other, 0700), 0);
    assert_true(make(p->data, 0) && make(p->secret, 0) && make(in(p->run, "file"), 0));
    assert_true(make(in(p->other, "linked"), 0));
    assert_int_equal(symlink(in(p->other, "linked"), p->linked), 0);
    p->socket = socket(AF_INET, SOCK_STREAM, 0);
}

static void place_finish(struct place *p)
{
    if (p->socket >= 0)
        close(p->socket);
    folder_finish(&p->folder);
}

/* Whether a child in the sandbox could do it. */
static bool inside(bool (*what)(const struct place *p), bool may_signal)
{
    struct place p;
    int status = -1;
    place_init(&p);
    pid_t child = fork();
    if (child == 0) {
        struct sandbox s = {.may_signal = may_signal};
        sandbox_allow(&s, p.run, SANDBOX_WRITE);
        sandbox_allow(&s, p.data, SANDBOX_READ);
        sandbox_allow(&s, p.linked, SANDBOX_READ);
        sandbox_allow(&s, "/no/such/file", SANDBOX_READ);
        sandbox_enter(&s);
        _exit(what(&p) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    place_finish(&p);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        fail_msg("the child ended with %#x", (unsigned)status);
    return WEXITSTATUS(status) == 0;
}

static bool holds(const struct right *r, int abi)
{
    return abi >= r->abi || (r->seccomp && sandbox_has_seccomp());
}

static void test_right(void **state)
{
    const struct right *r = *state;
    if (!inside(r->allowed, false))
        fail_msg("%s: what is needed is refused", r->name);
    if (r->refused && !holds(r, sandbox_landlock_abi())) {
        print_message("# %s: not refused by this kernel (Landlock ABI %d) and build (seccomp %d)\n",
                      r->name, sandbox_landlock_abi(), sandbox_has_seccomp());
        skip();
    }
    if (r->refused && inside(r->refused, false))
        fail_msg("%s: was possible", r->name);
}

/* What a lower ABI lacks is left out, and all else holds. */
static void test_lower_abis(void **state)
{
    int real = sandbox_landlock_abi();
    for (int abi = 0; abi < real; abi++) {
        char text[16];
        snprintf(text, sizeof text, "%d", abi);
        setenv(SANDBOX_ABI_VARIABLE, text, 1);
        assert_int_equal(sandbox_landlock_abi(), abi);
        for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
            const struct right *r = &rights[i];
            if (!inside(r->allowed, false))
                fail_msg("ABI %d: %s: what is needed is refused", abi, r->name);
            if (r->refused && inside(r->refused, false) == holds(r, abi))
                fail_msg("ABI %d: %s: %s", abi, r->name, holds(r, abi) ? "possible" : "refused");
        }
        unsetenv(SANDBOX_ABI_VARIABLE);
    }
    if (real == 0)
        skip();
}

static void test_supervisor_signals(void **state)
{
    assert_true(inside(signal_parent, true));
    if (sandbox_has_seccomp())
        assert_false(inside(open_socket, true));
}

static bool has_limits(const struct place *p)
{
    return access("/proc/self/limits", R_OK) == 0;
}

/* Inherited by what is started: no core file, no new privileges. */
static void test_limits(void **state)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        sandbox_limit(false);
        execl("/bin/sh", "sh", "-c",
              "test \"$(ulimit -c)\" = 0 && grep -q '^NoNewPrivs:.*1' /proc/self/status",
              (char *)NULL);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(inside(has_limits, false));
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(rights) + 3] = {{0}};
    size_t n = 0;
    for (; n < ARRAY_LEN(rights); n++)
        tests[n] = (struct CMUnitTest){.name = rights[n].name,
                                       .test_func = test_right,
                                       .initial_state = (void *)(uintptr_t)&rights[n]};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_lower_abis);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_supervisor_signals);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_limits);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
