/* What workers know of the daemon's environment, and what programs of one's own do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/launch/environment.h"
#include "sweep/require.h"

static const struct {
    const char *name;
    bool to_trainers, to_programs;
} variables[] = {
    {"PATH", true, true},
    {"HOME", true, true},
    {"LC_NUMERIC", true, true},
    {"XDG_CACHE_HOME", true, true},
    {"XDG_DATA_DIRS", true, true},
    {"OPENBLAS_VERBOSE", true, true},
    {"SWEEPD_SANDBOX_ABI", true, true},
    {"AWS_SECRET_ACCESS_KEY", false, true},
    {"SSH_AUTH_SOCK", false, true},
    {"LC", false, true},
    {"PATHS", false, true},
    {"CUDA_VISIBLE_DEVICES", false, true},
    /* between a service manager and the daemon */
    {"NOTIFY_SOCKET", false, false},
    {"LISTEN_FDS", false, false},
    {"WATCHDOG_USEC", false, false},
};

static const char *value_of(char **environment, const char *name)
{
    size_t len = strlen(name);
    const char *found = NULL;
    for (size_t i = 0; environment[i]; i++) {
        if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=') {
            assert_null(found); /* once */
            found = environment[i] + len + 1;
        }
    }
    return found;
}

static void expect(char **environment, const char *name, bool there)
{
    const char *value = value_of(environment, name);
    if ((value != NULL) != there || (value && strcmp(value, "x y") != 0))
        fail_msg("%s: %s", name, value ? value : "is not passed on");
}

static void test_who_knows_what(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        assert_int_equal(setenv(variables[i].name, "x y", 1), 0);
    char **trainer = environment_create(&(struct environment_choice){.nice = 19});
    char **program = environment_create(&(struct environment_choice){.nice = 19, .whole = true});
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        expect(trainer, variables[i].name, variables[i].to_trainers);
        expect(program, variables[i].name, variables[i].to_programs);
    }
    environment_destroy(trainer);
    environment_destroy(program);
}

/* What the daemon decides is said once, whatever its own environment says. */
static void test_what_is_decided(void **state)
{
    setenv("OPENBLAS_NUM_THREADS", "8", 1);
    setenv("OPENBLAS_CORETYPE", "NEHALEM", 1);
    setenv("SWEEPD_WORKER_NICE", "3", 1);
    const struct environment_choice choice = {.core_type = "HASWELL", .nice = 7};
    char **e = environment_create(&choice);
    assert_string_equal(value_of(e, "OPENBLAS_NUM_THREADS"), "1");
    assert_string_equal(value_of(e, "OMP_NUM_THREADS"), "1");
    assert_string_equal(value_of(e, "OPENBLAS_CORETYPE"), "HASWELL");
    assert_string_equal(value_of(e, "SWEEPD_WORKER_NICE"), "7");
    environment_destroy(e);
    e = environment_create(&(struct environment_choice){.core_type = ""});
    assert_null(value_of(e, "OPENBLAS_CORETYPE"));
    environment_destroy(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_knows_what),
        cmocka_unit_test(test_what_is_decided),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
