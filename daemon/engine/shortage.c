/* Runs that wait for what others have; and those that had theirs before this daemon began. */
#include "daemon/engine/private.h"

bool needs_met(struct engine *e, size_t launcher, struct sweep *s, struct resource_claims *claims,
               utc_us now, struct effects *fx)
{
    const struct resource_pool *p = e->launchers[launcher].resources;
    struct errbuf why;
    if (p == NULL || resource_pool_fits(p, s->needs, claims))
        return true;
    if (resource_pool_check(p, s->needs, &why) != 0)
        sweep_set_status(s, SWEEP_HELD, why.message, now, fx);
    else
        resource_pool_claim(p, s->needs, claims);
    return false;
}

void engine_run_devices(struct engine *e, int64_t run_id, char *const *names, size_t count)
{
    struct run *r = engine_running_run(e, run_id);
    struct resource_pool *p = r != NULL ? e->launchers[r->launcher].resources : NULL;
    if (p == NULL)
        return;
    resource_pool_give(p, r->sweep->needs, r->devices);
    r->devices = 0;
    for (size_t i = 0; i < count; i++)
        r->devices |= resource_pool_device(p, names[i]);
    resource_pool_take(p, r->sweep->needs, r->devices);
}
