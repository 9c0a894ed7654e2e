/* Which files of a program's say what was measured, and whose an event file is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sweep/require.h"
#include "worker/command/files/kinds.h"

static void kinds_by_path(void **state)
{
    static const struct {
        const char *path;
        enum file_kind kind;
    } paths[] = {
        {"/r/7/wandb-log.jsonl", FILE_KIND_LOGGED},
        {"/r/7/trackio/inbox/w/00000000.jsonl", FILE_KIND_TRACKIO},
        {"/r/7/trackio/project.db", FILE_KIND_TRACKIO},
        {"/r/7/lines.jsonl", FILE_KIND_COUNT},
        {"/r/7/mlflow.db", FILE_KIND_MLFLOW},
        {"/r/7/mlruns/0/abc/metrics/train/loss", FILE_KIND_MLFLOW},
        {"/r/7/mlruns/0/abc/params/lr", FILE_KIND_COUNT},
        {"/r/7/runs/a/events.out.tfevents.1700000000.host.7.0", FILE_KIND_TENSORBOARD},
        {"/r/7/lightning_logs/version_0/metrics.csv", FILE_KIND_CSV},
        {"/r/7/training.log", FILE_KIND_CSV},
        {"/r/7/wandb/offline-run-1/run-1.wandb", FILE_KIND_WANDB},
        {"/r/7/run.jsonl", FILE_KIND_COUNT},
        {"/r/7/stderr", FILE_KIND_COUNT},
        {"/r/7/model.pt", FILE_KIND_COUNT},
    };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_int_equal(file_kind_of(paths[i].path), paths[i].kind);
}

static void process_of_an_event_file(void **state)
{
    static const struct {
        const char *path;
        int process;
    } paths[] = {
        {"/a/events.out.tfevents.1700000000.host.4711.0", 4711},
        {"/a/events.out.tfevents.1700000000.node.12.lan.4711.3.v2", 4711},
        {"/a/events.out.tfevents.1700000000.10.0.0.1.4711.0", 4711},
        {"/a/events.out.tfevents.99999999999999999999.host.4711.0", 4711},
        {"/a/events.out.tfevents.", 0},
        {"/a/metrics.csv", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_int_equal(file_board_process(paths[i].path), paths[i].process);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_by_path),
        cmocka_unit_test(process_of_an_event_file),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
