/* A file that the user asked for: it appears under its name when it is complete, and nothing that
 * is there already is overwritten unless they say so. */
#ifndef SWEEPCTL_NEW_FILE_H
#define SWEEPCTL_NEW_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/paths.h"

struct errbuf;

struct new_file {
    bool force;
    int fd; /* while it is written; -1 */
    char path[PATHS_MAX], temporary[PATHS_MAX]; /* temporary "": there is nothing to remove */
};

void new_file_init(struct new_file *f, const char *path, bool force);
/* Writes the bytes beside path under another name. ERR_STATE: path is taken, and not force;
 * ERR_IO. The message names the path. After an error nothing is left behind. */
int new_file_write(struct new_file *f, const void *bytes, size_t len, struct errbuf *err);
/* The same piece by piece: begin, append …, end. */
int new_file_begin(struct new_file *f, struct errbuf *err);
int new_file_append(struct new_file *f, const void *bytes, size_t len, struct errbuf *err);
int new_file_end(struct new_file *f, struct errbuf *err);
/* Gives it its name. The same errors. */
int new_file_commit(struct new_file *f, struct errbuf *err);
/* Removes what was written, unless it has been committed. */
void new_file_abandon(struct new_file *f);

#endif
