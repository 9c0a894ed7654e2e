/* What the store's measuring programs share: a store driven by its loop. */
#ifndef STORE_BENCH_H
#define STORE_BENCH_H

#include <stdint.h>

#include "daemon/store/store.h"

#define BENCH_POINTS_PER_RUN 20

/* Opens or ends the program with the message. */
struct store *bench_open(struct uv_loop_s *loop, const char *path);
/* Closes, and runs the loop until it is empty. */
void bench_close(struct uv_loop_s *loop, struct store *s);

struct sweep_row *bench_sweep(int64_t id);
/* Run `id` of sweep 1; metric: a fixed scatter without ties. */
struct run_row *bench_run(int64_t id);
/* Plausible points, all columns measured. */
void bench_points(int64_t run_id, struct point points[BENCH_POINTS_PER_RUN]);

#endif
