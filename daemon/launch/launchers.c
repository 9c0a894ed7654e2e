#include "daemon/launch/launchers.h"

#include "daemon/launch/local.h"
#include "sweep/require.h"

/* The engine fills the slots of an earlier one first. */
static const struct launcher_type *const types[] = {
    &launcher_local,
};

const struct launcher_type *const *launcher_types(size_t *count)
{
    *count = sizeof(types) / sizeof(types[0]);
    return types;
}

void launchers_create(struct launchers *out, const struct launch_site *site,
                      const struct launcher_type *const *rows, size_t count)
{
    REQUIRE(count > 0 && count <= ENGINE_LAUNCHERS_MAX);
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        struct launcher *l = rows[i]->create();
        l->type = rows[i];
        l->site = site;
        l->index = i;
        out->items[i] = l;
    }
}

void launchers_close(struct launchers *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i]->type->close)
            l->items[i]->type->close(l->items[i]);
    }
}

void launchers_destroy(struct launchers *l)
{
    for (size_t i = 0; i < l->count; i++)
        l->items[i]->type->destroy(l->items[i]);
    l->count = 0;
}

struct launcher *launchers_of_handle(const struct launchers *l, const char *handle)
{
    for (size_t i = 0; i < l->count; i++) {
        if (handle[0] && l->items[i]->type->knows(handle))
            return l->items[i];
    }
    return l->items[0];
}
