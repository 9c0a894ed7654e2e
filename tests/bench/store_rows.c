/* Durable curve rows per second through the store: batches of one run's 20 points, as the daemon
 * hands them over, kept WINDOW deep in the queue; the clock stops when the last is committed.
 *
 *     store_rows [FOLDER [ROWS]]
 *
 * FOLDER (default: here) decides which disk is measured; what is written there is removed.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include "sweep/buf.h"

#include "tests/bench/store_bench.h"

#define WINDOW 256 /* batches waiting: far below STORE_QUEUE_HIGH */

struct bench {
    struct store *store;
    int64_t runs, submitted, committed;
    uint64_t begin_ns, end_ns, worst_ns;
    uint64_t sent_ns[WINDOW];
};

static void on_committed(void *arg);

static void submit_next(struct bench *b)
{
    struct store_batch batch = {0};
    struct point points[BENCH_POINTS_PER_RUN];
    int64_t run_id = ++b->submitted;

    bench_points(run_id, points);
    store_batch_add_points(&batch, run_id, points, BENCH_POINTS_PER_RUN);
    b->sent_ns[run_id % WINDOW] = uv_hrtime();
    store_submit(b->store, &batch, on_committed, b);
}

static void on_committed(void *arg)
{
    struct bench *b = arg;
    uint64_t now = uv_hrtime(), waited = now - b->sent_ns[++b->committed % WINDOW];

    if (waited > b->worst_ns)
        b->worst_ns = waited;
    if (b->submitted < b->runs)
        submit_next(b);
    else if (b->committed == b->runs)
        b->end_ns = now;
}

static void on_rows_ready(void *arg)
{
    struct bench *b = arg;
    b->begin_ns = uv_hrtime();
    for (int i = 0; i < WINDOW && b->submitted < b->runs; i++)
        submit_next(b);
}

static void run(struct bench *b, const char *path)
{
    struct store_batch batch = {0};
    uv_loop_t loop;

    uv_loop_init(&loop);
    b->store = bench_open(&loop, path);
    store_batch_put_sweep(&batch, bench_sweep(1));
    for (int64_t id = 1; id <= b->runs; id++)
        store_batch_put_run(&batch, bench_run(id));
    store_submit(b->store, &batch, on_rows_ready, b);
    while (b->end_ns == 0)
        uv_run(&loop, UV_RUN_ONCE);
    bench_close(&loop, b->store);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

int main(int argc, char **argv)
{
    long long rows = argc > 2 ? strtoll(argv[2], NULL, 10) : 1000000;
    char *folder = xasprintf("%s/store-rows-XXXXXX", argc > 1 ? argv[1] : ".");
    char *absolute = NULL;

    if (rows < BENCH_POINTS_PER_RUN || !mkdtemp(folder) || !(absolute = realpath(folder, NULL))) {
        fprintf(stderr, "usage: store_rows [FOLDER [ROWS]]\n");
        return 2;
    }
    struct bench b = {.runs = rows / BENCH_POINTS_PER_RUN};
    char *path = xasprintf("%s/sweeps.db", absolute);
    run(&b, path);
    nftw(absolute, remove_entry, 8, FTW_DEPTH | FTW_PHYS);

    double seconds = (double)(b.end_ns - b.begin_ns) / 1e9;
    long long written = (long long)b.runs * BENCH_POINTS_PER_RUN;
    printf("{\"bench\":\"store_rows\",\"journal\":\"wal\",\"synchronous\":\"full\","
           "\"points_per_batch\":%d,\"batches_waiting\":%d,\"rows\":%lld,\"seconds\":%.3f,"
           "\"rows_per_second\":%.0f,\"worst_commit_ms\":%.1f}\n",
           BENCH_POINTS_PER_RUN, WINDOW, written, seconds, (double)written / seconds,
           (double)b.worst_ns / 1e6);
    free(path);
    free(absolute);
    free(folder);
    return 0;
}
