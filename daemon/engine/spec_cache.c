/* Specifications of sweeps that are not at work, as text alone. What is parsed again is the same:
 * a restart does no other. */
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "daemon/plan/search/memo.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define AWAKE_MAX 32 /* so few open sweeps all keep theirs: 1 MiB */

const struct spec *sweep_spec(const struct sweep *s)
{
    struct spec_cache *c = s->cache;
    struct errbuf why;
    if (c->spec != NULL)
        return c->spec;
    c->spec = xcalloc(1, sizeof(*c->spec));
    int rc = spec_parse_text(s->row->spec_json, strlen(s->row->spec_json), c->spec, &why);
    REQUIRE(rc == 0); /* it was read before, or written by this daemon */
    return c->spec;
}

static void let_go(struct spec_cache *c)
{
    if (c->spec != NULL)
        spec_finish(c->spec);
    free(c->spec);
    c->spec = NULL;
}

void spec_cache_put(struct spec_cache *c, const struct spec *spec)
{
    let_go(c);
    c->spec = xmalloc(sizeof(*spec));
    *c->spec = *spec;
}

void spec_cache_destroy(struct spec_cache *c)
{
    if (c != NULL)
        let_go(c);
    free(c);
}

void sweep_put_to_sleep(const struct engine *e, struct sweep *s)
{
    if (e->sweep_count <= AWAKE_MAX || s->running > 0 || s->cache->spec == NULL)
        return;
    memo_destroy(s->memo); /* it knows the space by its place */
    s->memo = memo_create();
    let_go(s->cache);
}

void engine_put_to_sleep(struct engine *e)
{
    for (size_t i = 0; i < e->sweep_count; i++)
        sweep_put_to_sleep(e, e->sweeps[i]);
}
