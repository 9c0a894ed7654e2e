/* Names of a stranger's choice, as another tool's files can have them. Pure. */
#ifndef SWEEPCTL_EXPORT_NAME_H
#define SWEEPCTL_EXPORT_NAME_H

#include <stddef.h>
#include <stdint.h>

/* A word of 64 hexadecimal digits that is always the same for this run of this sweep, and another
 * for a run of another database. */
struct json;
void export_run_hash(const struct json *sweep, const struct json *run, char out[65]);

/* A relative path of letters, digits and "_-. :/" that no normalizing changes. Other characters
 * become '_'. The caller frees. */
char *export_path_name(const char *name);

/* Which names were given to which, so that two stay two, and none is a folder and a file. */
struct export_names {
    struct export_name *items;
    size_t count, cap;
};
/* Until the names are finished. */
const char *export_names_get(struct export_names *names, const char *name);
void export_names_finish(struct export_names *names);

#endif
