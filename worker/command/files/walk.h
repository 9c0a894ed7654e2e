/* The files of a folder and those below it, as a stranger may have left them: no link is followed,
 * nothing is waited for, and there is an end to it. */
#ifndef WORKER_COMMAND_FILES_WALK_H
#define WORKER_COMMAND_FILES_WALK_H

#include <stddef.h>

struct stat;

#define WALK_DEPTH_MAX 8
#define WALK_ENTRIES_MAX 4096 /* of one walk */

/* Gets each regular file. */
typedef void walk_found(void *context, const char *path, const struct stat *st);
/* skip: a folder of that name right in the first is passed over; NULL: none. */
void walk_files(const char *folder, const char *skip, walk_found *found, void *context);

#endif
