#include "daemon/loop.h"

#include <time.h>

struct effects *loop_effects(struct loop *l)
{
    l->dirty = true;
    return &l->effects;
}

utc_us loop_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (utc_us)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

uint64_t loop_monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}
