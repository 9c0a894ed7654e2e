#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/launch/slurm_state.h"

/* Each word that Slurm has; another says nothing. */
static void test_states(void **state)
{
    assert_int_equal(slurm_kind_of("PENDING"), SLURM_WAITS);
    assert_int_equal(slurm_kind_of("REQUEUE_HOLD"), SLURM_WAITS);
    assert_int_equal(slurm_kind_of("COMPLETING"), SLURM_RUNS);
    assert_int_equal(slurm_kind_of("SUSPENDED"), SLURM_SUSPENDED);
    assert_int_equal(slurm_kind_of("NODE_FAIL"), SLURM_ENDED);
    assert_int_equal(slurm_kind_of("CANCELLED by 1000"), SLURM_ENDED);
    assert_int_equal(slurm_kind_of("PREEMPTED"), SLURM_ENDED);
    assert_int_equal(slurm_kind_of("OUT_OF_MEMORY"), SLURM_NO_MEMORY);
    assert_int_equal(slurm_kind_of("COMPLETED+"), SLURM_ENDED);
    assert_int_equal(slurm_kind_of("RUN"), SLURM_UNKNOWN);
    assert_int_equal(slurm_kind_of("TELEPORTING"), SLURM_UNKNOWN);
    assert_int_equal(slurm_kind_of(""), SLURM_UNKNOWN);
    assert_int_equal(slurm_kind_of("running"), SLURM_UNKNOWN);
}

static bool reads(const char *line, struct slurm_job *out)
{
    return slurm_job_read(line, strlen(line), out);
}

static void test_lines(void **state)
{
    struct slurm_job j;
    char text[400];
    assert_true(reads("12_3|RUNNING|a-b-c|None", &j));
    assert_string_equal(j.id, "12_3");
    assert_string_equal(j.state, "RUNNING");
    assert_string_equal(j.name, "a-b-c");
    assert_string_equal(j.reason, "None");
    assert_true(reads("7|PENDING|n|a|b\x1b[31m", &j));
    assert_string_equal(j.reason, "a|b?[31m");
    assert_false(reads("", &j));
    assert_false(reads("slurm_load_jobs error: Socket timed out", &j));
    assert_false(reads("|RUNNING|n|r", &j));
    assert_false(reads("1_[0-3]|PENDING|n|r", &j));
    assert_false(reads("1||n|r", &j));
    assert_false(reads("1|RUNNING|n", &j));
    memset(text, '1', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text + 300, "|RUNNING|n|r", 13);
    assert_false(reads(text, &j));
}

static void test_ids(void **state)
{
    char id[SLURM_JOB_MAX];
    assert_true(slurm_id_read("123\n", id));
    assert_string_equal(id, "123");
    assert_true(slurm_id_read("welcome to the cluster\n77;east\n", id));
    assert_string_equal(id, "77");
    assert_false(slurm_id_read("", id));
    assert_false(slurm_id_read("Submitted batch job 12\n", id));
    assert_false(slurm_id_read("12x\n", id));
    assert_false(slurm_id_read("\n\n", id));
}

static void test_reach(void **state)
{
    assert_true(slurm_is_unreachable(
        "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect "
        "failure)"));
    assert_false(slurm_is_unreachable("sbatch: error: invalid partition specified: gpu"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_reach),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
