/* A launcher of the tests: its workers are records, what they write is written by the test. And
 * an engine that notes down what it is told. */
#ifndef TESTS_LAUNCH_PAPER_H
#define TESTS_LAUNCH_PAPER_H

#include <uv.h>

#include "daemon/launch/launcher.h"
#include "daemon/launch/site.h"
#include "daemon/loop.h"
#include "sweep/record.h"

#define PAPER_WORKERS 8
#define DESK_RUNS 8

struct paper_worker {
    struct worker base;
    struct worker_place at;
    int out;             /* run.jsonl, as a worker has it; -1: adopted */
    bool lives, deaf;    /* deaf: cannot be signalled now */
    char signals[32];    /* "15 9 " */
    int64_t introduced;  /* pid of its start line */
    bool released;
};

#define PAPER_CONFIG "{\"version\":1,\"epochs\":1}" /* config.json of every run */

/* Where a test stands: one for each. */
struct desk {
    uv_loop_t *uv;
    struct loop loop;
    struct launch_site site;
    char runs[64];
    bool congested;
    /* of the launcher */
    struct paper_worker workers[PAPER_WORKERS];
    size_t worker_count;
    bool refuses;            /* to start */
    const char *living;      /* handle that adopt finds alive; NULL: none */
    size_t closed;
    bool usage_known;
    struct usage usage; /* of every worker */
    uint64_t oom_kills;
    /* of the engine */
    char told[4096]; /* "spawned 1 paper-1 | start 1 | …" */
    bool is_quiet;   /* points are not told */
    int64_t last_point[DESK_RUNS];
    int64_t refuses_point;  /* 0: none */
    bool inherited;         /* so said the last end */
    enum run_known known;   /* of every run, … */
    struct run_owner owner; /* … and whose it is */
};

extern const struct launcher_type launcher_paper;

int desk_setup(void **state);
int desk_teardown(void **state);
/* The worker appends that. */
void desk_write(struct paper_worker *w, const char *text);
/* Makes a run's folder, as an earlier daemon left it. */
void desk_leave(struct desk *d, int64_t run_id, const char *text);
/* The worker is gone; its launcher hears of it. */
void desk_end(struct paper_worker *w, int64_t status, int signal);

#endif
