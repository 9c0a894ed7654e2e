#include "daemon/launch/launchers.h"

#include "sweep/require.h"

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
        if (rows[i]->open)
            rows[i]->open(l);
    }
}

void launchers_look(struct launchers *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i]->type->look)
            l->items[i]->type->look(l->items[i]);
}

void launchers_stop(struct launchers *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i]->type->stop)
            l->items[i]->type->stop(l->items[i]);
}

bool launchers_busy(struct launchers *l)
{
    bool busy = false;
    for (size_t i = 0; i < l->count; i++)
        busy |= l->items[i]->type->is_busy && l->items[i]->type->is_busy(l->items[i]);
    return busy;
}

size_t launchers_cut_off(const struct launchers *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i]->type->cut_off)
            n += l->items[i]->type->cut_off(l->items[i]);
    return n;
}

void launchers_write_status(const struct launchers *l, struct json_writer *w)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i]->type->write_status)
            l->items[i]->type->write_status(l->items[i], w);
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
