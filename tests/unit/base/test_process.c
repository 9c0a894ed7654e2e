/* Which processes are at their end, and what they are called. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/process.h"

static void test_a_living_process(void **state)
{
    char name[16];

    assert_false(process_is_ending(getpid()));
    process_name(getpid(), name, sizeof(name));
    assert_string_equal(name, "test_process");
}

/* Stopped is not ended. Killed, not waited for and waited for: all three are. */
static void test_the_end_of_a_process(void **state)
{
    siginfo_t info;
    char name[16];
    pid_t child = fork();

    if (child == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOWAIT), 0);
    assert_false(process_is_ending(child));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_true(process_is_ending(child)); /* at whatever step of its death this finds it */
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_true(process_is_ending(child));
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(process_is_ending(child));
    process_name(child, name, sizeof(name));
    assert_string_equal(name, "unknown");
}

static void test_nothing_is_known_of_other_namespaces(void **state)
{
    assert_false(process_is_ending(0));
    assert_false(process_is_ending(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_living_process),
        cmocka_unit_test(test_the_end_of_a_process),
        cmocka_unit_test(test_nothing_is_known_of_other_namespaces),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
