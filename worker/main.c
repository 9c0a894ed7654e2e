/* sweep-worker: trains one run, or supervises its program, or prepares its data. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/fork_server.h"
#include "sweep/json.h"
#include "sweep/task.h"
#include "sweep/require.h"
#include "worker/check.h"
#include "worker/command/database_log.h"
#include "worker/fork_server.h"
#include "worker/job.h"
#include "worker/neighbour.h"
#include "worker/nn/gemm.h"
#include "worker/pilot/pilot.h"
#include "worker/predict.h"

#define EXIT_USAGE 2

static int run_blas_check(const char *argument, struct link *link)
{
    struct buf line = {0}, sandbox = {0};
    struct json_writer w;
    check_sandbox_words(&sandbox);
    gemm_init();
    double worst = gemm_check();
    bool ok = worst < GEMM_CHECK_LIMIT;
    jw_init(&w, &line);
    jw_begin_object(&w);
    jw_kv_string(&w, "core", gemm_core());
    jw_kv_string(&w, "blas", gemm_library());
    jw_kv_bool(&w, "ok", ok);
    jw_kv_real(&w, "max_error", worst);
    jw_kv_string(&w, "sandbox", sandbox.data);
    jw_end_object(&w);
    printf("%s\n", line.data);
    buf_finish(&line);
    buf_finish(&sandbox);
    return fflush(stdout) != 0 || !ok;
}

static int run_check(const char *argument, struct link *link)
{
    return check_run();
}

static int run_version(const char *argument, struct link *link)
{
    printf("sweep-worker %s\n", SWEEPD_VERSION);
    return fflush(stdout) != 0;
}

static int run_prepare(const char *argument, struct link *link)
{
    neighbour_yield_memory();
    return job_prepare(argument, link);
}

#define X(id, name) int worker_##name(const char *config_path, struct link *link);
WORKER_TASK_MAP(X)
#undef X

static int run_predict(const char *argument, struct link *link)
{
    neighbour_yield_memory();
    return job_predict(argument, link);
}

/* What config.json asks for. A file that cannot be read is refused by the trainer. */
static int run_task(const char *config_path, struct link *link)
{
    static const struct {
        const char *name;
        int (*run)(const char *config_path, struct link *link);
    } tasks[] = {
#define X(id, name) {#name, worker_##name},
        WORKER_TASK_MAP(X)
#undef X
    };
    char task[32] = "trainer";
    task_of_config(config_path, task, sizeof(task));
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
        if (strcmp(tasks[i].name, task) == 0)
            return tasks[i].run(config_path, link);
    fprintf(stderr, "sweep-worker: %s: task %s is not known to this version\n", config_path, task);
    return EX_CONFIG;
}

static int run_one(const char *config_path, struct link *link)
{
    neighbour_yield();
    return run_task(config_path, link);
}

/* In each of its children one run. That ends without exit(): what libraries take down there goes
 * with the process, and a sanitizer would look for leaks by threads of the server. */
static int run_fork_server(const char *room, struct link *link)
{
    gemm_init();
    const char *config_path = fork_server_run((char *)room);
    if (!config_path)
        return EX_OK;
    int status = run_one(config_path, link);
    link_finish(link);
    _exit(link->broken ? EX_IOERR : status);
}

static int run_log(const char *path, struct link *link)
{
    struct errbuf err;
    int rc = database_log(path, stdout, &err);
    if (rc == 0)
        return EX_OK;
    fprintf(stderr, "%s\n", err.message);
    return rc == ERR_IO ? EX_NOINPUT : EX_DATAERR;
}

static int run_pilot(const char *room, struct link *link)
{
    return pilot_run(room);
}

static const char usage_text[] =
    "usage: sweep-worker CONFIG.json            one run; one JSON line per point\n"
    "       sweep-worker --prepare CONFIG.json  read, check and cache its data\n"
    "       sweep-worker --predict CONFIG.json  answers for rows of a file, as CSV\n"
    "       sweep-worker --log DATABASE         the training log in it, as JSON lines\n"
    "       sweep-worker --pilot ROOM           runs of a sweep's spool, one after the other\n"
    "       sweep-worker --fork-server ROOM     starts runs for a daemon, which talks to it\n"
    "       sweep-worker --blas-check           compare the BLAS kernels with plain loops\n"
    "       sweep-worker --check                what is wrong with this machine, and what to do\n"
    "       sweep-worker --version | --help\n";

static int run_help(const char *argument, struct link *link)
{
    fputs(usage_text, stdout);
    return fflush(stdout) != 0;
}

static const struct mode {
    const char *flag;
    bool takes_config;
    int (*run)(const char *argument, struct link *link);
} modes[] = {
    {"--prepare", true, run_prepare},
    {"--predict", true, run_predict},
    {"--log", true, run_log},
    {"--pilot", true, run_pilot},
    {FORK_SERVER_FLAG, true, run_fork_server},
    {"--blas-check", false, run_blas_check},
    {"--check", false, run_check},
    {"--version", false, run_version},
    {"--help", false, run_help},
};

static int usage(void)
{
    fputs(usage_text, stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct link link;
    link_init(&link, STDOUT_FILENO);
    int status = -1;
    for (size_t i = 0; i < ARRAY_LEN(modes) && argc > 1; i++) {
        if (strcmp(argv[1], modes[i].flag) == 0 && argc == (modes[i].takes_config ? 3 : 2))
            status = modes[i].run(argv[argc - 1], &link);
    }
    if (status < 0 && argc == 2 && argv[1][0] != '-')
        status = run_one(argv[1], &link);
    link_finish(&link);
    if (link.broken)
        return EX_IOERR; /* the daemon tries again once it can write itself */
    return status < 0 ? usage() : status;
}
