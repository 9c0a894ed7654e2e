/* Fills a database through the store: one sweep, or SWEEPS of them, that have ended, and RUNS
 * completed runs of 20 points (or POINTS) with labels, evenly among them. With --keep-writing it
 * then goes on adding points to another sweep's run until SIGTERM, so that queries can be timed
 * while the database is written.
 *
 *     fill_store DATABASE [RUNS] [--sweeps=SWEEPS] [--points=POINTS] [--keep-writing]
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "sweep/buf.h"
#include "tests/bench/store_bench.h"

#define RUNS_PER_BATCH 100

struct fill {
    struct store *store;
    uv_signal_t stop;
    int64_t sweeps, runs, next_run;
    size_t points; /* of a run */
    int64_t extra_points;
    bool keep_writing, stopped;
};

static void on_filled(void *arg);

static struct label_row *make_label(int64_t run_id)
{
    struct label_row *l = xcalloc(1, sizeof(*l));
    l->run_id = run_id;
    l->pattern = (enum pattern)(run_id % PATTERN_COUNT);
    l->runner_up = PATTERN_NONE;
    l->confidence = 0.5;
    l->tags = xstrdup("");
    l->evidence_json = xstrdup("{}");
    l->created = 1;
    return l;
}

static struct run_row *make_run(const struct fill *f, int64_t id)
{
    struct run_row *r = bench_run(id);
    int64_t each = (f->runs + f->sweeps - 1) / f->sweeps;
    r->sweep_id = 1 + (id - 1) / each;
    r->number = (id - 1) % each;
    return r;
}

static void submit_sweeps(struct fill *f)
{
    struct store_batch batch = {0};
    for (int64_t id = 1; id <= f->sweeps; id++)
        store_batch_put_sweep(&batch, bench_sweep(id));
    store_submit(f->store, &batch, NULL, NULL);
}

static void submit_runs(struct fill *f)
{
    struct store_batch batch = {0};
    struct point points[BENCH_POINTS_PER_RUN];

    for (int i = 0; i < RUNS_PER_BATCH && f->next_run <= f->runs; i++, f->next_run++) {
        bench_points(f->next_run, points);
        store_batch_put_run(&batch, make_run(f, f->next_run));
        store_batch_add_points(&batch, f->next_run, points, f->points);
        store_batch_put_label(&batch, make_label(f->next_run));
    }
    store_submit(f->store, &batch, on_filled, f);
}

/* One more point of a run that trains on and on. */
static void submit_extra_point(struct fill *f)
{
    struct store_batch batch = {0};
    struct point points[BENCH_POINTS_PER_RUN];

    bench_points(1, points);
    points[0].point = ++f->extra_points;
    store_batch_add_points(&batch, f->runs + 1, points, 1);
    store_submit(f->store, &batch, on_filled, f);
}

static void submit_extra_run(struct fill *f)
{
    struct store_batch batch = {0};
    struct run_row *run = bench_run(f->runs + 1);

    run->sweep_id = f->sweeps + 1;
    run->number = 0;
    run->status = RUN_RUNNING;
    store_batch_put_sweep(&batch, bench_sweep(run->sweep_id));
    store_batch_put_run(&batch, run);
    store_submit(f->store, &batch, NULL, NULL);
    puts("filled, writing on");
    fflush(stdout);
}

static void on_filled(void *arg)
{
    struct fill *f = arg;

    if (f->next_run <= f->runs) {
        submit_runs(f);
    } else if (f->keep_writing && !f->stopped) {
        if (f->extra_points == 0)
            submit_extra_run(f);
        submit_extra_point(f);
    } else {
        if (!uv_is_closing((uv_handle_t *)&f->stop))
            uv_close((uv_handle_t *)&f->stop, NULL);
        store_close(f->store, NULL, NULL);
    }
}

static void on_stop(uv_signal_t *s, int number)
{
    struct fill *f = s->data;
    f->stopped = true;
}

static bool read_arguments(int argc, char **argv, struct fill *f)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--keep-writing") == 0)
            f->keep_writing = true;
        else if (strncmp(argv[i], "--sweeps=", 9) == 0)
            f->sweeps = strtoll(argv[i] + 9, NULL, 10);
        else if (strncmp(argv[i], "--points=", 9) == 0)
            f->points = (size_t)strtoull(argv[i] + 9, NULL, 10);
        else
            f->runs = strtoll(argv[i], NULL, 10);
    }
    return f->sweeps > 0 && f->runs > 0 && f->points > 0 && f->points <= BENCH_POINTS_PER_RUN;
}

int main(int argc, char **argv)
{
    struct fill f = {.sweeps = 1, .runs = 10000, .next_run = 1, .points = BENCH_POINTS_PER_RUN};
    uv_loop_t loop;

    if (argc < 2 || !read_arguments(argc, argv, &f)) {
        fprintf(stderr, "usage: fill_store DATABASE [RUNS] [--sweeps=SWEEPS] [--points=1..20] "
                        "[--keep-writing]\n");
        return 2;
    }
    uv_loop_init(&loop);
    uv_signal_init(&loop, &f.stop);
    f.stop.data = &f;
    uv_signal_start(&f.stop, on_stop, SIGTERM);
    f.store = bench_open(&loop, argv[1]);
    submit_sweeps(&f);
    submit_runs(&f);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return 0;
}
