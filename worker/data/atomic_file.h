/* A file that appears under its name only when it is complete. */
#ifndef WORKER_DATA_ATOMIC_FILE_H
#define WORKER_DATA_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/paths.h"

struct errbuf;

struct atomic_file {
    int fd; /* -1 when closed */
    char path[PATHS_MAX], temporary[PATHS_MAX];
};

/* All return 0 or ERR_IO with the path in err; after an error the temporary file is gone. */
int atomic_file_open(struct atomic_file *f, const char *path, struct errbuf *err);
int atomic_file_write(struct atomic_file *f, const void *data, size_t len, struct errbuf *err);
/* durable: wait until the bytes and the name are on the disk, so that a power failure can leave
 * neither a file of the right size without them nor none. */
int atomic_file_commit(struct atomic_file *f, bool durable, struct errbuf *err);

/* Waits until the names in a folder are on the disk. */
int atomic_file_sync_folder(const char *folder, struct errbuf *err);

#endif
