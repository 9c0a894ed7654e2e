/* A folder of files that the user asked for: it appears under its name when all of them are
 * written. Its name must be free, or that of an empty folder: nothing that is there is removed. */
#ifndef SWEEPCTL_NEW_FOLDER_H
#define SWEEPCTL_NEW_FOLDER_H

#include <stddef.h>
#include <stdio.h>

#include "sweep/paths.h"

struct errbuf;
struct buf;

struct new_folder {
    char path[PATHS_MAX], temporary[PATHS_MAX]; /* temporary "": there is nothing to remove */
};

/* ERR_STATE: something is there; ERR_IO. The message names the path. */
int new_folder_begin(struct new_folder *f, const char *path, struct errbuf *err);
/* A new file of that name in it, for writing; folders on its way are made. NULL and err. */
FILE *new_folder_open(struct new_folder *f, const char *name, struct errbuf *err);
/* A file of such bytes; the buffer is emptied. */
int new_folder_write(struct new_folder *f, const char *name, struct buf *bytes,
                     struct errbuf *err);
/* A folder in it, where it is not there. */
int new_folder_make(struct new_folder *f, const char *name, struct errbuf *err);
/* Closes a file that was opened in it. ERR_IO where not all of it could be written. */
int new_folder_close(const struct new_folder *f, FILE *file, struct errbuf *err);
int new_folder_commit(struct new_folder *f, struct errbuf *err);
/* Removes what was written, unless it has been committed. */
void new_folder_abandon(struct new_folder *f);

#endif
