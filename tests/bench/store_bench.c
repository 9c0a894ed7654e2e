#include "tests/bench/store_bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include "sweep/buf.h"

#define NOW 1795481458123000 /* 2026-11-24 00:50:58.123 */

struct store *bench_open(struct uv_loop_s *loop, const char *path)
{
    struct store_restored restored;
    struct store *s = NULL;
    struct errbuf err;

    if (store_open(loop, &(struct store_place){.path = path}, &s, &restored, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    store_restored_finish(&restored);
    return s;
}

void bench_close(struct uv_loop_s *loop, struct store *s)
{
    store_close(s, NULL, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
}

struct sweep_row *bench_sweep(int64_t id)
{
    struct sweep_row *r = xcalloc(1, sizeof(*r));
    r->id = id;
    r->name = xstrdup("bench");
    r->status = SWEEP_COMPLETED; /* a daemon that opens the database leaves it alone */
    r->method = METHOD_RANDOM;
    r->metric = xstrdup(metric_name(METRIC_VAL_LOSS));
    r->spec_json = xstrdup("{}");
    r->seed = 110;
    r->run_cap = 10000;
    r->epochs = BENCH_POINTS_PER_RUN;
    r->created = NOW;
    return r;
}

struct run_row *bench_run(int64_t id)
{
    struct run_row *r = xcalloc(1, sizeof(*r));
    r->id = id;
    r->sweep_id = 1;
    r->number = id - 1;
    r->status = RUN_COMPLETED;
    str_copy(r->stage, sizeof(r->stage), "random");
    r->reason = xstrdup("drawn");
    double rate = 0.001 * (double)(1 + id % 100);
    r->config = xcalloc(1, sizeof(*r->config));
    settings_init(&r->config->settings);
    r->config->settings.v[SETTING_LEARNING_RATE] = rate;
    r->params_json = xasprintf("{\"learning_rate\":%g}", rate);
    r->seed = 110;
    r->epochs = BENCH_POINTS_PER_RUN;
    r->has_metric = r->has_val_loss = r->has_val_acc = true;
    r->metric_value = r->val_loss = fmod((double)id * 0.6180339887498949, 1.0);
    r->val_acc = 1 - r->val_loss;
    r->best_epoch = BENCH_POINTS_PER_RUN;
    r->created = r->started = r->ended = NOW + id;
    r->seconds = 2.5;
    return r;
}

void bench_points(int64_t run_id, struct point points[BENCH_POINTS_PER_RUN])
{
    for (int i = 0; i < BENCH_POINTS_PER_RUN; i++) {
        points[i] = (struct point){.point = i + 1, .epoch = i + 1};
        for (int c = 0; c < CURVE_COLUMN_COUNT; c++)
            point_set(&points[i], (enum curve_column)c,
                      1.0 / (double)(1 + i + c) + 1e-6 * (double)run_id);
    }
}
