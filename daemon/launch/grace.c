#include "daemon/launch/grace.h"

#include <math.h>

#include "daemon/launch/launcher.h"

void grace_begin(struct grace *g, uint64_t more_ms, uint64_t now_ms)
{
    *g = (struct grace){.began_ms = now_ms, .looked_ms = now_ms, .more_ms = more_ms};
}

bool grace_due(const struct grace *g, uint64_t now_ms)
{
    return now_ms - g->looked_ms >= GRACE_LOOK_MS;
}

/* Processor time since SIGTERM. Children that end take theirs with them. */
static double cpu_since(struct grace *g, const struct usage *u)
{
    if (!g->known)
        g->cpu_seconds = u->cpu_seconds;
    g->known = true;
    return fabs(u->cpu_seconds - g->cpu_seconds);
}

bool grace_look(struct grace *g, const struct usage *usage, uint64_t now_ms)
{
    uint64_t passed = now_ms - g->looked_ms;
    g->looked_ms = now_ms;
    if (!usage || !usage->busy)
        g->idle_ms += passed < 2 * GRACE_LOOK_MS ? passed : GRACE_LOOK_MS;
    if (usage && cpu_since(g, usage) >= GRACE_CPU_SECONDS + (double)g->more_ms / 1000)
        return true;
    return g->idle_ms >= GRACE_MS + g->more_ms ||
           now_ms - g->began_ms >= GRACE_LATEST_MS + g->more_ms;
}
