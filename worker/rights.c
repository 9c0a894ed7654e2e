#include "worker/rights.h"

#include <libgen.h>
#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/paths.h"
#include "worker/data/source.h"
#include "worker/sandbox.h"

/* A folder that a file is to be written to, made where it is not there yet. The one above is
 * listed, for its name is synced too. */
static void allow_output(struct sandbox *s, const char *path)
{
    if (path[0] == '\0')
        return;
    (void)paths_make_parent(path, 0700, NULL); /* else writing will say why not */
    sandbox_allow_parent(s, path, SANDBOX_WRITE);
    char *copy = xstrdup(path), *above = xasprintf("%s/..", dirname(copy));
    sandbox_allow(s, above, SANDBOX_LIST);
    free(above);
    free(copy);
}

static void allow_run(struct sandbox *s, const struct run_config *c)
{
    sandbox_allow(s, c->start_weights, SANDBOX_READ);
    sandbox_allow(s, c->start_checkpoint, SANDBOX_READ);
    allow_output(s, c->weights);
    allow_output(s, c->checkpoint);
}

static void allow_data(struct sandbox *s, const struct source *source)
{
    char cache[PATHS_MAX];
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++) {
        sandbox_allow(s, source->files[i].path, SANDBOX_READ);
        sandbox_allow_parent(s, source->files[i].path, SANDBOX_LIST);
    }
    if (paths_cache(cache, NULL) == 0 && paths_make_dirs(cache, 0700, NULL) == 0)
        sandbox_allow(s, cache, SANDBOX_WRITE);
}

int rights_enter(const struct run_config *c, struct errbuf *err)
{
    struct source source;
    struct sandbox s = {0};
    int rc = source_find(&c->data, &source, err);
    if (rc != 0)
        return rc;
    allow_data(&s, &source);
    allow_run(&s, c);
    sandbox_enter(&s);
    sandbox_finish(&s);
    return 0;
}

void rights_narrow(const struct run_config *c)
{
    struct sandbox s = {0};
    allow_run(&s, c);
    sandbox_narrow(&s);
    sandbox_finish(&s);
}

void rights_predict(const struct run_config *c)
{
    struct sandbox s = {0};
    sandbox_allow(&s, c->start_weights, SANDBOX_READ);
    sandbox_allow(&s, c->predict, SANDBOX_READ);
    sandbox_enter(&s);
    sandbox_finish(&s);
}
