/* What a launcher has beside its slots, and what of it is taken: counted by name, GPUs one by one.
 * Pure. */
#ifndef SWEEPD_RESOURCES_H
#define SWEEPD_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/resources.h"

struct errbuf;
struct json_writer;

#define POOL_KINDS_MAX (2 * RESOURCES_MAX)

struct pooled {
    char name[RESOURCE_NAME_MAX];
    int64_t total, taken; /* in millionths; more may be taken than there is, after a restart */
};

struct resource_pool {
    size_t count;
    struct pooled items[POOL_KINDS_MAX];
    size_t device_count; /* GPUs */
    struct {
        char name[RESOURCE_NAME_MAX]; /* as CUDA_VISIBLE_DEVICES has it */
        int64_t taken;
    } devices[RESOURCE_DEVICES_MAX];
};

/* Kept for those who wait for longest: of kind i, so much. */
struct resource_claims {
    int64_t claimed[POOL_KINDS_MAX];
};

/* Total: in whole ones; one that is there already gets that total. What is too much is left out. */
void resource_pool_set(struct resource_pool *p, const char *name, int64_t total);
/* One more GPU. False: there are too many, or it is there already. */
bool resource_pool_add_device(struct resource_pool *p, const char *name);
/* Nothing of it is taken any more. */
void resource_pool_clear(struct resource_pool *p);

/* A run that does not say so needs one of the cpus. needs: NULL: nothing is said. */
/* Could it ever be had? 0, or ERR_VALUE: which is not, and what there is. */
int resource_pool_check(const struct resource_pool *p, const struct resources *needs,
                        struct errbuf *err);
/* Can it be had now, without what others have claimed? */
bool resource_pool_fits(const struct resource_pool *p, const struct resources *needs,
                        const struct resource_claims *claims);
/* It cannot: nobody behind it gets what it waits for. */
void resource_pool_claim(const struct resource_pool *p, const struct resources *needs,
                         struct resource_claims *claims);
/* The GPUs that it gets, as bits; none where there are not enough. */
uint64_t resource_pool_choose(const struct resource_pool *p, const struct resources *needs);
void resource_pool_take(struct resource_pool *p, const struct resources *needs, uint64_t devices);
void resource_pool_give(struct resource_pool *p, const struct resources *needs, uint64_t devices);
/* What a run of each of several sweeps needs, together: of kind i, so much. */
struct resource_room {
    int64_t needed[POOL_KINDS_MAX];
};
void resource_room_add(struct resource_room *room, const struct resource_pool *p,
                       const struct resources *needs);
/* How many runs with those needs, which are among what was added, there is room for at a time where
 * each of the sweeps has as many; INT64_MAX: nothing limits them. */
int64_t resource_room_runs(const struct resource_room *room, const struct resource_pool *p,
                           const struct resources *needs);
/* The bit of the GPU of that name; 0: there is none. */
uint64_t resource_pool_device(const struct resource_pool *p, const char *name);
/* {"cpus": {"total": 8, "taken": 2}, "gpus": {…, "devices": {"0": 1, "1": 0.5}}} */
void resource_pool_write(const struct resource_pool *p, struct json_writer *w);

#endif
