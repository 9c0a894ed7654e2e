#include "sweep/paths.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

static const char *const variables[] = {"HOME",           "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
                                        "XDG_CACHE_HOME", "SWEEPD_DB",      "SWEEPD_SOCKET"};

/* Each test begins with HOME alone. */
static int clean_environment(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    return setenv("HOME", "/home/ann", 1);
}

static void expect(int (*path)(char *, struct errbuf *), const char *expected)
{
    char out[PATHS_MAX];

    assert_int_equal(path(out, NULL), 0);
    assert_string_equal(out, expected);
}

/* Where the machine has a runtime directory of ours, cron and sudo find the socket there. */
static const char *without_variable(const char *else_at)
{
    static char own[64];
    struct stat st;

    snprintf(own, sizeof(own), "/run/user/%u", (unsigned)geteuid());
    if (stat(own, &st) != 0 || st.st_uid != geteuid())
        return else_at;
    strcat(own, "/sweepd/sock");
    return own;
}

static void test_defaults_below_home(void **state)
{
    expect(paths_database, "/home/ann/.local/state/sweepd/sweeps.db");
    expect(paths_socket, without_variable("/home/ann/.local/state/sweepd/run/sock"));
    expect(paths_cache, "/home/ann/.cache/sweepd");
    expect(paths_daemon_log, "/home/ann/.local/state/sweepd/sweepd.log");
}

static void test_xdg_variables(void **state)
{
    setenv("XDG_STATE_HOME", "/s", 1);
    setenv("XDG_RUNTIME_DIR", "/r", 1);
    setenv("XDG_CACHE_HOME", "/c", 1);
    expect(paths_database, "/s/sweepd/sweeps.db");
    expect(paths_socket, "/r/sweepd/sock");
    expect(paths_cache, "/c/sweepd");
    expect(paths_daemon_log, "/s/sweepd/sweepd.log");
    unsetenv("XDG_RUNTIME_DIR");
    expect(paths_socket, without_variable("/s/sweepd/run/sock"));
    unsetenv("HOME");
    expect(paths_database, "/s/sweepd/sweeps.db");
}

/* The specification: relative paths are invalid and ignored, empty is unset. */
static void test_relative_and_empty_count_as_unset(void **state)
{
    setenv("XDG_STATE_HOME", "state", 1);
    setenv("XDG_RUNTIME_DIR", "", 1);
    expect(paths_database, "/home/ann/.local/state/sweepd/sweeps.db");
    expect(paths_socket, "/home/ann/.local/state/sweepd/run/sock");
}

static void test_own_variables_win(void **state)
{
    setenv("XDG_RUNTIME_DIR", "/r", 1);
    setenv("SWEEPD_DB", "here.db", 1);
    setenv("SWEEPD_SOCKET", "/tmp/s", 1);
    expect(paths_database, "here.db");
    expect(paths_socket, "/tmp/s");
    setenv("SWEEPD_SOCKET", "", 1);
    expect(paths_socket, "/r/sweepd/sock");
}

static void test_without_home(void **state)
{
    char out[PATHS_MAX] = "untouched";
    struct errbuf e;

    unsetenv("HOME");
    assert_int_equal(paths_database(out, &e), ERR_VALUE);
    assert_non_null(strstr(e.message, "XDG_STATE_HOME"));
    assert_non_null(strstr(e.message, "HOME"));
    assert_string_equal(out, "untouched");
}

static void test_too_long(void **state)
{
    char long_path[PATHS_MAX + 1], out[PATHS_MAX] = "untouched";
    struct errbuf e;

    memset(long_path, '/', sizeof(long_path));
    long_path[PATHS_MAX - 5] = '\0';
    assert_int_equal(paths_runs(out, long_path, &e), ERR_VALUE);
    assert_string_equal(out, "untouched");
    long_path[PATHS_MAX - 6] = '\0';
    assert_int_equal(paths_runs(out, long_path, &e), 0);
    assert_int_equal(strlen(out), PATHS_MAX - 1);
}

static void test_run_folders(void **state)
{
    char out[PATHS_MAX];

    assert_int_equal(paths_runs(out, "/x/a.db", NULL), 0);
    assert_string_equal(out, "/x/a.db.runs");
    assert_true(paths_run(out, sizeof(out), "/x/a.db.runs", INT64_MAX));
    assert_string_equal(out, "/x/a.db.runs/9223372036854775807");
    assert_true(paths_run_file(out, sizeof(out), "/x/a.db.runs", 7, RUN_FILE_WEIGHTS));
    assert_string_equal(out, "/x/a.db.runs/7/best.safetensors");
    assert_true(paths_run_file(out, 16, "/runs", 12, RUN_FILE_STDERR));
    assert_string_equal(out, "/runs/12/stderr");
    assert_false(paths_run_file(out, 15, "/runs", 12, RUN_FILE_STDERR));
    assert_string_equal(out, "");
    assert_false(paths_run(out, 8, "/runs", 12));
    assert_string_equal(out, "");
}

static unsigned mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void test_make_dirs(void **state)
{
    char base[] = "/tmp/sweep-paths-XXXXXX";
    char *deep, *file, *below, *middle;
    struct errbuf e;

    assert_non_null(mkdtemp(base));
    deep = xasprintf("%s/a//b/c/", base);
    middle = xasprintf("%s/a/b", base);
    file = xasprintf("%s/a/b/file", base);
    below = xasprintf("%s/a/b/file/x", base);
    assert_int_equal(paths_make_dirs(deep, 0700, &e), 0);
    assert_int_equal(paths_make_dirs(deep, 0700, &e), 0);
    assert_int_equal(mode_of(middle), 0700);
    assert_int_equal(paths_make_parent(file, 0700, &e), 0);
    assert_int_equal(paths_make_parent("no-slash", 0700, &e), 0);
    assert_int_equal(paths_make_parent("/x", 0700, &e), 0);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(paths_make_parent(below, 0700, &e), ERR_IO);
    assert_non_null(strstr(e.message, "Not a directory"));
    assert_non_null(strstr(e.message, file));
    unlink(file);
    rmdir(deep);
    rmdir(middle);
    middle[strlen(middle) - 2] = '\0';
    rmdir(middle);
    assert_int_equal(rmdir(base), 0);
    free(deep);
    free(middle);
    free(file);
    free(below);
}

static void test_program_dir(void **state)
{
    char out[PATHS_MAX];
    char *self;

    assert_int_equal(paths_program_dir(out, NULL), 0);
    self = xasprintf("%s/test_paths", out);
    assert_int_equal(access(self, X_OK), 0);
    free(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults_below_home, clean_environment),
        cmocka_unit_test_setup(test_xdg_variables, clean_environment),
        cmocka_unit_test_setup(test_relative_and_empty_count_as_unset, clean_environment),
        cmocka_unit_test_setup(test_own_variables_win, clean_environment),
        cmocka_unit_test_setup(test_without_home, clean_environment),
        cmocka_unit_test_setup(test_too_long, clean_environment),
        cmocka_unit_test_setup(test_run_folders, clean_environment),
        cmocka_unit_test(test_make_dirs),
        cmocka_unit_test(test_program_dir),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
