/* The table of launchers, and those that are at work in this daemon. */
#ifndef SWEEPD_LAUNCHERS_H
#define SWEEPD_LAUNCHERS_H

#include <stddef.h>

#include "daemon/launch/launcher.h"

/* At work, by row. */
struct launchers {
    size_t count;
    struct launcher *items[ENGINE_LAUNCHERS_MAX];
};

/* The table. */
const struct launcher_type *const *launcher_types(size_t *count);

void launchers_create(struct launchers *out, const struct launch_site *site,
                      const struct launcher_type *const *types, size_t count);
void launchers_look(struct launchers *l);
void launchers_stop(struct launchers *l);
bool launchers_busy(struct launchers *l);
size_t launchers_cut_off(const struct launchers *l);
void launchers_write_status(const struct launchers *l, struct json_writer *w);
void launchers_close(struct launchers *l);
void launchers_destroy(struct launchers *l);
/* Whose handle that is; the first one's where nobody knows it. */
struct launcher *launchers_of_handle(const struct launchers *l, const char *handle);

#endif
