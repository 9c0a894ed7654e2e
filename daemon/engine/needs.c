/* What runs need beside a slot, of what their launcher has: ground of the roster. */
#include <stdlib.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define HERE 0 /* the launcher of this machine, whose slots are anybody's */

struct resources *needs_create(const struct spec *spec)
{
    if (spec->resources.count == 0)
        return NULL;
    struct resources *r = xmalloc(sizeof(*r));
    *r = spec->resources;
    return r;
}

/* --- with a slot ----------------------------------------------------------------------------- */

void needs_take(struct engine *e, struct run *r)
{
    struct resource_pool *p = e->launchers[r->launcher].resources;
    r->devices = 0;
    if (p == NULL)
        return;
    r->devices = resource_pool_choose(p, r->sweep->needs);
    resource_pool_take(p, r->sweep->needs, r->devices);
}

void needs_give(struct engine *e, struct run *r)
{
    struct resource_pool *p = e->launchers[r->launcher].resources;
    if (p != NULL)
        resource_pool_give(p, r->sweep->needs, r->devices);
    r->devices = 0;
}

void engine_set_resources(struct engine *e, size_t launcher, const struct resource_pool *pool)
{
    REQUIRE(launcher < ENGINE_LAUNCHERS_MAX);
    struct launcher_slots *l = &e->launchers[launcher];
    free(l->resources);
    l->resources = xmalloc(sizeof(*l->resources));
    *l->resources = *pool;
    resource_pool_clear(l->resources);
    for (size_t i = 0; i < e->running_count; i++) {
        struct run *r = e->running[i];
        r->devices = 0; /* engine_run_devices says which it has */
        if (r->launcher == launcher)
            resource_pool_take(l->resources, r->sweep->needs, 0);
    }
}

/* --- before a start -------------------------------------------------------------------------- */

int engine_check_resources(const struct engine *e, const struct spec *spec, struct errbuf *err)
{
    const struct resource_pool *p = e->launchers[HERE].resources;
    if (p == NULL || spec->on.launcher != LAUNCHER_LOCAL)
        return 0;
    return resource_pool_check(p, &spec->resources, err);
}

/* --- for others ------------------------------------------------------------------------------ */

void needs_setup(const struct engine *e, const struct run *r, struct run_setup *out,
                 const char *gpus[RESOURCE_DEVICES_MAX])
{
    const struct resource_pool *p = e->launchers[r->launcher].resources;
    const struct resources *needs = r->sweep->needs;
    if (p == NULL || needs == NULL)
        return;
    const struct resource *cpus = resources_find(needs, RESOURCE_CPUS);
    out->cpus = cpus != NULL ? cpus->amount / RESOURCE_ONE : 0;
    out->has_gpus = resources_find(needs, RESOURCE_GPUS) != NULL;
    for (size_t i = 0; i < p->device_count; i++)
        if (r->devices >> i & 1)
            gpus[out->gpu_count++] = p->devices[i].name;
    out->gpus = gpus;
}

void engine_write_resources(const struct engine *e, struct json_writer *w)
{
    static const struct resource_pool none;
    const struct resource_pool *p = e->launchers[HERE].resources;
    resource_pool_write(p != NULL ? p : &none, w);
}
