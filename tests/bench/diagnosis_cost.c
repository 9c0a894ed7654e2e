/* What a label costs: microseconds for curves of 10 to 100,000 points, the median of several
 * batches. No verdict: times depend on the machine. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sweep/buf.h"
#include "sweep/diagnosis.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define BATCHES 9
#define BATCH_POINTS 200000 /* so that a batch of short curves takes milliseconds too */

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A run that learns, with noise: no test decides early. */
static struct point *learning_curve(size_t count)
{
    struct point *p = xcalloc(count, sizeof(*p));
    struct rng r;

    rng_init(&r, 110, RNG_TEST, count);
    for (size_t i = 0; i < count; i++) {
        double y = exp(-5 * (double)i / (double)count);
        p[i].point = (int64_t)i + 1;
        p[i].epoch = (double)i + 1;
        point_set(&p[i], CURVE_TRAIN_LOSS, y + 0.01 * rng_uniform(&r));
        point_set(&p[i], CURVE_VAL_LOSS, y + 0.10 * rng_uniform(&r));
    }
    return p;
}

static double cost_us(size_t count)
{
    struct point *p = learning_curve(count);
    struct diagnosis_input in = {.points = p, .count = count};
    void *workspace = xmalloc(diagnosis_workspace_bytes(count));
    size_t repeats = BATCH_POINTS / count + 1;
    double us[BATCHES];
    struct diagnosis d;

    for (size_t b = 0; b < BATCHES; b++) {
        double start = now_us();
        for (size_t i = 0; i < repeats; i++)
            diagnose(&in, workspace, &d);
        us[b] = (now_us() - start) / (double)repeats;
    }
    qsort(us, BATCHES, sizeof(*us), compare);
    free(workspace);
    free(p);
    return us[BATCHES / 2];
}

int main(void)
{
    static const size_t COUNTS[] = {10, 100, 1000, 100000};

    printf("%8s %12s %18s\n", "points", "us a label", "workspace (bytes)");
    for (size_t i = 0; i < ARRAY_LEN(COUNTS); i++)
        printf("%8zu %12.1f %18zu\n", COUNTS[i], cost_us(COUNTS[i]),
               diagnosis_workspace_bytes(COUNTS[i]));
    return 0;
}
