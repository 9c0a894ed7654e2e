/* What logging out does, on trees that stand for machines. */
#include "sweep/lingering.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/paths.h"

#define PID 4711

struct machine {
    char root[64];
};

static int setup(void **state)
{
    static struct machine m;
    str_copy(m.root, sizeof(m.root), "/tmp/test-lingering-XXXXXX");
    *state = &m;
    return mkdtemp(m.root) == NULL;
}

static void put(const struct machine *m, const char *path, const char *text)
{
    char whole[PATHS_MAX];
    snprintf(whole, sizeof(whole), "%s%s", m->root, path);
    assert_int_equal(paths_make_parent(whole, 0700, NULL), 0);
    FILE *f = fopen(whole, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void put_cgroup(const struct machine *m, const char *format)
{
    char *path = xasprintf("/proc/%d/cgroup", PID);
    char text[256];
    snprintf(text, sizeof(text), format, (unsigned)geteuid(), (unsigned)geteuid());
    put(m, path, text);
    free(path);
}

static void test_a_user_service(void **state)
{
    const struct machine *m = *state;
    const struct passwd *user = getpwuid(geteuid());
    put_cgroup(m, "0::/user.slice/user-%u.slice/user@%u.service/app.slice/sweepd.service\n");
    assert_int_equal(lingering_of(m->root, PID), LINGERING_FINE); /* no systemd */
    put(m, "/run/systemd/system/x", "");
    assert_int_equal(lingering_of(m->root, PID), LINGERING_OFF);
    assert_non_null(strstr(lingering_mend(LINGERING_OFF), "enable-linger"));
    if (!user)
        skip();
    char *path = xasprintf("/var/lib/systemd/linger/%s", user->pw_name);
    put(m, path, "");
    free(path);
    assert_int_equal(lingering_of(m->root, PID), LINGERING_FINE);
}

static void test_a_session(void **state)
{
    const struct machine *m = *state;
    put(m, "/run/systemd/system/x", "");
    put_cgroup(m, "0::/user.slice/user-%u.slice/session-3.scope\n");
    assert_int_equal(lingering_of(m->root, PID), LINGERING_FINE);
    put(m, "/etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=yes\n");
    assert_int_equal(lingering_of(m->root, PID), LINGERING_FINE);
    put(m, "/etc/systemd/logind.conf", "[Login]\nKillUserProcesses=yes\n");
    assert_int_equal(lingering_of(m->root, PID), LINGERING_SESSION);
}

static void test_a_system_service_and_a_process_that_is_gone(void **state)
{
    const struct machine *m = *state;
    put(m, "/run/systemd/system/x", "");
    assert_int_equal(lingering_of(m->root, PID), LINGERING_FINE);
    put_cgroup(m, "0::/system.slice/sweepd.service\n");
    assert_int_equal(lingering_of(m->root, PID), LINGERING_FINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_user_service, setup),
        cmocka_unit_test_setup(test_a_session, setup),
        cmocka_unit_test_setup(test_a_system_service_and_a_process_that_is_gone, setup),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("lingering", tests, NULL, NULL);
}
