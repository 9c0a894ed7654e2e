/* Imports under way, which engines of their own carry out: which content is to be which sweep. */
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"

struct importing {
    struct importing *next;
    int64_t sweep_id;
    char *id; /* what its content is known by */
};

void imports_note(struct engine *e, const char *id, int64_t sweep_id)
{
    struct importing *i = xmalloc(sizeof(*i));
    *i = (struct importing){e->importing, sweep_id, xstrdup(id)};
    e->importing = i;
}

void engine_import_end(struct engine *e, int64_t sweep_id)
{
    struct importing **at = &e->importing;
    while (*at != NULL && (*at)->sweep_id != sweep_id)
        at = &(*at)->next;
    struct importing *i = *at;
    if (i == NULL)
        return;
    *at = i->next;
    free(i->id);
    free(i);
}

void imports_forget(struct engine *e)
{
    while (e->importing != NULL)
        engine_import_end(e, e->importing->sweep_id);
}

int64_t engine_importing(const struct engine *e, const char *id)
{
    const struct importing *i = e->importing;
    while (i != NULL && strcmp(i->id, id) != 0)
        i = i->next;
    return i != NULL ? i->sweep_id : 0;
}
