#include "sweep/run.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "sweep/pattern.h"
#include "sweep/require.h"

/* The whole matrices as text: row from, column to, in the order of the tables. */
static void test_sweep_moves(void **state)
{
    static const char *const may[] = {
        /* queued running paused held completed cancelled */
        ".xxxxx", /* queued */
        "x.xxxx", /* running */
        "xx.xxx", /* paused */
        "xxx..x", /* held: someone must decide first */
        "x.....", /* completed: extended */
        "x.....", /* cancelled: likewise */
    };

    assert_int_equal(ARRAY_LEN(may), SWEEP_STATUS_COUNT);
    for (int from = 0; from < SWEEP_STATUS_COUNT; from++)
        for (int to = 0; to < SWEEP_STATUS_COUNT; to++)
            assert_int_equal(sweep_status_may((enum sweep_status)from, (enum sweep_status)to),
                             may[from][to] == 'x');
}

static void test_run_moves(void **state)
{
    static const char *const may[] = {
        /* queued running paused completed stopped failed cancelled */
        ".xx.x.x", /* queued: stopped by its deadline, when it was to go on from a rung */
        "x.xxxxx", /* running */
        "x...x.x", /* paused: takes its place in the queue again, or was stopped at its rung */
        ".......", /* completed */
        ".......", /* stopped */
        ".......", /* failed */
        ".......", /* cancelled */
    };

    assert_int_equal(ARRAY_LEN(may), RUN_STATUS_COUNT);
    for (int from = 0; from < RUN_STATUS_COUNT; from++)
        for (int to = 0; to < RUN_STATUS_COUNT; to++)
            assert_int_equal(run_status_may((enum run_status)from, (enum run_status)to),
                             may[from][to] == 'x');
}

/* Terminal is exactly: no way out, but for a sweep that is extended. And every open state leads to
 * an end. */
static void test_terminal_states_have_no_way_out(void **state)
{
    for (int from = 0; from < SWEEP_STATUS_COUNT; from++) {
        int ways = 0;

        for (int to = 0; to < SWEEP_STATUS_COUNT; to++)
            ways += to != SWEEP_QUEUED && sweep_status_may((enum sweep_status)from,
                                                           (enum sweep_status)to);
        assert_int_equal(ways == 0, sweep_status_terminal((enum sweep_status)from));
        assert_true(ways == 0 || sweep_status_may((enum sweep_status)from, SWEEP_CANCELLED));
    }
    for (int from = 0; from < RUN_STATUS_COUNT; from++) {
        int ways = 0;

        for (int to = 0; to < RUN_STATUS_COUNT; to++)
            ways += run_status_may((enum run_status)from, (enum run_status)to);
        assert_int_equal(ways == 0, run_status_terminal((enum run_status)from));
        assert_true(ways == 0 || run_status_may((enum run_status)from, RUN_CANCELLED));
    }
}

static void test_names_match_both_ways(void **state)
{
    for (int i = 0; i < SWEEP_STATUS_COUNT; i++)
        assert_int_equal(sweep_status_find(sweep_status_name((enum sweep_status)i)), i);
    for (int i = 0; i < RUN_STATUS_COUNT; i++)
        assert_int_equal(run_status_find(run_status_name((enum run_status)i)), i);
    for (int i = 0; i < RUN_KIND_COUNT; i++)
        assert_int_equal(run_kind_find(run_kind_name((enum run_kind)i)), i);
    for (int i = 0; i < RUN_ERROR_COUNT; i++)
        assert_int_equal(run_error_find(run_error_name((enum run_error)i)), i);
    for (int i = 0; i < RUN_PAUSER_COUNT; i++)
        assert_int_equal(run_pauser_find(run_pauser_name((enum run_pauser)i)), i);
    assert_int_equal(sweep_status_find("stopped"), -1);
    assert_int_equal(run_status_find("held"), -1);
    assert_int_equal(run_kind_find(""), -1);
    assert_int_equal(run_error_find("?"), -1);
    assert_int_equal(run_pauser_find("sweep"), -1);
}

/* What the run itself did not cause never fails it; what it would do again is not tried again. */
static void test_failure_policies(void **state)
{
    static const struct {
        enum run_error error;
        int64_t attempts;
        enum run_wait wait;
        bool alike;
    } rows[] = {
        {RUN_ERROR_KILLED, 0, RUN_WAIT_RUN, false},
        {RUN_ERROR_DISK_FULL, 0, RUN_WAIT_RUN, false},
        {RUN_ERROR_FILE_UNREADABLE, 0, RUN_WAIT_RUN, false},
        {RUN_ERROR_DATA_MISSING, 0, RUN_WAIT_SWEEP, false},
        {RUN_ERROR_SPAWN, 3, RUN_WAIT_LAUNCHER, true},
        {RUN_ERROR_HUNG, 3, RUN_WAIT_RUN, true},
        {RUN_ERROR_PROTOCOL, 3, RUN_WAIT_NOBODY, true},
        {RUN_ERROR_CRASHED, 1, RUN_WAIT_RUN, true},
        {RUN_ERROR_OUT_OF_MEMORY, 1, RUN_WAIT_RUN, true},
        {RUN_ERROR_TIMEOUT, 1, RUN_WAIT_RUN, true},
        {RUN_ERROR_DATA, 1, RUN_WAIT_RUN, true},
        {RUN_ERROR_KILLED_BY_USER, 1, RUN_WAIT_RUN, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(run_error_attempts(rows[i].error), rows[i].attempts);
        assert_int_equal(run_error_wait(rows[i].error), rows[i].wait);
        assert_int_equal(run_error_alike(rows[i].error), rows[i].alike);
    }
}

/* Lines of a worker that was started before the daemon was replaced by a newer one. */
static void test_older_error_names(void **state)
{
    assert_int_equal(run_error_find("crashed"), RUN_ERROR_CRASHED);
    assert_int_equal(run_error_find("io_error"), RUN_ERROR_DISK_FULL);
    assert_string_equal(run_error_name(RUN_ERROR_CRASHED), "worker_crash");
    assert_string_equal(run_error_name(RUN_ERROR_DISK_FULL), "disk_full");
}

static bool is_chinese(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0xe4) /* U+4000 and up */
            return true;
    return false;
}

/* Said in both languages, or in neither; the same sections of the guide are named. */
static void both_languages(const char *en, const char *zh)
{
    assert_int_equal(*en != '\0', *zh != '\0');
    assert_true(*zh == '\0' || is_chinese(zh));
    for (const char *ref = strstr(en, "(G"); ref; ref = strstr(ref + 1, "(G")) {
        char name[8] = "";
        strncat(name, ref + 1, strcspn(ref + 1, ")"));
        assert_non_null(strstr(zh, name));
    }
}

static void test_patterns(void **state)
{
    int guide_rows = 0;

    for (int i = 0; i < PATTERN_COUNT; i++) {
        const struct pattern_info *p = pattern_info((enum pattern)i);

        assert_int_equal(pattern_find(p->name), i);
        assert_string_equal(pattern_name((enum pattern)i), p->name);
        assert_true(*p->look && *p->says);
        both_languages(p->look, p->look_zh);
        both_languages(p->says, p->says_zh);
        both_languages(p->guide_remedies, p->guide_remedies_zh);
        both_languages(p->our_remedies, p->our_remedies_zh);
        guide_rows += p->guide_ref && strncmp(p->guide_ref, "G4.", 3) == 0;
    }
    assert_int_equal(guide_rows, 8); /* G4.1 to G4.8, all of them */
    assert_string_equal(pattern_name(PATTERN_NONE), "");
    assert_int_equal(pattern_find("diverge"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sweep_moves),
        cmocka_unit_test(test_run_moves),
        cmocka_unit_test(test_terminal_states_have_no_way_out),
        cmocka_unit_test(test_names_match_both_ways),
        cmocka_unit_test(test_failure_policies),
        cmocka_unit_test(test_older_error_names),
        cmocka_unit_test(test_patterns),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
